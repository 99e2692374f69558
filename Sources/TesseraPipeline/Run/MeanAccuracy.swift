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

  /// From the accuracy by each seed.
  package init(_ values: [Accuracy]) {
    let all = MeanMeasure(values.map(\.value))
    (mean, half, count) = (all.mean, all.half, all.count)
  }

  /// Such as `0.812 +- 0.006 over 5 seeds`.
  public var description: String { "\(decimal(mean)) +- \(decimal(half)) over \(count) seeds" }
}
