// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Axes by number, from the end where they are negative.
enum Axes {
  /// An axis, from 0.
  static func one(_ place: String, _ axis: Int, of shape: [Int]) throws -> Int {
    guard axis >= -shape.count, axis < shape.count else {
      throw TesseraError.failure(
        place, found: "axis \(axis) of \(shape)",
        wanted: shape.isEmpty ? "a variable with axes" : "\(-shape.count) to \(shape.count - 1)")
    }
    return axis < 0 ? axis + shape.count : axis
  }

  /// Axes in ascending order, each once; all where none are given.
  static func some(_ place: String, _ axes: [Int]?, of shape: [Int]) throws -> [Int] {
    guard let axes else { return Array(shape.indices) }
    let found = try axes.map { try one(place, $0, of: shape) }.sorted()
    guard Set(found).count == found.count else {
      throw TesseraError.failure(place, found: "axes \(axes)", wanted: "each once")
    }
    return found
  }

  /// All axes, two of them exchanged.
  static func exchanged(_ a: Int, _ b: Int, rank: Int) -> [Int] {
    var order = Array(0..<rank)
    order.swapAt(a, b)
    return order
  }

  /// The order that undoes one.
  static func inverse(_ order: [Int]) -> [Int] {
    var inverse = order
    for (place, axis) in order.enumerated() { inverse[axis] = place }
    return inverse
  }
}
