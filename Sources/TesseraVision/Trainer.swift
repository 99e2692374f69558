// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraNN

/// Trains a classifier; with a checkpoint path, a killed run resumes and ends in the same bits.
public final class Trainer {
  private let network: ImageClassifier
  private let plan: TrainingPlan
  private let optimizer: Adam
  private let checkpoint: Checkpoint?
  private let devices: DeviceGroup
  private let splitting: DataParallelMode
  /// The epochs so far.
  public private(set) var history: [EpochRecord] = []

  /// The epoch whose weights the network has after `run`: the best on validation where there are
  /// checkpoints, else the last; 0 for the network before the first step, nil if no epoch was run.
  public var keptEpoch: Int? { checkpoint == nil ? history.last?.epoch : best(of: history) }

  /// A trainer.
  ///
  /// - Throws: `TesseraError` for a plan that does not fit the network: images or labels of another number,
  ///   rows that are not there, labels that are no classes, settings out of range.
  /// - Parameters:
  ///   - network: the network that is trained, on its own device.
  ///   - plan: images, labels, rows and settings of the training.
  ///   - checkpoint: a folder for `checkpoint.safetensors` and `best.safetensors`; nil keeps the last epoch's
  ///     weights and writes nothing.
  ///   - helpers: devices that help the network's with the frozen slice's output and with batches.
  ///   - splitting: whether they take parts of batches. Features that the main device keeps leave too
  ///     little to a step for that, and batches that are standardised as a whole stay whole.
  public init(
    _ network: ImageClassifier, _ plan: TrainingPlan, checkpoint: Checkpoint? = nil,
    helpers: [any Backend] = [], splitting: DataParallelMode = .measured
  ) throws {
    try plan.check(for: network)
    (self.network, self.plan, self.checkpoint) = (network, plan, checkpoint)
    self.splitting = splitting
    devices = DeviceGroup(network.device, helpers: helpers)
    optimizer = try TrainingReplica.optimizer(for: network, plan)
  }

  /// Trains to the last epoch and leaves the network with the weights of the best one on validation (the
  /// earliest of equals; the last epoch without validation rows).
  ///
  /// - Parameters:
  ///   - progressOfFeatures: called with images of which the slice's output is kept, and all.
  ///   - progress: called with (epoch, rows done, rows of the epoch).
  ///   - sharing: called with a line on how devices share batches, if that was measured.
  ///   - epochDone: called with each epoch's figures.
  public func run(
    features progressOfFeatures: (Int, Int) throws -> Void = { _, _ in },
    progress: (Int, Int, Int) throws -> Void = { _, _, _ in },
    sharing: (String) throws -> Void = { _ in },
    epochDone: (EpochRecord) throws -> Void = { _ in }
  ) throws {
    if let checkpoint {
      history =
        try checkpoint.load(into: network, optimizer, atMost: plan.options.epochs) { best(of: $0) } ?? history
    }
    let keepsStart = plan.keepsStart && history.isEmpty
    guard epochs < plan.options.epochs || keepsStart else { return try finish() }
    let device = network.device
    let store = try device.span("slice's output") {
      try FeatureStore(
        network, images: plan.images, plan.options.slice, noise: plan.options.noise, limits: plan.limits,
        devices: devices, progress: progressOfFeatures)
    }
    if keepsStart {
      let loss = try device.span("epoch 0") { try meanLoss(plan.training, store) }
      try close(try record(0, loss, correct: validate(store)), epochDone)
    }
    let team = try DataParallelTrainer(
      TrainingReplica(network, optimizer, store, plan), devices, splitting, batch: plan.options.batch)
    while epochs < plan.options.epochs, !isPatienceAtAnEnd {
      let epoch = epochs + 1
      let loss = try device.span("epoch \(epoch)") { try pass(epoch, team, progress) }
      if let news = team.takeNews() { try sharing(news) }
      guard loss.isFinite else {
        throw TesseraError.failure(
          "training", found: "loss \(loss) in epoch \(epoch)", wanted: "a finite loss")
      }
      try close(try record(epoch, loss, correct: validate(store)), epochDone)
    }
    try finish()
  }

  /// The epochs that were run.
  private var epochs: Int { history.last?.epoch ?? 0 }

  /// An epoch's figures, with the digest of the state that it ends in.
  private func record(_ epoch: Int, _ loss: Double, correct: Int) throws -> EpochRecord {
    var record = EpochRecord(epoch: epoch, loss: loss, correct: correct)
    record.state = try network.device.span("digest") {
      try TrainingState(network, optimizer).digest(of: record, after: history.last)
    }
    return record
  }

