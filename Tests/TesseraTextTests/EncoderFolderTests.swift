// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// Where an encoder is in the folders that sentence-transformers and others make.
@Suite struct EncoderFolderTests {
  /// Writes files by their paths inside a folder and finds the encoder in it; the path is inside the folder.
  private func found(_ files: [String: String]) -> String {
    do {
      return try withTemporaryFolder { folder in
        let root = URL(fileURLWithPath: folder)
        for (name, text) in files {
          let file = root.appendingPathComponent(name)
          try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
          try Data(text.utf8).write(to: file)
        }
        do {
          return String(try EncoderFolder(folder).path.dropFirst(root.path.count))
        } catch {
          return "\(error)".replacingOccurrences(of: root.path, with: "")
        }
      }
    } catch {
      return "\(error)"
    }
  }

  private func modules(_ path: String, _ type: String = "sentence_transformers.models.Transformer") -> String
  {
    #"[{"idx": 0, "name": "0", "path": "\#(path)", "type": "\#(type)"}, {"path": "1_Pooling", "type": "x.Pooling"}]"#
  }

  @Test func theTransformerOfASentenceTransformersFolderIsFound() {
    let version = #"{"__version__": "0.3.8"}"#
    #expect(found(["config.json": "{}", "1_Pooling/config.json": "{}"]) == "")
    #expect(found(["modules.json": modules(""), "config.json": "{}"]) == "")
    #expect(
      found([
        "modules.json": modules("0_Transformer"), "config.json": version, "0_Transformer/config.json": "{}",
      ])
        == "/0_Transformer")
    #expect(found(["0_BERT/config.json": "{}", "1_Pooling/config.json": "{}"]) == "/0_BERT")
    #expect(found([:]) == "")
  }

  @Test func whatCannotBeFoundIsNamed() {
    #expect(
      found(["best/config.json": "{}"]).hasPrefix("/config.json: found no such file, wanted the folder"))
    #expect(found(["best/config.json": "{}"]).hasSuffix("such as /best"))
    #expect(
      found(["modules.json": modules("0", "x.CLIPModel")]).contains("modules.json: type: found x.CLIPModel"))
    #expect(found(["modules.json": modules("../x")]).contains("modules.json: path: found ../x"))
    #expect(found(["modules.json": modules("/x")]).contains("wanted a folder inside this one"))
    #expect(found(["modules.json": "{}"]).contains("modules.json: found no list of modules"))
    #expect(found(["modules.json": "[]"]).contains("modules.json: found no list of modules"))
    #expect(found(["modules.json": "[1]"]).contains("modules.json: found 1"))
  }

  @Test func theFilesThatDecideAreListedInTheOrderOfTheFingerprint() throws {
    try withTemporaryFolder { folder in
      for name in ["vocab.txt", "tokenizer.json", "config.json", "README.md", "tokenizer_config.json"] {
        try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
      }
      let files = try EncoderFolder(folder).files
      #expect(files == ["config.json", "vocab.txt", "tokenizer_config.json", "tokenizer.json"])
    }
  }
}
