// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// The extents of a BERT-family encoder, from its `config.json`.
public struct EncoderConfiguration: Sendable, Equatable {
  /// The kind of encoder.
  public let family: EncoderFamily
  /// Layers, width, heads, width of the feed-forward part.
  public let layers: Int, hidden: Int, heads: Int, intermediate: Int
  /// Entries of the word table, and the most tokens of a text.
  public let vocabulary: Int, positions: Int
  /// Layer norm's epsilon.
  public let eps: Float
  /// The feed-forward activation: gelu, relu or tanh, or gelu_new for GELU by tanh.
  public let activation: String
  /// The class of tokenizer that it names, which `tokenizer_config.json` can overrule.
  let tokenizerClass: String?

  /// Reads and checks `config.json`.
  ///
  /// - Throws: `TesseraError` naming the key that is missing, malformed or out of range, that would change
  ///   the result and is not supported, or that is not known.
  public init(file path: String) throws {
    let fields = try JSONFields(file: path, wanted: "an encoder's config.json")
    let type = try fields.text("model_type") ?? "bert"
    guard let family = EncoderFamily(rawValue: type) else {
      throw fields.refusal(
        "model_type", wanted: EncoderFamily.allCases.map(\.rawValue).joined(separator: " or "))
    }
    self.family = family
    try ConfigurationKeys.check(fields, family)
    func number(_ name: String, from least: Int = 1, upTo most: Int = 1 << 20) throws -> Int {
      guard let number = try fields.integer(name, least...most) else {
        throw fields.refusal(name, wanted: "\(least) to \(most)")
      }
      return number
    }
    layers = try number("num_hidden_layers", upTo: 1000)
    hidden = try number("hidden_size")
    heads = try number("num_attention_heads", upTo: 1024)
    intermediate = try number("intermediate_size")
    vocabulary = try number("vocab_size", upTo: 1 << 24)
    // Rows of the position table before the first token's are no text's.
    let first = family.firstPosition
    positions = try number("max_position_embeddings", from: first + 1) - first
    eps = try Self.eps(fields)
    guard hidden % heads == 0 else {
      throw TesseraError.input(path, found: "hidden_size \(hidden) and \(heads) heads", wanted: "a multiple")
    }
    let activation = try fields.text("hidden_act") ?? "gelu"
    // The one name is the other's function written out, or computed by PyTorch's own kernel.
    let synonyms = ["gelu_python": "gelu", "gelu_pytorch_tanh": "gelu_new"]
    self.activation = synonyms[activation] ?? activation
    guard Self.activations[self.activation] != nil else {
      throw fields.refusal(
        "hidden_act", wanted: "gelu (by the error function), gelu_new (by tanh), relu or tanh")
    }
    tokenizerClass = try fields.text("tokenizer_class")
  }

  /// What each value of `activation` is at the end of a product.
  static let activations: [String: FusedActivation] = [
    "gelu": .gelu, "gelu_new": .geluTanh, "relu": .relu, "tanh": .tanh,
  ]

  private static func eps(_ fields: JSONFields) throws -> Float {
    let value: Double
    switch fields["layer_norm_eps"] {
    case nil: value = 1e-12
    case .number(let number): value = number
    case .integer(let number): value = Double(number)
    default: value = .nan
    }
    guard value >= 1e-30, value <= 1 else { throw fields.refusal("layer_norm_eps", wanted: "1e-30 to 1") }
    return Float(value)
  }
}
