// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

/// Weights in several files with Hugging Face's index.
@Suite struct ShardIndexTests {
  private func write(_ folder: String, _ name: String, _ tensors: [String: Float]) throws {
    var writer = SafetensorsWriter()
    for (name, value) in tensors { writer.add(name, [value, -value], shape: [2]) }
    _ = try writer.write(to: "\(folder)/\(name)")
  }

  private func index(_ folder: String, _ map: Any?) throws -> String {
    let path = folder + "/model.safetensors.index.json"
    let object: [String: Any] = ["metadata": ["total_size": "what it likes"]].merging(
      map.map { ["weight_map": $0] } ?? [:]
    ) { a, _ in a }
    try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: path))
    return path
  }

  private func refusal(_ path: String) -> String {
    do {
      _ = try ShardIndex(path).open()
      return "accepted"
    } catch { return "\(error)".replacingOccurrences(of: path, with: "index") }
  }

  @Test func tensorsOfAllFilesAreOneFile() throws {
    try withTemporaryFolder { folder in
      try write(folder, "a.safetensors", ["x": 1, "unnamed": 9])
      try write(folder, "below/b.safetensors", ["y": 2, "z": 3])
      let path = try index(
        folder, ["x": "a.safetensors", "y": "below/b.safetensors", "z": "below/b.safetensors"])
      let file = try ShardIndex(path).open()
      #expect(file.names == ["x", "y", "z"] && file.path == path)
      #expect(
        try file.floats("x") == [1, -1] && file.floats("y") == [2, -2] && file.floats("z") == [3, -3])
      #expect(try ShardIndex(path).shards == ["a.safetensors", "below/b.safetensors"])
      // A relative path without a folder.
      #expect(refusal("model.safetensors.index.json").contains("no readable file"))
    }
  }

  @Test func whatIsMissingIsNamed() throws {
    try withTemporaryFolder { folder in
      try write(folder, "a.safetensors", ["x": 1])
      #expect(
        try refusal(index(folder, ["x": "a.safetensors", "y": "b.safetensors", "z": "c.safetensors"]))
          == "index: found no b.safetensors, c.safetensors beside it, "
          + "wanted all 3 files of the index; fetch what is missing")
      #expect(
        try refusal(index(folder, ["x": "a.safetensors", "y": "a.safetensors"]))
          .contains("a.safetensors: found no tensor y, wanted what index says that it holds"))
    }
  }

  @Test(
    arguments: [
      "../a.safetensors", "/etc/passwd", "a/../../b", "", "a//b", "./a", "b/", "a\u{0}b",
      "model.safetensors.index.json",
    ])
  func filesOutsideTheFolderAreRefused(_ name: String) throws {
    try withTemporaryFolder { folder in
      let path = try index(folder, ["x": name])
      #expect(refusal(path).contains("wanted files in the index's own folder"))
    }
  }

  @Test func whatIsNoIndexIsRefused() throws {
    try withTemporaryFolder { folder in
      #expect(
        try refusal(index(folder, nil)) == "index: weight_map: found nothing, wanted the file of each tensor")
      for map in [[:], [1], ["x": 1], "x"] as [Any] {
        #expect(try refusal(index(folder, map)).contains("found what is no map of names to files"))
      }
      let path = folder + "/i"
      for text in ["", "[]", "{", "<html>", "version https://git-lfs.github.com/spec/v1\n"] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        #expect(refusal(path).hasPrefix("index: found "), "\(text)")
      }
    }
  }
}
