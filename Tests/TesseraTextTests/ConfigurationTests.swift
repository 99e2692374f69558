import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// What is wrong with an encoder's folder is said with file and field.
@Suite struct ConfigurationTests {
  private static let good: [String: any Sendable] = [
    "model_type": "bert", "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2,
    "intermediate_size": 16, "vocab_size": 6, "max_position_embeddings": 16, "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
  ]

  private func message(_ changes: [String: any Sendable]) throws -> String {
    try withTemporaryFolder { folder in
      let fields = Self.good.merging(changes) { $1 }
      try JSONSerialization.data(withJSONObject: fields).write(
        to: URL(fileURLWithPath: folder + "/config.json"))
      do {
        _ = try EncoderConfiguration(file: folder + "/config.json")
        return ""
      } catch {
        return "\(error)".replacingOccurrences(of: folder, with: "")
      }
    }
  }

  @Test func aGoodFilePasses() throws { #expect(try message([:]) == "") }

  @Test(
    arguments: [
      ("num_hidden_layers", -1), ("hidden_size", 0), ("vocab_size", 1e12), ("max_position_embeddings", 1.5),
    ] as [(String, Double)])
  func aNumberOutOfRangeIsNamed(_ field: String, _ value: Double) throws {
    #expect(try message([field: value]).hasPrefix("/config.json: \(field): found "))
  }

  @Test func unsupportedKindsAreNamed() throws {
    #expect(
      try message(["model_type": "roberta"])
        == "/config.json: model_type: found roberta, wanted bert or mpnet")
    #expect(try message(["hidden_act": "swish"]).hasPrefix("/config.json: hidden_act: found swish"))
    #expect(try message(["num_attention_heads": 3]).hasSuffix("wanted a multiple"))
    #expect(try message(["position_embedding_type": "relative_key"]).contains("wanted absolute"))
  }

  @Test func theFirstPositionsOfAnMPNetAreNoTexts() throws {
    #expect(try message(["model_type": "mpnet", "max_position_embeddings": 3]) == "")
    #expect(
      try message(["model_type": "mpnet", "max_position_embeddings": 2])
        == "/config.json: max_position_embeddings: found 2, wanted 3 to 1048576")
  }

  @Test func missingFilesAreNamed() throws {
    try withTemporaryFolder { folder in
      #expect(throws: TesseraError.self) {
        try TransformerEncoder(folder: folder, device: try CPUBackend(threads: 1))
      }
      try JSONSerialization.data(withJSONObject: Self.good).write(
        to: URL(fileURLWithPath: folder + "/config.json"))
      try Data("[UNK]\n[CLS]\n[SEP]\na\n".utf8).write(to: URL(fileURLWithPath: folder + "/vocab.txt"))
      do {
        _ = try TransformerEncoder(folder: folder, device: try CPUBackend(threads: 1))
        Issue.record("a folder without weights was read")
      } catch {
        #expect("\(error)".contains("model.safetensors: found"))
      }
    }
  }
}
