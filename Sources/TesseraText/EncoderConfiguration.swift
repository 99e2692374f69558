import Foundation
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
  /// The feed-forward activation: gelu, relu or tanh.
  public let activation: String

  /// Reads and checks `config.json`.
  public init(file path: String) throws {
    let data = try InputFile.read(
      path, wanted: "an encoder's config.json", atMost: InputFile.Limit.configuration)
    guard let fields = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] else {
      throw TesseraError.input(path, found: "no JSON object", wanted: "an encoder's config.json")
    }
    func number(_ name: String, from least: Int = 1, upTo most: Int = 1 << 20) throws -> Int {
      guard let value = fields[name] as? NSNumber, let n = Int(exactly: value.doubleValue),
        (least...most).contains(n)
      else {
        throw TesseraError.input(
          "\(path): \(name)", found: "\(fields[name] ?? "nothing")", wanted: "\(least) to \(most)")
      }
      return n
    }
    func text(_ name: String, or usual: String) throws -> String {
      guard let value = fields[name] else { return usual }
      guard let text = value as? String else {
        throw TesseraError.input("\(path): \(name)", found: "\(value)", wanted: "a text")
      }
      return text
    }
    let type = try text("model_type", or: "bert")
    guard let family = EncoderFamily(rawValue: type) else {
      throw TesseraError.input(
        "\(path): model_type", found: type,
        wanted: EncoderFamily.allCases.map(\.rawValue).joined(separator: " or "))
    }
    self.family = family
    let position = fields["position_embedding_type"] as? String ?? "absolute"
    guard position == "absolute" else {
      throw TesseraError.input("\(path): position_embedding_type", found: position, wanted: "absolute")
    }
    layers = try number("num_hidden_layers", upTo: 1000)
    hidden = try number("hidden_size")
    heads = try number("num_attention_heads", upTo: 1024)
    intermediate = try number("intermediate_size")
    vocabulary = try number("vocab_size", upTo: 1 << 24)
    // Rows of the position table before the first token's are no text's.
    let first = family.firstPosition
    positions = try number("max_position_embeddings", from: first + 1) - first
    let eps = fields["layer_norm_eps"].map { ($0 as? NSNumber)?.doubleValue ?? .nan } ?? 1e-12
    guard eps >= 1e-30, eps <= 1 else {
      throw TesseraError.input(
        "\(path): layer_norm_eps", found: "\(fields["layer_norm_eps"] ?? "nothing")",
        wanted: "1e-30 to 1")
    }
    self.eps = Float(eps)
    activation = try text("hidden_act", or: "gelu")
    guard hidden % heads == 0 else {
      throw TesseraError.input(path, found: "hidden_size \(hidden) and \(heads) heads", wanted: "a multiple")
    }
    guard ["gelu", "relu", "tanh"].contains(activation) else {
      throw TesseraError.input("\(path): hidden_act", found: activation, wanted: "gelu, relu or tanh")
    }
  }
}
