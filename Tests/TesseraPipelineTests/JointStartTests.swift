// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraVision
import Testing

@testable import TesseraPipeline

/// Runs whose linear path and head are fitted together: made, told, and proved.
@Suite struct JointStartTests {
  private func summary(_ folder: String) throws -> Pipeline.Summary {
    try Pipeline(
      RunConfiguration.read(folder + "/run.json"), devices: DeviceGroup(try CPUBackend(threads: 1)),
      out: folder, progress: ProgressLine(quiet: true)
    ).run()
  }

  @Test func theFitAloneIsARun() throws {
    try ProofRun.withRun { folder in
      try ProofRun.make(folder, "joint") {
        ($0.model.network.start, $0.model.training.epochs) = (.joint, 0)
      }
      let summary = try summary(folder + "/joint")
      #expect(summary.kept?.isLinearPathAlone == false && summary.kept?.isCNNTrained == true)
      #expect(summary.text.contains("kept epoch     0 of 0: as it was fitted, before the first step"))
      let page = try ReportPage(folder: folder + "/joint", device: try CPUBackend()).html()
      #expect(page.contains("as they were fitted together. No epoch was run."))
      #expect(page.contains("epoch 0's (as it was fitted)") && !page.contains("linear path alone"))
      let text = try RunReport(folder: folder + "/joint").text
      #expect(text.contains("epoch 0 (as it was fitted): loss") && !text.contains("linear path alone"))
      // The head says something: it is not the path alone.
      let model = try TrainedModel.read(
        folder + "/joint/model.safetensors", on: DeviceGroup(try CPUBackend()))
      let state = Dictionary(uniqueKeysWithValues: model.network.state.map { ($0.name, $0.tensor) })
      let weight = try #require(state["classifier.1.weight"])
      #expect(try model.network.device.floats(weight).contains { $0 != 0 })
      #expect(model.network.options.start == .joint)
      let whole = try ProofRun.verify(folder + "/joint")
      #expect(whole.isEqual, "\(String(describing: whole.difference))")
      let rows = try ProofRun.verify(folder + "/joint", .rows(.share(1), seed: 7, stretches: .share(1)))
      #expect(rows.isEqual, "\(String(describing: rows.difference))")
    }
  }

  @Test func epochsGoOnFromTheFit() throws {
    try ProofRun.withRun { folder in
      try ProofRun.make(folder, "joint") { $0.model.network.start = .joint }
      let summary = try summary(folder + "/joint")
      #expect(summary.epochs.map(\.epoch) == [0, 1, 2])
      #expect(try ProofRun.verify(folder + "/joint", .rows(.count(2), seed: 7, stretches: .share(1))).isEqual)
    }
  }

  @Test func whatCannotBeFittedIsRefused() throws {
    let options = Recipe.standard.model()
    #expect(options.network.start == .joint && options.canStartJointly)
    try options.check()
    for change: (inout TrainedModel.Options) -> Void in [
      { $0.network.head = .paper }, { $0.training.slice = .trainable },
      { $0.training.slice = .batchNormOnly },
      { $0.training.noise = 0.1 }, { $0.normalization = .batch },
    ] {
      var changed = options
      change(&changed)
      #expect(throws: TesseraError.self) { try changed.check() }
    }
  }
}
