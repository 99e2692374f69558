// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// Options that would be ignored in silence are refused.
@Suite(.serialized) struct IdleOptionTests {
  private func refused(
    _ words: [String], _ parts: String..., location: SourceLocation = #_sourceLocation
  ) throws {
    let result = try Command.run(words)
    #expect(result.code == 2, "\(words) \(result)", sourceLocation: location)
    for part in parts {
      #expect(result.errors.contains(part), "\(words): \(result.errors)", sourceLocation: location)
    }
  }

  private func withData(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(40).utf8).write(to: URL(fileURLWithPath: folder + "/table.csv"))
      let row = "{\"text\": \"fine\", \"label\": \"pos\"}\n{\"text\": \"dull\", \"label\": \"neg\"}\n"
      try Data(row.utf8).write(to: URL(fileURLWithPath: folder + "/rows.jsonl"))
      for (label, text) in [("pos", "fine"), ("neg", "dull")] {
        try FileManager.default.createDirectory(
          atPath: folder + "/classes/" + label, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/classes/\(label)/0.txt"))
      }
      try body(folder)
    }
  }

  @Test func whatAFormatHasNot() throws {
    try withData { folder in
      func embed(_ data: String, _ more: String...) -> [String] {
        [
          "embed", "--data", folder + "/" + data, "--encoder", folder + "/encoder", "--out", folder + "/e",
          "--device", "cpu", "--quiet",
        ] + more
      }
      for (name, option) in [
        ("separator", ["--separator", "tab"]), ("quotes", ["--quotes", "none"]),
        ("no-header", ["--no-header"]),
        ("text-column", ["--text-column", "text"]), ("label-column", ["--label-column", "label"]),
      ] {
        try refused(
          embed("classes") + option, "tessera: \(name): found data that are a folder of classes, wanted")
        if !name.hasSuffix("column") {
          try refused(
            embed("rows.jsonl") + option, "tessera: \(name): found data that are JSON, wanted a table")
        } else {
          #expect(try Command.run(embed("rows.jsonl") + option).code == 0)
        }
      }
      // One of several has it.
      let run = [
        "run", "--encoder", folder + "/encoder", "--out", folder + "/r", "--device", "cpu", "--epochs", "0",
        "--perplexity", "5", "--iterations", "50", "--separator", "comma", "--labels", "as-is", "--quiet",
      ]
      let result = try Command.run(
        run + ["--data", folder + "/table.csv", "--test", folder + "/classes"])
      #expect(!result.errors.contains("separator"), "\(result.errors)")
    }
  }

  @Test func learningRatesOfWhatDoesNotLearn() throws {
    try withData { folder in
      let run = [
        "run", "--data", folder + "/table.csv", "--encoder", folder + "/encoder", "--out", folder + "/r",
        "--device", "cpu", "--perplexity", "5",
      ]
      try refused(
        run + ["--slice-lr", "0.001"],
        "slice-lr: found 0.001 for a slice that is frozen, wanted a trainable slice")
      try refused(run + ["--slice-lr", "0.001", "--slice", "moving"], "for a slice that is moving")
      try refused(run + ["--conv-lr", "0.001"], "conv-lr: found 0.001 for the linear head")
      try refused(
        run + ["--conv-lr", "0.001", "--slice", "trainable", "--slice-lr", "0.001"], "for the linear head")
      #expect(!FileManager.default.fileExists(atPath: folder + "/r/embeddings.safetensors"))
    }
  }

  @Test func whatOnlyTSNETakes() throws {
    try withData { folder in
      for (name, value) in [
        ("perplexity", "5"), ("iterations", "50"), ("init", "pca"), ("tsne-learning-rate", "auto"),
        ("tsne-exact-limit", "500"),
      ] {
        let words = [
          "run", "--data", folder + "/table.csv", "--encoder", folder + "/encoder", "--out", folder + "/r",
          "--device", "cpu", "--layout", "pca", "--\(name)", value,
        ]
        try refused(words, "tessera: \(name): found \(value)", "but no layout by t-SNE")
      }
    }
  }

  @Test func halvesOfPairs() throws {
    try refused(["verify", "--device", "cpu", "--stride", "5"], "stride: found 5 alone, wanted --exhaustive")
    try refused(
      ["verify", "--device", "cpu", "--seed", "5"], "seed: found 5 alone, wanted --random or --sample")
    try refused(["verify", "--device", "cpu", "--sums", "--small"], "sums: found options of the comparison")
    for option in [["--separator", "tab"], ["--quotes", "none"], ["--no-header"]] {
      try refused(
        ["predict", "--run", "/nowhere", "--data", "-", "--device", "cpu"] + option,
        "predict: found options of a table for standard input")
    }
  }
}
