// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages

extension RunVerification {
  /// Fits the scaler again, runs stretches of t-SNE again, each from the last kept state before it, else from the
  /// start, and makes pixels of the recorded places. Which rows are for what is drawn again, all of it.
  ///
  /// - Parameter draw: states by number, of so many.
  func layoutStretches(
    draw: (Int) throws -> [Int]
  ) throws -> (RunCertificate.Stage, RunCertificate.Difference?) {
    let layout = try FeatureLayout.read(run.checked(Pipeline.Files.layout))
    let embeddings = try Embeddings.read(run.checked(Pipeline.Files.embeddings))
    let split = try configuration.split(of: data.labels)
    let nothing = RunCertificate.Stage(stage: "layout", extent: .nothing)
    guard layout.split == split else {
      return (
        nothing,
        .init(
          stage: "layout", file: Pipeline.Files.layout,
          recorded: "other rows for training, validation and test", recomputed: "the seed's")
      )
    }
    progress.begin("fitting the scaler again")
    let plan = try configuration.layoutPlan()
    var fit = try LayoutFit(embeddings, split: split, plan, on: devices.main)
    let recorded = try RecordedLayout(
      layout, try Pipeline.decode([LayoutHistory].self, run.checked(Pipeline.Files.layoutHistory)),
      folder: run.folder)
    if let found = recorded.difference(fit) { return (nothing, found) }
    let drawn = try draw(recorded.count)
    let plans = recorded.plans(drawn)
    let computed = plans.reduce(0) { $0 + $1.computed }
    if computed > 0 {
      progress.note(
        "t-SNE: \(drawn.count) of \(recorded.count) states are drawn, \(TSNERun.stretch) iterations apart;"
          + " \(computed) have to be made again"
          + (computed > drawn.count ? ", for no nearer ones are kept to begin from" : ""))
    }
    var stage = nothing
    if computed > 0 {
      stage = .init(stage: "layout", extent: .stretches, rows: drawn.count, total: recorded.count)
      stage.computed = computed
      stage.passes = RowSample.chances(drawn: drawn.count, total: recorded.count)
    }
    var done = 0
    for (channel, part) in plans.enumerated() {
      let found = try recorded.replay(channel, part, &fit, on: devices) {
        done += 1
        progress.update("t-SNE", done: done, of: computed, unit: "stretches")
      }
      if let found { return (stage, found) }
      let pixels = try PixelLayout(
        layout.channels[channel].coordinates, pixels: fit.side, by: plan.discretization)
      if let found = recorded.difference(channel, pixels: pixels) { return (stage, found) }
    }
    return (stage, nil)
  }
}
