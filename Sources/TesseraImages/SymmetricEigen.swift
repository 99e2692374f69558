// SPDX-License-Identifier: Apache-2.0
/// Eigenvalues and eigenvectors of a small symmetric matrix by Jacobi's rotations (cyclic by rows), in
/// Double and in a fixed order.
struct SymmetricEigen {
  /// Descending.
  let values: [Double]
  /// Column i, of unit length, belongs to value i: element (row, i) at row * size + i.
  let vectors: [Double]

  /// - Parameter matrix: row-major (size, size); the upper triangle counts.
  init(_ matrix: [Double], size n: Int) {
    var a = matrix
    for row in 0..<n {
      for column in 0..<row { a[row * n + column] = a[column * n + row] }
    }
    var v = [Double](repeating: 0, count: n * n)
    for i in 0..<n { v[i * n + i] = 1 }
    // Convergence is quadratic: ten sweeps are plenty for Double.
    for _ in 0..<30 {
      var rotated = false
      for p in 0..<n {
        for q in p + 1..<max(p + 1, n) {
          let (app, aqq, apq) = (a[p * n + p], a[q * n + q], a[p * n + q])
          guard abs(apq) > 1e-17 * (abs(app) + abs(aqq)) else { continue }
          rotated = true
          Self.rotate(&a, &v, n, p, q, Self.rotation(app, aqq, apq))
        }
      }
      if !rotated { break }
    }
    let order = (0..<n).sorted { (a[$1 * n + $1], $0) < (a[$0 * n + $0], $1) }
    values = order.map { a[$0 * n + $0] }
    vectors = (0..<n).flatMap { row in order.map { v[row * n + $0] } }
  }

  /// Cosine and sine of the rotation that makes element (p, q) zero.
  private static func rotation(_ app: Double, _ aqq: Double, _ apq: Double) -> (c: Double, s: Double) {
    let theta = (aqq - app) / (2 * apq)
    // For huge theta its square would be infinite; 1 / (2 theta) is then exact enough.
    let t =
      abs(theta) > 1e150
      ? 1 / (2 * theta) : (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
    let c = 1 / (t * t + 1).squareRoot()
    return (c, t * c)
  }

  private static func rotate(
    _ a: inout [Double], _ v: inout [Double], _ n: Int, _ p: Int, _ q: Int, _ r: (c: Double, s: Double)
  ) {
    for k in 0..<n {
      let (x, y) = (a[k * n + p], a[k * n + q])
      (a[k * n + p], a[k * n + q]) = (r.c * x - r.s * y, r.s * x + r.c * y)
    }
    for k in 0..<n {
      let (x, y) = (a[p * n + k], a[q * n + k])
      (a[p * n + k], a[q * n + k]) = (r.c * x - r.s * y, r.s * x + r.c * y)
    }
    for k in 0..<n {
      let (x, y) = (v[k * n + p], v[k * n + q])
      (v[k * n + p], v[k * n + q]) = (r.c * x - r.s * y, r.s * x + r.c * y)
    }
  }
}
