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
  private let states: (folder: StateFolder, kept: KeptStates)?
  /// Called with what each epoch gave and how long it took.
  package var measured: ((EpochFigures) throws -> Void)?
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
  public convenience init(
    _ network: ImageClassifier, _ plan: TrainingPlan, checkpoint: Checkpoint? = nil,
    helpers: [any Backend] = [], splitting: DataParallelMode = .measured
  ) throws {
    var resources = TrainingResources()
    (resources.checkpoint, resources.splitting) = (checkpoint, splitting)
    try self.init(network, plan, resources, helpers: helpers)
  }

  /// A trainer that may use more; the plan's limits on kept features hold.
  package init(
    _ network: ImageClassifier, _ plan: TrainingPlan, _ resources: TrainingResources,
    helpers: [any Backend] = [], ranks: RankTeam? = nil
  ) throws {
    try plan.check(for: network)
    (self.network, self.plan, checkpoint) = (network, plan, resources.checkpoint)
    splitting = resources.splitting
    states = resources.states
    devices = DeviceGroup(network.device, helpers: helpers, ranks: ranks)
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
    try run(
      begin: { nil }, features: progressOfFeatures, progress: progress, sharing: sharing, epochDone: epochDone
    )
  }

  /// The same with a start that is to be fitted.
  ///
  /// - Parameter begin: called where no checkpoint goes on, to fit what is fitted before the first step; gives
  ///   the slice's output if it needed that.
  package func run(
    begin: () throws -> FeatureStore?, features progressOfFeatures: (Int, Int) throws -> Void,
    progress: (Int, Int, Int) throws -> Void, sharing: (String) throws -> Void,
    epochDone: (EpochRecord) throws -> Void
  ) throws {
    if let checkpoint {
      history =
        try checkpoint.load(into: network, optimizer, atMost: plan.options.epochs) { best(of: $0) } ?? history
    }
    // What comes after where this goes on is of another training, or is made again.
    states?.folder.removeAll(
      after: history.last.map { TrainingPlace(epoch: $0.epoch, step: $0.epoch == 0 ? 0 : .max) })
    let keepsStart = plan.keepsStart && history.isEmpty
    guard epochs < plan.options.epochs || keepsStart else { return try finish() }
    let device = network.device
    let begun = history.isEmpty ? try begin() : nil
    let store = try begun ?? FeatureStore.make(network, plan, devices, progress: progressOfFeatures)
    let figures = TrainingFigures(network: network, plan: plan, store: store)
    if keepsStart {
      let clock = ContinuousClock.now
      let loss = try device.span("epoch 0") { try figures.meanLoss(plan.training) }
      let seconds = (ContinuousClock.now - clock) / .seconds(1)
      let digest = try record(TrainingPlace(epoch: 0, step: 0), number: 0, losses: [], after: nil)
      try close(epoch: 0, loss: loss, [digest], figures, seconds: seconds, epochDone)
    }
    let team = try DataParallelTrainer(
      TrainingReplica(network, optimizer, store, plan), devices, splitting, batch: plan.options.batch)
    while epochs < plan.options.epochs, !isPatienceAtAnEnd {
      let epoch = epochs + 1
      let clock = ContinuousClock.now
      let (loss, stretches) = try device.span("epoch \(epoch)") { try pass(epoch, team, progress) }
      if let news = team.takeNews() { try sharing(news) }
      guard loss.isFinite else {
        throw TesseraError.failure(
          "training", found: "loss \(loss) in epoch \(epoch)", wanted: "a finite loss")
      }
      let seconds = (ContinuousClock.now - clock) / .seconds(1)
      try close(epoch: epoch, loss: loss, stretches, figures, seconds: seconds, epochDone)
    }
    try finish()
  }

  /// The epochs that were run.
  private var epochs: Int { history.last?.epoch ?? 0 }

  /// The digest of the state at a place; the state is kept if that is wanted.
  ///
  /// - Parameters:
  ///   - number: states that were recorded before it.
  ///   - losses: of the rows since the record before.
  ///   - last: the digest of that record.
  private func record(
    _ place: TrainingPlace, number: Int, losses: [Float], after last: String?
  ) throws -> String {
    let state = TrainingState(network, optimizer)
    let digest = try network.device.span("digest") {
      try state.digest(at: place, losses: losses, after: last)
    }
    if let states, states.kept.keeps(number) {
      try network.device.span("state") {
        try states.folder.save(state, at: place, losses: losses)
      }
    }
    return digest
  }

  /// Validates, and keeps and tells an epoch that is done.
  private func close(
    epoch: Int, loss: Double, _ stretches: [String], _ figures: TrainingFigures, seconds: Double,
    _ epochDone: (EpochRecord) throws -> Void
  ) throws {
    let clock = ContinuousClock.now
    let (correct, validationLoss) = try figures.validateWithLoss()
    let validation = (ContinuousClock.now - clock) / .seconds(1)
    let record = EpochRecord(epoch: epoch, loss: loss, correct: correct, stretches: stretches)
    let isBest = EpochSelection.beatsAll(record, history, rows: plan.validation.count)
    history.append(record)
    if let checkpoint {
      try network.device.span("checkpoint") {
        try checkpoint.save(network, optimizer, history, isBest: isBest)
      }
    }
    if let measured {
      try measured(
        EpochFigures(
          record, plan, trainingAccuracy: try figures.trainingAccuracy(), validationLoss: validationLoss,
          seconds: (seconds, validation)))
    }
    try epochDone(record)
  }

  /// The epoch whose weights are kept of a history.
  private func best(of history: [EpochRecord]) -> Int? {
    EpochSelection.best(of: history, rows: plan.validation.count)
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

  /// One pass over the training rows; the mean loss, and the digests of the states on the way.
  private func pass(
    _ epoch: Int, _ team: DataParallelTrainer, _ progress: (Int, Int, Int) throws -> Void
  ) throws -> (loss: Double, stretches: [String]) {
    let steps = try EpochSteps(plan, epoch)
    let stretches = steps.stretches
    try team.startEpoch(rows: steps.order.count)
    var (sum, digests) = (0.0, [String]())
    for (place, stretch) in stretches.enumerated() {
      let losses = try team.take(steps, stretch) { try progress(epoch, $0, steps.order.count) }
      sum = losses.reduce(sum) { $0 + Double($1) }
      digests.append(
        try record(
          TrainingPlace(epoch: epoch, step: stretch.upperBound),
          number: (epoch - 1) * stretches.count + place + 1, losses: losses,
          after: digests.last ?? history.last?.state))
    }
    return (sum / Double(steps.order.count), digests)
  }
}
