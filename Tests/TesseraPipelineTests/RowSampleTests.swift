// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import Testing

@testable import TesseraPipeline

@Suite struct RowSampleTests {
  @Test func samplesAreReadAndCounted() throws {
    #expect(try RowSample("1%") == .share(0.01) && RowSample("200") == .count(200))
    #expect(try RowSample("100%").rows(of: 7) == 7 && RowSample("0.1%").rows(of: 50) == 1)
    #expect(try RowSample("200").rows(of: 50) == 50 && RowSample("1%").rows(of: 250) == 3)
    for text in ["", "0", "-1", "0%", "101%", "1.5", "nan%", "inf%", "%", "ten"] {
      #expect(throws: TesseraError.self, "\(text)") { try RowSample(text) }
    }
  }

  /// The chance that drawn rows hold no wrong one, counted out over all sets of rows.
  @Test func theChanceIsThatOfAllDraws() {
    for total in 1...9 {
      for drawn in 0...total {
        for wrong in 0...total {
          let sets = (0..<1 << total).filter { $0.nonzeroBitCount == drawn }
          let clean = sets.count { $0 & ((1 << wrong) - 1) == 0 }
          let expected = Double(clean) / Double(sets.count)
          let found = RowSample.chanceOfNone(drawn: drawn, total: total, wrong: wrong)
          #expect(abs(found - expected) < 1e-12, "\(drawn) of \(total), \(wrong) wrong")
        }
      }
    }
  }

  /// Every row, and every pair of rows, is drawn as often as any other.
  @Test func everyRowIsDrawnAsOften() throws {
    let (trials, total, drawn) = (4000, 10, 3)
    var rows = [Int](repeating: 0, count: total), pairs = 0
    for seed in 0..<trials {
      let found = try RowSample.count(drawn).drawn(of: total, seed: UInt64(seed), stream: 2)
      #expect(Set(found).count == drawn && found == found.sorted())
      for row in found { rows[row] += 1 }
      if found.contains(0), found.contains(7) { pairs += 1 }
    }
    let mean = Double(trials * drawn) / Double(total)
    for count in rows { #expect(abs(Double(count) - mean) < 5 * (mean * 0.7).squareRoot()) }
    let both = Double(trials) * 3 / 10 * 2 / 9
    #expect(abs(Double(pairs) - both) < 5 * both.squareRoot())
    let one = try RowSample.count(drawn).drawn(of: 1000, seed: 1, stream: 2)
    #expect(try one == RowSample.count(drawn).drawn(of: 1000, seed: 1, stream: 2))
    #expect(try one != RowSample.count(drawn).drawn(of: 1000, seed: 1, stream: 3))
  }
}
