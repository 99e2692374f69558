// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraText
import TesseraVision
import TestSupport
import TesseraCompute
import TesseraData
import Testing

@testable import TesseraPipeline

/// Every file of a finished run, damaged in turn: a command does not use it and answers as before, or
/// refuses in a line that names it.
@Suite struct RunTrustTests {
  private enum Answering: String, CaseIterable { case predict, evaluate, report }

  private static let stages = [
    "encoder", "embeddings", "test-embeddings", "layout", "images", "model", "evaluation", "repeat-1",
  ]
  /// What every command looks at.
  private static let always = Set(["run.json", "manifest.json"] + stages.map { $0 + ".json" })
  private static let encoder = ["encoder/config.json", "encoder/vocab.txt", "encoder/model.safetensors"]
  private static let used: [Answering: Set<String>] = [
    .predict: always.union(["layout.safetensors", "model.safetensors"] + encoder),
    .evaluate: always.union(["layout.safetensors", "model.safetensors", "embeddings.safetensors"] + encoder),
    .report: always.union(
      [
        "layout.safetensors", "model.safetensors", "images.safetensors", "test.images.safetensors",
        "history.json", "data.json",
        "result.json", "repeat-1.accuracy.json",
      ] + encoder),
  ]

  private let files = FileManager.default

  private func run(_ folder: String, _ out: String, seed: UInt64) throws {
    var c = RunConfiguration(data: folder + "/reviews.csv", encoder: folder + "/encoder")
    (c.test, c.repeats, c.seed) = (folder + "/test.csv", 2, seed)
    (c.layout.pixels, c.layout.perplexity, c.layout.iterations) = (12, 5, 10)
    (c.model.architecture, c.model.network.head, c.model.network.bypass) = (.alexnet, .linear, true)
    (c.model.training.epochs, c.model.training.batch) = (1, 8)
    if seed == 2 { c.embedding.pooling = .mean }
    _ = try Pipeline(
      c, devices: DeviceGroup(try CPUBackend(threads: 1)), out: folder + "/" + out,
      progress: ProgressLine(quiet: true)
    ).run()
  }

  private func answer(_ command: Answering, _ run: String, _ test: DataSet) throws -> String {
    let devices = DeviceGroup(try CPUBackend(threads: 1))
    switch command {
    case .predict:
      return try Predictor(run: run, devices: devices).predict(["a fine film"]).map {
        "\($0.logProbabilities)"
      }
      .joined()
    case .evaluate: return "\(try Predictor(run: run, devices: devices).evaluate(test))"
    case .report:
      return try RunReport(folder: run).text + ReportPage(folder: run, device: devices.main).html()
    }
  }

  /// What may happen to a file.
  private func damages(_ data: Data, _ other: Data?) -> [(what: String, data: Data?)] {
    var found: [(what: String, data: Data?)] = [("removed", nil), ("empty", Data())]
    if let other, other != data { found.append(("another run's", other)) }
    guard !data.isEmpty else { return found }
    found += [("cut off", data.prefix(data.count / 2)), ("a byte short", data.prefix(data.count - 1))]
    for at in [0, data.count / 3, data.count / 2, data.count - 2, data.count - 1] where at >= 0 {
      var flipped = data
      flipped[at] ^= UInt8(1 << (at % 8))
      found.append(("bit \(at % 8) of byte \(at) turned", flipped))
    }
    return found
  }

  @Test(.tags(.slow)) func noCommandUsesAFileThatIsNotAsTheRunLeftIt() throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(32).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      try Data(TinyEncoder.reviews(12, seed: 3).utf8).write(to: URL(fileURLWithPath: folder + "/test.csv"))
      try run(folder, "b", seed: 2)
      try run(folder, "a", seed: 1)
      let test = try DataSet.read(folder + "/test.csv")
      let whole = folder + "/a"
      // Its encoder's files are links to the original's: what is done to a copy's stays there.
      try files.removeItem(atPath: folder + "/encoder")
      let names = try files.subpathsOfDirectory(atPath: whole).filter {
        var isFolder: ObjCBool = false
        return files.fileExists(atPath: whole + "/" + $0, isDirectory: &isFolder) && !isFolder.boolValue
      }
      #expect(Set(names).isSuperset(of: Self.used.values.reduce(into: Set()) { $0.formUnion($1) }))
      let wanted = try Dictionary(
        uniqueKeysWithValues: Answering.allCases.map { ($0, try answer($0, whole, test)) })
      var trials = 0
      for name in names {
        let path = whole + "/" + name
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        for (what, damaged) in damages(data, files.contents(atPath: folder + "/b/" + name)) {
          try files.removeItem(atPath: path)
          try damaged?.write(to: URL(fileURLWithPath: path))
          for command in Answering.allCases {
            trials += 1
            let isUsed = Self.used[command]?.contains(name) == true
            do {
              let found = try answer(command, whole, test)
              #expect(found == wanted[command] && !isUsed, "\(command) took \(name) \(what)")
            } catch let error as TesseraError {
              // A run without its manifest is unfinished, which names the folder.
              let isNamed = "\(error)".contains(path) || name == "manifest.json" && "\(error)".contains(whole)
              #expect(isUsed && error.kind == .input && isNamed, "\(command), \(name) \(what): \(error)")
            }
          }
          try data.write(to: URL(fileURLWithPath: path))
        }
      }
      #expect(trials > 500)
      // A file that nobody put there is not read as the encoder's.
      try Data("x".utf8).write(to: URL(fileURLWithPath: whole + "/encoder/tokenizer.json"))
      #expect(throws: TesseraError.self) { try answer(.predict, whole, test) }
    }
  }

  @Test func aRunOfAnotherNumericsVersionIsNamedAsSuch() throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(32).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      try Data(TinyEncoder.reviews(12, seed: 3).utf8).write(to: URL(fileURLWithPath: folder + "/test.csv"))
      try run(folder, "a", seed: 1)
      func refused() throws -> String {
        do {
          _ = try FinishedRun(folder + "/a")
          return "nothing"
        } catch let error as TesseraError { return error.found }
      }
      #expect(try refused() == "nothing")
      let url = URL(fileURLWithPath: folder + "/a/layout.json")
      var record = try #require(StageRecord.read(url))
      record.numerics -= 1
      try record.encoded().write(to: url)
      let names = ["run.json"] + Self.stages.map { $0 + ".json" }
      try RunManifest(of: names, in: folder + "/a").encoded().write(
        to: URL(fileURLWithPath: folder + "/a/manifest.json"))
      #expect(try refused() == "a run of numerics version \(numericsVersion - 1)")
      // As programs before this one left it: no seals, no manifest.
      for stage in Self.stages {
        let url = URL(fileURLWithPath: folder + "/a/\(stage).json")
        let text = String(decoding: try Data(contentsOf: url), as: UTF8.self)
        try Data(
          text.replacing("\"numerics\" : \(numericsVersion)", with: "\"numerics\" : \(numericsVersion - 1)")
            .replacing(#/ *"seal" : "[0-9a-f]*",?\n/#, with: "").utf8
        ).write(to: url)
      }
      try files.removeItem(atPath: folder + "/a/manifest.json")
      #expect(try refused() == "a run of numerics version \(numericsVersion - 1)")
    }
  }
}
