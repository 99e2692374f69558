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
}
