// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

/// `run --folds`: a run for each part of the rows, and what they come to.
@Suite struct FoldTests {
  private typealias Fields = [String: Any]

  private func arguments(_ folder: String, _ options: [String]) -> [String] {
    [
      "run", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out", folder + "/cv",
      "--model", "alexnet", "--pixels", "12", "--perplexity", "5", "--iterations", "10", "--epochs", "0",
      "--device", "cpu", "--folds", "3", "--split", "stratified",
    ] + options
  }

  private func withFolder(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(61).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      try body(folder)
    }
  }

  private func object(_ path: String) throws -> Fields {
    try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path))) as? Fields)
  }

  @Test(.tags(.slow)) func everyRowIsTestedOnceAndTheMeansAreOfTheFolds() throws {
    try withFolder { folder in
      let run = try Command.run(arguments(folder, ["--json"]))
      try #require(run.code == 0, "\(run.errors)")
      let told = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? Fields
      let found = try #require(told?["folds"] as? Fields)
      #expect((found as NSDictionary).isEqual(to: try object(folder + "/cv/folds.json")))
      let parts = try #require(found["runs"] as? [Fields])
      let totals = parts.compactMap { ($0["model"] as? Fields)?["total"] as? Int }
      #expect(totals.count == 3 && totals.reduce(0, +) == 61 && totals.allSatisfy { (20...21).contains($0) })
      #expect((found["pooled"] as? Fields)?["total"] as? Int == 61)
      let values = parts.compactMap { ($0["model"] as? Fields)?["value"] as? Double }
      let accuracy = try #require((found["model"] as? Fields)?["accuracy"] as? Fields)
      let mean = values.reduce(0, +) / 3
      let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 2).squareRoot()
      #expect(abs(try #require(accuracy["mean"] as? Double) - mean) < 1e-12)
      #expect(abs(try #require(accuracy["deviation"] as? Double) - deviation) < 1e-12)
      #expect(abs(try #require(accuracy["half"] as? Double) - 4.303 * deviation / 3.0.squareRoot()) < 1e-12)
      for name in ["balancedAccuracy", "macroF1", "matthews", "logLoss"] {
        #expect((found["model"] as? Fields)?[name] is Fields, "\(name)")
      }
      // Texts are embedded once, and a fold is a run as any other.
      let prints = try (1...3).map {
        try object(folder + "/cv/fold-\($0)/embeddings.json")["fingerprint"] as? String
      }
      #expect(Set(prints).count == 1 && run.errors.contains("fold 3 of 3"))
      let proof = try Command.run(["verify", "--run", folder + "/cv/fold-2", "--full"])
      #expect(proof.code == 0, "\(proof.errors)")
      let report = try Command.run(["report", "--run", folder + "/cv/fold-2", "--text"])
      #expect(report.values("fold") == ["2 of 3"] && report.values("split") == ["stratified"])
      try checkGoingOn(folder)
    }
  }

  /// What is there is not made again, and what is missing is, with the same bits.
  private func checkGoingOn(_ folder: String) throws {
    let before = try object(folder + "/cv/folds.json") as NSDictionary
    for name in ["folds.json", "fold-3/model.json", "fold-3/manifest.json"] {
      try FileManager.default.removeItem(atPath: folder + "/cv/" + name)
    }
    let again = try Command.run(arguments(folder, []))
    #expect(again.code == 0 && again.errors.components(separatedBy: "model: unchanged").count == 3)
    #expect(before.isEqual(to: try object(folder + "/cv/folds.json")))
    for line in ["accuracy", "balanced", "all rows", "fold 1", "log loss"] {
      #expect(again.values(line).count == 1, "\(line): \(again.output)")
    }
    let fewer = try Command.run(arguments(folder, []).map { $0 == "3" ? "2" : $0 })
    #expect(fewer.code == 2 && fewer.errors.contains("fold-3, of another number of folds"), "\(fewer.errors)")
    let plain = try Command.run(Array(arguments(folder, []).prefix { $0 != "--folds" }))
    #expect(plain.code == 2 && plain.errors.contains("a folder with other files"), "\(plain.errors)")
  }

  @Test func whatGoesNotTogetherIsRefused() throws {
    try withFolder { folder in
      for (options, wanted) in [
        (["--test", folder + "/reviews.csv"], "folds: found 3 with --test"),
        (["--test-share", "0.3"], "test-share: found 0.3 with --folds"),
        (["--repeats", "2"], "repeats: found 2 with --folds"),
      ] {
        let run = try Command.run(arguments(folder, options))
        #expect(run.code == 2 && run.errors.contains("tessera: \(wanted)"), "\(run.errors)")
      }
      for number in ["1", "0", "1001"] {
        let run = try Command.run(arguments(folder, []).map { $0 == "3" ? number : $0 })
        #expect(
          run.code == 2 && run.errors.contains("folds: found \(number), wanted 2 to 1000"), "\(run.errors)")
      }
      let many = try Command.run(arguments(folder, []).map { $0 == "3" ? "62" : $0 })
      #expect(many.code == 2 && many.errors.contains("62 of 61 rows"), "\(many.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/cv/fold-1"))
    }
  }
}
