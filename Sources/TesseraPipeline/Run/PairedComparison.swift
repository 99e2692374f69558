// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Rows that one of two classifiers of the same rows has right and the other has not. The rows on which they
/// agree say nothing about which of the two is better.
public struct PairedComparison: Codable, Sendable, Equatable, CustomStringConvertible {
  /// Rows that the image classifier alone has right.
  public let onlyModel: Int
  /// Rows that the linear probe alone has right.
  public let onlyProbe: Int

  /// A comparison of known counts.
  init(onlyModel: Int, onlyProbe: Int) { (self.onlyModel, self.onlyProbe) = (onlyModel, onlyProbe) }

  /// Compares predictions with the truth.
  init(model: [Int32], probe: [Int32], truth: [Int32]) {
    var (a, b) = (0, 0)
    for (row, label) in truth.enumerated() {
      if model[row] == label, probe[row] != label { a += 1 }
      if model[row] != label, probe[row] == label { b += 1 }
    }
    self.init(onlyModel: a, onlyProbe: b)
  }

  /// Reads what was written; counts that are none are an error.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    onlyModel = try values.decode(Int.self, forKey: .onlyModel)
    onlyProbe = try values.decode(Int.self, forKey: .onlyProbe)
    // More rows than these no data set has; the test would count for hours.
    guard (0...1 << 28).contains(onlyModel), (0...1 << 28).contains(onlyProbe) else {
      throw DecodingError.dataCorruptedError(
        forKey: .onlyModel, in: values, debugDescription: "\(onlyModel) and \(onlyProbe) rows")
    }
  }

  /// The chance of so uneven a division of the rows, or a more uneven one, were both classifiers equally good:
  /// McNemar's test, two-sided, by the exact binomial distribution (McNemar 1947).
  public var p: Double {
    guard onlyModel != onlyProbe else { return 1 }
    let few = min(onlyModel, onlyProbe)
    let n = Double(onlyModel) + Double(onlyProbe)
    // C(n, few) / 2^n, the largest term: halved on the way, for neither factor is a number of its own.
    var (term, halvings) = (1.0, onlyModel + onlyProbe)
    for i in 0..<few {
      term *= (n - Double(few - 1 - i)) / Double(i + 1)
      while term > 1, halvings > 0 {
        term *= 0.5
        halvings -= 1
      }
    }
    while halvings > 0, term > 0 {
      term *= 0.5
      halvings -= 1
    }
    // The others by their ratios.
    var (sum, k) = (term, Double(few))
    while k > 0, term > sum * 1e-17 {
      term *= k / (n - k + 1)
      k -= 1
      sum += term
    }
    return min(1, 2 * sum)
  }

  /// Such as `p 0.0312 (McNemar): 40 rows that the classifier alone has right, 22 that the probe has`.
  public var description: String {
    "p \(chance) (McNemar): \(onlyModel) rows that the classifier alone has right, \(onlyProbe) that the probe has"
  }

  /// The chance with two significant digits.
  var chance: String {
    guard p < 0.995 else { return "1" }
    var (power, scaled) = (0, p)
    while scaled < 1, power > -12 {
      scaled *= 10
      power -= 1
    }
    guard power >= -4 else { return "below 1e\(power + 1)" }
    return String(format: "%.\(1 - power)f", p)
  }
}
