// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// What is wrong with a tokenizer's files, or not supported, is one line that names file and key.
@Suite struct TokenizerErrorTests {
  private static let config = """
    {"model_type": "bert", "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16,
    "vocab_size": 6, "max_position_embeddings": 16}
    """
  private static let vocab = "[UNK]\n[CLS]\n[SEP]\na\n"

  /// The message of a folder with these files, without the folder's name; empty where it is read.
  private func message(_ files: [String: String]) -> String {
    let all = ["config.json": Self.config, "vocab.txt": Self.vocab].merging(files) { $1 }
    do {
      _ = try FolderTests.tokenizer(all.filter { $0.value != "none" })
      return ""
    } catch let error as TesseraError {
      #expect(error.kind == .input)
      #expect(!error.description.contains { $0.isNewline })
      return error.description
    } catch {
      Issue.record("an error that is not Tessera's: \(error)")
      return ""
    }
  }

  private func whole(_ changes: String = "", model: String = "", vocab: String? = nil) -> String {
    let vocab = vocab ?? #"{"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3}"#
    return #"""
      {"version": "1.0", "added_tokens": [], "normalizer": {"type": "BertNormalizer", "lowercase": true},
      "pre_tokenizer": {"type": "BertPreTokenizer"},
      "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}, \#(changes)
      "model": {"type": "WordPiece", "unk_token": "[UNK]", \#(model) "vocab": \#(vocab)}}
      """#
  }

  private static let fast = #"{"tokenizer_class": "PreTrainedTokenizerFast"}"#

  @Test func goodFilesAreRead() {
    #expect(message([:]) == "")
    #expect(message(["tokenizer.json": whole(), "vocab.txt": "none"]) == "")
    #expect(message(["tokenizer.json": whole(), "tokenizer_config.json": Self.fast]) == "")
  }

  @Test(arguments: [
    (#"{"do_lower_case": "yes"}"#, "do_lower_case: found yes, wanted true or false"),
    (#"{"strip_accents": 1}"#, "strip_accents: found 1, wanted true or false"),
    (#"{"lower": true}"#, "lower: found true, wanted no key that is not known"),
    (
      #"{"tokenizer_class": "GPT2Tokenizer"}"#,
      "tokenizer_class: found GPT2Tokenizer, wanted a WordPiece"
    ),
    (
      #"{"tokenizer_class": "RobertaTokenizer"}"#,
      "vocab.json: found no such file, and vocab.txt, which is of another kind of tokenizer"
    ),
    (#"{"tokenizer_class": "BertJapaneseTokenizer"}"#, "found BertJapaneseTokenizer"),
    (#"{"tokenizer_class": "PreTrainedTokenizerFast"}"#, "tokenizer.json: found no such file"),
    (#"{"model_max_length": 2}"#, "model_max_length: found 2, wanted 3 to"),
    (#"{"model_max_length": -1}"#, "model_max_length: found -1"),
    (#"{"truncation_side": "middle"}"#, "truncation_side: found middle, wanted right or left"),
    (#"{"auto_map": {"AutoTokenizer": ["a.B", null]}}"#, "auto_map: found code of its own"),
    (#"{"unk_token": null}"#, "no unknown token (unk_token null), wanted it named"),
    (#"{"cls_token": null}"#, "no start token or separator (null), wanted both named"),
    (#"{"unk_token": "[OOV]"}"#, "found no [OOV], wanted it among the tokens"),
    (#"{"cls_token": "[START]"}"#, "found no [START], wanted it among the tokens"),
    (#"{"cls_token": 3}"#, "cls_token: found 3"),
    (#"{"added_tokens_decoder": {"-1": {"content": "x"}}}"#, "found the id -1, wanted 0 or more"),
    (#"{"added_tokens_decoder": {"x": {"content": "x"}}}"#, "found the id x"),
    (#"{"added_tokens_decoder": {"4": "x", "04": "y"}}"#, "x and y with the one id 4"),
    (#"{"added_tokens_decoder": {"4": {"text": "x"}}}"#, "text: found x, wanted no other key"),
    (#"{"added_tokens_decoder": {"4": {"content": "x", "lstrip": 1}}}"#, "lstrip: found 1"),
    (#"{"added_tokens_decoder": {"4": "x", "5": "y", "6": "z"}}"#, "the token z with id 6, wanted ids below"),
    (#"{"additional_special_tokens": "x"}"#, "additional_special_tokens: found x, wanted a list"),
    (#"{"init_inputs": ["v"]}"#, "init_inputs: found a list of 1"),
    (#"{"fast_tokenizer_files": ["tokenizer.4.0.json"]}"#, "fast_tokenizer_files"),
    (#"["do_lower_case"]"#, "found a list of 1, wanted a JSON object"),
    (
      #"{"do_lower_case": tru}"#,
      "tokenizer_config.json: line 1: found an unknown word, wanted well-formed JSON"
    ),
    ("", "found an empty file"), (" ", "found an end too early"), ("{}{}", "found more after the value"),
    (#"{"a": "\ud800"}"#, "half a surrogate"),
    (#"{"a": "\#u{1}"}"#, "a control character"), (#"{"a" 1}"#, "a key without a value"),
    ("{\"a\": 01}", "begins with 0"),
    (String(repeating: "[", count: 100_000), "more than 64 values inside each other"),
  ]) func aConfigurationIsRefused(_ text: String, _ wanted: String) {
    #expect(message(["tokenizer_config.json": text]).contains(wanted))
  }

  @Test func vocabulariesInFilesAreRefusedWithTheReason() {
    func of(vocab: String) -> String { message(["tokenizer.json": whole(vocab: vocab)]) }
    #expect(of(vocab: #"{"[UNK]": -1}"#).contains("[UNK]: found the id -1, wanted 0 or more"))
    #expect(of(vocab: #"{"[UNK]": 0, "b": 0}"#).contains("[UNK] and b with the one id 0"))
    #expect(of(vocab: #"{"[UNK]": 1.5}"#).contains("found the id 1.5"))
    #expect(of(vocab: #"{"[UNK]": 99999999999}"#).contains("found the id 99999999999"))
    #expect(of(vocab: #"["[UNK]"]"#).contains("vocab: found a list of 1"))
    #expect(of(vocab: "{}").contains("vocab: found an empty object"))
    #expect(of(vocab: #"{"[UNK]": 0, "[CLS]": 1}"#).contains("found no [SEP]"))
    #expect(
      of(vocab: #"{"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 6}"#).contains(
        "found the token id 6, wanted ids below"))
    #expect(message(["vocab.txt": Self.vocab + "b\nc\nd\n"]).contains("found the token id 6"))
    #expect(
      message(["vocab.txt": "none"]).contains("wanted a WordPiece vocabulary: tokenizer.json or vocab.txt"))
    #expect(
      message(["vocab.txt": "none", "sentencepiece.bpe.model": "x"]).contains(
        "sentencepiece.bpe.model, which is of another kind of tokenizer"))
    #expect(message(["added_tokens.json": #"{"x": -4}"#]).contains("x: found -4, wanted 0 to"))
    #expect(message(["added_tokens.json": #"{"x": 4, "y": 4}"#]).contains("x and y with the one id 4"))
    #expect(message(["special_tokens_map.json": #"{"words": 4}"#]).contains("words: found 4"))
  }

  @Test(arguments: [
    (
      #""normalizer": {"type": "Replace", "pattern": {"String": "a"}, "content": "b"},"#,
      "normalizer: found Replace"
    ),
    (#""pre_tokenizer": {"type": "ByteLevel"},"#, "pre_tokenizer: found ByteLevel, wanted BertPreTokenizer"),
    (#""pre_tokenizer": null,"#, "pre_tokenizer: found null"),
    (#""post_processor": null,"#, "post_processor: found null"),
    (
      #""post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 0]},"#,
      "[CLS] with the id 0"
    ),
    (
      #""post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 1}}]},"#,
      "type_id"
    ),
    (
      #""post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}]},"#,
      "no token before"
    ),
    (
      #""added_tokens": [{"id": 4, "content": "X", "normalized": true}, {"id": 5, "content": "x", "normalized": true}],"#,
      "which the normalizer makes one"
    ),
    (
      #""added_tokens": [{"id": 4, "content": "\u0001", "normalized": true}],"#,
      "of which the normalizer leaves nothing"
    ),
    (#""version": "2.0","#, "version: found 2.0, wanted 1.0"),
    (#""words": 1,"#, "words: found 1, wanted no section"),
  ]) func aSectionIsRefused(_ changes: String, _ wanted: String) {
    #expect(message(["tokenizer.json": whole(changes), "tokenizer_config.json": Self.fast]).contains(wanted))
  }

  @Test func otherKindsOfTokenizersAreNamed() {
    let files = [
      "tokenizer.json": #"{"version": "1.0", "model": {"type": "Unigram", "vocab": []}}"#
    ]
    #expect(message(files).contains("tokenizer.json: model: found Unigram, wanted WordPiece"))
    let pairs = #"{"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}"#
    #expect(message(["tokenizer.json": pairs]).contains("tokenizer.json: model: found BPE, wanted WordPiece"))
  }

  @Test func whatIsPassedOverIsTold() throws {
    func notes(_ files: [String: String]) throws -> String {
      try FolderTests.tokenizer(["config.json": Self.config, "vocab.txt": Self.vocab].merging(files) { $1 })
        .notes
        .joined()
    }
    #expect(try notes([:]).isEmpty)
    #expect(try notes(["tokenizer.json": whole()]).isEmpty)
    #expect(
      try notes(["tokenizer_config.json": #"{"do_basic_tokenize": false}"#]).contains("do_basic_tokenize"))
    #expect(try notes(["tokenizer_config.json": #"{"never_split": ["a"]}"#]).contains("never_split"))
    #expect(
      try notes(["tokenizer_config.json": #"{"do_lower_case": false}"#, "tokenizer.json": whole()]).contains(
        "lowercase"))
    #expect(
      try notes(["tokenizer.json": whole(model: #""continuing_subword_prefix": "@@","#)]).contains("@@"))
    #expect(try notes(["vocab.txt": Self.vocab + "A\n"]).contains("has capitals"))
    let cased = ["vocab.txt": Self.vocab + "A\n", "tokenizer_config.json": #"{"do_lower_case": true}"#]
    #expect(try notes(cased).isEmpty)
    #expect(try notes(["added_tokens.json": #"{"x": 5}"#]).contains("x has the id 4, not 5"))
  }

  @Test func tokensDifferByTheirBytes() throws {
    // One letter composed and decomposed: equal to Swift, two tokens here.
    let vocab = "{\"[UNK]\": 0, \"[CLS]\": 1, \"[SEP]\": 2, \"\u{e9}\": 3, \"e\u{301}\": 4}"
    let tokenizer = try FolderTests.tokenizer([
      "config.json": Self.config, "tokenizer.json": whole(vocab: vocab),
      "tokenizer_config.json": #"{"do_lower_case": false}"#,
    ])
    #expect(tokenizer.encode("\u{e9} e\u{301}") == [1, 3, 4, 2])
  }

  @Test func sentenceTransformersSettingsCount() throws {
    func ids(_ text: String, _ files: [String: String]) throws -> [Int32] {
      let all = ["config.json": Self.config, "vocab.txt": Self.vocab + "A\n\u{3c2}\n"].merging(files) { $1 }
      return try FolderTests.tokenizer(all).encode(text)
    }
    let cased = ["tokenizer_config.json": #"{"do_lower_case": false}"#]
    let settings = ["sentence_bert_config.json": #"{"max_seq_length": 4, "do_lower_case": true}"#]
    #expect(try ids("A A a", cased) == [1, 4, 4, 3, 2])
    #expect(try ids("A A a", cased.merging(settings) { $1 }) == [1, 3, 3, 2])
    #expect(
      PythonText.lowercased("\u{39f}\u{394}\u{3a3} \u{3a3} A\u{3a3}\u{301}\u{3a3}.")
        == "\u{3bf}\u{3b4}\u{3c2} \u{3c3} a\u{3c3}\u{301}\u{3c2}.")
    let prompt = #"{"prompts": {"query": "search: "}, "default_prompt_name": "query"}"#
    #expect(
      message(["config_sentence_transformers.json": prompt]).contains("default_prompt_name: found query"))
  }
}
