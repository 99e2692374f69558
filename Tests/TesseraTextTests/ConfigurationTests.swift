// SPDX-License-Identifier: Apache-2.0
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
      try message(["model_type": "albert"])
        == "/config.json: model_type: found albert, wanted bert or mpnet or distilbert or electra or roberta")
    #expect(try message(["hidden_act": "swish"]).hasPrefix("/config.json: hidden_act: found swish"))
    #expect(try message(["num_attention_heads": 3]).hasSuffix("wanted a multiple"))
    #expect(try message(["position_embedding_type": "relative_key"]).contains("wanted absolute"))
  }

  @Test(arguments: [
    ("is_decoder", "true"), ("add_cross_attention", "true"),
    ("position_embedding_type", "\"relative_key_query\""),
    ("quantization_config", "{\"bits\": 8}"), ("auto_map", "{\"AutoModel\": \"a.B\"}"),
    ("pruned_heads", "{\"0\": [1]}"),
    ("hidden_act", "\"gelu_fast\""), ("hidden_act", "\"silu\""), ("rope_theta", "1e4"),
    ("embedding_size", "8"), ("relative_attention_num_buckets", "32"), ("num_hidden_layers", "true"),
    ("layer_norm_eps", "null"), ("per_layer_config", "{\"0\": {}}"),
  ]) func whatWouldChangeTheResultIsRefusedByName(_ key: String, _ value: String) throws {
    #expect(try message(key, value).hasPrefix("/config.json: \(key): found "))
  }

  /// What published checkpoints say beside the extents, with the values that change nothing; and activations.
  @Test(arguments: [
    ("is_decoder", "false"), ("add_cross_attention", "false"), ("position_embedding_type", "\"absolute\""),
    ("quantization_config", "null"), ("pruned_heads", "{}"), ("hidden_act", "\"gelu_python\""),
    ("hidden_act", "\"gelu_new\""), ("hidden_act", "\"gelu_pytorch_tanh\""),
    ("torch_dtype", "\"float16\""),
    ("architectures", "[\"BertForMaskedLM\"]"), ("gradient_checkpointing", "false"),
    ("id2label", "{\"0\": \"a\"}"),
    ("pooler_type", "\"first_token_transform\""), ("directionality", "\"bidi\""),
    ("classifier_dropout", "null"),
    ("_name_or_path", "\"x\""), ("output_past", "true"), ("type_vocab_size", "2"),
    ("tie_word_embeddings", "true"),
  ]) func whatIsSupportedIsTaken(_ key: String, _ value: String) throws {
    #expect(try message(key, value) == "")
  }

  private func message(_ key: String, _ value: String) throws -> String {
    let value = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed)
    return try withTemporaryFolder { folder in
      var fields: [String: Any] = Self.good
      fields[key] = value
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
