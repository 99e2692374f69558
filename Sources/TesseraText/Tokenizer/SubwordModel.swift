// SPDX-License-Identifier: Apache-2.0

/// How the pieces of a text become tokens: the two kinds of subword models that encoders here have.
enum SubwordModel: Sendable {
  case wordPiece(WordPieceModel)
  case bytePairs(BytePairModel)

  /// What makes a model of a vocabulary.
  enum Settings: Sendable {
    case wordPiece(WordPieceModel.Settings)
    case bytePairs(BytePairModel.Settings)

    /// The kind, as `tokenizer.json` calls it.
    var type: String {
      switch self {
      case .wordPiece: "WordPiece"
      case .bytePairs: "BPE"
      }
    }
  }

  /// A model over tokens with their ids.
  ///
  /// - Throws: `TesseraError` naming the token that is missing.
  init(_ tokens: [(bytes: [UInt8], id: Int32)], _ settings: Settings, place: String) throws {
    switch settings {
    case .wordPiece(let settings):
      self = .wordPiece(try WordPieceModel(tokens, settings, place: place))
    case .bytePairs(let settings):
      self = .bytePairs(try BytePairModel(tokens, settings, place: place))
    }
  }

  /// Distinct tokens.
  var count: Int {
    switch self {
    case .wordPiece(let model): model.count
    case .bytePairs(let model): model.count
    }
  }

  /// The highest id.
  var highest: Int32 {
    switch self {
    case .wordPiece(let model): model.highest
    case .bytePairs(let model): model.highest
    }
  }

  /// The id of a token.
  func id(of token: String) -> Int32? {
    switch self {
    case .wordPiece(let model): model.id(of: token)
    case .bytePairs(let model): model.id(of: token)
    }
  }
}

/// Takes the parts of a text between added tokens, divides them into pieces and covers these by tokens.
protocol SubwordSplitter {
  /// The ids so far.
  var ids: [Int32] { get }

  /// Takes an added token.
  mutating func append(_ id: Int32)

  /// Takes in a text that is normalised already, until there are enough ids.
  mutating func append(_ text: UnsafeBufferPointer<UInt8>, most: Int)

  /// Takes in a text that `normalizer` cleans, until there are enough ids.
  mutating func append(_ text: UnsafeBufferPointer<UInt8>, cleanedBy normalizer: BertNormalizer, most: Int)
}

extension SubwordSplitter {
  /// Cleans the whole text first.
  mutating func append(_ text: UnsafeBufferPointer<UInt8>, cleanedBy normalizer: BertNormalizer, most: Int) {
    normalizer.normalized(text).withUnsafeBufferPointer { append($0, most: most) }
  }
}
