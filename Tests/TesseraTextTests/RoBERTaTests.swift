// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// RoBERTa against Hugging Face's RobertaModel in float64 and its tokenizer (tools/golden/electra_roberta.py).
@Suite struct RoBERTaTests {
  /// The last has padding within, which takes a position of its own and moves those after it.
  private static let texts = EncoderFixture.texts("a <pad> film <pad><pad> the plot<mask> \u{e9} .")

  @Test(arguments: [SentencePooling.cls, .mean]) func everyHiddenStateIsWithin1e5(_ pooling: SentencePooling)
    throws
  {
    let found = try EncoderFixture.with(.roberta) {
      try $0.embed(Self.texts, on: try CPUBackend(), pooling: pooling)
    }
    let wanted = try Golden(.module).tensors("roberta.safetensors").floats(
      pooling.rawValue, shape: [Self.texts.count, 3, 32])
    #expect(largestDifference(found, wanted).value < 1e-5)
  }

  @Test func aTextHasTheSameBitsInAnyBatchOnAnyNumberOfThreads() throws {
    let bits = try EncoderFixture.with(.roberta) { encoder in
      try Set(
        [(1, 1), (2, 64), (3, 2)].map { threads, batch in
          try encoder.embed(Self.texts, on: try CPUBackend(threads: threads), batch: batch).map(\.bitPattern)
        })
    }
    #expect(bits.count == 1)
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func openCLGivesTheBitsOfTheCPU() throws {
    let devices: [any Backend] = [try CPUBackend(), try OpenCLBackend(try TestDevices.first())]
    let rows = try EncoderFixture.with(.roberta) { encoder in
      try devices.map { try encoder.embed(Self.texts, on: $0).map(\.bitPattern) }
    }
    #expect(rows[0] == rows[1])
  }

  @Test func theLongestTextHasTwoTokensFewerThanTheTableHasRows() throws {
    try EncoderFixture.with(.roberta) { encoder in
      let found = try TransformerEncoder(folder: encoder.folder, device: try CPUBackend(threads: 1))
      #expect(found.longestText == 64)
      #expect(found.tokenizer.encode(Self.texts[4], limit: 64).count == 64)
    }
  }

  /// As all-distilroberta-v1 is published: a sentence-transformers folder of new form, a head's prefix, the
  /// vocabulary in `tokenizer.json`, settings that say what is so anyway.
  @Test func asSentenceTransformersPublishesItItGivesTheSame() throws {
    try EncoderFixture.with(.roberta) { encoder in
      let plain = try encoder.bits(Self.texts)
      try encoder.rewrite(adding: ["pooler.dense.bias", "lm_head.dense.weight"], name: { "roberta." + $0 })
      try encoder.configure([
        "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1,
        "architectures": ["RobertaForMaskedLM"], "gradient_checkpointing": false,
        "position_embedding_type": "absolute", "use_cache": true,
      ])
      func token(_ text: String, strips: Bool = false) -> [String: Any] {
        [
          "content": text, "single_word": false, "lstrip": strips, "rstrip": false, "normalized": true,
          "__type": "AddedToken",
        ]
      }
      try encoder.write(
        [
          "unk_token": token("<unk>"), "bos_token": token("<s>"), "eos_token": token("</s>"),
          "add_prefix_space": false, "errors": "replace", "sep_token": token("</s>"),
          "cls_token": token("<s>"), "pad_token": token("<pad>"), "mask_token": token("<mask>", strips: true),
          "model_max_length": 512, "special_tokens_map_file": NSNull(), "name_or_path": "distilroberta-base",
          "tokenizer_class": "RobertaTokenizer", "trim_offsets": true,
        ], encoder.folder + "/tokenizer_config.json")
      try encoder.write(
        [
          ["idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"],
          ["idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"],
        ], encoder.folder + "/modules.json")
      #expect(try encoder.bits(Self.texts) == plain)
      #expect(try EncoderFolder(encoder.folder).files.suffix(2) == ["vocab.json", "merges.txt"])
    }
  }

  @Test func theVocabularysFilesAreAmongWhatDecidesAFingerprint() throws {
    try EncoderFixture.with(.roberta) { encoder in
      let before = try EncoderFolder(encoder.folder).fingerprint()
      try Data("#version: 0.2\n\u{120} t\n".utf8).write(
        to: URL(fileURLWithPath: encoder.folder + "/merges.txt"))
      #expect(try EncoderFolder(encoder.folder).fingerprint() != before)
    }
  }

  @Test(
    arguments: [
      ("pad_token_id", 0, "pad_token_id: found 0, wanted 1, from which positions are counted"),
      ("max_position_embeddings", 2, "max_position_embeddings: found 2, wanted 3 to"),
      ("embedding_size", 32, "embedding_size: found 32, wanted no key that is not known"),
      (
        "tokenizer_class", "BertTokenizer",
        "vocab.txt: found no such file, and merges.txt, which is of another"
      ),
      (
        "tokenizer_class", "GPT2Tokenizer", "tokenizer_class: found GPT2Tokenizer, wanted a WordPiece or byte"
      ),
    ] as [(String, any Sendable, String)])
  func keysThatDoNotFitAreRefusedByName(_ key: String, _ value: any Sendable, _ message: String) throws {
    try EncoderFixture.with(.roberta) { encoder in
      try encoder.configure([key: value])
      #expect(encoder.refusal().contains(message), "\(encoder.refusal())")
    }
  }

  @Test func anotherTableOfPositionsOrTypesIsRefused() throws {
    for name in ["embeddings.position_embeddings.weight", "embeddings.token_type_embeddings.weight"] {
      try EncoderFixture.with(.roberta) { encoder in
        try encoder.rewrite(name: { $0 == name ? nil : $0 })
        #expect(encoder.refusal().contains(name), "\(encoder.refusal())")
      }
    }
  }
}
