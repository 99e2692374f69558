// SPDX-License-Identifier: Apache-2.0

/// The families that `TinyEncoder` draws, by their `model_type`, with the names of their files written out:
/// a test that took them from the library would not see a wrong one.
public enum TinyFamily: String, CaseIterable, Sendable {
  case bert, mpnet, distilbert

  /// The tokens in front of the words.
  var special: [String] {
    self == .mpnet
      ? ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"] : ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
  }

  /// Rows of the position table.
  var positions: Int { self == .mpnet ? 514 : 64 }

  /// What `config.json` says beside the model's type, the vocabulary's size and the positions.
  func configuration(layers: Int, hidden: Int, heads: Int, wide: Int) -> [String: Any] {
    switch self {
    case .bert, .mpnet:
      [
        "num_hidden_layers": layers, "hidden_size": hidden, "num_attention_heads": heads,
        "intermediate_size": wide, "hidden_act": "gelu", "layer_norm_eps": self == .mpnet ? 1e-5 : 1e-12,
      ]
    case .distilbert:
      // As published files have it.
      [
        "n_layers": layers, "dim": hidden, "n_heads": heads, "hidden_dim": wide, "activation": "gelu",
        "sinusoidal_pos_embds": false, "tie_weights_": true, "dropout": 0.1, "attention_dropout": 0.1,
        "qa_dropout": 0.1, "seq_classif_dropout": 0.2,
      ]
    }
  }

  /// The module that holds the layers.
  var layers: String { self == .distilbert ? "transformer.layer" : "encoder.layer" }

  /// A layer's modules in the order in which they are drawn: query, key, value, output; norm; up, down; norm.
  var layer: [String] {
    switch self {
    case .bert:
      [
        "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
        "attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm",
      ]
    case .mpnet:
      [
        "attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o",
        "attention.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm",
      ]
    case .distilbert:
      [
        "attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin",
        "sa_layer_norm", "ffn.lin1", "ffn.lin2", "output_layer_norm",
      ]
    }
  }
}
