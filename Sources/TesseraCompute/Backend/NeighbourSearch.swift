// SPDX-License-Identifier: Apache-2.0
extension Backend {
  /// The nearest neighbours of points by distances that are made a block at a time: 32 MiB of them, however
  /// many points there are.
  ///
  /// - Parameters:
  ///   - x: (points, dims).
  ///   - points: how many points there are.
  ///   - dims: values of each point.
  ///   - wanted: the points whose neighbours are sought; nil: all.
  ///   - nearest: gets the distances, ascending (points, k).
  ///   - neighbours: gets the points at these distances, integers (points, k).
  ///   - finish: makes distances of another metric of a block of squared Euclidean ones, in place.
  public func nearestNeighbours(
    of x: Tensor, points: Int, dims: Int, rows wanted: Range<Int>? = nil, nearest: Tensor, neighbours: Tensor,
    finish: (Tensor) throws -> Void = { _ in }
  ) throws {
    try requireExtents("nearestNeighbours", points, dims)
    for rows in (wanted ?? 0..<points).blocks(of: NeighbourBlock.rows) {
      for columns in (0..<points).blocks(of: NeighbourBlock.columns) {
        let distances = try allocate([rows.count, columns.count], .float32)
        try squaredDistances(x, rows: rows, columns: columns, points: points, dims: dims, into: distances)
        try finish(distances)
        try nearestNeighbours(
          distances, rows: rows, columns: columns, fresh: columns.lowerBound == 0, nearest: nearest,
          neighbours: neighbours)
      }
    }
  }
}

/// Distances at once: rows enough for every core of a GPU to have some, columns enough for few launches.
package enum NeighbourBlock {
  package static let rows = 4096, columns = 2048
}

extension Range<Int> {
  /// The range in parts of `size`, the last of them smaller.
  fileprivate func blocks(of size: Int) -> [Range<Int>] {
    stride(from: lowerBound, to: upperBound, by: size).map { $0..<Swift.min(upperBound, $0 + size) }
  }
}
