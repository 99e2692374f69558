// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension TSNE {
  /// A learning rate as it is written: a number, or `auto`. Files and records of stages keep the spelling.
  public struct LearningRate: Sendable, Equatable, Codable {
    /// What was written.
    public let text: String
    /// The number, as `TSNE.learningRate` takes it; nil for `auto`.
    public let value: Float?

    /// A rate by its number; nil follows the number of points.
    public init(_ value: Float?) {
      self.value = value
      guard let value else {
        text = Self.automatic
        return
      }
      text = Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    /// A rate as it is written.
    ///
    /// - Throws: `TesseraError` for what is neither `auto` nor a number above 0 and at most 1,000,000.
    public init(_ text: String) throws {
      self.text = text
      guard text != Self.automatic else {
        value = nil
        return
      }
      guard let rate = Float(text), rate > 0, rate <= 1e6 else {
        throw TesseraError.input(
          "tsne-learning-rate", found: text, wanted: "above 0, at most 1000000, or \(Self.automatic)")
      }
      value = rate
    }

    /// Reads what `encode(to:)` writes.
    public init(from decoder: any Decoder) throws {
      try self.init(try decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      try container.encode(text)
    }

    private static let automatic = "auto"
  }
}
