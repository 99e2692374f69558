// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraVision

/// The way of a training from one recorded state to the next: its steps, and at an epoch's end the count of
/// right answers. What comes before the first step is of the first part: weights that are drawn, and the linear
/// path that a network begins as, which is a state of its own.
struct DisputedTraining: ReplayedPart {
  let place: DisputedPlace
  let before: String
  let dispute: RunDispute
  private let images: ImageSet
  private let training: RecordedTraining
  /// The number of the state that it ends in.
  private let target: Int

  /// Of a state in a run's training.
  ///
  /// - Throws: `TesseraError` for a state that was not recorded.
  init(_ dispute: RunDispute, _ state: Int) throws {
    let run = dispute.verification.run
    (self.dispute, place, target) = (dispute, .training(state: state), state)
    images = try ImageSet.read(run.checked(Pipeline.Files.images))
    training = try dispute.training(
      Pipeline.decode([EpochRecord].self, run.checked(Pipeline.Files.history)))
    guard training.places.indices.contains(state) else {
      throw TesseraError.input(
        "a dispute", found: "state \(state) of the training", wanted: "one of \(training.places.count)")
    }
    before = state > 0 ? training.chain(state - 1) : ""
  }

  /// Whether it is the start that is recorded as epoch 0.
  private var isStart: Bool { training.places[target].epoch == 0 }

  func count() throws -> Int {
    if isStart { return 1 }
    let (from, end) = (target > 0 ? training.places[target - 1] : nil, training.places[target])
    let steps = end.step - (from?.epoch == end.epoch ? from?.step ?? 0 : 0)
    return steps + (training.isEnd(target) ? 1 : 0)
  }

  func replay(begun: () throws -> Void, done: (String) throws -> Void) throws {
    let plan = StretchPlan(total: training.places.count, kept: training.kept, drawn: [target])
    guard let run = plan.runs.first else { return }
    if target == 0 { try begun() }
    var resources = TrainingResources()
    (resources.splitting, resources.limits) = (.never, .none)
    let start = try TrainingStart(
      images, dispute.verification.configuration.model, resources, on: dispute.recorder
    ) { _ in }
    let replay = try TrainingReplay(
      start.network, start.plan, recorded: training.history, resources, helpers: [])
    var next = run.states.lowerBound
    if let state = run.from {
      try replay.begin(at: training.places[state], in: training.states)
    } else {
      try start.fit { replay.store }
      if let stretch = try replay.begin() {
        next += 1
        if isStart { return try done(digest(try replay.digest(afterStep: nil), of: stretch)) }
      }
    }
    while next < target {
      _ = try replay.next()
      next += 1
    }
    if target > 0 { try begun() }
    try steps(replay, of: start.steps, done)
  }

  /// The parts themselves.
  private func steps(_ replay: TrainingReplay, of all: Int, _ done: (String) throws -> Void) throws {
    var stretch = try replay.next(validates: false) { place in
      dispute.verification.progress.update("epoch \(place.epoch)", done: place.step, of: all, unit: "steps")
      try done(try replay.digest(afterStep: place))
    }
    guard training.isEnd(target) else { return }
    stretch.correct = try replay.validate()
    try done(digest("", of: stretch))
  }

  /// SHA-256 of an epoch's figures, as far as they are known.
  private func digest(_ state: String, of stretch: TrainingReplay.Stretch) -> String {
    var print = Fingerprint()
    print.add(state)
    // Of an epoch that was entered in its middle the loss is not known to one of the parties: rows have theirs.
    print.add(isStart ? "\(stretch.loss?.bitPattern ?? 0)" : "")
    print.add("\(stretch.correct ?? -1)")
    return print.digits()
  }
}
