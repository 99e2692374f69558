// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What represents a text: the [CLS] token's vector, the mean over its tokens, or both.
public enum SentencePooling: String, NamedOption {
  /// The first token's vector, of [CLS].
  case cls
  /// The mean over the text's tokens.
  case mean
  /// Both, the first token's vector before the mean in each hidden state.
  case both = "cls+mean"

  /// The vectors that stand for a text in each hidden state, each as long as a state; of one, itself.
  public var vectors: [SentencePooling] { self == .both ? [.cls, .mean] : [self] }
}

/// An encoder of the BERT family (`EncoderFamily`) in evaluation mode.
///
/// Texts of a batch are packed one after the other without padding: linear layers run over all tokens,
/// attention over each text alone. What else is in the batch cannot change a text's bits.
public final class TransformerEncoder: Sendable {
  /// The family and the extents.
  public let configuration: EncoderConfiguration
  /// What its linear layers' products are sums of; those of attention are fp32's.
  public let products: Products
  /// The tokenizer that goes with it.
  public let tokenizer: SubwordTokenizer
  /// The most tokens of a text: what the table of positions, 512 and the tokenizer's files allow.
  public var longestText: Int { min(512, configuration.positions, tokenizer.longestText) }
  /// What is to be told of the folder's files: what they say and nothing follows.
  public var notes: [String] { tokenizer.notes }
  /// What was done to read the weights, for someone to be told: such as a prefix that was taken off all
  /// names.
  package let weightNotes: [String]
  /// The weights on each device that embeds.
  let copies: Replicated<EncoderOnDevice>

  /// Reads `config.json`, the tokenizer's files and `model.safetensors` (or `pytorch_model.bin`) of a
  /// folder; weights may be in several files with an index, and their names may have a prefix.
  ///
  /// - Parameters:
  ///   - folder: an encoder as Hugging Face or sentence-transformers lay it out (`EncoderFolder`).
  ///   - devices: those that embed; each gets the weights once.
  ///   - products: what the linear layers' products are sums of. Each mode has bits of its own.
  /// - Throws: `TesseraError` naming the file and what in it does not fit.
  public init(folder: String, devices: DeviceGroup, products: Products = .fp32) throws {
    let folder = try EncoderFolder(folder)
    let c = try folder.configuration()
    tokenizer = try SubwordTokenizer(folder: folder, configuration: c)
    let (tensors, notes) = try EncoderTensors(c).select(from: try folder.weights())
    weightNotes = notes
    let shared = try devices.ranks.map {
      try EncoderWork.share(tensors, c, settings: try folder.settings(), products, with: $0)
    }
    copies = try Replicated(devices, shared: shared) {
      try EncoderOnDevice(tensors, c, device: $0, products: products)
    }
    (configuration, self.products) = (c, products)
  }

  /// The same on one device.
  public convenience init(folder: String, device: any Backend, products: Products = .fp32) throws {
    try self.init(folder: folder, devices: DeviceGroup(device), products: products)
  }
}
