// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// DistilBERT against Hugging Face's DistilBertModel in float64 (tools/golden/distilbert.py), as people
/// save it.
@Suite struct DistilBERTTests {
  private let golden = Golden(.module)

  /// The script's texts: nothing, a word, some, more than the longest text; special tokens within a text.
  private static let texts =
    [0, 1, 5, 21, 80].map { count in
      let words = TinyEncoder.words
      return (0..<count).map { words[($0 * 7 + $0 / 5) % words.count] }.joined(separator: " ")
    } + ["a [PAD] film [PAD] [PAD] the plot [MASK] ."]

  private func withEncoder<Result>(_ body: (String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder, .distilbert)
      return try body(folder)
    }
  }

  private func embed(
    _ folder: String, on device: any Backend, pooling: SentencePooling = .cls, batch: Int = 64
  ) throws -> [Float] {
    let encoder = try TransformerEncoder(folder: folder, device: device)
    return try Embedder(encoder, states: 0...2, pooling: pooling, batch: batch).embed(Self.texts)
  }

  private func bits(_ folder: String) throws -> [UInt32] {
    try embed(folder, on: try CPUBackend(threads: 1)).map(\.bitPattern)
  }

  private func refusal(_ folder: String) -> String {
    do {
      _ = try bits(folder)
      return "accepted"
    } catch { return "\(error)".replacingOccurrences(of: folder, with: "") }
  }

  private func write(_ value: Any, _ path: String) throws {
    try JSONSerialization.data(withJSONObject: value).write(to: URL(fileURLWithPath: path))
  }

  /// config.json with some keys changed; NSNull takes a key out.
  private func configure(_ folder: String, _ changes: [String: Any]) throws {
    let path = folder + "/config.json"
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let old = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    try write(old.merging(changes) { $1 }.filter { !($0.value is NSNull) }, path)
  }

  /// The weights written again, under other names and beside others; nil leaves a tensor out.
  private func rewrite(_ folder: String, adding more: [String] = [], name: (String) -> String?) throws {
    let path = folder + "/model.safetensors"
    let file = try TensorFile.open(path)
    var writer = SafetensorsWriter()
    for key in file.names {
      if let name = name(key) { writer.add(name, try file.floats(key), shape: try file.shape(key)) }
    }
    for key in more { writer.add(key, [1] as [Float], shape: [1]) }
    _ = try writer.write(to: path)
  }

  @Test(arguments: [SentencePooling.cls, .mean]) func everyHiddenStateIsWithin1e5(_ pooling: SentencePooling)
    throws
  {
    let found = try withEncoder { try embed($0, on: try CPUBackend(), pooling: pooling) }
    let wanted = try golden.tensors("distilbert.safetensors").floats(
      pooling.rawValue, shape: [Self.texts.count, 3, 32])
    #expect(largestDifference(found, wanted).value < 1e-5)
  }

  /// GELU by tanh, by both of its names.
  @Test(arguments: ["gelu_new", "gelu_pytorch_tanh"]) func geluByTanhIsWithin1e5(_ activation: String) throws
  {
    let (found, other) = try withEncoder { folder in
      let plain = try embed(folder, on: try CPUBackend())
      try configure(folder, ["activation": activation])
      return (try embed(folder, on: try CPUBackend()), plain)
    }
    let wanted = try golden.tensors("distilbert_gelu_new.safetensors").floats(
      "cls", shape: [Self.texts.count, 3, 32])
    #expect(largestDifference(found, wanted).value < 1e-5)
    #expect(largestDifference(other, wanted).value > 5e-5)
  }

  @Test func aTextHasTheSameBitsInAnyBatchOnAnyNumberOfThreads() throws {
    let bits = try withEncoder { folder in
      try Set(
        [(1, 1), (2, 64), (3, 2)].map { threads, batch in
          try embed(folder, on: try CPUBackend(threads: threads), batch: batch).map(\.bitPattern)
        })
    }
    #expect(bits.count == 1)
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func openCLGivesTheBitsOfTheCPU() throws {
    let devices: [any Backend] = [try CPUBackend(), try OpenCLBackend(try TestDevices.first())]
    let rows = try withEncoder { folder in
      try devices.map { try embed(folder, on: $0).map(\.bitPattern) }
    }
    #expect(rows[0] == rows[1])
  }

  /// DistilBertForMaskedLM and DistilBertForSequenceClassification have the encoder under a prefix.
  @Test func aCheckpointWithAHeadGivesTheSame() throws {
    try withEncoder { folder in
      let plain = try bits(folder)
      try rewrite(
        folder,
        adding: [
          "vocab_transform.weight", "vocab_layer_norm.bias", "vocab_projector.weight", "pre_classifier.bias",
          "classifier.weight",
        ], name: { "distilbert." + $0 })
      try configure(folder, ["architectures": ["DistilBertForMaskedLM"]])
      #expect(try bits(folder) == plain)
      let encoder = try TransformerEncoder(folder: folder, device: try CPUBackend(threads: 1))
      #expect(encoder.weightNotes.count == 1)
      #expect(
        encoder.weightNotes.first?.hasSuffix("the prefix \"distilbert.\" is taken off the names") == true)
    }
  }

  @Test func aSentenceTransformersFolderGivesTheSame() throws {
    try withEncoder { folder in
      let plain = try bits(folder)
      let whole = folder + "/sentences"
      for name in [whole, whole + "/0_Transformer"] {
        try FileManager.default.createDirectory(atPath: name, withIntermediateDirectories: true)
      }
      for name in ["config.json", "vocab.txt", "model.safetensors"] {
        try FileManager.default.copyItem(
          atPath: "\(folder)/\(name)", toPath: "\(whole)/0_Transformer/\(name)")
      }
      try write(
        [
          ["path": "0_Transformer", "type": "sentence_transformers.models.Transformer"],
          ["path": "1_Pooling", "type": "sentence_transformers.models.Pooling"],
        ], whole + "/modules.json")
      try write(
        ["tokenizer_class": "DistilBertTokenizer", "do_lower_case": true],
        whole + "/0_Transformer/tokenizer_config.json")
      #expect(try bits(whole) == plain)
    }
  }

  /// The table that a file holds counts, however it began.
  @Test func positionsThatBeganAsSinesAreReadFromTheFile() throws {
    try withEncoder { folder in
      let plain = try bits(folder)
      try configure(folder, ["sinusoidal_pos_embds": true])
      #expect(try bits(folder) == plain)
      let table = "embeddings.position_embeddings.weight"
      try rewrite(folder, name: { $0 == table ? nil : $0 })
      #expect(refusal(folder).contains(table), "\(refusal(folder))")
    }
  }

  @Test(arguments: [
    "embeddings.token_type_embeddings.weight", "transformer.layer.0.attention.q_lin.lora_A.weight",
    "transformer.layer.1.output_adapters.weight",
  ]) func whatADistilBERTDoesNotHaveIsRefused(_ name: String) throws {
    try withEncoder { folder in
      try rewrite(folder, adding: [name], name: { $0 })
      #expect(refusal(folder).contains("found \(name), which a distilbert does not have"))
    }
  }

  @Test func moreLayersThanSaidAreTold() throws {
    try withEncoder { folder in
      let plain = try bits(folder)
      try rewrite(folder, adding: ["transformer.layer.2.ffn.lin1.bias"], name: { $0 })
      #expect(try bits(folder) == plain)
      let encoder = try TransformerEncoder(folder: folder, device: try CPUBackend(threads: 1))
      #expect(encoder.weightNotes.first?.contains("more layers than the 2 of config.json") == true)
    }
  }

  /// BERT's keys are not read, and would say something else than what is computed.
  @Test(
    arguments: [
      ("num_hidden_layers", 2, "num_hidden_layers: found 2, wanted no key that is not known"),
      ("layer_norm_eps", 1e-5, "layer_norm_eps: found 1e-05, wanted no key that is not known"),
      ("relative_attention_num_buckets", 32, "relative_attention_num_buckets: found 32, wanted no key"),
      ("n_layers", NSNull(), "n_layers: found nothing, wanted 1 to 1000"),
      ("dim", 0, "dim: found 0, wanted 1 to 1048576"),
      ("hidden_dim", true, "hidden_dim: found true, wanted 1 to 1048576"),
      ("n_heads", 5, " found dim 32 and 5 heads, wanted a multiple"),
      (
        "activation", "silu",
        "activation: found silu, wanted gelu (by the error function), gelu_new (by tanh), relu or tanh"
      ),
      (
        "position_embedding_type", "relative_key",
        "position_embedding_type: found relative_key, wanted absolute"
      ),
      ("pruned_heads", ["0": [1]], "pruned_heads: found an object of 1, wanted all heads"),
    ] as [(String, any Sendable, String)])
  func keysThatDoNotFitAreRefusedByName(_ key: String, _ value: any Sendable, _ message: String) throws {
    try withEncoder { folder in
      try configure(folder, [key: value])
      #expect(refusal(folder).hasPrefix("/config.json:"), "\(refusal(folder))")
      #expect(refusal(folder).contains(message), "\(refusal(folder))")
    }
  }
}
