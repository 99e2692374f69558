// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// Tables of numbers on the command line: the whole way, and every option that means nothing.
@Suite struct TableCommandTests {
  private func withTables(_ body: (_ folder: String, _ run: [String]) throws -> Void) throws {
    try withTemporaryFolder { folder in
      for (name, text) in [("rows.csv", TinyTable.csv(60)), ("new.csv", TinyTable.csv(6, seed: 5))] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
      }
      try body(
        folder,
        [
          "run", "--features", folder + "/rows.csv", "--ignore", "id", "--out", folder + "/run",
          "--iterations", "50",
          "--device", "cpu", "--quiet",
        ])
    }
  }

  private func refused(
    _ words: [String], _ parts: String..., location: SourceLocation = #_sourceLocation
  ) throws {
    let result = try Command.run(words)
    #expect(result.code == 2 && result.output.isEmpty, "\(words) \(result)", sourceLocation: location)
    for part in parts {
      #expect(result.errors.contains(part), "\(words): \(result.errors)", sourceLocation: location)
    }
  }

  @Test func theWholeWay() throws {
    try withTables { folder, run in
      let made = try Command.run(run)
      try #require(made.code == 0, "\(made.errors)")
      #expect(made.fingerprints.count == 5)
      let again = try Command.run(run)
      #expect(again.fingerprints == made.fingerprints && again.code == 0)
      let place = ["--run", folder + "/run", "--device", "cpu", "--quiet"]
      let evaluated = try Command.run(["evaluate", "--data", folder + "/rows.csv"] + place)
      #expect(
        evaluated.code == 0 && evaluated.values("accuracy").first?.contains("of 60)") == true, "\(evaluated)")
      let verified = try Command.run(["verify", "--full"] + place)
      #expect(verified.code == 0 && verified.output.contains("embeddings: recomputed, equal"), "\(verified)")
      let page = try Command.run(["report"] + place)
      #expect(page.code == 0 && page.output.contains("7 columns of a table"))
      let html = try String(contentsOfFile: folder + "/run/report.html", encoding: .utf8)
      #expect(TinyTable.names.allSatisfy(html.contains))
    }
  }

  @Test func predictionsAreTheSameInAnyOrderOfColumns() throws {
    try withTables { folder, run in
      try #require(try Command.run(run).code == 0)
      let place = ["predict", "--run", folder + "/run", "--device", "cpu", "--quiet", "--data"]
      let answers = try Command.run(place + [folder + "/new.csv"])
      #expect(answers.code == 0 && answers.output.split(separator: "\n").count == 6, "\(answers)")
      #expect(answers.output.split(separator: "\n").enumerated().allSatisfy { $1.hasSuffix("\t\($0 + 1)") })
      let turned = TinyTable.csv(6, seed: 5, order: [7, 6, 5, 4, 3, 2, 1])
      let other = try Command.run(place + ["-"], input: turned)
      #expect(other.output == answers.output && other.code == 0, "\(other)")
      let objects = try Command.run(place + [folder + "/new.csv", "--json", "--evidence", "--image"])
      let line = try #require(objects.output.split(separator: "\n").first)
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      let evidence = try #require(object?["evidence"] as? [String: Any])
      let names = (evidence["occlusion"] as? [[String: Any]])?.compactMap { $0["name"] as? String } ?? []
      #expect(Set(names) == Set(TinyTable.names) && object?["row"] as? Int == 1 && object?["image"] != nil)
      // The label that the table has is told, as it stands there; a table without has none to tell.
      let truths = try objects.output.split(separator: "\n").map {
        (try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["truth"] as? String
      }
      let labels = TinyTable.csv(6, seed: 5).split(separator: "\n").dropFirst().map {
        String($0.split(separator: ",", omittingEmptySubsequences: false).last ?? "")
      }
      #expect(truths == labels && Set(labels).count > 1)
      let silent = try Command.run(place + ["-", "--json"], input: turned)
      #expect(silent.code == 0 && !silent.output.contains("truth"), "\(silent)")
      let leftOut = try Command.run(place + [folder + "/new.csv", "--json", "--ignore", "label"])
      #expect(leftOut.code == 0 && !leftOut.output.contains("truth"), "\(leftOut)")
      try refused(place + ["-"] + [], "an empty file")
      try refused(
        ["predict", "--run", folder + "/run", "--device", "cpu", "--text", "a film"],
        "predict: found --text, wanted --data")
      try refused(["predict", "--run", folder + "/run", "--device", "cpu"], "found no --data")
      try refused(place + [folder + "/new.csv", "--json", "--words"], "found --words")
      try refused(place + [folder + "/new.csv", "--ignore", "x"], "ignore: found x")
      let holes = folder + "/holes.csv"
      try Data(TinyTable.csv(6, seed: 5, missing: true).utf8).write(to: URL(fileURLWithPath: holes))
      try refused(place + [holes], "line 5, column", "--missing mean, median or zero")
    }
  }

  @Test func everyFoldScalesByItsOwnRows() throws {
    try withTables { folder, run in
      let result = try Command.run(run + ["--folds", "3"])
      try #require(result.code == 0, "\(result.errors)")
      let prints = try (1...3).map { fold in
        try Command.run(["report", "--text", "--run", "\(folder)/run/fold-\(fold)"]).fingerprints[0]
      }
      #expect(Set(prints).count == 3)
      let verified = try Command.run([
        "verify", "--full", "--run", folder + "/run/fold-2", "--device", "cpu", "--quiet",
      ])
      #expect(verified.code == 0, "\(verified)")
    }
  }

  @Test func optionsOfTextsMeanNothing() throws {
    try withTables { folder, run in
      for (name, value) in [
        ("data", "x.csv"), ("encoder", "e"), ("layers", "1...2"), ("pooling", "mean"), ("products", "s3"),
        ("embedding-batch", "4"),
        ("embeddings-of", "r"), ("text-column", "t"),
      ] {
        try refused(run + ["--\(name)", value], "tessera: \(name): found an option of texts with --features")
      }
      try refused(run + ["--channels", "layer"], "channels: found layer for 7 features of 1 hidden state(s)")
      try refused(run + ["--array", "X"], "array: found data that are delimited text")
      let texts = ["run", "--data", "x.csv", "--encoder", "e", "--out", folder + "/t"]
      for option in [["--ignore", "a"], ["--array", "X"], ["--missing", "mean"], ["--scaling", "none"]] {
        try refused(texts + option, "\(option[0].dropFirst(2)): found an option of a table without one")
      }
      try refused(["run", "--out", folder + "/t"], "run: found neither --data nor --features")
      try refused(
        ["run", "--data", "x.csv", "--out", folder + "/t"], "encoder: found none for the texts of --data")
      try refused(run + ["--missing", "most"], "missing: found most, wanted refuse, mean, median or zero")
      #expect(!FileManager.default.fileExists(atPath: folder + "/t"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/run"))
    }
  }

  @Test func columnsAreRefusedByName() throws {
    try withTables { folder, run in
      let words = run.filter { $0 != "--ignore" && $0 != "id" }
      try refused(words, "line 2, column id: found \"row 0\"", "--ignore id leaves the column out")
      try refused(words + ["--ignore", "idx"], "ignore: found idx, which", "wanted one of id, width")
      try refused(
        run + ["--ignore", "label", "--label-column", "weight"], "60 different numbers as labels",
        "targets of a regression?")
      try refused(run + ["--label-column", "kind"], "wanted the labels in a column kind")
    }
  }
}
