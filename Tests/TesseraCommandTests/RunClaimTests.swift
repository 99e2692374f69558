// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// `--out` takes nothing over that is not its own, and says of an unfinished run that it is.
@Suite struct RunClaimTests {
  private func withData(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try TinyEncoder.write(to: folder + "/encoder2")
      let config = URL(fileURLWithPath: folder + "/encoder2/config.json")
      let text = String(decoding: try Data(contentsOf: config), as: UTF8.self)
      try Data((text + "\n").utf8).write(to: config)
      try write(TinyEncoder.reviews(32), folder + "/reviews.csv")
      try write(TinyEncoder.reviews(32, seed: 5), folder + "/others.csv")
      try body(folder)
    }
  }

  private func write(_ text: String, _ path: String) throws {
    try FileManager.default.createDirectory(
      atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  private func run(
    _ folder: String, _ out: String, data: String = "reviews.csv", encoder: String = "encoder",
    _ more: [String] = []
  ) throws -> Command.Result {
    try Command.run(
      [
        "run", "--data", folder + "/" + data, "--encoder", folder + "/" + encoder, "--out",
        folder + "/" + out,
        "--model", "alexnet", "--pixels", "12", "--perplexity", "5", "--iterations", "10", "--epochs", "1",
        "--batch", "8", "--device", "cpu", "--quiet",
      ] + more)
  }

  private func refusal(
    _ result: Command.Result, _ parts: String..., location: SourceLocation = #_sourceLocation
  ) {
    #expect(result.code == 2 && result.errors.hasPrefix("tessera: "), "\(result)", sourceLocation: location)
    #expect(result.errors.split(separator: "\n").count == 1, "\(result)", sourceLocation: location)
    for part in parts {
      #expect(result.errors.contains(part), "\(part) in \(result.errors)", sourceLocation: location)
    }
  }

  private func contents(_ folder: String) throws -> [String: Data] {
    var found: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
      found[name] = FileManager.default.contents(atPath: folder + "/" + name)
    }
    return found
  }

  @Test func foreignFilesAreNotTakenOver() throws {
    try withData { folder in
      for (name, text) in [
        ("notes.txt", "mine"), ("run.json", "{\"jogging\": 5}"), ("pictures/me.png", "a picture"),
        ("model.safetensors", "weights"), ("config.json", "{}"),
      ] {
        let place = folder + "/" + name.replacing("/", with: "-")
        try write(text, place + "/" + name)
        let before = try contents(place)
        refusal(
          try run(folder, name.replacing("/", with: "-")), place, String(name.split(separator: "/")[0]),
          "--overwrite")
        #expect(try contents(place) == before)
      }
      let forced = try run(folder, "notes.txt", ["--overwrite"])
      #expect(forced.code == 0, "\(forced.errors)")
      #expect(FileManager.default.contents(atPath: folder + "/notes.txt/notes.txt") == Data("mine".utf8))
      // From now on it is a run's folder, in which notes may lie.
      #expect(try run(folder, "notes.txt").code == 0)
      // The encoder's own folder is no place for a run.
      refusal(try run(folder, "encoder"), "encoder: found a folder with other files")
      // Hidden files are nobody's.
      try write("x", folder + "/h/.DS_Store")
      #expect(try run(folder, "h").code == 0)
    }
  }

  @Test func aRunOfOtherDataOrEncoderIsRefusedAndOtherOptionsGoOn() throws {
    try withData { folder in
      let first = try run(folder, "a")
      try #require(first.code == 0, "\(first.errors)")
      let before = try contents(folder + "/a")
      refusal(
        try run(folder, "a", data: "others.csv"), "/a: found a run of other data", "reviews.csv",
        "--overwrite")
      refusal(try run(folder, "a", encoder: "encoder2"), "/a: found a run of another encoder", "--overwrite")
      #expect(try contents(folder + "/a") == before)
      // The same data under another name, and other options of every stage, go on in place.
      try FileManager.default.copyItem(atPath: folder + "/reviews.csv", toPath: folder + "/copy.csv")
      let same = try run(folder, "a", data: "copy.csv")
      #expect(same.code == 0 && same.output == first.output, "\(same.errors)")
      for more in [["--epochs", "2"], ["--seed", "7"], ["--pooling", "cls"], ["--repeats", "2"]] {
        #expect(try run(folder, "a", more).code == 0)
      }
      // In the place of the old run, nothing of it is left.
      let fresh = try run(folder, "b", data: "others.csv")
      let forced = try run(folder, "a", data: "others.csv", ["--overwrite"])
      #expect(forced.code == 0 && forced.output == fresh.output, "\(forced.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/a/repeat-1.json"))
      // A run that is refused for its options leaves the old one as it was.
      let kept = try contents(folder + "/a")
      refusal(
        try run(folder, "a", ["--overwrite", "--perplexity", "90"]), "perplexity: found 90.0 for 64 points")
      #expect(try contents(folder + "/a") == kept)
    }
  }

  @Test func anUnfinishedRunSaysWhereItStands() throws {
    try withData { folder in
      let whole = try run(folder, "a", ["--repeats", "2"])
      try #require(whole.code == 0, "\(whole.errors)")
      let stages = ["encoder", "embeddings", "layout", "images", "model", "evaluation", "repeat-1"]
      for (number, stage) in stages.enumerated() {
        // As a run leaves it that was stopped in this stage.
        for name in ["manifest.json"] + stages[number...].map({ $0 + ".json" }) {
          try? FileManager.default.removeItem(atPath: folder + "/a/" + name)
        }
        let at = ["--run", folder + "/a", "--device", "cpu"]
        for command in [
          ["predict", "--text", "fine"], ["evaluate", "--data", folder + "/reviews.csv"], ["report"],
        ] {
          refusal(
            try Command.run(command + at), "/a: found an unfinished run, at the stage \(stage)",
            number == 0 ? "none is done" : "done: encoder", "tessera run to its end", "--out \(folder)/a")
        }
        let resumed = try run(folder, "a", ["--repeats", "2"])
        #expect(resumed.code == 0 && resumed.output == whole.output, "\(resumed.errors)")
      }
      try FileManager.default.removeItem(atPath: folder + "/a/manifest.json")
      refusal(
        try Command.run(["predict", "--text", "fine", "--run", folder + "/a", "--device", "cpu"]),
        "a run whose stages are done, but that did not come to its end")
      #expect(try run(folder, "a", ["--repeats", "2"]).output == whole.output)
    }
  }

  @Test func aTrainingsFolderIsItsOwn() throws {
    try withData { folder in
      try #require(try run(folder, "a").code == 0)
      try #require(try run(folder, "b", data: "others.csv").code == 0)
      func train(_ images: String, _ out: String, _ more: String...) throws -> Command.Result {
        try Command.run(
          [
            "train", "--images", folder + "/\(images)/images.safetensors", "--model", "alexnet", "--epochs",
            "2",
            "--out", folder + "/" + out, "--device", "cpu", "--quiet",
          ] + more)
      }
      let first = try train("a", "m")
      #expect(first.code == 0 && first.output.contains("kept epoch 0: the linear path alone"), "\(first)")
      #expect(try train("a", "m").output == first.output)
      let before = try contents(folder + "/m")
      refusal(try train("b", "m"), "/m: found a model of other images", "--overwrite")
      refusal(
        try train("a", "m", "--resume", "--seed", "5"), "checkpoint.safetensors: found a checkpoint of other")
      #expect(try contents(folder + "/m") == before)
      #expect(try train("b", "m", "--overwrite").code == 0)
      for place in ["a", "encoder"] {
        let before = try contents(folder + "/" + place)
        refusal(try train("a", place), "/\(place): found a folder with other files", "--overwrite")
        #expect(try contents(folder + "/" + place) == before)
      }
      // An encoder's weights alone, under the name of a model.
      try FileManager.default.createDirectory(atPath: folder + "/w", withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: folder + "/encoder/model.safetensors", toPath: folder + "/w/model.safetensors")
      refusal(try train("a", "w"), "/w: found a folder with other files (model.safetensors)")
    }
  }
}
