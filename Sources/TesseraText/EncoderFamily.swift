// SPDX-License-Identifier: Apache-2.0
/// A kind of encoder: the `model_type` of its `config.json`.
public enum EncoderFamily: String, Sendable, CaseIterable {
  /// BERT (Devlin et al. 2019): positions from 0, token types.
  case bert
  /// MPNet (Song et al. 2020): positions from 2, a bias by distance on the attention scores.
  case mpnet
  /// DistilBERT (Sanh et al. 2019): positions from 0, no token types.
  case distilbert
  /// ELECTRA (Clark et al. 2020): positions from 0, token types, embeddings of a width of their own.
  case electra
  /// RoBERTa (Liu et al. 2019): positions from 2, byte-level tokens.
  case roberta

  /// What the encoder is made of, and what its files call that.
  var encoder: EncoderDescription {
    switch self {
    case .bert: .bert
    case .mpnet: .mpnet
    case .distilbert: .distilBERT
    case .electra: .electra
    case .roberta: .roberta
    }
  }
}
