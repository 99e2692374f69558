// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// Classes that are not equally large, through the command line.
@Suite struct ClassTests {
  private typealias Fields = [String: Any]

  /// Reviews of three classes, of which one is rare and has no words of its own.
  static func reviews(_ count: Int, rare: Int) -> String {
    var lines = TinyEncoder.reviews(count).split(separator: "\n").map(String.init)
    for row in 0..<rare {
      let at = 1 + row * (count / rare)
      lines[at] = lines[at].replacing(/(positive|negative)$/, with: "rare")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func withRun(
    _ options: [String], reviews: String = Self.reviews(80, rare: 6),
    _ body: (_ folder: String, Command.Result) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(reviews.utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      let run = try Command.run(
        [
          "run", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out",
          folder + "/run",
          "--model", "alexnet", "--pixels", "12", "--perplexity", "5", "--iterations", "10", "--epochs", "0",
          "--device", "cpu",
        ] + options)
      try body(folder, run)
    }
  }

  @Test(.tags(.slow)) func aClassThatIsNeverPredictedIsTold() throws {
    try Self.withRun(["--quiet", "--test-share", "0.5", "--validation-share", "0.1"]) { folder, run in
      #expect(run.code == 0, "\(run.errors)")
      let warnings = run.errors.split(separator: "\n").filter { $0.contains("is never predicted") }
      #expect(
        warnings.count == 1 && warnings[0].hasPrefix("tessera: warning: the class rare is"), "\(run.errors)")
      #expect(run.values("warning").count == 1 && run.values("rare").first?.contains(" 0 ") == true)
      for line in ["balanced", "macro F1", "Matthews", "log loss"] {
        #expect(run.values(line).first?.contains("(95% ") == true, "\(line): \(run.output)")
      }
      let report = try Command.run(["report", "--run", folder + "/run", "--device", "cpu"])
      for line in ["balanced", "rare", "positive", "negative", "warning"] {
        #expect(report.values(line) == run.values(line))
      }
      try checkPage(folder + "/run/report.html")
      try checkJSON(folder)
      let again = try Command.run(
        [
          "evaluate", "--run", folder + "/run", "--data", folder + "/reviews.csv", "--device", "cpu",
          "--quiet",
        ])
      #expect(
        again.code == 0 && again.errors.contains("the class rare is never predicted"), "\(again.errors)")
      #expect(again.values("by class").count == 1 && again.values("log loss").count == 1)
    }
  }

  /// Every class has its curve, its row of the table, and a line of measures.
  private func checkPage(_ path: String) throws {
    let page = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
    #expect(page.contains("the class rare is never predicted") && page.contains("balanced accuracy"))
    for name in ["negative", "positive", "rare"] {
      #expect(page.contains(try Regex(">\(name): area [01]\\.[0-9]{3}</text>")), "the curve of \(name)")
      #expect(page.matches(of: try Regex("<tr><td>\(name)</td>")).count == 2, "the rows of \(name)")
    }
    #expect(page.contains("mean of 3 classes against the others"))
  }

  private func checkJSON(_ folder: String) throws {
    let told = try Command.run(["report", "--run", folder + "/run", "--text", "--json"])
    let object = try JSONSerialization.jsonObject(with: Data(told.output.utf8)) as? Fields
    let evaluation = try #require((object?["run"] as? Fields)?["evaluation"] as? Fields)
    let measures = try #require(evaluation["measures"] as? Fields)
    let classes = try #require(measures["classes"] as? [Fields])
    #expect(classes.map { $0["name"] as? String } == ["negative", "positive", "rare"])
    #expect(classes[2]["predicted"] as? Int == 0 && classes[2]["precision"] == nil)
    #expect((classes[2]["recall"] as? Fields)?["value"] as? Double == 0)
    let confusion = try #require(measures["confusion"] as? [[Int]])
    #expect(confusion.count == 3 && confusion.allSatisfy { $0.count == 3 })
    #expect(confusion.joined().reduce(0, +) == (evaluation["model"] as? Fields)?["total"] as? Int)
    let probe = try #require(evaluation["probeMeasures"] as? Fields)
    #expect(probe["logLoss"] == nil && measures["logLoss"] != nil)
    let file =
      try JSONSerialization.jsonObject(
        with: Data(contentsOf: URL(fileURLWithPath: folder + "/run/result.json"))) as? Fields
    #expect((file?["measures"] as? NSDictionary)?.isEqual(to: measures) == true)
  }

