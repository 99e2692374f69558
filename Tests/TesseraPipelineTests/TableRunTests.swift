// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraVision
import Testing

@testable import TesseraPipeline

/// Runs of tables of numbers: the same stages, bits and proofs as those of texts.
@Suite struct TableRunTests {
  private func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  private func withTables(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try write(TinyTable.csv(60, missing: true), folder + "/rows.csv")
      try write(TinyTable.csv(20, seed: 3), folder + "/test.csv")
      try body(folder)
    }
  }

  /// A run; `change` says what is other than usual.
  @discardableResult private func run(
    _ folder: String, _ out: String, on device: (any Backend)? = nil, epochs: Int = 0,
    _ change: (inout RunConfiguration) -> Void = { _ in }
  ) throws -> Pipeline.Summary {
    var options = TableOptions()
    (options.columns.ignored, options.missing) = (["id"], .mean)
    var c = RunConfiguration(table: folder + "/rows.csv", options)
    (c.layout, c.model) = (Recipe.standard.layout, Recipe.standard.model())
    (c.layout.iterations, c.model.training.epochs, c.model.training.batch) = (50, epochs, 8)
    change(&c)
    return try Pipeline(
      c, devices: DeviceGroup(try device ?? CPUBackend(threads: 2)), out: folder + "/" + out,
      progress: ProgressLine(quiet: true)
    ).run()
  }

  @Test func aTableRunsToItsEndAndGoesOn() throws {
    try withTables { folder in
      let first = try run(folder, "a")
      let evaluation = try #require(first.evaluation)
      #expect(evaluation.model.value > 0.7 && evaluation.model.total == 12)
      #expect(first.fingerprints.map(\.stage) == ["embeddings", "layout", "images", "model", "predictions"])
      let scaler = try TableFeatures.scaler(folder + "/a/embeddings.safetensors")
      #expect(scaler.names == TinyTable.names && scaler.scale[4] == 0)
      // What was killed goes on by the same configuration, to the same bits.
      for name in ["model.json", "manifest.json", "evaluation.json", "result.json"] {
        try FileManager.default.removeItem(atPath: folder + "/a/" + name)
      }
      #expect(throws: TesseraError.self) { try FinishedRun(folder + "/a") }
      let again = try run(folder, "a")
      #expect(again.fingerprints.map(\.digits) == first.fingerprints.map(\.digits))
      #expect(try FinishedRun(folder + "/a").configuration.table?.columns.ignored == ["id"])
      // Another rule is other features; another table is another run.
      let other = try run(folder, "a") { $0.table?.missing = .median }
      #expect(other.fingerprints[0].digits != first.fingerprints[0].digits)
      #expect(throws: TesseraError.self) { try run(folder, "a") { $0.data = folder + "/test.csv" } }
      #expect(throws: TesseraError.self) { try run(folder, "b") { $0.table?.missing = .refuse } }
      #expect(!FileManager.default.fileExists(atPath: folder + "/b"))
    }
  }

  @Test func aTableToTestOnIsScaledAsTheFirst() throws {
    try withTables { folder in
      let first = try run(folder, "a") { $0.test = folder + "/test.csv" }
      #expect(first.evaluation?.model.total == 20)
      // Its columns in another order, without the id: the same bits.
      try write(TinyTable.csv(20, seed: 3, order: [8, 7, 6, 5, 4, 3, 2, 1]), folder + "/turned.csv")
      let other = try run(folder, "b") { $0.test = folder + "/turned.csv" }
      #expect(other.fingerprints.map(\.digits) == first.fingerprints.map(\.digits))
      #expect(try ProofRun.verify(folder + "/a").isEqual)
      #expect(try ProofRun.verify(folder + "/a", .rows(.share(1), seed: 1)).isEqual)
    }
  }

  @Test(.enabled(if: TestDevices.hasOpenCL), .tags(.opencl)) func devicesHaveTheSameBits() throws {
    try withTables { folder in
      let device = try OpenCLBackend(TestDevices.first())
      let cpu = try run(folder, "cpu", epochs: 1), other = try run(folder, "ocl", on: device, epochs: 1)
      #expect(cpu.fingerprints.map(\.digits) == other.fingerprints.map(\.digits))
      #expect(try ProofRun.verify(folder + "/cpu", .rows(.share(1), seed: 1), on: device).isEqual)
    }
  }

  @Test func fraudsOfColumnsAreFound() throws {
    try withTables { folder in
      try run(folder, "a")
      let honest = try ProofRun.verify(folder + "/a")
      #expect(honest.isEqual)
      #expect(honest.stages.map(\.stage) == ["embeddings", "layout", "images", "model", "evaluation"])
      let path = folder + "/a/embeddings.safetensors"
      for tensor in ["column.offset", "column.scale", "column.fill", "features"] {
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        try TensorEdit.flip(tensor, element: 1, in: path)
        try ProofRun.fit(folder + "/a", "embeddings")
        for extent in [RunVerification.Extent.whole, .rows(.share(1), seed: 1)] {
          let found = try ProofRun.verify(folder + "/a", extent)
          #expect(found.difference?.stage == "embeddings", "\(tensor): \(found.difference?.text ?? "equal")")
        }
        try whole.write(to: URL(fileURLWithPath: path))
        try ProofRun.fit(folder + "/a", "embeddings")
      }
      #expect(try ProofRun.verify(folder + "/a").isEqual)
      // Another table in the place of the first.
      try write(TinyTable.csv(60, seed: 9, missing: true), folder + "/rows.csv")
      let error = #expect(throws: TesseraError.self) { try ProofRun.verify(folder + "/a") }
      #expect(error?.found == "other rows than the run was made from")
    }
  }

  @Test func fewAndManyColumns() throws {
    try withTemporaryFolder { folder in
      func table(_ columns: Int, _ rows: Int, equal: Bool = false) throws {
        let values = drawn(5, columns * rows, -1, 1)
        var text = (0..<columns).map { "c\($0)" }.joined(separator: ",") + ",label\n"
        for row in 0..<rows {
          let shift: Float = row % 2 == 0 ? 1 : -1
          let own = values[row * columns..<(row + 1) * columns].map { equal ? "1" : "\($0 + shift)" }
          text += own.joined(separator: ",") + ",\(row % 2 == 0 ? "a" : "b")\n"
        }
        try write(text, folder + "/rows.csv")
      }
      func plain(_ c: inout RunConfiguration) { c.table = TableOptions() }
      for columns in [2, 3, 5, 300] {
        try table(columns, 40)
        let summary = try run(folder, "r\(columns)", plain)
        #expect(summary.evaluation.map { $0.model.value > 0.6 } == true, "\(columns) columns")
        let plan = try FinishedRun(folder + "/r\(columns)").records["layout"]?.parameters["perplexity"]
        #expect(plan == "\(min(30, max(1, Float(columns - 1) / 3)))")
      }
      // More features than rows; rows that are all equal have nothing to learn from, and end all the same.
      try table(50, 12)
      try run(folder, "wide", plain)
      try table(4, 20, equal: true)
      #expect(try run(folder, "equal", plain).evaluation?.model.total == 4)
      try table(1, 40)
      let error = #expect(throws: TesseraError.self) { try run(folder, "one", plain) }
      #expect(error?.wanted.contains("--layout random") == true)
      let placed = try run(folder, "one") {
        plain(&$0)
        $0.layout.layout = .random
        $0.layout.iterations = LayoutOptions().iterations
      }
      #expect(placed.evaluation.map { $0.model.value > 0.6 } == true)
    }
  }

  @Test func theFileOfARunHasTheTablesOptions() throws {
    try withTemporaryFolder { folder in
      var options = TableOptions()
      (options.columns.ignored, options.columns.array) = (["a, b", "c"], "X")
      (options.missing, options.scaling) = (.median, .minmax)
      let c = RunConfiguration(table: "rows.npz", options)
      #expect(c.version == 2 && RunConfiguration(data: "a", encoder: "b").version == 1)
      try c.write(to: folder + "/run.json")
      #expect(try RunConfiguration.read(folder + "/run.json") == c)
      #expect(try c.fields.contains { $0.name == "ignore" && $0.value == "a, b, c" })
      for (old, new) in [("median", "most"), ("minmax", "zscore"), ("\"table\"", "\"image\"")] {
        try c.write(to: folder + "/run.json")
        try ProofRun.replace(folder + "/run.json", old, new)
        #expect(throws: TesseraError.self) { try RunConfiguration.read(folder + "/run.json") }
      }
    }
  }
}
