// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraData
import TesseraVision
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraPipeline

/// Which epoch won is said wherever a run tells of itself; where it is the linear path alone, in words and
/// without an empty picture.
@Suite struct KeptEpochTests {
  private func withRun(
    _ change: (inout RunConfiguration) -> Void, _ body: (String, Pipeline.Summary) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(48).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      var c = RunConfiguration(data: folder + "/reviews.csv", encoder: folder + "/encoder")
      (c.layout.pixels, c.layout.perplexity, c.layout.iterations) = (16, 5, 10)
      (c.model.architecture, c.model.normalization) = (.alexnet, .pixel)
      (c.model.training.epochs, c.model.training.batch) = (2, 8)
      (c.model.network.head, c.model.network.bypass) = (.linear, true)
      change(&c)
      let summary = try Pipeline(
        c, devices: DeviceGroup(try CPUBackend(threads: 1)), out: folder + "/run",
        progress: ProgressLine(quiet: true)
      ).run()
      try body(folder + "/run", summary)
    }
  }

  private func json(_ path: String) throws -> [String: Any] {
    try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? [String: Any])
  }

  /// What a run's files tell, all the same.
  private func told(_ run: String) throws -> Int? {
    let result = try json(run + "/result.json")["keptEpoch"] as? Int
    let facts = try json(run + "/model.json")["facts"] as? [String: String]
    #expect(facts?["kept epoch"] == result.map { "\($0)" } ?? "none")
    #expect(try TensorFile.open(run + "/model.safetensors").metadata["epoch"] == result.map { "\($0)" })
    let line = result.map { "kept epoch     \($0) of" } ?? "kept epoch     none"
    #expect(try RunReport(folder: run).text.contains(line))
    let kept = try Predictor(run: run, devices: DeviceGroup(try CPUBackend(threads: 1))).kept
    #expect(kept.epoch == result)
    return result
  }

  private func page(_ run: String) throws -> String {
    try ReportPage(folder: run, device: try CPUBackend(threads: 1)).html()
  }

  @Test(arguments: [ImageChannels.grey, .layer]) func theLinearPathAlone(_ channels: ImageChannels) throws {
    // No step is taken that changes anything: epoch 0 cannot be beaten.
    try withRun({
      ($0.model.training.classifierRate, $0.repeats, $0.layout.channels) = (0, 3, channels)
    }) { run, summary in
      let told = try told(run)
      #expect(told == 0)
      #expect(summary.text.contains("kept epoch     0 of 2: the linear path alone; the CNN added nothing"))
      #expect(summary.repeats.map(\.keptEpoch) == [0, 0] && summary.repeats.map(\.seed) == [1702, 1703])
      #expect(summary.text.contains("by other seeds 0 (seed 1702), 0 (seed 1703)"))
      let page = try page(run)
      #expect(page.contains("The CNN added nothing. What was kept is epoch 0"))
      #expect(page.contains("there is no Grad-CAM to show") && !page.contains("aria-label=\"Grad-CAM of row"))
      #expect(page.contains("aria-label=\"linear path of row"))
      #expect(page.components(separatedBy: "0, the linear path alone</td>").count == 4)
    }
  }

  @Test func anEpochWithoutALinearPath() throws {
    try withRun({
      ($0.model.network.bypass, $0.model.training.classifierRate, $0.repeats) = (false, 1e-3, 2)
    }) { run, summary in
      let kept = try #require(try told(run))
      #expect((1...2).contains(kept) && summary.kept?.isLinearPathAlone == false)
      #expect(summary.repeats.allSatisfy { ($0.keptEpoch ?? 0) >= 1 })
      let page = try page(run)
      #expect(page.contains("Epoch \(kept) was kept, the best on the") && !page.contains("added nothing"))
      #expect(page.contains("Grad-CAM at the slice") && !page.contains("linear path of row"))
      // A picture is shown or it is said why there is none.
      #expect(page.contains("aria-label=\"Grad-CAM of row") || page.contains("Nothing in the slice"))
    }
  }

  @Test func noEpochAtAll() throws {
    try withRun({ ($0.model.network.bypass, $0.model.training.epochs) = (false, 0) }) { run, summary in
      let told = try told(run)
      #expect(told == nil)
      #expect(summary.text.contains("kept epoch     none: no epoch was run"))
      let page = try page(run)
      #expect(page.contains("No epoch was run") && !page.contains("aria-label=\"Grad-CAM of row"))
    }
    try withRun({ $0.model.training.epochs = 0 }) { run, summary in
      let told = try told(run)
      #expect(told == 0)
      #expect(
        summary.text.contains("0 of 0: the linear path alone; the CNN added nothing (no epoch of it was run)")
      )
      let page = try page(run)
      #expect(page.contains("No epoch of the CNN was run"))
    }
  }

  @Test func thePapersRecipe() throws {
    try withRun({
      ($0.model.network.head, $0.model.network.bypass) = (.paper, false)
      ($0.model.normalization, $0.model.training.slice) = (.batch, .batchNormOnly)
      ($0.seesValidation, $0.embedding.paperStates) = (true, true)
    }) { run, summary in
      let told = try told(run) ?? 0
      #expect((1...2).contains(told))
      #expect(summary.text.contains("as the official code counts"))
      let page = try page(run)
      #expect(page.contains("was kept, the best on the"))
    }
  }

  @Test func theLastEpochWhereNothingChooses() throws {
    try withRun({ ($0.split.validationShare, $0.model.training.classifierRate) = (0, 1e-3) }) { run, _ in
      let told = try told(run)
      #expect(told == 2)
      let page = try page(run)
      #expect(page.contains("Epoch 2, the last, was kept: there are no validation rows"))
    }
  }
}