  /// Weights and split come to the model, the probe and the records; the proof makes them again.
  @Test(.tags(.slow)) func weightsAndSplitAreRecordedAndProved() throws {
    let options = [
      "--split", "stratified", "--class-weights", "balanced", "--head", "linear", "--epochs", "1",
    ]
    for start in ["path", "joint"] {
      try Self.withRun(options + ["--start", start, "--validation-share", "0.25", "--test-share", "0.25"]) {
        folder, run in
        #expect(run.code == 0, "\(run.errors)")
        let warnings = run.errors.split(separator: "\n").filter { $0.contains("few rows of ") }
        #expect(warnings.count == 2 && !run.errors.contains("--split stratified"), "\(run.errors)")
        let report = try Command.run(["report", "--run", folder + "/run", "--text", "--json"])
        let told = try JSONSerialization.jsonObject(with: Data(report.output.utf8)) as? Fields
        let configuration = try #require((told?["run"] as? Fields)?["configuration"] as? Fields)
        #expect(configuration["splitMethod"] as? String == "stratified")
        #expect(configuration["classWeights"] as? String == "balanced")
        let measures = ((told?["run"] as? Fields)?["evaluation"] as? Fields)?["measures"] as? Fields
        let rows = (measures?["classes"] as? [Fields])?.map { $0["rows"] as? Int ?? 0 } ?? []
        #expect(rows.reduce(0, +) == 20 && (1...2).contains(rows.last ?? 0), "\(rows)")
        let proof = try Command.run(["verify", "--run", folder + "/run", "--full"])
        #expect(proof.code == 0, "\(proof.errors)")
        let other = try Command.run(
          [
            "run", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out",
            folder + "/run",
            "--model", "alexnet", "--pixels", "12", "--perplexity", "5", "--iterations", "10", "--device",
            "cpu",
            "--split", "stratified", "--head", "linear", "--epochs", "1", "--start", start,
            "--validation-share", "0.25", "--test-share", "0.25",
          ])
        #expect(other.code == 0 && other.errors.contains("layout: unchanged"), "\(other.errors)")
        #expect(other.fingerprints[3] != run.fingerprints[3] && !other.errors.contains("model: unchanged"))
      }
    }
  }

  @Test func whatGoesNotTogetherIsRefused() throws {
    for (options, wanted) in [
      (
        ["--class-weights", "worse=2"],
        "class-weights: found a weight for worse, wanted classes: negative, positive"
      ),
      (["--class-weights", "rare=0"], "class-weights: found rare=0, wanted a weight above 0"),
      (
        ["--class-weights", "rare=2", "--label-smoothing", "0.1"],
        "class-weights: found rare=2 with label smoothing"
      ),
      (["--split", "even"], "split: found even, wanted random or stratified"),
    ] {
      try Self.withRun(options) { _, run in
        #expect(run.code == 2 && run.errors.contains("tessera: \(wanted)"), "\(run.errors)")
      }
    }
  }

  @Test(.tags(.slow)) func aRandomSplitOfFewRowsNamesTheOtherOne() throws {
    try Self.withRun([]) { _, run in
      let warnings = run.errors.split(separator: "\n").filter { $0.contains("few rows of ") }
      #expect(run.code == 0 && warnings.count == 2)
      #expect(
        warnings.allSatisfy { $0.contains(" of rare") && $0.contains("--split stratified") }, "\(run.errors)")
    }
  }
}
