// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// What other programs read of a run: predictions by row, epochs, events, the model card, JSON of every stage.
@Suite struct ExportTests {
  private typealias Fields = [String: Any]

  private func json(_ text: String) throws -> Fields {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Fields, "\(text)")
  }

  private func withRun(_ options: [String], _ body: (String, Command.Result) throws -> Void) throws {
    // A comma, a quote and a line break within a text.
    let reviews = TinyEncoder.reviews(60).replacing("fine", with: "fine, \"\"so\nfine\"\"")
    try ClassTests.withRun(["--epochs", "2"] + options, reviews: reviews, body)
  }

  @Test(.tags(.slow)) func rowsEpochsAndCardAreWritten() throws {
    try withTemporaryFolder { events in
      try withRun(["--tensorboard", events + "/board"]) { folder, run in
        try #require(run.code == 0, "\(run.errors)")
        try checkTables(folder)
        try checkFolders(folder)
        let text = try String(contentsOfFile: folder + "/run/epochs.json", encoding: .utf8)
        let epochs = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [Fields])
        #expect(epochs.map { $0["epoch"] as? Int } == [0, 1, 2])
        for key in [
          "loss", "trainingAccuracy", "validationLoss", "validationAccuracy", "seconds", "rowsPerSecond",
          "validationSeconds",
          "validationRowsPerSecond",
        ] {
          #expect(epochs.allSatisfy { ($0[key] as? Double).map { $0 >= 0 } ?? false }, "\(key)")
        }
        try checkCard(folder, run)
        try checkBoard(events + "/board", folder)
        // Times are no part of the run.
        try FileManager.default.removeItem(atPath: folder + "/run/epochs.json")
        #expect(try Command.run(["verify", "--run", folder + "/run", "--full"]).code == 0)
      }
    }
  }

  private func checkBoard(_ board: String, _ folder: String) throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: board)
    #expect(files.count == 1 && files[0].hasPrefix("events.out.tfevents."))
    let size = try Data(contentsOf: URL(fileURLWithPath: board + "/" + files[0])).count
    #expect(size > 3 * 150, "\(size) bytes")
  }

  private func checkTables(_ folder: String) throws {
    for ending in ["csv", "jsonl"] {
      let told = try Command.run(
        ["report", "--run", folder + "/run", "--text", "--predictions", folder + "/rows.\(ending)"])
      #expect(told.code == 0, "\(told.errors)")
    }
    let lines = try String(contentsOfFile: folder + "/rows.jsonl", encoding: .utf8).split(separator: "\n")
    let rows = try lines.map { try json(String($0)) }
    let right = rows.count { $0["label"] as? String == $0["predicted"] as? String }
    let result = try json(try String(contentsOfFile: folder + "/run/result.json", encoding: .utf8))
    let model = try #require(result["model"] as? Fields), probe = try #require(result["probe"] as? Fields)
    #expect(rows.count == model["total"] as? Int && right == model["correct"] as? Int)
    #expect(rows.count { $0["label"] as? String == $0["probe"] as? String } == probe["correct"] as? Int)
    for row in rows {
      let shares = try #require(row["probabilities"] as? [String: Double])
      #expect(abs(shares.values.reduce(0, +) - 1) < 1e-5)
      #expect(shares.max { $0.value < $1.value }?.key == row["predicted"] as? String)
      #expect(row["text"] is String && (1...60).contains(row["row"] as? Int ?? -1))
    }
    // Python's reader takes the table as it was meant.
    let script = """
      import csv, json, sys
      table = list(csv.DictReader(open(sys.argv[1], newline="")))
      lines = [json.loads(line) for line in open(sys.argv[2])]
      assert len(table) == len(lines)
      for a, b in zip(table, lines):
          assert all(a[key] == str(b[key]) for key in ("row", "text", "label", "predicted", "probe")), (a, b)
          assert all(abs(float(a[f"p({name})"]) - p) < 1e-7 for name, p in b["probabilities"].items())
      print(len(table))
      """
    try Data(script.utf8).write(to: URL(fileURLWithPath: folder + "/read.py"))
    let read = try Command.shell("python3 '\(folder)/read.py' '\(folder)/rows.csv' '\(folder)/rows.jsonl'")
    #expect(read.output == "\(rows.count)\n", "\(read.errors)")
    let wrong = try Command.run([
      "report", "--run", folder + "/run", "--text", "--predictions", folder + "/rows.xls",
    ])
    #expect(wrong.code == 2 && wrong.errors.contains("found the ending xls, wanted .csv or .jsonl"))
  }

  /// Whatever names a file to write makes the folders on the way to it; what is refused leaves none behind.
  private func checkFolders(_ folder: String) throws {
    for (words, path) in [
      (["export", "--onnx"], "/a/new/x.onnx"), (["report", "--text", "--predictions"], "/b/new/rows.csv"),
      (["report", "--out"], "/c/new/page.html"), (["report", "--figures"], "/d/new"),
      (["report", "--trace"], "/e/new/trace.json"),
      (["verify", "--full", "--certificate"], "/f/new/certificate.json"),
    ] {
      let result = try Command.run(words + [folder + path, "--run", folder + "/run"])
      #expect(result.code == 0 && FileManager.default.fileExists(atPath: folder + path), "\(words) \(result)")
    }
    let refused = try Command.run([
      "export", "--onnx", folder + "/g/new/x.onnx", "--run", folder + "/nothing",
    ])
    #expect(refused.code == 2 && !FileManager.default.fileExists(atPath: folder + "/g"))
  }

  private func checkCard(_ folder: String, _ run: Command.Result) throws {
    let path = folder + "/run/README.md"
    let card = try String(contentsOfFile: path, encoding: .utf8)
    for heading in ["Data", "Measures", "Recipe", "How it was made", "How it is used", "Limits"] {
      #expect(card.contains("\n## \(heading)\n"), "\(heading)")
    }
    for digits in run.fingerprints { #expect(card.contains(digits)) }
    #expect(card.contains("balanced accuracy") && card.contains("tessera run --data"))
    let recipe = card.components(separatedBy: "## How it was made")[0]
    #expect(!recipe.contains(folder), "paths of the machine stay in the command")
    // What is not the run's own is left alone.
    try Data("mine\n".utf8).write(to: URL(fileURLWithPath: path))
    let again = try Command.run(
      [
        "run", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out", folder + "/run",
        "--model", "alexnet", "--pixels", "12", "--perplexity", "5", "--iterations", "10", "--epochs", "2",
        "--device", "cpu",
      ])
    #expect(again.code == 0 && again.errors.contains("no model card is written"), "\(again.errors)")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine\n")
  }

  @Test(.tags(.slow)) func everyStageTellsJSON() throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(40).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      func told(_ arguments: [String], _ keys: Set<String>) throws -> Fields {
        let result = try Command.run(arguments + ["--json", "--device", "cpu", "--quiet"])
        try #require(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
        let found = try json(result.output)
        let all = keys.union(["version", "file", "fingerprint", "device", "provenance"])
        #expect(Set(found.keys).subtracting(["keptEpoch"]) == all, "\(arguments[0]): \(found.keys)")
        #expect(found["version"] as? Int == 1 && (found["fingerprint"] as? String)?.count == 64)
        return found
      }
      let (vectors, places, images) = (folder + "/a/new/v", folder + "/b/new/l", folder + "/c/new/i")
      let embedded = try told(
        ["embed", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out", vectors],
        ["data", "dataFingerprint", "cut", "features", "states", "pooling", "products"])
      #expect(embedded["features"] as? Int == 64 && embedded["file"] as? String == vectors)
      let laid = try told(
        [
          "layout", "--embeddings", vectors, "--pixels", "12", "--perplexity", "5", "--iterations", "10",
          "--out", places,
        ],
        ["side", "channels", "training", "validation", "test"])
      #expect(laid["side"] as? Int == 12 && laid["training"] as? Int == 24)
      let rendered = try told(
        ["render", "--embeddings", vectors, "--layout", places, "--out", images],
        ["images", "pixels", "channels", "classes", "training", "validation", "test"])
      #expect(
        rendered["images"] as? Int == 40 && rendered["classes"] as? [String] == ["negative", "positive"])
      let trained = try told(
        ["train", "--images", images, "--model", "alexnet", "--epochs", "2", "--out", folder + "/d/new/m"],
        ["classes", "history", "epochs", "linearPathAlone"])
      #expect((trained["history"] as? [Fields])?.count == (trained["epochs"] as? [Fields])?.count)
    }
  }
}
