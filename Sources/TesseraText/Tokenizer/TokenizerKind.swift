// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Which of Hugging Face's tokenizers goes over the files: what they leave open, and which of them count,
/// depends on it.
enum TokenizerKind: Sendable, Equatable {
  /// `BertTokenizer` and those that are the same under another name.
  case bert
  /// `MPNetTokenizer`.
  case mpnet
  /// `RobertaTokenizer` and those that are the same under another name.
  case roberta
  /// `PreTrainedTokenizerFast`: `tokenizer.json` alone says how texts are divided.
  case whole

  /// The tokenizer of a family whose files name none.
  init(_ family: EncoderFamily) { self = family.encoder.tokenizer }

  /// The tokenizer of a class by its name, with or without `Fast`.
  init?(className: String) {
    switch className.hasSuffix("Fast") ? String(className.dropLast(4)) : className {
    case "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "MobileBertTokenizer",
      "LayoutLMTokenizer",
      "SqueezeBertTokenizer", "LxmertTokenizer", "DPRQuestionEncoderTokenizer", "DPRContextEncoderTokenizer":
      self = .bert
    case "MPNetTokenizer": self = .mpnet
    case "RobertaTokenizer", "BartTokenizer": self = .roberta
    case "PreTrainedTokenizer", "TokenizersBackend": self = .whole
    default: return nil
    }
  }

  /// The names of the tokens with a meaning, in the order in which they are added.
  static let names = [
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token",
  ]

  /// The kind of subword model, as `tokenizer.json` calls it; nil where that file alone decides.
  var type: String? {
    switch self {
    case .bert, .mpnet: "WordPiece"
    case .roberta: "BPE"
    case .whole: nil
    }
  }

  /// The files that hold the vocabulary, the one with the ids first.
  var vocabularyFiles: [String] {
    switch self {
    case .bert, .mpnet: ["vocab.txt"]
    case .roberta: ["vocab.json", "merges.txt"]
    case .whole: ["tokenizer.json"]
    }
  }

  /// What a message says is wanted where they are not there.
  var wantedVocabulary: String {
    switch self {
    case .bert, .mpnet: "a WordPiece vocabulary: tokenizer.json or vocab.txt"
    case .roberta: "a byte-level vocabulary: tokenizer.json, or vocab.json and merges.txt"
    case .whole: "tokenizer.json, as tokenizer_class asks for"
    }
  }

  /// A token with a meaning that the files do not name.
  func usual(_ name: String) -> String? {
    switch (self, name) {
    case (.bert, "unk_token"), (.mpnet, "unk_token"): "[UNK]"
    case (.bert, "sep_token"): "[SEP]"
    case (.bert, "pad_token"): "[PAD]"
    case (.bert, "cls_token"): "[CLS]"
    case (.bert, "mask_token"): "[MASK]"
    case (.roberta, "unk_token"): "<unk>"
    case (.mpnet, "bos_token"), (.mpnet, "cls_token"), (.roberta, "bos_token"), (.roberta, "cls_token"): "<s>"
    case (.mpnet, "eos_token"), (.mpnet, "sep_token"), (.roberta, "eos_token"), (.roberta, "sep_token"):
      "</s>"
    case (.mpnet, "pad_token"), (.roberta, "pad_token"): "<pad>"
    case (.mpnet, "mask_token"), (.roberta, "mask_token"): "<mask>"
    default: nil
    }
  }
}

/// A token as files give it: by its text alone, or with properties.
struct NamedToken: Sendable {
  let token: AddedToken
  let isText: Bool

  init(_ token: AddedToken, isText: Bool) { (self.token, self.isText) = (token, isText) }

  /// A token by its text or its description.
  init(_ value: JSONValue, place: String) throws {
    token = try AddedToken(value, place: place)
    if case .string = value { isText = true } else { isText = false }
  }

  /// Equal where Python's `==` holds.
  var key: [UInt8] {
    let flags = [token.singleWord, token.stripsLeft, token.stripsRight, token.isNormalized, token.special]
    return Array(token.content.utf8) + (isText ? [2] : flags.map { $0 ? 1 : 0 })
  }
}
