// SPDX-License-Identifier: Apache-2.0

extension EncoderDescription {
  /// MPNet (Song et al. 2020), as Hugging Face's `MPNetModel`: positions from 2, a bias by distance on the
  /// attention scores, no token types.
  static let mpnet = EncoderDescription(
    only: [
      FixedKey(
        "relative_attention_num_buckets", .integer(DistanceBuckets.count),
        wanted: "\(DistanceBuckets.count)")
    ],
    layer: LayerNames(
      query: "attention.attn.q", key: "attention.attn.k", value: "attention.attn.v",
      output: "attention.attn.o", attentionNorm: "attention.LayerNorm",
      up: "intermediate.dense", down: "output.dense", norm: "output.LayerNorm"),
    distanceBias: "encoder.relative_attention_bias.weight",
    firstPosition: padding + 1, positions: positionsPastPadding, tokenizer: .mpnet)

  /// The id of `<pad>`, whatever config.json says.
  private static let padding = 1

  /// An MPNet counts past padding: where a text itself says `<pad>`, that token takes the row before the
  /// first one's, and the tokens after it come one row earlier.
  @Sendable private static func positionsPastPadding(_ ids: [Int32]) -> [Int32] {
    let padding = Int32(padding)
    var next = padding
    return ids.map { id in
      if id == padding { return padding }
      next += 1
      return next
    }
  }
}
