// SPDX-License-Identifier: Apache-2.0
/// A kind of encoder: the `model_type` of its `config.json`.
public enum EncoderFamily: String, Sendable, CaseIterable {
  /// BERT (Devlin et al. 2019): positions from 0, token types.
  case bert
  /// MPNet (Song et al. 2020): positions from 2, a bias by distance on the attention scores.
  case mpnet

  /// Names of a layer's attention, inside `encoder.layer.N.`.
  struct AttentionNames {
    let query: String, key: String, value: String, output: String, norm: String
  }

  /// What Hugging Face calls the parts of a layer's attention.
  var attention: AttentionNames {
    switch self {
    case .bert:
      AttentionNames(
        query: "attention.self.query", key: "attention.self.key", value: "attention.self.value",
        output: "attention.output.dense", norm: "attention.output.LayerNorm")
    case .mpnet:
      AttentionNames(
        query: "attention.attn.q", key: "attention.attn.k", value: "attention.attn.v",
        output: "attention.attn.o", norm: "attention.LayerNorm")
    }
  }

  /// The prefix of every name in a checkpoint with a head.
  var prefix: String { rawValue + "." }

  /// The row of the position table that is the first token's.
  var firstPosition: Int { self == .mpnet ? 2 : 0 }

  /// The rows of the position table that a text's tokens take.
  ///
  /// An MPNet counts past padding: where a text itself says `<pad>`, that token (id 1, whatever
  /// config.json says) takes the row before the first one's, and the tokens after it come one row earlier.
  func positions(_ ids: [Int32]) -> [Int32] {
    guard self == .mpnet else { return ids.indices.map { Int32($0) } }
    let padding = Int32(firstPosition) - 1
    var next = padding
    return ids.map { id in
      if id == padding { return padding }
      next += 1
      return next
    }
  }

  /// Whether there is a table of token types.
  var hasTokenTypes: Bool { self == .bert }

  /// Whether `encoder.relative_attention_bias` is added to the attention scores.
  var hasDistanceBias: Bool { self == .mpnet }
}
