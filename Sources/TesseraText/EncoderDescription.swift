// SPDX-License-Identifier: Apache-2.0

/// What is particular to a family of encoders; every other file works from it. How to add one: the article
/// "Adding an encoder" (`Documentation.docc/AddingAnEncoder.md`).
///
/// Common to all: words and positions, added and normalised, and widened where they are narrower than the
/// layers; then layers of attention, add and norm, feed-forward, add and norm.
struct EncoderDescription: Sendable {
  /// Keys of `config.json`.
  var keys = ConfigurationNames()
  /// Keys that would change a hidden state, with the one value that does not. Beside those that all families
  /// have (`ConfigurationKeys`).
  var only: [FixedKey] = []
  /// Keys that change no hidden state. Beside those that all families have (`ConfigurationKeys`).
  var harmless: Set<String> = []

  /// The module that holds the layers, by their numbers.
  var layers = "encoder.layer"
  /// The modules of a layer, inside `layers.N.`.
  let layer: LayerNames
  /// The table of token types, of which every token takes the first row; nil if there is none.
  var tokenTypes: String?
  /// The table of the bias by distance that is added to the attention scores (MPNet's `DistanceBuckets`);
  /// nil if there is none.
  var distanceBias: String?
  /// The linear layer from the embeddings to the width of the layers, where the two differ; nil where they
  /// never do.
  var projection: String?

  /// The row of the position table that is the first token's.
  var firstPosition = 0
  /// The rows of the position table that a text's tokens take, from their ids.
  var positions: @Sendable (_ ids: [Int32]) -> [Int32] = { ids in ids.indices.map { Int32($0) } }
  /// The tokenizer where the folder names none.
  var tokenizer = TokenizerKind.bert

  /// The table of words, the table of positions and the norm of their sum: all families have them.
  static let words = "embeddings.word_embeddings.weight"
  static let positionTable = "embeddings.position_embeddings.weight"
  static let norm = "embeddings.LayerNorm"

  /// The id of `<pad>` of families that count positions past padding, whatever config.json says.
  static let padding = 1

  /// Positions past padding: where a text itself says `<pad>`, that token takes the row before the first
  /// one's, and the tokens after it come one row earlier.
  @Sendable static func positionsPastPadding(_ ids: [Int32]) -> [Int32] {
    let padding = Int32(padding)
    var next = padding
    return ids.map { id in
      if id == padding { return padding }
      next += 1
      return next
    }
  }
}

/// What the `config.json` of a family calls the extents. The defaults are BERT's.
struct ConfigurationNames: Sendable {
  var layers = "num_hidden_layers"
  var hidden = "hidden_size"
  /// The width of the embeddings; nil where it is that of the layers.
  var embedding: String?
  var heads = "num_attention_heads"
  var intermediate = "intermediate_size"
  var activation = "hidden_act"
  var vocabulary = "vocab_size"
  var positions = "max_position_embeddings"
  /// Layer norm's epsilon; nil where no key says it and it is 1e-12.
  var eps: String? = "layer_norm_eps"

  /// All of them.
  var all: Set<String> {
    Set(
      [layers, hidden, heads, intermediate, activation, vocabulary, positions]
        + [embedding, eps].compactMap { $0 })
  }
}

/// What the modules of a layer are called, inside the layer.
struct LayerNames: Sendable {
  /// The linear layers of attention, and the norm after it.
  let query: String, key: String, value: String, output: String, attentionNorm: String
  /// The linear layers of the feed-forward part, to its width and back, and the norm after it.
  let up: String, down: String, norm: String
}

/// A key of `config.json` that may have one value alone.
struct FixedKey: Sendable {
  let key: String
  let value: JSONValue
  /// What a message says is wanted.
  let wanted: String

  init(_ key: String, _ value: JSONValue, wanted: String) {
    (self.key, self.value, self.wanted) = (key, value, wanted)
  }

  /// Whether a value is the one.
  func allows(_ found: JSONValue) -> Bool {
    switch (found, value) {
    case (.bool(let a), .bool(let b)): a == b
    case (.integer(let a), .integer(let b)): a == b
    case (.string(let a), .string(let b)): a == b
    default: false
    }
  }
}
