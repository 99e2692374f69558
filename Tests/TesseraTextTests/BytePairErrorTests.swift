// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// What is wrong with a byte-level vocabulary, or not supported, is one line that names file and setting.
@Suite struct BytePairErrorTests {
  private static let config = """
    {"model_type": "roberta", "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2,
    "intermediate_size": 16, "vocab_size": 400, "max_position_embeddings": 34}
    """
  private static let vocabulary = ByteLevelVocabulary(words: ["film", "fine"])
  private static let fast = #"{"tokenizer_class": "PreTrainedTokenizerFast"}"#

  /// The message of a folder with these files beside the vocabulary's; empty where it is read.
  private func message(_ files: [String: String]) -> String {
    let all = [
      "config.json": Self.config, "vocab.json": Self.vocabulary.vocabularyJSON,
      "merges.txt": Self.vocabulary.mergesText,
    ].merging(files) { $1 }
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

  private func whole(
    _ changes: String = "", model: String = "", merges: String? = nil,
    preTokenizer: String = #"{"type": "ByteLevel", "add_prefix_space": false}"#
  ) -> String {
    #"""
    {"version": "1.0", "added_tokens": [], "pre_tokenizer": \#(preTokenizer), \#(changes)
    "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0]},
    "model": {"type": "BPE", \#(model) "vocab": \#(Self.vocabulary.vocabularyJSON),
    "merges": \#(merges ?? Self.vocabulary.mergesJSON)}}
    """#
  }

  @Test func goodFilesAreRead() {
    #expect(message([:]) == "")
    #expect(message(["merges.txt": "\u{120} f\r\n"]) == "")
    #expect(message(["tokenizer.json": whole(), "vocab.json": "none", "merges.txt": "none"]) == "")
    #expect(message(["tokenizer.json": whole(), "tokenizer_config.json": Self.fast]) == "")
    #expect(message(["tokenizer.json": whole(merges: "[\"\u{120} f\"]")]) == "")
    #expect(message(["tokenizer.json": whole(model: #""unk_token": "<unk>", "dropout": 0.0,"#)]) == "")
    // Older files do not say the model's type.
    #expect(message(["tokenizer.json": whole().replacingOccurrences(of: #""type": "BPE","#, with: "")]) == "")
  }

  @Test(arguments: [
    (
      "vocab.json", "none",
      "vocab.json: found no such file, wanted a byte-level vocabulary: tokenizer.json, or"
    ),
    (
      "merges.txt", "none",
      "merges.txt: found no such file, wanted a byte-level vocabulary: tokenizer.json, or"
    ),
    ("vocab.json", "[]", "vocab.json: found an empty list, wanted a JSON object"),
    ("vocab.json", "{}", "found no token \u{100} for the byte 0, wanted one for each of the 256 bytes"),
    ("vocab.json", #"{"a": 0, "b": 0}"#, "a and b with the one id 0"),
    ("vocab.json", #"{"a": -1}"#, "a: found the id -1"),
    ("merges.txt", "#version: 0.2\na\n", "merges.txt: line 2: found a, wanted two tokens and a blank"),
    ("merges.txt", "a b c\n", "merges.txt: line 1: found a b c, wanted two tokens"),
    ("merges.txt", "f i\n\nf i\n", "merges.txt: line 2: found nothing, wanted two tokens"),
    ("merges.txt", "f i\n", "vocab.json: found the merge 1, f i, and no token fi, wanted the tokens of all"),
    ("merges.txt", "\u{4e2d} i\n", "and no token \u{4e2d}"),
    ("tokenizer_config.json", #"{"add_prefix_space": 1}"#, "add_prefix_space: found 1, wanted true or false"),
    ("tokenizer_config.json", #"{"cls_token": "<start>"}"#, "found no <start>, wanted it among the tokens"),
    ("tokenizer_config.json", #"{"sep_token": null}"#, "no start token or separator"),
  ]) func aFileIsRefused(_ name: String, _ text: String, _ wanted: String) {
    #expect(message([name: text]).contains(wanted), "\(message([name: text]))")
  }

  @Test(arguments: [
    (#""dropout": 0.1,"#, "model: dropout: found 0.1, wanted null: the same tokens each time"),
    (#""continuing_subword_prefix": "@@","#, "continuing_subword_prefix: found @@, wanted an empty text"),
    (#""end_of_word_suffix": "</w>","#, "end_of_word_suffix: found </w>, wanted an empty text"),
    (#""byte_fallback": true,"#, "byte_fallback: found true, wanted false"),
    (#""ignore_merges": true,"#, "ignore_merges: found true, wanted false"),
    (#""max_input_chars_per_word": 9,"#, "max_input_chars_per_word: found 9, wanted what a BPE model has"),
  ]) func aSettingOfTheModelIsRefused(_ model: String, _ wanted: String) {
    for config in [Self.fast, "{}"] {
      let files = ["tokenizer.json": whole(model: model), "tokenizer_config.json": config]
      #expect(message(files).contains(wanted), "\(message(files))")
    }
  }

  @Test(arguments: [
    ("7", "merges: found 7, wanted a list"), ("[7]", "merges: 0: found 7, wanted two tokens"),
    (#"["a"]"#, "merges: 0: found a, wanted two tokens and a blank"),
    (#"[["a", "b", "c"]]"#, "merges: 0: found a list of 3, wanted two tokens"),
  ]) func mergesAreRefused(_ merges: String, _ wanted: String) {
    let found = message(["tokenizer.json": whole(merges: merges)])
    #expect(found.contains(wanted), "\(found)")
  }

  @Test(arguments: [
    (#"{"type": "BertPreTokenizer"}"#, "pre_tokenizer: found BertPreTokenizer, wanted ByteLevel"),
    (#"{"type": "ByteLevel"}"#, "pre_tokenizer: add_prefix_space: found nothing, wanted true or false"),
    (
      #"{"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}"#,
      "use_regex: found false, wanted true: GPT-2's regular expression"
    ),
    (#"{"type": "ByteLevel", "add_prefix_space": false, "pattern": 1}"#, "pattern: found 1, wanted what a"),
    (#"{"type": "Sequence", "pretokenizers": []}"#, "pre_tokenizer: found Sequence, wanted ByteLevel"),
  ]) func anotherWayToFindPiecesIsRefused(_ section: String, _ wanted: String) {
    let found = message([
      "tokenizer.json": whole(preTokenizer: section), "tokenizer_config.json": Self.fast,
    ])
    #expect(found.contains(wanted), "\(found)")
  }

  @Test func kindsThatDoNotFitAreNamed() {
    let bert = #"{"tokenizer_class": "BertTokenizer"}"#
    #expect(
      message(["tokenizer.json": whole(), "tokenizer_config.json": bert]).contains(
        "tokenizer.json: model: found BPE, wanted WordPiece, as the tokenizer's class has it"))
    #expect(throws: TesseraError.self) {
      try SubwordTokenizer(tokens: Self.vocabulary.tokens, family: .roberta)
    }
  }

  @Test func whatIsPassedOverIsTold() throws {
    func notes(_ files: [String: String]) throws -> String {
      let all = [
        "config.json": Self.config, "vocab.json": Self.vocabulary.vocabularyJSON,
        "merges.txt": Self.vocabulary.mergesText,
      ].merging(files) { $1 }
      return try FolderTests.tokenizer(all).notes.joined()
    }
    #expect(try notes([:]).isEmpty)
    #expect(try notes(["tokenizer.json": whole()]).isEmpty)
    #expect(
      try notes(["tokenizer_config.json": #"{"do_lower_case": true}"#]).contains("do_lower_case true changes")
    )
    let spaced = whole(preTokenizer: #"{"type": "ByteLevel", "add_prefix_space": true}"#)
    #expect(try notes(["tokenizer.json": spaced]).contains("add_prefix_space true is passed over"))
    let lower = whole(#""normalizer": {"type": "Lowercase"},"#)
    #expect(try notes(["tokenizer.json": lower]).contains("normalizer Lowercase (used: none) is passed over"))
    let other = whole(preTokenizer: #"{"type": "Metaspace"}"#)
    #expect(
      try notes(["tokenizer.json": other]).contains("another pre_tokenizer than GPT-2's is passed over"))
  }
}
