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
    guard onlyModel >= 0, onlyProbe >= 0, !onlyModel.addingReportingOverflow(onlyProbe).overflow else {
      throw DecodingError.dataCorruptedError(
        forKey: .onlyModel, in: values, debugDescription: "\(onlyModel) and \(onlyProbe) rows")
    }
  }

  /// The chance of so uneven a division of the rows, or a more uneven one, were both classifiers equally good:
  /// McNemar's test, two-sided, by the exact binomial distribution (McNemar 1947).
  public var p: Double {
    let few = min(onlyModel, onlyProbe)
    guard onlyModel != onlyProbe else { return 1 }
    let n = Double(onlyModel) + Double(onlyProbe)
    var k = Double(few)
    // The largest term by logarithms, the others by their ratios.
    let ways: Double = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    var term: Double = exp(ways - n * log(2.0))
    var sum = term
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
    let power = p > 0 ? max(-12, Int(log10(p).rounded(.down))) : -12
    guard power >= -4 else { return "below 1e\(power + 1)" }
    return String(format: "%.\(1 - power)f", p)
  }
}
