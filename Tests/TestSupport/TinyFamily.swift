// SPDX-License-Identifier: Apache-2.0

/// The families that `TinyEncoder` draws, by their `model_type`, with the names of their files written out:
/// a test that took them from the library would not see a wrong one.
public enum TinyFamily: String, CaseIterable, Sendable {
  case bert, mpnet, distilbert, electra, roberta

  /// The tokens in front of the words.
  var special: [String] {
    self == .mpnet
      ? ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"] : ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
  }

  /// Rows of the position table.
  var positions: Int {
    switch self {
    case .mpnet: 514
    case .roberta: 66
    default: 64
    }
  }

  /// The width of the embeddings, if it is another one than that of the layers.
  var embedding: Int? { self == .electra ? 16 : nil }

  /// Rows of the table of token types; 0 where there is none.
  var types: Int {
    switch self {
    case .bert, .electra: 2
    case .roberta: 1
    case .mpnet, .distilbert: 0
    }
  }

  /// The vocabulary: the words' tokens after the special ones, or RoBERTa's bytes and merges.
  func files(words: [String]) -> (tokens: Int, texts: [String: String]) {
    guard self == .roberta else {
      let tokens = special + words
      return (tokens.count, ["vocab.txt": tokens.joined(separator: "\n") + "\n"])
    }
    let vocabulary = ByteLevelVocabulary(words: words)
    return (
      vocabulary.tokens.count,
      ["vocab.json": vocabulary.vocabularyJSON, "merges.txt": vocabulary.mergesText]
    )
  }

  /// What `config.json` says beside the model's type, the vocabulary's size and the positions.
  func configuration(layers: Int, hidden: Int, heads: Int, wide: Int) -> [String: Any] {
    switch self {
    case .bert, .mpnet, .roberta:
      [
        "num_hidden_layers": layers, "hidden_size": hidden, "num_attention_heads": heads,
        "intermediate_size": wide, "hidden_act": "gelu", "layer_norm_eps": self == .bert ? 1e-12 : 1e-5,
      ]
    case .electra:
      // As published files have it.
      [
        "num_hidden_layers": layers, "hidden_size": hidden, "num_attention_heads": heads,
        "intermediate_size": wide, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "embedding_size": 16,
        "summary_type": "first", "summary_use_proj": true, "summary_activation": "gelu",
        "summary_last_dropout": 0.1, "type_vocab_size": 2, "pad_token_id": 0,
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
    case .bert, .electra, .roberta:
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
