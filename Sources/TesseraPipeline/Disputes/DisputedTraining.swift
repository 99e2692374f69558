// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraVision

/// The steps of a training between two recorded states.
struct DisputedTraining: DisputedPart {
  let place: DisputedPlace
  let before: String
  private let dispute: RunDispute
  private let images: ImageSet
  private let training: RecordedTraining
  /// The number of the state that it begins at; nil: at the training's start.
  private let state: Int?

  /// Of a place in a run's training.
  ///
  /// - Throws: `TesseraError` for a place that was not recorded, or the last.
  init(_ dispute: RunDispute, _ epoch: Int, _ step: Int) throws {
    let run = dispute.verification.run
    (self.dispute, place) = (dispute, .training(epoch: epoch, step: step))
    images = try ImageSet.read(run.checked(Pipeline.Files.images))
    let training = try dispute.training(
      Pipeline.decode([EpochRecord].self, run.checked(Pipeline.Files.history)))
    self.training = training
    let state = training.places.firstIndex(of: TrainingPlace(epoch: epoch, step: step))
    self.state = state
    guard (epoch == 0 && step == 0) || state != nil, (state ?? -1) + 1 < training.places.count else {
      throw TesseraError.input(
        "a dispute", found: "epoch \(epoch), step \(step)", wanted: "a recorded state with another after it")
    }
    before = state.map { training.digests[$0] } ?? ""
  }

  /// Whether what is disputed is the start itself: the linear path that a network begins as.
  private var isStart: Bool { state == nil && training.places.first?.epoch == 0 }

  func count() throws -> Int {
    if isStart { return 1 }
    let end = training.places[(state ?? -1) + 1]
    let begin = state.map { training.places[$0] }
    return end.step - (begin?.epoch == end.epoch ? begin?.step ?? 0 : 0)
  }

  func digests() throws -> [String] {
    var digests: [String] = []
    try replay { _ in
    } done: { replay, place in
      digests.append(try replay.stateDigest(at: place))
    }
    return digests
  }

  func operations(of part: Int, capturing number: Int?) throws -> RecordedBackend.Recording {
    let recorder = dispute.recorder
    var (done, found) = (0, RecordedBackend.Recording?.none)
    try replay { _ in
      if part == 0 { try recorder.start(capturing: number) }
    } done: { _, _ in
      if done == part { found = try recorder.stop() }
      done += 1
      if done == part { try recorder.start(capturing: number) }
    }
    guard let found else {
      throw TesseraError.failure("a dispute", found: "\(done) steps", wanted: "step \(part) among them")
    }
    return found
  }

  /// Runs the steps, from the last kept state before them.
  ///
  /// - Parameters:
  ///   - begun: called before the first of them.
  ///   - done: called after each.
  private func replay(
    begun: (TrainingReplay) throws -> Void, done: (TrainingReplay, TrainingPlace) throws -> Void
  ) throws {
    let (verification, target) = (dispute.verification, (state ?? -1) + 1)
    var resources = TrainingResources()
    (resources.splitting, resources.limits) = (.never, .none)
    let start = try TrainingStart(
      images, verification.configuration.model, resources, on: dispute.recorder
    ) { _ in }
    let replay = try TrainingReplay(
      start.network, start.plan, recorded: training.history, resources, helpers: [])
    let plan = StretchPlan(total: training.places.count, kept: training.kept, drawn: [target])
    guard let run = plan.runs.first else { return }
    var next = run.states.lowerBound
    if let state = run.from {
      try replay.begin(at: training.places[state], in: training.states)
    } else {
      if isStart { try begun(replay) }
      try start.startLinearPath()
      if isStart { try done(replay, TrainingPlace(epoch: 0, step: 0)) }
      if try replay.begin() != nil { next += 1 }
    }
    while next <= target {
      if next == target { try begun(replay) }
      _ = try replay.next { place in
        verification.progress.update("epoch \(place.epoch)", done: place.step, of: start.steps, unit: "steps")
        if next == target { try done(replay, place) }
      }
      next += 1
    }
  }
}
