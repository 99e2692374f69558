// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraText

/// What is taken from the encoder: the one place of these options and their defaults. A run's file keeps them
/// under the names of the properties.
public struct EmbeddingOptions: Sendable, Equatable, Codable {
  /// The first hidden state, from 0, the embedding layer; nil: 1.
  public var firstState: Int?
  /// The last hidden state; nil: the encoder's last.
  public var lastState: Int?
  /// What stands for a text.
  public var pooling = SentencePooling.cls
  /// Whether the official code's hidden states are taken where none are chosen (6...11 of 12).
  public var paperStates = false
  /// What the encoder's linear layers are sums of; attention's products are fp32's.
  public var products = Products.fp32
  /// Texts at once where nothing is chosen. Changes no bit.
  public static let usualBatch = 256

  /// The defaults.
  public init() {}

  /// The hidden states of an encoder: all but the embedding layer's unless chosen.
  ///
  /// - Throws: `TesseraError` for states that the encoder does not have.
  public func states(layers: Int) throws -> ClosedRange<Int> {
    let paper = paperStates && layers == 12
    let first = firstState ?? (paper ? 6 : min(1, layers))
    let last = lastState ?? (paper ? 11 : layers)
    guard first >= 0, first <= last, last <= layers else {
      throw TesseraError.input(
        "layers", found: "\(first)...\(last)", wanted: "hidden states within 0...\(layers)")
    }
    return first...last
  }

  /// Chooses hidden states as they are written on the command line, such as `6...11`.
  ///
  /// - Throws: `TesseraError` for what is no range of numbers from 0.
  package mutating func chooseStates(_ text: String) throws {
    let parts = text.split(separator: ".", omittingEmptySubsequences: true).map { Int($0) }
    guard let first = parts.first.flatMap({ $0 }), let last = parts.last.flatMap({ $0 }), parts.count <= 2,
      first >= 0, first <= last, !text.hasPrefix("-")
    else { throw TesseraError.input("layers", found: text, wanted: "such as 6...11") }
    firstState = first
    lastState = last
  }
}

extension Products {
  /// What a stage's record and a file's metadata say of it: nothing of fp32's, as before there were others.
  var parameters: [String: String] { self == .fp32 ? [:] : ["products": rawValue] }

  /// What a record says.
  static func name(in parameters: [String: String]?) -> String { parameters?["products"] ?? fp32.rawValue }
}
