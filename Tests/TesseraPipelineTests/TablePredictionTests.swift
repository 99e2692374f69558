// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraData
import Testing

@testable import TesseraPipeline

/// What a finished run of a table says of rows, and of its columns.
@Suite struct TablePredictionTests {
  private func withRun(_ body: (_ folder: String, _ predictor: Predictor) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try Data(TinyTable.csv(60, missing: true).utf8).write(to: URL(fileURLWithPath: folder + "/rows.csv"))
      var options = TableOptions()
      (options.columns.ignored, options.missing) = (["id"], .mean)
      var c = RunConfiguration(table: folder + "/rows.csv", options)
      (c.layout, c.model) = (Recipe.standard.layout, Recipe.standard.model())
      c.layout.iterations = 50
      let devices = DeviceGroup(try CPUBackend(threads: 2))
      _ = try Pipeline(c, devices: devices, out: folder + "/a", progress: ProgressLine(quiet: true)).run()
      try body(folder, Predictor(run: folder + "/a", devices: devices))
    }
  }

  private func table(
    _ predictor: Predictor, _ folder: String, _ text: String, ignore: [String] = [], labelled: Bool = false
  ) throws -> NumberTable {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/new.csv"))
    var columns = TableColumns()
    columns.ignored = ignore
    return try predictor.table(folder + "/new.csv", DataFormat(), columns, labelled: labelled)
  }

  @Test func rowsAreClassifiedByTheNamesOfTheirColumns() throws {
    try withRun { folder, predictor in
      let usual = try table(predictor, folder, TinyTable.csv(20, seed: 4))
      let answers = try predictor.predict(usual, rows: Array(0..<20))
      // Another order, without id and label; and in another batch: the same bits.
      let turned = try table(predictor, folder, TinyTable.csv(20, seed: 4, order: [3, 1, 7, 6, 2, 5, 4]))
      let others = try predictor.predict(turned, rows: Array(0..<20))
      #expect(answers.map(\.logProbabilities) == others.map(\.logProbabilities))
      #expect(try predictor.predict(turned, rows: [7])[0].logProbabilities == answers[7].logProbabilities)
      // A missing column, one too many, and the way out.
      let missing = #expect(throws: TesseraError.self) {
        try table(predictor, folder, TinyTable.csv(5, order: [1, 2, 4, 5, 6, 7]))
      }
      #expect(missing?.found == "no column Länge, ganz")
      let more = TinyTable.csv(5).replacing("id,", with: "id,weather,").replacing("row ", with: "r,5")
      let additional = #expect(throws: TesseraError.self) { try table(predictor, folder, more) }
      #expect(additional?.found == "the column weather, which the run has not")
      #expect(try table(predictor, folder, more, ignore: ["weather"]).count == 5)
      // Missing values are filled by the run's rule.
      let holes = try table(predictor, folder, TinyTable.csv(20, seed: 4, missing: true))
      #expect(holes.missing != nil)
      #expect(try predictor.predict(holes, rows: [3])[0].logProbabilities.allSatisfy(\.isFinite))
      #expect(throws: TesseraError.self) { try predictor.predict(["a text"]) }
    }
  }

  @Test func evaluationIsThatOfTheRun() throws {
    try withRun { folder, predictor in
      let labelled = try table(predictor, folder, TinyTable.csv(40, seed: 6), labelled: true)
      let evaluation = try predictor.evaluate(labelled)
      #expect(evaluation.model.total == 40 && evaluation.model.value > 0.75 && evaluation.probe.value > 0.75)
      let own = try predictor.predict(labelled, rows: Array(0..<40))
      let right = zip(own, labelled.labels).count { $0.label == predictor.classes[Int($1)] }
      #expect(right == evaluation.model.correct)
      #expect(throws: TesseraError.self) {
        try table(predictor, folder, TinyTable.csv(4).replacing("tall", with: "high"), labelled: true)
      }
    }
  }

  /// What a column changes is what leaving it at its mean changes, by its name; what is constant changes nothing.
  @Test func evidenceHasTheNamesOfColumns() throws {
    try withRun { folder, predictor in
      let rows = try table(predictor, folder, TinyTable.csv(20, seed: 4))
      let prediction = try predictor.predict(rows, rows: [2])[0]
      let evidence = try predictor.evidence(rows, row: 2, prediction, most: 7)
      let occlusion = try #require(evidence.occlusion)
      #expect(Set(occlusion.compactMap(\.name)) == Set(TinyTable.names))
      #expect(zip(occlusion, occlusion.dropFirst()).allSatisfy { abs($0.evidence) >= abs($1.evidence) })
      #expect(occlusion.first { $0.name == "constant" }?.evidence == 0)
      #expect(evidence.byState.isEmpty && evidence.linearByState == nil)
      #expect(evidence.linearFeatures?.allSatisfy { $0.name == TinyTable.names[$0.element] } == true)
      // By hand: the first of them at the mean of the training rows, in the table itself.
      let name = try #require(occlusion[0].name)
      let scaler = try TableFeatures.scaler(folder + "/a/embeddings.safetensors")
      let column = try #require(scaler.names.firstIndex(of: name))
      let own = try Embeddings.read(folder + "/a/embeddings.safetensors")
      let training = try FeatureLayout.read(folder + "/a/layout.safetensors").split.training
      let mean = training.reduce(0.0) { $0 + Double(own.features[$1 * 7 + column..<$1 * 7 + column + 1][0]) }
      var values = rows.values(row: 2)
      values[column] = mean / Double(training.count) / Double(scaler.scale[column]) + scaler.offset[column]
      let line = values.map { "\($0)" }.joined(separator: ",")
      let head = TinyTable.csv(0, order: Array(1...7))
      let other = try predictor.predict(table(predictor, folder, head + line + "\n"), rows: [0])[0]
      func lead(_ p: Predictor.Prediction) throws -> Float {
        Predictor.lead(p.logProbabilities, try #require(predictor.classes.firstIndex(of: prediction.label)))
      }
      #expect(try abs(lead(prediction) - lead(other) - occlusion[0].evidence) < 1e-3)
    }
  }

  @Test func theReportNamesItsColumns() throws {
    try withRun { folder, _ in
      let page = try ReportPage(folder: folder + "/a", device: try CPUBackend(threads: 2)).html()
      for name in TinyTable.names { #expect(page.contains(name), "\(name)") }
      for heading in ["Rows and their images", "Features by what they change", "Columns and their pixels"] {
        #expect(page.contains(heading), "\(heading)")
      }
      #expect(page.contains("in deviations from the mean") && !page.contains("encoder layer"))
      let text = try RunReport(folder: folder + "/a").text
      #expect(text.contains("features       7 columns of a table, scaled: standard, missing values: mean"))
      #expect(!text.contains("encoder"))
    }
  }
}
