// SPDX-License-Identifier: Apache-2.0

extension EncoderDescription {
  /// DistilBERT (Sanh et al. 2019), as Hugging Face's `DistilBertModel`: a BERT without token types.
  static let distilBERT = EncoderDescription(
    keys: ConfigurationNames(
      layers: "n_layers", hidden: "dim", heads: "n_heads", intermediate: "hidden_dim",
      activation: "activation", eps: nil),
    harmless: [
      // Training and heads.
      "dropout", "attention_dropout", "qa_dropout", "seq_classif_dropout", "tie_weights_",
      // How the table of positions began. A file holds the table, and Hugging Face reads it from there.
      "sinusoidal_pos_embds",
    ],
    layers: "transformer.layer",
    layer: LayerNames(
      query: "attention.q_lin", key: "attention.k_lin", value: "attention.v_lin",
      output: "attention.out_lin", attentionNorm: "sa_layer_norm",
      up: "ffn.lin1", down: "ffn.lin2", norm: "output_layer_norm"))
}
