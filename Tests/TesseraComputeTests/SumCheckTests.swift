// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute
@testable import TesseraVerification

/// Reductions on data with structure stay within four times the error of numpy's pairwise float32.
@Suite struct SumCheckTests {
  @Test func reductionsOnStructuredDataAreAsExactAsPairwiseSums() throws {
    let results = try SumCheck.run(on: CPUBackend())
    #expect(results.count == SumCheck.count)
    for result in results { #expect(result.holds, "\(result.line)") }
  }

  /// The pairwise sum that results are held against is numpy's own (tools/golden/sums.py).
  @Test func pairwiseSumsAreNumpys() throws {
    struct Sum: Decodable { let data: String, count: Int, sum: UInt32 }
    let sums = try Golden(.module).json("sums.json", as: [Sum].self)
    #expect(sums.count == 5 * StructuredInputs.allCases.count)
    for wanted in sums {
      let kind = try #require(StructuredInputs(rawValue: wanted.data))
      #expect(SumCheck.pairwise(kind.floats(wanted.count)).bitPattern == wanted.sum, "\(wanted)")
    }
  }
}
