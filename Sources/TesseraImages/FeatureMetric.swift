// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How far apart two features are for t-SNE. A feature is a point whose coordinates are its values over the
/// rows.
public enum FeatureMetric: String, NamedOption {
  /// The length of the difference.
  case euclidean
  /// 1 - cosine of the angle.
  case cosine
  /// 1 - Pearson's correlation r.
  case correlation
  /// 1 - |r|: features that say the same with opposite signs are neighbours too.
  case absoluteCorrelation = "absolute-correlation"

  /// Squared distances (count, count), from which t-SNE's affinities are made. As in scikit-learn a
  /// distance of 1 - cos is squared like any other.
  ///
  /// Points without direction (zero, or constant under the correlations) are at distance 1 from all that
  /// have one and 0 from each other.
  ///
  /// Of points whose coordinates are made part by part, no more than a chunk of them is there at a time: the sums of
  /// chunks (rule 4 of NUMERICS.md) are added up in their order, to the same bits.
  func squaredDistances(_ points: consuming FeaturePoints, on device: any Backend) throws -> Tensor {
    let count = points.count
    let distances = try device.allocate([count, count], .float32)
    let width = points.dims + padding
    let directions = try directions(points)
    if points.isInMemory {
      let values = try prepared(points, 0..<width, directions)
      // The host's copy is the largest thing in memory here.
      _ = consume points
      let x = try device.tensor(values, [count, width])
      try device.squaredDistances(x, points: count, dims: width, into: distances)
    } else {
      let part = try device.allocate([count, count], .float32)
      for begin in stride(from: 0, to: width, by: Self.chunk) {
        let range = begin..<min(width, begin + Self.chunk)
        let x = try device.tensor(prepared(points, range, directions), [count, range.count])
        try device.squaredDistances(x, points: count, dims: range.count, into: begin == 0 ? distances : part)
        if begin > 0 { try device.binary(.add, distances, part, into: distances) }
      }
    }
    try finish(distances, on: device)
    return distances
  }

  /// The nearest neighbours of each point by the same squared distances, which are made block by block:
  /// `nearest` and `neighbours` are (count, k). All coordinates are on the device.
  func nearestNeighbours(
    _ points: consuming FeaturePoints, nearest: Tensor, neighbours: Tensor, on device: any Backend
  ) throws {
    let (count, width) = (points.count, points.dims + padding)
    let values = try prepared(points, 0..<width, try directions(points))
    _ = consume points
    let x = try device.tensor(values, [count, width])
    try device.nearestNeighbours(
      of: x, points: count, dims: width, nearest: nearest, neighbours: neighbours
    ) { try finish($0, on: device) }
  }

  /// Makes squared distances of this metric of squared Euclidean ones between prepared points, in place.
  private func finish(_ distances: Tensor, on device: any Backend) throws {
    guard self != .euclidean else { return }
    // Unit vectors: |a - b|^2 = 2 (1 - cos).
    try device.unary(.affine, distances, alpha: 0.5, beta: 0, into: distances)
    if self == .absoluteCorrelation {
      let opposite = try device.allocate(distances.shape, .float32)
      try device.unary(.affine, distances, alpha: -1, beta: 2, into: opposite)
      try device.binary(.minimum, distances, opposite, into: distances)
    }
    try device.unary(.square, distances, alpha: 0, beta: 0, into: distances)
  }

  /// Coordinates that are added, for points without direction.
  private var padding: Int { self == .euclidean ? 0 : 1 }

  /// Coordinates that are summed in one chain.
  private static let chunk = contractionChunk

  /// What makes a unit vector of each point: nothing for Euclidean distances.
  private struct Directions {
    var mean: [Double], norm: [Double], isDirected: [Bool]
  }

  /// Means (of the correlations), norms, and whether a point has a direction at all.
  private func directions(_ points: borrowing FeaturePoints) throws -> Directions? {
    guard self != .euclidean else { return nil }
    let (count, dims) = (points.count, points.dims)
    let step = points.isInMemory ? dims : Self.chunk
    var found = Directions(
      mean: [Double](repeating: 0, count: count), norm: [Double](repeating: 0, count: count),
      isDirected: [Bool](repeating: false, count: count))
    var first: [Float] = []
    func forEachCoordinate(_ body: (Int, Float) -> Void) throws {
      for begin in stride(from: 0, to: dims, by: step) {
        let range = begin..<min(dims, begin + step)
        let values = try points.coordinates(range)
        if first.isEmpty { first = (0..<count).map { values[$0 * range.count] } }
        for point in 0..<count {
          for at in 0..<range.count { body(point, values[point * range.count + at]) }
        }
      }
    }
    if self != .cosine {
      try forEachCoordinate { point, value in
        found.mean[point] += Double(value)
        // Of a constant, rounding would be left.
        if value != first[point] { found.isDirected[point] = true }
      }
      for point in 0..<count { found.mean[point] /= Double(max(1, dims)) }
    }
    try forEachCoordinate { point, value in
      let difference = Double(value) - found.mean[point]
      found.norm[point] += difference * difference
    }
    for point in 0..<count { found.norm[point] = found.norm[point].squareRoot() }
    if self == .cosine { found.isDirected = found.norm.map { $0 > 0 } }
    return found
  }

  /// Some coordinates of unit vectors, centred first for the correlations; points without direction get one, the
  /// last, that is orthogonal to all others.
  private func prepared(_ points: borrowing FeaturePoints, _ range: Range<Int>, _ directions: Directions?)
    throws
    -> [Float]
  {
    guard let directions else { return try points.coordinates(range) }
    let (count, dims) = (points.count, points.dims)
    let own = range.clamped(to: 0..<dims)
    let values = own.isEmpty ? [] : try points.coordinates(own)
    return [Float](unsafeUninitializedCapacity: count * range.count) { out, filled in
      for point in 0..<count {
        let (mean, norm) = (directions.mean[point], directions.norm[point])
        let isDirected = directions.isDirected[point]
        for at in 0..<own.count {
          out[point * range.count + at] =
            isDirected ? Float((Double(values[point * own.count + at]) - mean) / norm) : 0
        }
        if range.upperBound > dims { out[point * range.count + own.count] = isDirected ? 0 : 1 }
      }
      filled = count * range.count
    }
  }
}
