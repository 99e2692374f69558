// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraImages

/// From places in the plane to images, against pyDeepInsight's ImageTransformer (tools/golden/layout.py).
@Suite struct RenderingTests {
  private struct Wanted: Decodable {
    let discretization: String, seed: UInt64, side: Int, images: [Float]
  }

  /// The pixel of (row, column) in one of the eight turns and mirrorings of a square: of the smallest
  /// rectangle, neither side comes first.
  private static func turned(_ row: Int, _ column: Int, _ side: Int, _ turn: Int) -> Int {
    let (a, b) = turn & 1 == 0 ? (row, column) : (column, row)
    let (y, x) = (turn & 2 == 0 ? a : side - 1 - a, turn & 4 == 0 ? b : side - 1 - b)
    return y * side + x
  }

  @Test(arguments: 0..<3) func imagesArePyDeepInsights(_ index: Int) throws {
    let wanted = try Golden(.module).json("rendering.json", as: [Wanted].self)[index]
    let (side, features) = (wanted.side, 60)
    // The first four are the corners of the rectangle.
    let places = [-1, -1, 1, -1, -1, 1, 1, 1] + drawn(wanted.seed, 2 * features).dropFirst(8)
    let coordinates = (0..<features).map { places[2 * $0] * 3 } + (0..<features).map { places[2 * $0 + 1] }
    let method = try #require(Discretization(rawValue: wanted.discretization))
    let layout = try PixelLayout(coordinates, pixels: side, by: method)
    let images = try layout.render(drawn(wanted.seed + 500, 2 * features, 0, 1), count: 2)
    let differences = (0..<8).map { turn -> Float in
      let found = (0..<2).flatMap { image in
        (0..<side * side).map {
          images[image * side * side + Self.turned($0 / side, $0 % side, side, turn)]
        }
      }
      return largestDifference(found, wanted.images).value
    }
    #expect(differences.contains { $0 < 1e-6 }, "\(wanted.discretization) \(differences)")
  }
}
