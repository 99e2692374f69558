// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

/// A run's folder in the hands of others: a second process, a dead one, other versions, parts of different
/// runs.
@Suite struct RunFolderTests {
  private func withRun(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(32).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      let first = try Command.run(arguments(folder, "a"))
      try #require(first.code == 0, "\(first.errors)")
      try body(folder)
    }
  }

  private func arguments(_ folder: String, _ out: String, _ more: [String] = []) -> [String] {
    [
      "run", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out", folder + "/" + out,
      "--model", "alexnet", "--pixels", "12", "--perplexity", "5", "--iterations", "10", "--epochs", "1",
      "--batch", "8", "--device", "cpu", "--quiet",
    ] + more
  }

  private func predict(_ run: String) throws -> Command.Result {
    try Command.run(["predict", "--run", run, "--text", "a fine film", "--device", "cpu"])
  }

  /// One line that names a file or folder, what was found and what was wanted; the user's mistake.
  private func refusal(_ result: Command.Result, _ parts: String...) {
    #expect(result.code == 2 && result.errors.hasPrefix("tessera: "), "\(result)")
    #expect(result.errors.split(separator: "\n").count == 1)
    for part in parts { #expect(result.errors.contains(part), "\(part) in \(result.errors)") }
  }

  @Test func aSecondProcessIsRefusedAndADeadOneIsNoHindrance() throws {
    try withRun { folder in
      // The lock is the kernel's: it is held by whoever has the file open, and gone with its last holder.
      let lock = folder + "/a/.lock"
      let held = try Command.shell("exec 9>>'\(lock)' && flock -n 9 && \(shell(arguments(folder, "a")))")
      refusal(held, folder + "/a", "another run at work in it", "a folder of its own")
      let dead = try Command.shell(
        "(exec 9>>'\(lock)' && flock -n 9 && kill -KILL $BASHPID); \(shell(arguments(folder, "a")))")
      #expect(dead.code == 0, "\(dead.errors)")
    }
  }

  private func shell(_ arguments: [String]) -> String {
    // Without the descriptor, which would be inherited.
    "\"$TESSERA\" \(arguments.map { "'\($0)'" }.joined(separator: " ")) 9>&-"
  }

  @Test func whatDecidesTheTokensGoesWithTheRunAndIntoItsFingerprint() throws {
    try withRun { folder in
      struct Record: Decodable { let inputs: [String: String] }
      func record() throws -> Record {
        try JSONDecoder().decode(
          Record.self, from: try Data(contentsOf: URL(fileURLWithPath: folder + "/a/embeddings.json")))
      }
      // Without such files the fingerprint is that of the three alone.
      var print = Fingerprint()
      for name in ["config.json", "vocab.txt", "model.safetensors"] {
        print.add(try Fingerprint.ofFile(folder + "/encoder/" + name))
      }
      #expect(try record().inputs["encoder"] == print.digits())
      let before = try record()
      for (name, text) in [
        ("tokenizer_config.json", #"{"do_lower_case": false}"#), ("added_tokens.json", "{}"),
        ("special_tokens_map.json", "{}"), ("sentence_bert_config.json", "{}"),
      ] {
        let last = try record()
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/encoder/" + name))
        // It is another encoder, which does not take the place of the run's without being asked to.
        refusal(try Command.run(arguments(folder, "a")), "a run of another encoder", "--overwrite")
        #expect(try Command.run(arguments(folder, "a", ["--overwrite"])).code == 0)
        #expect(try record().inputs["encoder"] != last.inputs["encoder"], "\(name)")
        #expect(
          FileManager.default.contentsEqual(
            atPath: folder + "/encoder/" + name, andPath: folder + "/a/encoder/" + name))
      }
      #expect(try record().inputs["data"] == before.inputs["data"])
      // The copy is cased as well: a word in capitals is another one than the same in small letters.
      try FileManager.default.removeItem(atPath: folder + "/encoder")
      let texts = ["a GREAT film", "a great film", "a SUPERB film"]
      let lines = try texts.map {
        try Command.run(["predict", "--run", folder + "/a", "--text", $0, "--device", "cpu", "--json"])
      }
      #expect(lines.allSatisfy { $0.code == 0 })
      let found = try lines.map { line in
        let object = try JSONSerialization.jsonObject(with: Data(line.output.utf8)) as? [String: Any]
        return try #require(object?["probability"] as? Double)
      }
      #expect(found[0] == found[2] && found[0] != found[1], "\(found)")
    }
  }

  @Test func filesOfOtherNumericsVersionsAreRefusedByName() throws {
    try withRun { folder in
      let run = folder + "/a"
      let commands: [(file: String, arguments: [String])] = [
        ("embeddings", ["layout", "--embeddings", run + "/embeddings.safetensors", "--out", folder + "/l"]),
        (
          "layout",
          [
            "render", "--embeddings", run + "/embeddings.safetensors", "--layout",
            run + "/layout.safetensors",
            "--out", folder + "/i",
          ]
        ),
        (
          "images",
          ["train", "--images", run + "/images.safetensors", "--model", "alexnet", "--out", folder + "/t0"]
        ),
        (
          "checkpoint",
          [
            "train", "--images", run + "/images.safetensors", "--model", "alexnet", "--epochs", "1",
            "--resume", "--out", folder + "/t",
          ]
        ),
      ]
      let first = try Command.run(
        [
          "train", "--images", run + "/images.safetensors", "--model", "alexnet", "--epochs", "1", "--out",
          folder + "/t",
        ])
      try #require(first.code == 0, "\(first.errors)")
      for (file, arguments) in commands {
        let path = (file == "checkpoint" ? folder + "/t" : run) + "/\(file).safetensors"
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for version in [1, 9] {
          try setNumerics(path, to: version)
          refusal(
            try Command.run(arguments + ["--device", "cpu"]), path, "numerics version \(version)",
            "version \(numericsVersion)")
          try whole.write(to: URL(fileURLWithPath: path))
        }
      }
    }
  }

  @Test func aLaterLayoutOfTheFolderIsRefusedByNameAndNotTouched() throws {
    try withRun { folder in
      let url = URL(fileURLWithPath: folder + "/a/run.json")
      let text = String(decoding: try Data(contentsOf: url), as: UTF8.self)
      #expect(text.contains("\"version\" : 1"))
      for version in ["3", "0", "\"x\""] {
        let other = Data(text.replacing("\"version\" : 1", with: "\"version\" : \(version)").utf8)
        try other.write(to: url)
        for result in [
          try Command.run(arguments(folder, "a")), try predict(folder + "/a"),
          try Command.run(["report", "--text", "--run", folder + "/a"]),
        ] { refusal(result, url.path, "a run of version", "1 to 2") }
        #expect(try Data(contentsOf: url) == other)
      }
      // As versions before this one wrote it: a run goes on from there.
      try Data(text.replacing(#/ *"version" : 1,?\n/#, with: "").utf8).write(to: url)
      refusal(try predict(folder + "/a"), url.path, "other bytes than the run wrote")
      #expect(try Command.run(arguments(folder, "a")).code == 0)
      #expect(try predict(folder + "/a").code == 0)
    }
  }

  @Test func partsOfDifferentRunsDoNotPredictTogether() throws {
    try withRun { folder in
      let other = try Command.run(arguments(folder, "b", ["--seed", "7", "--pooling", "cls"]))
      try #require(other.code == 0)
      let files = FileManager.default
      func changed(_ what: String, _ change: (String) throws -> Void) throws {
        try? files.removeItem(atPath: folder + "/x")
        try files.copyItem(atPath: folder + "/a", toPath: folder + "/x")
        try change(folder + "/x/")
        refusal(try predict(folder + "/x"), folder + "/x/" + what, "tessera run to its end")
      }
      func take(_ names: String...) -> (String) throws -> Void {
        { x in
          for name in names {
            try files.removeItem(atPath: x + name)
            try files.copyItem(atPath: folder + "/b/" + name, toPath: x + name)
          }
        }
      }
      for stage in ["encoder", "embeddings", "layout", "images", "model"] {
        try changed(stage + ".json: found no readable file") {
          try files.removeItem(atPath: $0 + stage + ".json")
        }
      }
      try changed("model.safetensors: found other bytes", take("model.safetensors"))
      try changed("layout.safetensors: found other bytes", take("layout.safetensors"))
      try changed("model.json: found other bytes", take("model.safetensors", "model.json"))
      try changed("layout.json: found other bytes", take("layout.safetensors", "layout.json"))
      try changed("images.json: found other bytes", take("images.safetensors", "images.json"))
      try changed("run.json: found other bytes", take("run.json"))
      // Run to its end it predicts again.
      #expect(try Command.run(arguments(folder, "x")).fingerprints.count == 5)
      #expect(try predict(folder + "/x").output == predict(folder + "/a").output)
    }
  }
}
