// SPDX-License-Identifier: Apache-2.0
/// Right answers out of a number, with the Wilson score interval (Wilson 1927) at 95%.
public struct Accuracy: Sendable, Equatable, Codable, CustomStringConvertible {
  /// How many were right.
  public let correct: Int
  /// Out of how many.
  public let total: Int

  /// An accuracy from counts.
  package init(correct: Int, total: Int) {
    self.correct = correct
    self.total = total
  }

  /// An accuracy from predicted and true classes.
  package init(predicted: [Int32], truth: [Int32]) {
    correct = zip(predicted, truth).count { $0 == $1 }
    total = truth.count
  }

  /// Reads what was written; counts that are none are an error.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    (correct, total) = (
      try values.decode(Int.self, forKey: .correct), try values.decode(Int.self, forKey: .total)
    )
    guard correct >= 0, correct <= total else {
      throw DecodingError.dataCorruptedError(
        forKey: .correct, in: values, debugDescription: "\(correct) right answers of \(total)")
    }
  }

  /// The share that was right; 0 of none.
  public var value: Double { total == 0 ? 0 : Double(correct) / Double(total) }

  /// Lower and upper end of the 95% interval.
  public var interval: (low: Double, high: Double) {
    guard total > 0 else { return (0, 1) }
    let n = Double(total)
    let z = 1.959963984540054
    let centre = (value + z * z / (2 * n)) / (1 + z * z / n)
    // More right answers than there are, of a broken record, have no deviation.
    let half = z / (1 + z * z / n) * max(0, value * (1 - value) / n + z * z / (4 * n * n)).squareRoot()
    return (max(0, centre - half), min(1, centre + half))
  }

  /// What is said in place of a share where there are no rows.
  public static let ofNothing = "none (there are no rows)"

  /// Such as `0.835 (95% 0.811 to 0.857, 835 of 1000)`.
  public var description: String {
    guard total > 0 else { return Self.ofNothing }
    func show(_ x: Double) -> String {
      let thousandths = Int((min(max(x, 0), 1) * 1000).rounded())
      let digits = String(thousandths % 1000)
      return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits
    }
    return "\(show(value)) (95% \(show(interval.low)) to \(show(interval.high)), \(correct) of \(total))"
  }
}
