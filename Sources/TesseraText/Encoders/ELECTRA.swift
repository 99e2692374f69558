// SPDX-License-Identifier: Apache-2.0

extension EncoderDescription {
  /// ELECTRA (Clark et al. 2020), as Hugging Face's `ElectraModel`: a BERT whose embeddings may be narrower
  /// than its layers. Its discriminator is what is published for use.
  static let electra = EncoderDescription(
    keys: ConfigurationNames(embedding: "embedding_size"),
    layer: bert.layer, tokenTypes: bert.tokenTypes, projection: "embeddings_project")
}
