// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// A training that is run again, from its start or from a kept state, one stretch between two recorded states
/// after the other. What it makes is compared with what was recorded by its caller.
package final class TrainingReplay {
  /// Where it is; nil before it begins.
  package private(set) var place: TrainingPlace?
  private let network: ImageClassifier
  private let plan: TrainingPlan
  private let state: TrainingState
  /// The frozen slice's output.
  package let store: FeatureStore
  private let figures: TrainingFigures
  private let devices: DeviceGroup
  private let splitting: DataParallelMode
  private let recorded: [EpochRecord]
  private var team: DataParallelTrainer?
  /// The steps of the epoch that it is in; nil between two epochs.
  private var steps: EpochSteps?
  /// The digest of the state at `place`.
  private var digest: String?
  /// The sum of the losses of the epoch's rows; nil where the epoch was entered in its middle.
  private var loss: Double?

  /// A stretch that was run again.
  package struct Stretch {
    /// Where it ends.
    package let place: TrainingPlace
    /// The digest of the state there.
    package let digest: String
    /// The epoch's mean loss, at its end and where all of it was run again.
    package var loss: Double?
    /// Right answers on the validation rows, at an epoch's end.
    package var correct: Int?
  }

  /// A replay of a network as it is drawn.
  ///
  /// - Parameters:
  ///   - network: the network before the first step.
  ///   - plan: the training's.
  ///   - recorded: the training's history.
  ///   - resources: what it may use; no checkpoint is read or written.
  ///   - helpers: devices that help the network's.
  package init(
    _ network: ImageClassifier, _ plan: TrainingPlan, recorded: [EpochRecord],
    _ resources: TrainingResources, helpers: [any Backend]
  ) throws {
    try plan.check(for: network)
    (self.network, self.plan, self.recorded) = (network, plan, recorded)
    splitting = resources.splitting
    devices = DeviceGroup(network.device, helpers: helpers)
    state = TrainingState(network, try TrainingReplica.optimizer(for: network, plan))
    store = try FeatureStore.make(network, plan, devices)
    figures = TrainingFigures(network: network, plan: plan, store: store)
  }

  /// The network's tensors where it is.
  package var tensors: [(name: String, tensor: Tensor)] { state.tensors }

  /// SHA-256 of the state after a step, with the losses of its rows and nothing of what went before.
  ///
  /// - Parameter place: where the step ends; nil: of a start, which has no rows.
  package func digest(afterStep place: TrainingPlace?) throws -> String {
    guard let place, let team, let steps else {
      return try state.digest(at: .init(epoch: 0, step: 0), losses: [], after: nil)
    }
    let losses = try team.epochLosses(steps.rows(of: place.step - 1..<place.step))
    return try state.digest(at: place, losses: losses, after: nil)
  }

  /// Right answers on the validation rows, by the network as it is.
  package func validate() throws -> Int { try figures.validate() }

  /// Begins at the training's start, with the network as it is.
  ///
  /// - Returns: what was recorded of the start, made again; nil where nothing is.
  package func begin() throws -> Stretch? {
    (place, digest) = (TrainingPlace(epoch: 0, step: 0), nil)
    try makeTeam()
    guard plan.keepsStart, let place else { return nil }
    let found = try state.digest(at: place, losses: [], after: nil)
    var stretch = Stretch(place: place, digest: found)
    (stretch.loss, stretch.correct) = (try figures.meanLoss(plan.training), try figures.validate())
    digest = recorded.first { $0.epoch == 0 }?.state
    return stretch
  }

  /// Begins at a kept state.
  ///
  /// - Throws: `TesseraError` for a file that cannot be read, a place that was not recorded, and a state that
  ///   is another than the recorded one.
  package func begin(at place: TrainingPlace, in folder: StateFolder) throws {
    let steps = try place.epoch > 0 ? EpochSteps(plan, place.epoch) : nil
    guard let entry = recorded.firstIndex(where: { $0.epoch == place.epoch }),
      let stretches = recorded[entry].stretches,
      let number = (steps?.stretches.map(\.upperBound) ?? [0]).firstIndex(of: place.step),
      number < stretches.count
    else {
      throw TesseraError.failure(
        "a kept state", found: "epoch \(place.epoch), step \(place.step)", wanted: "a place in the history")
    }
    let before = entry > 0 ? recorded[entry - 1].state : nil
    try folder.load(
      place, into: state, steps: steps.map { (place.epoch - 1) * $0.count + place.step } ?? 0,
      digest: stretches[number], after: number > 0 ? stretches[number - 1] : before)
    // At an epoch's end the figures are in the digest too, and the next step is the next epoch's.
    let isEnd = steps.map { place.step == $0.count } ?? true
    (self.place, self.steps, loss) = (place, isEnd ? nil : steps, nil)
    digest = isEnd ? recorded[entry].state : stretches[number]
    try makeTeam()
    if let steps = self.steps { try team?.startEpoch(rows: steps.order.count) }
  }

  /// A team from the network's weights as they are now.
  private func makeTeam() throws {
    team = try DataParallelTrainer(
      TrainingReplica(network, state.optimizer, figures.store, plan), devices, splitting,
      batch: plan.options.batch)
  }

  /// Runs the next stretch.
  ///
  /// - Parameters:
  ///   - validates: whether the right answers are counted at an epoch's end.
  ///   - progress: called after each step with the place.
  package func next(
    validates: Bool = true, progress: (TrainingPlace) throws -> Void = { _ in }
  ) throws -> Stretch {
    guard let team, let from = place else {
      throw TesseraError.failure("a replay", found: "no place", wanted: "one that has begun")
    }
    let first = self.steps == nil ? 0 : from.step
    let steps = try self.steps ?? EpochSteps(plan, from.epoch + 1)
    if self.steps == nil {
      try team.startEpoch(rows: steps.order.count)
      (self.steps, loss) = (steps, 0)
    }
    let stretch = first..<min(steps.count, first + TrainingPlace.stretch)
    var done = first
    let losses = try team.take(steps, stretch) { _ in
      done += 1
      try progress(TrainingPlace(epoch: steps.epoch, step: done))
    }
    let end = TrainingPlace(epoch: steps.epoch, step: stretch.upperBound)
    let found = try state.digest(at: end, losses: losses, after: digest)
    loss = loss.map { losses.reduce($0) { $0 + Double($1) } }
    (place, digest) = (end, found)
    var result = Stretch(place: end, digest: found)
    guard end.step == steps.count else { return result }
    result.loss = loss.map { $0 / Double(steps.order.count) }
    if validates { result.correct = try validate() }
    digest = recorded.first { $0.epoch == steps.epoch }?.state
    self.steps = nil
    return result
  }
}
