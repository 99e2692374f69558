// SPDX-License-Identifier: Apache-2.0
/// A point of the plane.
package struct Point: Sendable, Equatable {
  /// Coordinates.
  package var x: Double, y: Double

  /// A point.
  package init(x: Double, y: Double) {
    self.x = x
    self.y = y
  }
}

/// The convex hull, counter-clockwise from the lowest of the leftmost points, without points on its edges
/// (Andrew 1979).
package func convexHull(_ points: [Point]) -> [Point] {
  let sorted = points.sorted { ($0.x, $0.y) < ($1.x, $1.y) }
  var unique: [Point] = []
  for point in sorted where point != unique.last { unique.append(point) }
  guard unique.count > 2 else { return unique }
  func chain(_ points: some Sequence<Point>) -> [Point] {
    var hull: [Point] = []
    for p in points {
      while hull.count >= 2, turn(hull[hull.count - 2], hull[hull.count - 1], p) <= 0 { hull.removeLast() }
      hull.append(p)
    }
    return hull.dropLast()
  }
  return chain(unique) + chain(unique.reversed())
}

private func turn(_ a: Point, _ b: Point, _ c: Point) -> Double {
  (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

/// A rectangle in any direction: a point's place in it is (u, v) in [0, 1].
package struct Rectangle: Sendable, Equatable {
  /// Unit vector of the first side.
  package let axis: Point
  /// Smallest coordinates along the sides, and the sides' lengths.
  package let low: Point, size: Point

  /// Width times height.
  package var area: Double { size.x * size.y }

  /// The four corners, one after the other around it.
  package var corners: [Point] {
    [(0.0, 0.0), (1, 0), (1, 1), (0, 1)].map { share in
      let (u, v) = (low.x + share.0 * size.x, low.y + share.1 * size.y)
      return Point(x: u * axis.x - v * axis.y, y: u * axis.y + v * axis.x)
    }
  }

  /// The bounding rectangle with a side along `axis`.
  init(around hull: [Point], axis: Point) {
    let u = hull.map { $0.x * axis.x + $0.y * axis.y }
    let v = hull.map { $0.y * axis.x - $0.x * axis.y }
    low = Point(x: u.min() ?? 0, y: v.min() ?? 0)
    size = Point(x: (u.max() ?? 0) - low.x, y: (v.max() ?? 0) - low.y)
    self.axis = axis
  }

  /// The smallest bounding rectangle: one of its sides lies along an edge of the hull, the closing edge among
  /// them (Freeman and Shapira 1975). Of equal areas the first edge's is taken.
  package static func smallest(around hull: [Point]) -> Rectangle {
    var best = Rectangle(around: hull, axis: Point(x: 1, y: 0))
    guard hull.count > 1 else { return best }
    var found = false
    for index in hull.indices {
      let (a, b) = (hull[index], hull[(index + 1) % hull.count])
      let (dx, dy) = (b.x - a.x, b.y - a.y)
      let length = (dx * dx + dy * dy).squareRoot()
      guard length > 0 else { continue }
      let candidate = Rectangle(around: hull, axis: Point(x: dx / length, y: dy / length))
      if !found || candidate.area < best.area { best = candidate }
      found = true
    }
    return best
  }

  /// A point's place, each coordinate in [0, 1] for points inside; 0 along a side of length 0.
  func place(_ p: Point) -> Point {
    let u = p.x * axis.x + p.y * axis.y - low.x
    let v = p.y * axis.x - p.x * axis.y - low.y
    return Point(x: size.x > 0 ? u / size.x : 0, y: size.y > 0 ? v / size.y : 0)
  }
}
