// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Intervals of measures that have no formula for one: the percentile bootstrap (Efron 1979; Davison and Hinkley
/// 1997, section 5.3). So many rows as there are, drawn with repetition, are measured again and again; an interval
/// at 95% leaves out a fortieth of what was found at each end. The same seed gives the same bits everywhere.
public struct Bootstrap: Codable, Sendable, Equatable {
  /// How often rows are drawn: 999, so that the interval's ends are the 25th and the 975th value.
  public let resamples: Int
  /// What the rows are drawn by.
  public let seed: UInt64

  /// The usual number of draws by the usual seed.
  init() { (resamples, seed) = (Self.usual, RandomStream.usualSeed) }

  private static let usual = 999
  private static let firstStream: UInt64 = 1 << 56

  /// The intervals of some measures.
  ///
  /// - Parameters:
  ///   - rows: how many there are, 1 to 2^31 - 1.
  ///   - measure: the measures, always as many, of the rows that were drawn. A row's number is its word of the
  ///     stream times `rows`, without the last 32 bits.
  /// - Returns: lower and upper end of each.
  static func intervals(
    rows: Int, measure: ([Int32]) -> [Double]
  ) throws -> [(low: Double, high: Double)] {
    let own = Bootstrap()
    var found: [[Double]] = []
    for number in 0..<UInt64(own.resamples) {
      let words = try RandomStream(seed: own.seed, stream: firstStream + number).words(rows)
      let drawn = words.map { Int32(truncatingIfNeeded: (UInt64($0) * UInt64(rows)) >> 32) }
      for (at, value) in measure(drawn).enumerated() {
        if at == found.count { found.append([]) }
        found[at].append(value)
      }
    }
    let tail = (own.resamples + 1) / 40
    return found.map { values in
      let sorted = values.sorted()
      return (sorted[tail - 1], sorted[sorted.count - tail])
    }
  }
}
