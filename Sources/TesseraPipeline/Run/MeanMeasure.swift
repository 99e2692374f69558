// SPDX-License-Identifier: Apache-2.0

/// The mean of a measure over several runs, with its deviation and Student's 95% interval.
public struct MeanMeasure: Sendable, Equatable, Codable, CustomStringConvertible {
  /// The mean.
  public let mean: Double
  /// The standard deviation over the runs (of n - 1); 0 of one.
  public let deviation: Double
  /// Half the interval's width; 0 of one run.
  public let half: Double
  /// How many runs.
  public let count: Int

  /// The 0.975 quantiles of Student's t for 1 to 30 degrees of freedom; that for 30 is taken for more.
  private static let quantiles = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
  ]

  /// From the measure of each run, added up in their order.
  init(_ values: [Double]) {
    count = values.count
    let n = Double(max(1, count))
    let mean = values.reduce(0, +) / n
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    deviation = count > 1 ? (squares / (n - 1)).squareRoot() : 0
    let quantile = count > 1 ? Self.quantiles[min(count - 2, Self.quantiles.count - 1)] : 0
    half = (squares / max(1, n - 1) / n).squareRoot() * quantile
  }

  /// Such as `0.812 +- 0.006 (deviation 0.005)`.
  public var description: String { "\(decimal(mean)) +- \(decimal(half)) (deviation \(decimal(deviation)))" }
}
