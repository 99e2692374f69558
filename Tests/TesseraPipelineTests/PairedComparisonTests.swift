// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraPipeline

/// McNemar's test against scipy 1.16: `scipy.stats.binomtest(a, a + b).pvalue`.
@Suite struct PairedComparisonTests {
  @Test(arguments: [
    (0, 0, 1.0), (1, 0, 1.0), (0, 5, 0.0625), (3, 9, 0.14599609375), (162, 168, 0.7831807185495772),
    (40, 22, 0.030015864349067285), (300, 200, 8.940066542253288e-06), (5000, 5200, 0.04878796312682234),
    (700, 1000, 3.585261571938489e-13), (0, 2000, 0.0), (7, 7, 1.0),
  ])
  func theChanceIsScipys(_ a: Int, _ b: Int, _ wanted: Double) {
    for (one, other) in [(a, b), (b, a)] {
      let found = PairedComparison(onlyModel: one, onlyProbe: other).p
      #expect(abs(found - wanted) <= 1e-9 * wanted + 1e-300, "\(one), \(other): \(found)")
    }
  }

  /// Of few rows the distribution is summed by whole numbers.
  @Test func theChanceIsThatOfWholeNumbers() {
    for n in 0...40 {
      var row = [1]
      for _ in 0..<n { row = zip([0] + row, row + [0]).map { $0 + $1 } }
      for k in 0...n {
        let tail = row[...min(k, n - k)].reduce(0, +)
        let wanted = min(1, 2 * Double(tail) / Double(1 << n))
        let found = PairedComparison(onlyModel: k, onlyProbe: n - k).p
        #expect(abs(found - wanted) <= 1e-12 * wanted, "\(k) of \(n)")
      }
    }
  }

  @Test func rowsAreCountedWhereOneAloneIsRight() {
    let found = PairedComparison(model: [0, 1, 1, 0, 2], probe: [0, 0, 1, 1, 1], truth: [0, 1, 0, 1, 0])
    #expect(found == PairedComparison(onlyModel: 1, onlyProbe: 1))
    #expect(PairedComparison(model: [1, 1, 0], probe: [0, 0, 0], truth: [1, 1, 1]).onlyModel == 2)
  }

  @Test func chancesHaveTwoDigits() {
    for (a, b, wanted) in [
      (0, 0, "1"), (0, 5, "0.062"), (40, 22, "0.030"), (162, 168, "0.78"), (5000, 5200, "0.049"),
      (300, 200, "below 1e-5"), (0, 2000, "below 1e-11"), (60, 25, "0.00019"),
    ] {
      #expect(PairedComparison(onlyModel: a, onlyProbe: b).chance == wanted, "\(a), \(b)")
    }
  }

  @Test(arguments: [
    "{}", #"{"onlyModel": -1, "onlyProbe": 2}"#, #"{"onlyModel": 1}"#, "[1, 2]",
    #"{"onlyModel": 9223372036854775807, "onlyProbe": 9223372036854775806}"#,
  ])
  func brokenCountsAreRefused(_ text: String) {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(PairedComparison.self, from: Data(text.utf8))
    }
  }
}
