// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Features as points, whose coordinates are their values over some rows: in memory, or made again part by part
/// from rows that need not fit into memory.
///
///     rows of features (dims, count)      points (count, dims)
///       file, some rows at a time   -->     some coordinates of every point at a time
package struct FeaturePoints {
  /// The number of points.
  package let count: Int
  /// Coordinates of each point.
  package let dims: Int
  private enum Source {
    case memory([Float])
    case parts((Range<Int>) throws -> [Float])
  }
  private let source: Source

  /// Points in memory, row-major (count, dims).
  ///
  /// - Throws: `TesseraError` for another number of values, and for values that are not finite.
  package init(_ values: consuming [Float], count: Int, dims: Int) throws {
    guard count > 0, dims > 0, values.count % dims == 0, values.count / dims == count else {
      throw TesseraError.input(
        "points", found: "\(values.count) values", wanted: "\(count) points of \(dims) values, at least one")
    }
    try requireFinite("points", values, columns: dims)
    (self.count, self.dims, source) = (count, dims, .memory(values))
  }

  /// Points whose coordinates are made when they are wanted.
  ///
  /// - Parameter make: the coordinates of a range, row-major (count, range).
  package init(count: Int, dims: Int, making make: @escaping (Range<Int>) throws -> [Float]) {
    (self.count, self.dims, source) = (count, dims, .parts(make))
  }

  /// Whether all coordinates are in memory.
  package var isInMemory: Bool {
    if case .memory = source { true } else { false }
  }

  /// Some coordinates of all points, row-major (count, range).
  ///
  /// - Throws: `TesseraError` for values that are not finite.
  package func coordinates(_ range: Range<Int>) throws -> [Float] {
    switch source {
    case .memory(let values):
      guard range != 0..<dims else { return values }
      return [Float](unsafeUninitializedCapacity: count * range.count) { out, filled in
        for point in 0..<count {
          for at in range { out[point * range.count + at - range.lowerBound] = values[point * dims + at] }
        }
        filled = count * range.count
      }
    case .parts(let make):
      let values = try make(range)
      guard values.count == count * range.count else {
        throw TesseraError.failure(
          "points", found: "\(values.count) values", wanted: "\(count) points of \(range.count)")
      }
      try requireFinite("points", values, columns: range.count)
      return values
    }
  }
}
