// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraImages

@Suite struct PixelLayoutTests {
  @Test func binsRoundDownAndTheTopEdgeGoesIntoTheLast() throws {
    // A 10 x 5 rectangle with points at its corners and inside.
    let x: [Float] = [0, 10, 0, 10, 2.4, 2.6, 9.99]
    let y: [Float] = [0, 0, 5, 5, 1.2, 1.3, 4.9]
    let layout = try PixelLayout(x + y, pixels: 4)
    let bins = Set(layout.pixelOfFeature[0..<4])
    #expect(bins == [0, 3, 12, 15])
    #expect(layout.pixelOfFeature[4] != layout.pixelOfFeature[5])
    #expect(layout.pixelOfFeature[6] == layout.pixelOfFeature[3])
  }

  @Test func turningTheLayoutMovesNoFeatureToAnotherNeighbour() throws {
    let values = drawn(9, 2 * 200)
    let layout = try PixelLayout(values, pixels: 20)
    #expect(layout.pixelOfFeature.allSatisfy { $0 >= 0 && $0 < 400 })
    #expect(
      Set(layout.pixelOfFeature.map { $0 % 20 }).contains(19)
        && Set(layout.pixelOfFeature.map { $0 / 20 }).contains(19))
    #expect(try PixelLayout(values, pixels: 1).pixelOfFeature.allSatisfy { $0 == 0 })
  }

  @Test func featuresOfAPixelAreAveragedAndEmptyPixelsAreZero() throws {
    let layout = try PixelLayout(pixels: 2, pixelOfFeature: [3, 0, 3, 3])
    let images = try layout.render([0.25, 1, 0.5, 0.75, 0, 0.5, 0, 1], count: 2)
    #expect(images == [1, 0, 0, 0.5, 0.5, 0, 0, Float(1) / 3])
    #expect(throws: TesseraError.self) { try layout.render([1, 2, 3], count: 1) }
    #expect(throws: TesseraError.self) { try PixelLayout(pixels: 2, pixelOfFeature: [4]) }
    #expect(throws: TesseraError.self) { try PixelLayout(pixels: 0, pixelOfFeature: []) }
  }

  @Test func featuresComeBackOutOfImages() throws {
    let layout = try PixelLayout(pixels: 2, pixelOfFeature: [3, 0, 1])
    let rows: [Float] = [0.25, 1, 0.5, 0, 0.125, 0.75]
    #expect(try layout.features(of: try layout.render(rows, count: 2), count: 2) == rows)
    #expect(layout.density == [1, 1, 0, 1])
    #expect(throws: TesseraError.self) { try layout.features(of: [1, 2, 3], count: 1) }
  }

  @Test func theGridCanFollowTheNumberOfFeatures() throws {
    #expect([1, 4, 5, 2304, 4608].map { PixelLayout.side(for: $0) } == [1, 2, 3, 48, 68])
    #expect(try PixelLayout(drawn(9, 2 * 200), pixels: 0, by: .lsa).pixels == 15)
  }

  @Test func collisionsAreCounted() throws {
    let report = try PixelLayout(pixels: 3, pixelOfFeature: [3, 0, 3, 3, 8, 8]).collisions
    #expect(report.features == 6 && report.occupied == 3 && report.alone == 1 && report.most == 3)
    #expect(report.pixelsByFeatures == [6, 1, 1, 1])
    #expect(report.description == "6 features on 3 of 9 pixels: 1 alone, 2.0 a pixel on average, 3 at most")
  }
}
