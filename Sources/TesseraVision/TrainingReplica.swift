// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// One step of training: which rows, and where they are in their epoch.
struct TrainingStep: Sendable {
  /// Rows of the batch, and their classes.
  let rows: [Int], labels: [Int32]
  /// The place of the first row in the epoch's order.
  let begin: Int
  /// The step's number over all epochs, and the factor on the learning rates.
  let number: UInt64, factor: Float
}

/// A network in training on one device, with the whole of every batch or a part of it. Members that share
/// batches have the same weights and moments, bit for bit, after each step.
final class TrainingReplica {
  let network: ImageClassifier
  let optimizer: Adam
  let store: FeatureStore
  let memory = BatchShard.Staging()
  let plan: TrainingPlan
  /// What the losses are multiplied by that are told; those of a step are of its own rows.
  private let factors: LossFactors?
  private var losses: Tensor?

  /// A member with a network, its optimiser and what its batches are made of.
  init(_ network: ImageClassifier, _ optimizer: Adam, _ store: FeatureStore, _ plan: TrainingPlan) {
    self.network = network
    self.optimizer = optimizer
    self.store = store
    self.plan = plan
    factors = plan.factors(among: plan.training)
  }

  /// Another that goes on from this one on another device.
  func copy(on device: any Backend) throws -> TrainingReplica {
    let copy = try network.copy(on: device)
    let optimizer = try Self.optimizer(for: copy, plan)
    for (mine, its) in zip(self.optimizer.state, optimizer.state) {
      let values = try network.device.floats(mine.tensor)
      try values.withUnsafeBytes { try device.upload($0, to: its.tensor, offset: 0) }
    }
    try optimizer.restore(steps: self.optimizer.steps)
    return TrainingReplica(copy, optimizer, FeatureStore(store, for: copy), plan)
  }

  /// Losses of an epoch's rows start at 0: those of other members stay so.
  func startEpoch(rows: Int) throws {
    let losses = try network.device.allocate([rows], .float32)
    try network.device.fill(losses, with: 0)
    self.losses = losses
  }

  /// The losses of some of the epoch's rows: of those that were in its parts since the epoch began, 0 for others.
  func epochLosses(_ rows: Range<Int>) throws -> [Float] {
    guard let losses else { return [] }
    return try [Float](unsafeUninitializedCapacity: rows.count) { buffer, count in
      try network.device.download(
        losses, offset: rows.lowerBound, into: UnsafeMutableRawBufferPointer(buffer))
      count = rows.count
    }
  }

  /// Does a step with a part of its batch, or all of it.
  func take(_ step: TrainingStep, _ part: BatchShard?) throws {
    let device = network.device
    let context = Context(
      device: device, training: true, differentiable: true, seed: plan.options.seed, step: step.number,
      part: part, products: network.options.products)
    let own = part?.samples ?? 0..<step.rows.count
    let rows = Array(step.rows[own])
    let classes = Array(step.labels[own])
    let labels = try device.tensor(classes, [rows.count])
    let input = try store.batch(rows, context)
    let logits = try network.logits(input.features, images: input.images, context)
    func tensor(_ factors: LossFactors?) throws -> Tensor? {
      try factors.map { try device.tensor($0.of(classes), [rows.count]) }
    }
    let values = try context.crossEntropy(
      logits, labels: labels, smoothing: plan.options.labelSmoothing, factors: tensor(factors))
    if let losses, !rows.isEmpty {
      try device.copy(values, to: losses, region: .whole(rows.count, at: step.begin + own.lowerBound))
    }
    // The mean is over the whole batch, whatever part of it this is.
    try context.backward(
      from: logits, labels: labels, smoothing: plan.options.labelSmoothing,
      factors: tensor(plan.classWeights.map { LossFactors($0, labels: step.labels) }))
    try optimizer.step(factor: step.factor)
  }

  /// The same; the seconds that the device was at work, where they are wanted.
  func take(_ step: TrainingStep, _ part: BatchShard, isTimed: Bool) throws -> Double {
    let start = ContinuousClock.now
    try take(step, part)
    guard isTimed else { return 0 }
    try network.device.synchronize()
    return (ContinuousClock.now - start - part.waited) / .seconds(1)
  }

  /// The optimiser of a network by a plan; the slice becomes trainable, or not, as the plan wants.
  static func optimizer(for network: ImageClassifier, _ plan: TrainingPlan) throws -> Adam {
    let rates = plan.options.rates(of: network.architecture, network.options.head)
    func named(_ prefix: String, _ module: Sequential) -> [(name: String, parameter: Parameter)] {
      module.parameters.map { (prefix + $0.name, $0.parameter) }
    }
    network.slice.setTrainable(plan.options.slice == .trainable)
    return try Adam(
      device: network.device,
      [
        .init(named("", network.slice), learningRate: plan.options.sliceRate ?? rates.convolutions),
        .init(named("head.", network.head), learningRate: rates.convolutions),
        .init(named("classifier.", network.classifier), learningRate: rates.classifier),
      ], weightDecay: plan.options.weightDecay)
  }
}

extension CopyRegion {
  /// A whole array to a place in another.
  static func whole(_ count: Int, at place: Int) -> CopyRegion {
    CopyRegion(
      rows: 1, columns: count, sourceStride: count, destinationOffset: place, destinationStride: count)
  }
}
