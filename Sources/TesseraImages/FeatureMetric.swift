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
  func squaredDistances(_ points: consuming [Float], count: Int, dims: Int, on device: any Backend) throws
    -> Tensor
  {
    let distances = try device.allocate([count, count], .float32)
    do {
      let x = try upload(consume points, count: count, dims: dims, to: device)
      try device.squaredDistances(x, points: count, dims: dims + padding, into: distances)
    }
    try finish(distances, on: device)
    return distances
  }

  /// The nearest neighbours of each point by the same squared distances, which are made block by block:
  /// `nearest` and `neighbours` are (count, k).
  func nearestNeighbours(
    _ points: consuming [Float], count: Int, dims: Int, nearest: Tensor, neighbours: Tensor,
    on device: any Backend
  ) throws {
    let x = try upload(consume points, count: count, dims: dims, to: device)
    try device.nearestNeighbours(
      of: x, points: count, dims: dims + padding, nearest: nearest, neighbours: neighbours
    ) { try finish($0, on: device) }
  }

  /// The prepared points on a device.
  private func upload(_ points: consuming [Float], count: Int, dims: Int, to device: any Backend) throws
    -> Tensor
  {
    let values = prepared(points, count: count, dims: dims)
    // The host's copy is the largest thing in memory here.
    _ = consume points
    return try device.tensor(values, [count, dims + padding])
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

  /// Unit vectors, centred first for the correlations; points without direction get one that is orthogonal
  /// to all others.
  private func prepared(_ points: [Float], count: Int, dims: Int) -> [Float] {
    guard self != .euclidean else { return points }
    let width = dims + padding
    return [Float](unsafeUninitializedCapacity: count * width) { out, filled in
      for point in 0..<count {
        let values = points[point * dims..<(point + 1) * dims]
        let mean = self == .cosine ? 0 : values.reduce(0.0) { $0 + Double($1) } / Double(max(1, dims))
        let norm = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }.squareRoot()
        // Of a constant, rounding would be left.
        let isDirected = self == .cosine ? norm > 0 : values.contains { $0 != values[values.startIndex] }
        for (at, value) in values.enumerated() {
          out[point * width + at] = isDirected ? Float((Double(value) - mean) / norm) : 0
        }
        out[point * width + dims] = isDirected ? 0 : 1
      }
      filled = count * width
    }
  }
}
