/// Right answers out of a number, with the Wilson score interval (Wilson 1927) at 95%.
public struct Accuracy: Sendable, Equatable, Codable, CustomStringConvertible {
  /// How many were right.
  public let correct: Int
  /// Out of how many.
  public let total: Int

  /// An accuracy from counts.
  public init(correct: Int, total: Int) {
    self.correct = correct
    self.total = total
  }

  /// An accuracy from predicted and true classes.
  public init(predicted: [Int32], truth: [Int32]) {
    correct = zip(predicted, truth).count { $0 == $1 }
    total = truth.count
  }

  /// The share that was right; 0 of none.
  public var value: Double { total == 0 ? 0 : Double(correct) / Double(total) }

  /// Lower and upper end of the 95% interval.
  public var interval: (low: Double, high: Double) {
    guard total > 0 else { return (0, 1) }
    let n = Double(total)
    let z = 1.959963984540054
    let centre = (value + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (value * (1 - value) / n + z * z / (4 * n * n)).squareRoot()
    return (max(0, centre - half), min(1, centre + half))
  }

  /// Such as `0.835 (95% 0.811 to 0.857, 835 of 1000)`.
  public var description: String {
    func show(_ x: Double) -> String {
      let thousandths = Int((x * 1000).rounded())
      let digits = String(thousandths % 1000)
      return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits
    }
    return "\(show(value)) (95% \(show(interval.low)) to \(show(interval.high)), \(correct) of \(total))"
  }
}
