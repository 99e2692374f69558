// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraImages

@Suite struct ConvexHullTests {
  private func points(_ count: Int, _ seed: UInt64) -> [Point] {
    let values = drawn(seed, 2 * count)
    return (0..<count).map { Point(x: Double(values[2 * $0]), y: Double(values[2 * $0 + 1]) * 0.3) }
  }

  private func area(_ points: [Point], _ angle: Double) -> Double {
    Rectangle(around: points, axis: Point(x: cos(angle), y: sin(angle))).area
  }

  @Test(arguments: [3, 4, 5, 17, 400]) func allPointsLieLeftOfEveryEdge(_ count: Int) {
    for seed in UInt64(1)...20 {
      let all = points(count, seed)
      let hull = convexHull(all)
      #expect(hull.count >= 3 && Set(hull.map { [$0.x, $0.y] }).isSubset(of: all.map { [$0.x, $0.y] }))
      for (i, a) in hull.enumerated() {
        let b = hull[(i + 1) % hull.count]
        for p in all { #expect((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x) > -1e-12) }
      }
    }
  }

  @Test(arguments: [3, 4, 6, 50]) func noDirectionHasASmallerRectangle(_ count: Int) {
    for seed in UInt64(1)...20 {
      let all = points(count, seed)
      let found = Rectangle.smallest(around: convexHull(all))
      let sampled = (0..<4000).map { area(all, Double($0) * .pi / 4000) }.min() ?? 0
      #expect(found.area <= sampled * (1 + 1e-12))
      #expect(found.area == Rectangle(around: convexHull(all), axis: found.axis).area)
      for p in all {
        let place = found.place(p)
        #expect(place.x > -1e-9 && place.x < 1 + 1e-9 && place.y > -1e-9 && place.y < 1 + 1e-9)
      }
    }
  }

  /// The search of the paper's code leaves out the edge from the last hull point to the first.
  @Test func theClosingEdgeCounts() {
    // A right triangle whose smallest rectangles lie along its legs; turned so that a leg closes the hull.
    for turn in 0..<36 {
      let angle = Double(turn) * .pi / 18
      let triangle = [(0.0, 0.0), (4, 0), (0, 1)].map {
        Point(x: $0.0 * cos(angle) - $0.1 * sin(angle), y: $0.0 * sin(angle) + $0.1 * cos(angle))
      }
      #expect(abs(Rectangle.smallest(around: convexHull(triangle)).area - 4) < 1e-9)
    }
    let square = [(0.0, 0.0), (1, 1), (2, 0), (1, -1)].map { Point(x: $0.0, y: $0.1) }
    #expect(abs(Rectangle.smallest(around: convexHull(square)).area - 2) < 1e-12)
  }

  @Test func degenerateSetsHaveARectangle() {
    #expect(convexHull([]).isEmpty)
    #expect(Rectangle.smallest(around: []).area == 0)
    let one = [Point](repeating: Point(x: 2, y: 3), count: 5)
    #expect(convexHull(one) == [Point(x: 2, y: 3)])
    #expect(Rectangle.smallest(around: convexHull(one)).place(one[0]) == Point(x: 0, y: 0))
    let line = (0..<9).map { Point(x: Double($0), y: Double($0)) }
    #expect(convexHull(line).count == 2)
    #expect(Rectangle.smallest(around: convexHull(line)).area < 1e-9)
  }
}
