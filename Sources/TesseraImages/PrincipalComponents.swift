// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Points on their first two principal components, as scikit-learn's `PCA(2).fit_transform`: centred, and
/// each component turned so that its loading of the largest size is positive.
///
/// Subspace iteration with Rayleigh-Ritz (Rutishauser 1970) on a block of directions: two products with the
/// points an iteration, on the device; everything small in Double on the host. The directions beyond the
/// second are there because convergence goes by the gap to the first that is left out.
///
///     Q (count, block) orthonormal -> B = X' Q -> Z = X B -> eigenvectors R of B'B -> Q = orthonormal(Z R)
public struct PrincipalComponents: Sendable {
  /// All first coordinates, then all second ones.
  public let coordinates: [Float]
  /// Shares of the variance that the two explain.
  public let shares: [Double]
  /// Iterations that were run.
  public let iterations: Int

  private static let block = 32
  /// Enough for a tenth between the second variance and that of the first direction left out; where they
  /// are closer, what was reached stands.
  private static let mostIterations = 150
  /// The movement of both components in an iteration at which it ends.
  private static let tolerance = 2e-6
  /// The share of the first variance below which another is rounding.
  private static let rounding = 1e-12
  private static let startStream: UInt64 = (1 << 61) + 1

  /// Finds those of points, all of whose coordinates are then in memory.
  package init(of points: FeaturePoints, on device: any Backend) throws {
    try self.init(
      points.coordinates(0..<points.dims), count: points.count, dims: points.dims, on: device)
  }

  /// Finds them.
  ///
  /// - Parameters:
  ///   - points: row-major (count, dims).
  ///   - count: the number of points.
  ///   - dims: values of each point.
  ///   - device: the device that computes the products.
  /// - Throws: `TesseraError` if all points are equal, for another number of values, and for values that
  ///   are not finite.
  public init(_ points: [Float], count: Int, dims: Int, on device: any Backend) throws {
    guard count > 0, dims > 0, points.count % dims == 0, points.count / dims == count else {
      throw TesseraError.input(
        "pca", found: "\(points.count) values", wanted: "\(count) features of \(dims) values, at least one")
    }
    try requireFinite("pca", points, columns: dims)
    let (centred, variance) = Self.centred(points, count: count, dims: dims)
    guard variance > 0 else {
      throw TesseraError.input(
        "pca", found: "\(count) features that do not differ", wanted: "features that do")
    }
    let k = min(Self.block, count, dims)
    let x = try device.tensor(centred, [count, dims])
    let (small, large) = (
      try device.allocate([dims, k], .float32), try device.allocate([count, k], .float32)
    )
    let start = try device.allocate([count, k], .float32)
    try device.randomNormal(
      RandomStream(seed: 0, stream: Self.startStream), mean: 0, deviation: 1, into: start)
    var q = ColumnMatrix(try device.floats(start), rows: count, columns: k)
    q.orthonormalize()
    var known = ColumnMatrix(rows: count, columns: 2)
    var (scores, values, done) = (ColumnMatrix(rows: count, columns: 2), [0.0, 0], 0)
    for iteration in 1...Self.mostIterations {
      let tensor = try device.tensor(q.floats, [count, k])
      try device.matmul(
        Matmul(m: dims, n: k, k: count, transposeA: true), x, tensor, bias: nil, into: small)
      try device.matmul(Matmul(m: count, n: k, k: dims), x, small, bias: nil, into: large)
      let b = ColumnMatrix(try device.floats(small), rows: dims, columns: k)
      let eigen = SymmetricEigen(b.gram, size: k)
      let products = ColumnMatrix(try device.floats(large), rows: count, columns: k)
      let vectors = q.times(eigen.vectors, first: 2)
      values = eigen.values
      let significant = k > 1 && values[1] > Self.rounding * values[0] ? 2 : 1
      let moved = vectors.distance(to: known, columns: significant)
      (known, done) = (vectors, iteration)
      if moved < Self.tolerance || iteration == Self.mostIterations {
        scores = products.times(eigen.vectors, first: 2).signed(like: b.times(eigen.vectors, first: 2))
        break
      }
      q = products.times(eigen.vectors, first: k)
      q.orthonormalize()
    }
    // X v = Z r / sqrt(value), v being the unit loadings.
    coordinates = (0..<2).flatMap { c -> [Float] in
      let value = c < k ? values[c] : 0
      return (0..<count).map {
        value > Self.rounding * values[0] ? Float(scores[$0, c] / value.squareRoot()) : 0
      }
    }
    shares = (0..<2).map { $0 < k ? max(0, values[$0]) / variance : 0 }
    iterations = done
  }

  /// The points less their mean, and the sum of squares that is left.
  private static func centred(_ points: [Float], count: Int, dims: Int) -> ([Float], Double) {
    var mean = [Double](repeating: 0, count: dims)
    for point in 0..<count {
      for d in 0..<dims { mean[d] += Double(points[point * dims + d]) }
    }
    for d in 0..<dims { mean[d] /= Double(count) }
    var squares = 0.0
    let out = [Float](unsafeUninitializedCapacity: count * dims) { out, filled in
      for point in 0..<count {
        for d in 0..<dims {
          let value = Double(points[point * dims + d]) - mean[d]
          out[point * dims + d] = Float(value)
          squares += value * value
        }
      }
      filled = count * dims
    }
    return (out, squares)
  }
}
