// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

/// `--json` of `run`, `report` and `evaluate`: one object on standard output, with what the text tells.
@Suite struct RunJSONTests {
  private typealias Fields = [String: Any]

  private func withFolder(_ body: (_ folder: String, _ arguments: [String]) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(48).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      try body(
        folder,
        [
          "run", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out",
          folder + "/run",
          "--model", "alexnet", "--pixels", "12", "--perplexity", "5", "--iterations", "10", "--epochs", "1",
          "--batch", "8", "--device", "cpu",
        ])
    }
  }

  private func object(_ arguments: [String]) throws -> Fields {
    let result = try Command.run(arguments)
    try #require(result.code == 0, "\(result.errors)")
    let fields = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? Fields
    return try #require(fields, "\(result.output)")
  }

  /// A part of an object, as text in which the keys have one order.
  private func text(_ value: Any?) throws -> String {
    let data = try JSONSerialization.data(withJSONObject: try #require(value), options: .sortedKeys)
    return String(decoding: data, as: UTF8.self)
  }

  private func checkProgram(_ found: Fields) throws {
    #expect(found["version"] as? Int == 1 && (found["device"] as? String)?.hasPrefix("cpu") == true)
    let provenance = try #require(found["provenance"] as? Fields)
    #expect(provenance["build"] as? String == (try Fingerprint.ofFile(Command.path)))
    #expect((provenance["kernelSources"] as? String)?.count == 64)
  }

  private func file(_ path: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  @Test(.tags(.slow)) func runAndReportTellTheSame() throws {
    try withFolder { folder, arguments in
      let command = arguments + ["--json", "--repeats", "2", "--test-share", "0.25"]
      let made = try object(command)
      try checkProgram(made)
      let run = try #require(made["run"] as? Fields)
      try checkFigures(run, folder + "/run")
      try checkStages(run, folder + "/run")
      // Without a page, with one, and of the same run again; the run has made one too.
      let path = folder + "/run/report.html"
      try FileManager.default.removeItem(atPath: path)
      let told = try object(["report", "--run", folder + "/run", "--json", "--text"])
      #expect(told["page"] == nil && told["device"] == nil && told["provenance"] != nil)
      #expect(!FileManager.default.fileExists(atPath: path))
      let page = try object(["report", "--run", folder + "/run", "--json", "--device", "cpu"])
      try checkProgram(page)
      #expect(page["page"] as? String == path && FileManager.default.fileExists(atPath: path))
      let again = try object(command)
      for other in [told, page, again] { #expect(try text(other["run"]) == text(run)) }
    }
  }

  /// Every figure is that of the text, or follows from it.
  private func checkFigures(_ run: Fields, _ folder: String) throws {
    let report = try Command.run(["report", "--text", "--run", folder])
    let evaluation = try #require(run["evaluation"] as? Fields)
    for (name, line) in [("model", "test accuracy"), ("probe", "linear probe")] {
      let figure = try #require(evaluation[name] as? Fields)
      let correct = try #require(figure["correct"] as? Int), total = try #require(figure["total"] as? Int)
      #expect(report.values(line).first?.hasSuffix("\(correct) of \(total))") == true, "\(report.output)")
      let value = try #require(figure["value"] as? Double)
      let low = try #require(figure["low"] as? Double), high = try #require(figure["high"] as? Double)
      #expect(value == Double(correct) / Double(total) && low <= value && value <= high && low < high)
    }
    let comparison = try #require(evaluation["comparison"] as? Fields)
    let alone = try ["onlyModel", "onlyProbe"].map { try #require(comparison[$0] as? Int) }
    let line = try #require(report.values("beside it").first)
    #expect(line.contains(": \(alone[0]) rows") && line.contains(", \(alone[1]) that the probe"), "\(line)")
    #expect((comparison["p"] as? Double).map { $0 > 0 && $0 <= 1 } == true)
    let kept = try #require(evaluation["keptEpoch"] as? Int)
    #expect(report.values("kept epoch").first?.hasPrefix("\(kept) of 1") == true)
    #expect(evaluation["linearPathAlone"] as? Bool == (kept == 0))
    let repeats = try #require(run["repeats"] as? [Fields])
    #expect(repeats.count == 1 && (repeats[0]["accuracy"] as? Fields)?["total"] != nil)
    let mean = try #require(run["meanAccuracy"] as? Fields)
    #expect(mean["count"] as? Int == 2 && mean["mean"] is Double && mean["half"] is Double)
    let rows = try #require(run["rows"] as? [String: Int])
    #expect(rows.count == 3 && rows.values.reduce(0, +) == 48)
    let channels = try #require(run["channels"] as? [Fields])
    #expect(channels.count == 1 && (channels[0]["collisions"] as? Fields)?["features"] as? Int == 64)
    let divergence = try #require(channels[0]["divergence"] as? Double)
    #expect(report.values("divergence").first == "\(Float(divergence))")
    #expect(run["validation"] == nil && run["folder"] as? String == folder)
    for (key, name) in [("epochs", "history"), ("configuration", "run"), ("data", "data")] {
      #expect(try text(run[key]) == text(file("\(folder)/\(name).json")))
    }
    #expect((run["epochs"] as? [Fields])?.allSatisfy { ($0["state"] as? String)?.count == 64 } == true)
  }

  /// Fingerprints are those of the text, and each stage tells its maker.
  private func checkStages(_ run: Fields, _ folder: String) throws {
    let report = try Command.run(["report", "--text", "--run", folder])
    let prints = try #require(run["fingerprints"] as? [String: String])
    let stages = ["embeddings", "layout", "images", "model", "evaluation"]
    #expect(report.fingerprints == stages.map { prints[$0] ?? "" }, "\(prints)")
    let makers = try #require(run["makers"] as? [String: Fields])
    let seconds = try #require(run["seconds"] as? [String: Double])
    let build = try Fingerprint.ofFile(Command.path)
    for stage in stages + ["encoder", "repeat-1"] {
      let maker = try #require(makers[stage], "\(stage)")
      #expect((maker["device"] as? String)?.hasPrefix("cpu") == true && maker["build"] as? String == build)
      #expect(maker["version"] as? String == tesseraVersion)
      #expect((maker["kernelSources"] as? String)?.count == 64 && seconds[stage] ?? -1 >= 0)
    }
    #expect(Set(makers.keys) == Set(prints.keys))
  }

  @Test(.tags(.slow)) func anEvaluationIsTold() throws {
    try withFolder { folder, arguments in
      // The official code's habits, and no rows to test on: no figures stand for none.
      let paper = ["--json", "--recipe", "paper", "--pixels", "20", "--test-share", "0"]
      let made = try object(arguments + paper)
      let run = try #require(made["run"] as? Fields)
      let own = try #require(run["evaluation"] as? Fields)
      #expect(own["model"] == nil && own["probe"] == nil && run["meanAccuracy"] == nil)
      let validation = try #require(run["validation"] as? [String: Double])
      #expect(try #require(validation["best"]) >= #require(validation["mean"]))
      let question = [
        "evaluate", "--run", folder + "/run", "--data", folder + "/reviews.csv", "--device", "cpu",
      ]
      let found = try object(question + ["--json"])
      try checkProgram(found)
      let words = try Command.run(question)
      let evaluation = try #require(found["evaluation"] as? Fields)
      #expect(evaluation["fingerprint"] as? String == words.fingerprints.first)
      let model = try #require(evaluation["model"] as? Fields)
      #expect(model["total"] as? Int == 48 && (found["data"] as? Fields)?["rows"] as? Int == 48)
      #expect(words.values("accuracy").first?.hasSuffix("\(model["correct"] ?? "") of 48)") == true)
      #expect((found["dataFingerprint"] as? String)?.count == 64 && found["cut"] as? Int == 0)
      #expect(found["folder"] as? String == folder + "/run")
    }
  }
}
