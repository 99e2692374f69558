// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages

/// The way of a channel's layout from one recorded state of t-SNE to the next: its iterations, then the look at
/// the divergence. What comes before the first iteration is of the first part: the scaler, distances, affinities.
/// A layout without iterations is one part.
struct DisputedLayout: ReplayedPart {
  let place: DisputedPlace
  let before: String
  let dispute: RunDispute
  private let channel: Int
  private let records: [TSNERecord]
  /// The number of the state that it ends in.
  private let target: Int

  /// Of a state in a run's layout.
  ///
  /// - Throws: `TesseraError` for a state that was not recorded.
  init(_ dispute: RunDispute, _ channel: Int, _ state: Int) throws {
    (self.dispute, self.channel, target) = (dispute, channel, state)
    place = .layout(channel: channel, state: state)
    let histories = try Pipeline.decode(
      [LayoutHistory].self, dispute.verification.run.checked(Pipeline.Files.layoutHistory))
    guard histories.indices.contains(channel) else {
      throw TesseraError.input(
        "a dispute", found: "channel \(channel)", wanted: "one of \(histories.count)")
    }
    records = histories[channel].states
    guard state >= 0, state < max(1, records.count) else {
      throw TesseraError.input(
        "a dispute", found: "state \(state) of channel \(channel)", wanted: "one of \(records.count)")
    }
    before = state > 0 ? records[state - 1].state : ""
  }

  func count() throws -> Int {
    guard !records.isEmpty else { return 1 }
    return records[target].iteration - (target > 0 ? records[target - 1].iteration : 0) + 1
  }

  func replay(begun: () throws -> Void, done: (String) throws -> Void) throws {
    let verification = dispute.verification
    let embeddings = try Embeddings.read(verification.run.checked(Pipeline.Files.embeddings))
    let split = try verification.configuration.split(of: verification.data.labels)
    if target == 0 { try begun() }
    var fit = try LayoutFit(
      embeddings, split: split, try verification.configuration.layoutPlan(), on: dispute.recorder)
    guard fit.parts.indices.contains(channel) else { return }
    guard !records.isEmpty, let run = try fit.run(channel, on: DeviceGroup(dispute.recorder)) else {
      let places = try fit.otherPlaces(channel, on: dispute.recorder)
      var print = Fingerprint()
      places.withUnsafeBytes { print.add($0) }
      return try done(print.digits())
    }
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
    for _ in part.states.dropLast() { _ = try run.advance(after: nil) }
    if target > 0 { try begun() }
    _ = try run.advance(after: nil) { try done($0.digest(after: nil)) }
    try done(run.digest(after: nil))
  }
}
