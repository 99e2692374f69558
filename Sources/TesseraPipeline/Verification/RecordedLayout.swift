// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraImages

/// A layout as a run recorded it: the file, the digests of t-SNE's states, and the states that were kept.
struct RecordedLayout {
  private let layout: FeatureLayout
  private let histories: [LayoutHistory]
  private let states: LayoutStates
  private static let file = Pipeline.Files.layout, history = Pipeline.Files.layoutHistory

  /// Of a run's folder.
  init(_ layout: FeatureLayout, _ histories: [LayoutHistory], folder: String) throws {
    (self.layout, self.histories) = (layout, histories)
    states = LayoutStates(
      folder: URL(fileURLWithPath: folder).appendingPathComponent(Pipeline.Files.states).path)
  }

  /// All recorded states.
  var count: Int { histories.reduce(0) { $0 + $1.states.count } }

  private func differs(
    _ file: String, _ tensor: String, _ index: [Int], _ recorded: String, _ recomputed: String
  ) -> RunCertificate.Difference {
    .init(
      stage: "layout", file: file, tensor: tensor, index: index, recorded: recorded, recomputed: recomputed)
  }

  private func difference(_ tensor: String, _ recorded: [Float], _ again: [Float]) -> RunCertificate
    .Difference?
  {
    guard recorded.count == again.count else {
      return differs(Self.file, tensor, [], "\(recorded.count) values", "\(again.count)")
    }
    guard let place = recorded.indices.first(where: { recorded[$0].bitPattern != again[$0].bitPattern })
    else { return nil }
    return differs(Self.file, tensor, [place], bitText(recorded[place]), bitText(again[place]))
  }

  /// Whether scaler, size or channels are others than what is fitted again.
  func difference(_ fit: LayoutFit) -> RunCertificate.Difference? {
    for (name, own, again) in [
      ("minimum", layout.scaler.minimum, fit.scaler.minimum),
      ("maximum", [layout.scaler.maximum], [fit.scaler.maximum]),
    ] {
      if let found = difference(name, own, again) { return found }
    }
    guard layout.side == fit.side else {
      return differs(Self.file, "its pixels", [], "\(layout.side) a side", "\(fit.side)")
    }
    let names = fit.parts.map(\.name)
    guard layout.channels.map(\.name) == names, layout.channels.map(\.features) == fit.parts.map(\.features)
    else {
      return differs(Self.file, "its channels", [], "\(layout.channels.map(\.name))", "\(names)")
    }
    guard histories.map(\.channel) == names else {
      return differs(Self.history, "its channels", [], "\(histories.map(\.channel))", "\(names)")
    }
    for (history, part) in zip(histories, fit.parts) {
      // What has iterations has states.
      guard history.states.isEmpty == (part.representation.method != .tsne) || fit.iterations == 0 else {
        return differs(Self.history, history.channel, [], "\(history.states.count) states", "another number")
      }
    }
    return nil
  }

  /// Whether any state is kept.
  var keepsStates: Bool { histories.indices.contains { !states.iterations($0).isEmpty } }

  /// Throws if a kept state is another than the recorded one.
  func checkKept(_ fit: inout LayoutFit, on devices: DeviceGroup) throws {
    for channel in histories.indices where !states.iterations(channel).isEmpty {
      guard let run = try fit.run(channel, on: devices) else { continue }
      let records = histories[channel].states
      for (number, record) in records.enumerated() {
        guard let file = try states.file(channel, record.iteration) else { continue }
        try run.restore(file, record, after: number > 0 ? records[number - 1].state : nil)
      }
    }
  }

  /// What has to be run of each channel for some of all states.
  func plans(_ drawn: [Int]) -> [StretchPlan] {
    var first = 0
    return histories.enumerated().map { channel, history in
      defer { first += history.states.count }
      let own = drawn.filter { $0 >= first && $0 < first + history.states.count }.map { $0 - first }
      let kept = states.iterations(channel)
      return StretchPlan(
        total: history.states.count,
        kept: Set(history.states.indices.filter { kept.contains(history.states[$0].iteration) }), drawn: own)
    }
  }

  /// Runs what a plan has of a channel's t-SNE; other places are made again whole.
  ///
  /// - Parameter done: called after each stretch.
  func replay(
    _ channel: Int, _ plan: StretchPlan, _ fit: inout LayoutFit, on devices: DeviceGroup,
    done: () throws -> Void
  ) throws -> RunCertificate.Difference? {
    let own = layout.channels[channel]
    guard fit.parts[channel].representation.method == .tsne else {
      return difference(
        "\(own.name): coordinates", own.coordinates, try fit.otherPlaces(channel, on: devices.main))
    }
    guard plan.computed > 0, let run = try fit.run(channel, on: devices) else { return nil }
    let records = histories[channel].states
    for part in plan.runs {
      if let state = part.from, let file = try states.file(channel, records[state].iteration) {
        try run.restore(file, records[state], after: state > 0 ? records[state - 1].state : nil)
      }
      for state in part.states {
        let found = try run.advance(after: state > 0 ? records[state - 1].state : nil)
        try done()
        if let difference = try difference(channel, state, found, run, on: devices.main) { return difference }
      }
    }
    return nil
  }

  private func difference(
    _ channel: Int, _ state: Int, _ found: TSNERecord, _ run: TSNERun, on device: any Backend
  ) throws -> RunCertificate.Difference? {
    let records = histories[channel].states
    let name = "channel \(channel), iteration \(found.iteration)"
    if let file = try states.file(channel, found.iteration),
      let other = try file.firstDifference(from: run.tensors, on: device)
    {
      return differs(
        "\(Pipeline.Files.states)/\(URL(fileURLWithPath: file.path).lastPathComponent)", other.tensor,
        other.index, other.found, other.wanted)
    }
    guard found == records[state] else {
      return differs(Self.history, name, [], "the state \(records[state].state)", found.state)
    }
    guard run.isFinished == (state == records.count - 1) else {
      return differs(
        Self.history, name, [], run.isFinished ? "more iterations" : "the end",
        run.isFinished ? "the end" : "more"
      )
    }
    guard run.isFinished else { return nil }
    let own = layout.channels[channel]
    if let found = difference("\(own.name): coordinates", own.coordinates, try run.coordinates()) {
      return found
    }
    let divergence = try run.finalDivergence()
    guard own.divergence?.bitPattern != divergence.bitPattern else { return nil }
    return differs(Self.file, "its divergence", [], "\(own.divergence ?? .nan)", "\(divergence)")
  }

  /// Whether a channel's pixels are others than those that its places come to.
  func difference(_ channel: Int, pixels: PixelLayout) -> RunCertificate.Difference? {
    let (own, again) = (layout.channels[channel].pixels.pixelOfFeature, pixels.pixelOfFeature)
    guard let place = own.indices.first(where: { own[$0] != again[$0] }) else { return nil }
    return differs(
      Self.file, "\(layout.channels[channel].name): pixel_of_feature", [place], "\(own[place])",
      "\(again[place])")
  }
}
