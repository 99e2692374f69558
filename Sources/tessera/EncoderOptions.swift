// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraAssets
import TesseraCompute
import TesseraPipeline
import TesseraText

/// The encoder and what is taken from it.
struct EncoderOptions: ParsableArguments {
  @Option(help: Self.help)
  var encoder: String
  @OptionGroup(title: "Encoder") var taken: EmbeddingArguments

  /// The encoder's folder, which may be that of a fetched asset.
  ///
  /// - Throws: `TesseraError` for an asset that was not fetched.
  func folder() throws -> String { try AssetStore.standard.path(of: encoder, option: "encoder") }

  /// What a folder of an encoder is.
  static let help: ArgumentHelp = """
    Folder of a BERT, MPNet, DistilBERT, ELECTRA or RoBERTa: config.json, tokenizer.json or vocab.txt or \
    vocab.json and merges.txt, weights, and what tokenizer_config.json and the like say. A \
    sentence-transformers folder will do. Or what tessera fetch fetched, such as minilm-l6.
    """
}

/// What is taken from an encoder.
struct EmbeddingArguments: ParsableArguments {
  @Option(help: "Hidden states, such as 6...11; 0 is the embedding layer (default: all others).")
  var layers: String?
  @Option(
    help: """
      What stands for a text: its first token's vector (cls), the mean over its tokens (mean), or both \
      \(RecipeDefaults.text { $0.pooling.rawValue }).
      """)
  var pooling: SentencePooling?
  @Option(
    help: """
      What the encoder's linear layers are sums of: fp32 numbers, or exact integers of three digits of 8 bits (s3) or \
      two (s2), which matrix units add up with the same bits everywhere. Each has bits of its own; s3 is nearly as \
      exact as fp32, s2 as TF32. In a run the network's sums are such too, unless --network-products says otherwise.
      """)
  var products = EmbeddingOptions().products
  @Option(name: .customLong("embedding-batch"), help: "Reviews at once. Changes no bit.")
  var batch = EmbeddingOptions.usualBatch

  /// What is taken from the encoder.
  ///
  /// - Parameter recipe: what holds where nothing is chosen.
  func options(_ recipe: Recipe = .standard) throws -> EmbeddingOptions {
    var options = EmbeddingOptions()
    if let layers { try options.chooseStates(layers) }
    options.pooling = pooling ?? recipe.pooling
    options.paperStates = recipe.paperStates
    options.products = products
    return options
  }

  /// The first of them that was given.
  var given: String? {
    if layers != nil { return "layers" }
    if products != EmbeddingOptions().products { return "products" }
    return pooling != nil ? "pooling" : batch != EmbeddingOptions.usualBatch ? "embedding-batch" : nil
  }

  /// Checks what can be checked without the encoder.
  func validate() throws {
    _ = try options()
    guard (1...1 << 20).contains(batch) else {
      throw TesseraError.input("embedding-batch", found: "\(batch)", wanted: "1 to 1048576")
    }
  }
}
