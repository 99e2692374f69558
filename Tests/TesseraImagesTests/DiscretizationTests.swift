// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraImages

/// Against pyDeepInsight, scikit-learn and scipy (tools/golden/layout.py).
@Suite struct DiscretizationTests {
  private struct Wanted: Decodable {
    let side: Int
    /// Row and column of each place.
    let bin: [[Int32]], qtb: [[Int32]]
    /// The least sum of squared distances, in pixels.
    let lsa: Double
  }

  private let wanted = Result { try Golden(.module).json("discretization.json", as: [Wanted].self) }

  /// The places of a case: in the unit square, its edges touched, some equal.
  private func places(_ index: Int) -> [Point] {
    let values = drawn(UInt64(20 + index), 2 * 150, 0, 1).map { Double(($0 * 64).rounded() / 64) }
    let inner = (0..<150).map { Point(x: values[2 * $0], y: values[2 * $0 + 1] * values[2 * $0 + 1]) }
    return inner + [Point(x: 0, y: 0), Point(x: 1, y: 1)]
  }

  private func cost(_ pixels: [Int32], _ places: [Point], _ side: Int) -> Double {
    zip(pixels, places).reduce(0) { sum, pair in
      let (pixel, place) = (Int(pair.0), pair.1)
      let dx = place.x * Double(side) - Double(pixel % side) - 0.5
      let dy = place.y * Double(side) - Double(pixel / side) - 0.5
      return sum + dx * dx + dy * dy
    }
  }

  @Test(arguments: 0..<3) func binsAndQuantilesArePyDeepInsights(_ index: Int) throws {
    let wanted = try wanted.get()[index]
    for (method, expected) in [(Discretization.bin, wanted.bin), (.qtb, wanted.qtb)] {
      let side = Int32(wanted.side)
      let pixels = try method.pixels(of: places(index), side: wanted.side)
      #expect(pixels == expected.map { $0[0] * side + $0[1] }, "\(method)")
    }
  }

  @Test(arguments: 0..<3) func theAssignmentIsAsCheapAsScipys(_ index: Int) throws {
    let wanted = try wanted.get()[index]
    let pixels = try Discretization.lsa.pixels(of: places(index), side: wanted.side)
    #expect(Set(pixels).count == pixels.count)
    let found = cost(pixels, places(index), wanted.side)
    #expect(abs(found - wanted.lsa) < 1e-6 * wanted.lsa)
  }

  @Test func theAssignmentOfFourPointsIsTheBestOfAll() throws {
    for seed in 0..<20 {
      let values = drawn(UInt64(200 + seed), 8, 0, 1).map(Double.init)
      let places = (0..<4).map { Point(x: values[2 * $0], y: values[2 * $0 + 1]) }
      var best = Double.infinity
      for code in 0..<(9 * 9 * 9 * 9) {
        let pixels = [code % 9, code / 9 % 9, code / 81 % 9, code / 729].map { Int32($0) }
        if Set(pixels).count == 4 { best = min(best, cost(pixels, places, 3)) }
      }
      let found = cost(try Assignment.pixels(of: places, side: 3), places, 3)
      #expect(abs(found - best) < 1e-3, "seed \(seed)")
    }
  }

  @Test func equalPlacesGetPixelsOfTheirOwn() throws {
    let places = [Point](repeating: Point(x: 0.5, y: 0.5), count: 25)
    #expect(Set(try Assignment.pixels(of: places, side: 5)) == Set(0..<25))
    #expect(try Assignment.pixels(of: [], side: 5).isEmpty)
    #expect(throws: TesseraError.self) { try Assignment.pixels(of: places, side: 4) }
  }
}
