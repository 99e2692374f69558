// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages

/// The iterations of a channel's t-SNE between two recorded states.
struct DisputedLayout: DisputedPart {
  let place: DisputedPlace
  let before: String
  private let dispute: RunDispute
  private let channel: Int
  private let records: [TSNERecord]
  /// The number of the state that they end in.
  private let target: Int

  /// Of a place in a run's layout.
  ///
  /// - Throws: `TesseraError` for a place that was not recorded, or the last.
  init(_ dispute: RunDispute, _ channel: Int, _ iteration: Int) throws {
    (self.dispute, self.channel) = (dispute, channel)
    place = .layout(channel: channel, iteration: iteration)
    let histories = try Pipeline.decode(
      [LayoutHistory].self, dispute.verification.run.checked(Pipeline.Files.layoutHistory))
    let states = histories.indices.contains(channel) ? histories[channel].states : []
    let state = iteration == 0 ? -1 : states.firstIndex { $0.iteration == iteration } ?? states.count
    guard state + 1 < states.count else {
      throw TesseraError.input(
        "a dispute", found: "iteration \(iteration) of channel \(channel)",
        wanted: "a recorded state with another after it")
    }
    (records, target, before) = (states, state + 1, state >= 0 ? states[state].state : "")
  }

  func count() throws -> Int {
    records[target].iteration - (target > 0 ? records[target - 1].iteration : 0)
  }

  func digests() throws -> [String] {
    var digests: [String] = []
    try replay { _ in
    } done: {
      digests.append(try $0.digest(after: nil))
    }
    return digests
  }

  func operations(of part: Int, capturing number: Int?) throws -> RecordedBackend.Recording {
    let recorder = dispute.recorder
    var (done, found) = (0, RecordedBackend.Recording?.none)
    try replay { _ in
      if part == 0 { try recorder.start(capturing: number) }
    } done: { _ in
      if done == part { found = try recorder.stop() }
      done += 1
      if done == part { try recorder.start(capturing: number) }
    }
    guard let found else {
      throw TesseraError.failure(
        "a dispute", found: "\(done) iterations", wanted: "number \(part) among them")
    }
    return found
  }

  /// Runs the iterations, from the last kept state before them.
  private func replay(begun: (TSNERun) throws -> Void, done: (TSNERun) throws -> Void) throws {
    let verification = dispute.verification
    let embeddings = try Embeddings.read(verification.run.checked(Pipeline.Files.embeddings))
    let split = try verification.configuration.split(of: verification.data.labels)
    var fit = try LayoutFit(
      embeddings, split: split, try verification.configuration.layoutPlan(), on: dispute.recorder)
    guard fit.parts.indices.contains(channel),
      let run = try fit.run(channel, on: DeviceGroup(dispute.recorder))
    else { return }
    let states = LayoutStates(
      folder: URL(fileURLWithPath: verification.run.folder).appendingPathComponent(Pipeline.Files.states).path
    )
    let kept = states.iterations(channel)
    let plan = StretchPlan(
      total: records.count, kept: Set(records.indices.filter { kept.contains(records[$0].iteration) }),
      drawn: [target])
    guard let part = plan.runs.first else { return }
    if let state = part.from, let file = try states.file(channel, records[state].iteration) {
      try run.restore(file, records[state], after: state > 0 ? records[state - 1].state : nil)
    }
    for state in part.states {
      if state == target { try begun(run) }
      _ = try run.advance(after: nil) { if state == target { try done($0) } }
    }
  }
}
