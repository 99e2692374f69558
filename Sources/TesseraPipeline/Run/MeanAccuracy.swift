// SPDX-License-Identifier: Apache-2.0
/// The mean accuracy over several seeds with Student's 95% interval: how much start, dropout and order
/// matter.
public struct MeanAccuracy: Sendable, Equatable, Codable, CustomStringConvertible {
  /// The mean.
  public let mean: Double
  /// Half the interval's width; 0 for one seed.
  public let half: Double
  /// How many seeds.
  public let count: Int

  /// The 0.975 quantiles of Student's t for 1 to 30 degrees of freedom.
  private static let quantiles = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
  ]

  /// From the accuracy by each seed.
  package init(_ values: [Accuracy]) {
    count = values.count
    let n = Double(max(1, count))
    let mean = values.reduce(0) { $0 + $1.value } / n
    let squares = values.reduce(0) { $0 + ($1.value - mean) * ($1.value - mean) }
    self.mean = mean
    let deviation = count > 1 ? (squares / (n - 1) / n).squareRoot() : 0
    half = deviation * (count > 1 ? Self.quantiles[min(count - 2, Self.quantiles.count - 1)] : 0)
  }

  /// Such as `0.812 +- 0.006 over 5 seeds`.
  public var description: String { "\(decimal(mean)) +- \(decimal(half)) over \(count) seeds" }
}
