// SPDX-License-Identifier: Apache-2.0

extension EncoderDescription {
  /// RoBERTa (Liu et al. 2019), as Hugging Face's `RobertaModel`: a BERT with positions from 2 and byte-level
  /// tokens. DistilRoBERTa is one with fewer layers.
  static let roberta = EncoderDescription(
    only: [
      // Hugging Face counts positions from the id of `<pad>`.
      FixedKey("pad_token_id", .integer(padding), wanted: "\(padding), from which positions are counted")
    ],
    layer: bert.layer, tokenTypes: bert.tokenTypes,
    firstPosition: padding + 1, positions: positionsPastPadding, tokenizer: .roberta)
}
