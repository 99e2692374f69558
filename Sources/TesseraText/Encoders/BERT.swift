// SPDX-License-Identifier: Apache-2.0

extension EncoderDescription {
  /// BERT (Devlin et al. 2019), as Hugging Face's `BertModel`.
  static let bert = EncoderDescription(
    layer: LayerNames(
      query: "attention.self.query", key: "attention.self.key", value: "attention.self.value",
      output: "attention.output.dense", attentionNorm: "attention.output.LayerNorm",
      up: "intermediate.dense", down: "output.dense", norm: "output.LayerNorm"),
    tokenTypes: "embeddings.token_type_embeddings.weight")
}
