// SPDX-License-Identifier: Apache-2.0

extension TokenizerSettings {
  private static let same = "as with Hugging Face's AutoTokenizer"

  /// Tells what Hugging Face's tokenizer passes over.
  mutating func takeNotes(_ fields: JSONFields, _ whole: TokenizerJSON?, _ kind: TokenizerKind) throws {
    if try fields.bool("do_basic_tokenize") == false {
      notes.append("\(fields.place): do_basic_tokenize false changes nothing, \(Self.same)")
    }
    if let never = try fields.list("never_split"), !never.isEmpty {
      notes.append("\(fields.place): never_split changes nothing, \(Self.same); added tokens are not split")
    }
    if kind == .roberta {
      for key in ["do_lower_case", "strip_accents"] where try fields.bool(key) == true {
        notes.append(
          "\(fields.place): \(key) true changes nothing, \(Self.same): bytes are taken as they are")
      }
    } else if kind != .whole, fields["do_lower_case"] == nil, hasCapitals {
      notes.append(
        "\(place): the vocabulary has capitals, and texts are lower-cased: a cased encoder needs a"
          + " tokenizer_config.json with do_lower_case false")
    }
    guard let whole, kind != .whole else { return }
    let passed = passedOver(whole)
    if !passed.isEmpty {
      notes.append(
        "\(whole.place): \(passed.joined(separator: ", ")) is passed over for tokenizer_config.json and what it leaves open, "
          + "\(Self.same); tokenizer_class PreTrainedTokenizerFast takes tokenizer.json at its word")
    }
  }

  /// What a `tokenizer.json` says and another file overrules.
  private func passedOver(_ whole: TokenizerJSON) -> [String] {
    var passed: [String] = []
    if let other = try? whole.normalizer(), other.description != normalizer.description {
      passed.append("normalizer \(other.description) (used: \(normalizer.description))")
    }
    switch (whole.model, model) {
    case (.wordPiece(let other), .wordPiece(let used)):
      if other.unknown != used.unknown { passed.append("unk_token \(other.unknown)") }
      if other.continuation != used.continuation {
        passed.append("continuing_subword_prefix \(other.continuation)")
      }
      if other.longestWord != used.longestWord {
        passed.append("max_input_chars_per_word \(other.longestWord)")
      }
    case (.bytePairs, .bytePairs(let used)):
      if let other = try? whole.modelWithPreTokenizer(), case .bytePairs(let other) = other {
        if other.addsPrefixSpace != used.addsPrefixSpace {
          passed.append("add_prefix_space \(other.addsPrefixSpace)")
        }
      } else {
        passed.append("another pre_tokenizer than GPT-2's")
      }
    default: break
    }
    if let other = try? whole.template(), other != (before, after) {
      passed.append(
        "post_processor \(other.before.joined(separator: " ")) ... \(other.after.joined(separator: " "))")
    }
    return passed
  }

  /// Whether a twentieth of the vocabulary, names in brackets aside, has capitals: tokens that no lower-cased
  /// text reaches.
  private var hasCapitals: Bool {
    let capitals = vocabulary.count { token in
      ![UInt8(ascii: "["), UInt8(ascii: "<")].contains(token.bytes.first)
        && token.bytes.contains { (65...90).contains($0) }
    }
    return 20 * capitals > vocabulary.count
  }
}
