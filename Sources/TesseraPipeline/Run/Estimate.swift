// SPDX-License-Identifier: Apache-2.0

/// A measure with the ends of its 95% interval.
public struct Estimate: Codable, Sendable, Equatable, CustomStringConvertible {
  /// The measure on the rows that there are.
  public let value: Double
  /// Lower and upper end of the interval.
  public let low: Double, high: Double

  /// A known estimate.
  init(value: Double, low: Double, high: Double) { (self.value, self.low, self.high) = (value, low, high) }

  /// A proportion with the Wilson score interval; nil of nothing.
  init?(_ proportion: Accuracy) {
    guard proportion.total > 0 else { return nil }
    let (low, high) = proportion.interval
    self.init(value: proportion.value, low: low, high: high)
  }

  /// Reads what was written; a number that no measure has is an error.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    value = try values.decode(Double.self, forKey: .value)
    low = try values.decode(Double.self, forKey: .low)
    high = try values.decode(Double.self, forKey: .high)
    for number in [value, low, high] where !(abs(number) <= Self.most) {
      throw DecodingError.dataCorruptedError(
        forKey: .value, in: values, debugDescription: "\(number) as a measure")
    }
  }

  /// The largest number that is written; a log loss beyond it is none.
  static let most = 1e6

  /// Such as `0.835 (0.811 to 0.857)`.
  public var description: String { "\(decimal(value)) (\(decimal(low)) to \(decimal(high)))" }
}
