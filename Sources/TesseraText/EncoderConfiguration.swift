// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// The extents of a BERT-family encoder, from its `config.json`.
public struct EncoderConfiguration: Sendable, Equatable {
  /// The kind of encoder.
  public let family: EncoderFamily
  /// Layers.
  public let layers: Int
  /// Numbers of a hidden state.
  public let hidden: Int
  /// Numbers of a token's embedding: `hidden`, but for an ELECTRA that has another number.
  public let embedding: Int
  /// Heads of attention.
  public let heads: Int
  /// Numbers of the feed-forward part.
  public let intermediate: Int
  /// Entries of the word table.
  public let vocabulary: Int
  /// The most tokens of a text.
  public let positions: Int
  /// Layer norm's epsilon.
  public let eps: Float
  /// The feed-forward activation: gelu (by the error function or by tanh), relu or tanh.
  public let activation: FusedActivation
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
    let keys = family.encoder.keys
    layers = try number(keys.layers, upTo: 1000)
    hidden = try number(keys.hidden)
    embedding = try keys.embedding.map { try number($0) } ?? hidden
    heads = try number(keys.heads, upTo: 1024)
    intermediate = try number(keys.intermediate)
    vocabulary = try number(keys.vocabulary, upTo: 1 << 24)
    // Rows of the position table before the first token's are no text's.
    let first = family.encoder.firstPosition
    positions = try number(keys.positions, from: first + 1) - first
    eps = try keys.eps.map { try Self.eps(fields, $0) } ?? Self.usualEps
    guard hidden % heads == 0 else {
      throw TesseraError.input(
        path, found: "\(keys.hidden) \(hidden) and \(heads) heads", wanted: "a multiple")
    }
    guard let activation = Self.activations[try fields.text(keys.activation) ?? "gelu"] else {
      throw fields.refusal(
        keys.activation, wanted: "gelu (by the error function), gelu_new (by tanh), relu or tanh")
    }
    self.activation = activation
    tokenizerClass = try fields.text("tokenizer_class")
  }

  /// The linear layer that widens the embeddings, if there is one.
  var projection: String? { embedding == hidden ? nil : family.encoder.projection }

  /// Activations by Hugging Face's names. gelu_python is gelu written out; gelu_pytorch_tanh is gelu_new by
  /// PyTorch's own kernel.
  static let activations: [String: FusedActivation] = [
    "gelu": .gelu, "gelu_python": .gelu, "gelu_new": .geluTanh, "gelu_pytorch_tanh": .geluTanh, "relu": .relu,
    "tanh": .tanh,
  ]

  /// Layer norm's epsilon where the file says none.
  private static let usualEps: Float = 1e-12

  private static func eps(_ fields: JSONFields, _ key: String) throws -> Float {
    let value: Double
    switch fields[key] {
    case nil: return usualEps
    case .number(let number): value = number
    case .integer(let number): value = Double(number)
    default: value = .nan
    }
    guard value >= 1e-30, value <= 1 else { throw fields.refusal(key, wanted: "1e-30 to 1") }
    return Float(value)
  }
}