  private func close(_ record: EpochRecord, _ epochDone: (EpochRecord) throws -> Void) throws {
    let isBest = beatsAll(record, history)
    history.append(record)
    if let checkpoint {
      try network.device.span("checkpoint") {
        try checkpoint.save(network, optimizer, history, isBest: isBest)
      }
    }
    try epochDone(record)
  }

  /// Whether an epoch's weights are kept: better on validation than any before, and than the start by more
  /// than one standard error, the rule of Breiman et al. (1984) in favour of the simpler model. The best of
  /// many epochs is better than the start by chance alone, and then does worse on other rows.
  private func beatsAll(_ record: EpochRecord, _ history: some Collection<EpochRecord>) -> Bool {
    guard !plan.validation.isEmpty else { return true }
    guard history.allSatisfy({ $0.correct < record.correct }) else { return false }
    guard let start = history.first, start.epoch == 0 else { return true }
    let n = Double(plan.validation.count)
    let share = Double(record.correct) / n
    return Double(record.correct - start.correct) > (n * share * (1 - share)).squareRoot()
  }

  /// The epoch whose weights are kept of a history.
  private func best(of history: [EpochRecord]) -> Int? {
    history.indices.last { beatsAll(history[$0], history[..<$0]) }.map { history[$0].epoch }
  }

  /// Whether the best epoch (the earliest of equals) is `patience` epochs old.
  private var isPatienceAtAnEnd: Bool {
    guard let patience = plan.options.patience, let best = history.map(\.correct).max(),
      !plan.validation.isEmpty,
      let at = history.firstIndex(where: { $0.correct == best })
    else { return false }
    return history.count - 1 - at >= patience
  }

  private func finish() throws {
    if let checkpoint, !history.isEmpty { try checkpoint.loadBest(into: network) }
  }

  /// One pass over the training rows; the mean loss.
  private func pass(_ epoch: Int, _ team: DataParallelTrainer, _ progress: (Int, Int, Int) throws -> Void)
    throws
    -> Double
  {
    let order = try RandomStream(seed: plan.options.seed, stream: Self.orderStream + UInt64(epoch)).shuffled(
      plan.training)
    let steps = (order.count + plan.options.batch - 1) / plan.options.batch
    try team.startEpoch(rows: order.count)
    for step in 0..<steps {
      let begin = step * plan.options.batch
      let rows = Array(order[begin..<min(order.count, begin + plan.options.batch)])
      let number = (epoch - 1) * steps + step
      try team.take(
        TrainingStep(
          rows: rows, begin: begin, number: UInt64(number),
          factor: plan.options.schedule.factor(number, of: plan.options.epochs * steps)))
      try progress(epoch, begin + rows.count, order.count)
    }
    return try team.epochLosses().reduce(0) { $0 + Double($1) } / Double(order.count)
  }

  /// The mean cross-entropy over some rows in evaluation mode.
  private func meanLoss(_ rows: [Int], _ store: FeatureStore) throws -> Double {
    let device = network.device
    let losses = try device.allocate([rows.count], .float32)
    try evaluate(rows, store) { logits, begin, part, context in
      let labels = try device.tensor(part.map { plan.labels[$0] }, [part.count])
      try device.copy(
        try context.crossEntropy(logits, labels: labels, smoothing: plan.options.labelSmoothing), to: losses,
        region: .whole(part.count, at: begin))
    }
    return try device.floats(losses).reduce(0) { $0 + Double($1) } / Double(max(1, rows.count))
  }

  private func validate(_ store: FeatureStore) throws -> Int {
    try network.device.span("validation") { try correct(plan.validation, store) }
  }

  /// Right answers on some rows in evaluation mode.
  private func correct(_ rows: [Int], _ store: FeatureStore) throws -> Int {
    let device = network.device
    let answers = try device.allocate([rows.count], .int32)
    try evaluate(rows, store) { logits, begin, part, _ in
      let best = try device.allocate([part.count], .int32)
      try device.rowArgmax(logits.value, rows: part.count, columns: network.classes, into: best)
      try device.copy(best, to: answers, region: .whole(part.count, at: begin))
    }
    // One read for all batches: each would wait for the device.
    return zip(try device.ints(answers), rows).count { $0 == plan.labels[$1] }
  }

  /// The logits of some rows in evaluation mode, batch by batch with its first place among them and the
  /// rows' numbers.
  private func evaluate(
    _ rows: [Int], _ store: FeatureStore, _ body: (Variable, Int, [Int], Context) throws -> Void
  ) throws {
    for begin in stride(from: 0, to: rows.count, by: plan.options.batch) {
      let part = Array(rows[begin..<min(rows.count, begin + plan.options.batch)])
      let context = Context(device: network.device)
      let input = try store.batch(part, context)
      try body(try network.logits(input.features, images: input.images, context), begin, part, context)
    }
  }

  private static let orderStream: UInt64 = 1 << 60
}
