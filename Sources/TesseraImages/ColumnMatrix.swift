// SPDX-License-Identifier: Apache-2.0
/// A tall matrix in Double, column by column: sums run down the columns in order.
struct ColumnMatrix {
  private(set) var values: [Double]
  let rows: Int, columns: Int

  init(rows: Int, columns: Int) {
    (self.rows, self.columns) = (rows, columns)
    values = [Double](repeating: 0, count: rows * columns)
  }

  /// From row-major floats.
  init(_ floats: [Float], rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns)
    for row in 0..<rows {
      for column in 0..<columns { values[column * rows + row] = Double(floats[row * columns + column]) }
    }
  }

  subscript(row: Int, column: Int) -> Double { values[column * rows + row] }

  /// Row-major floats.
  var floats: [Float] {
    (0..<rows).flatMap { row in (0..<columns).map { Float(values[$0 * rows + row]) } }
  }

  /// All columns' products with each other, row-major (columns, columns).
  var gram: [Double] {
    var out = [Double](repeating: 0, count: columns * columns)
    values.withUnsafeBufferPointer { v in
      for a in 0..<columns {
        for b in a..<columns {
          var sum = 0.0
          for row in 0..<rows { sum += v[a * rows + row] * v[b * rows + row] }
          out[a * columns + b] = sum
          out[b * columns + a] = sum
        }
      }
    }
    return out
  }

  /// The first columns of the product with a row-major (columns, columns) matrix; 0 for those that are not
  /// there.
  func times(_ matrix: [Double], first count: Int) -> ColumnMatrix {
    var out = ColumnMatrix(rows: rows, columns: count)
    let (rows, columns) = (rows, columns)
    out.values.withUnsafeMutableBufferPointer { y in
      values.withUnsafeBufferPointer { x in
        for target in 0..<min(count, columns) {
          for source in 0..<columns {
            let factor = matrix[source * columns + target]
            for row in 0..<rows { y[target * rows + row] += factor * x[source * rows + row] }
          }
        }
      }
    }
    return out
  }

  /// Turns columns so that the largest element by size (the first of equals) of the other's is positive.
  func signed(like other: ColumnMatrix) -> ColumnMatrix {
    var out = self
    for c in 0..<columns {
      var largest = 0.0
      for row in 0..<other.rows where abs(other[row, c]) > abs(largest) { largest = other[row, c] }
      if largest < 0 { for row in 0..<rows { out.values[c * rows + row].negate() } }
    }
    return out
  }

  /// Makes columns orthonormal from the left (modified Gram-Schmidt, twice); what depends on those before
  /// becomes 0.
  mutating func orthonormalize() {
    let (rows, columns) = (rows, columns)
    values.withUnsafeMutableBufferPointer { v in
      func dot(_ a: Int, _ b: Int) -> Double {
        var sum = 0.0
        for row in 0..<rows { sum += v[a * rows + row] * v[b * rows + row] }
        return sum
      }
      for c in 0..<columns {
        let before = dot(c, c).squareRoot()
        for d in 0..<2 * c {
          let earlier = d % c
          let share = dot(earlier, c)
          for row in 0..<rows { v[c * rows + row] -= share * v[earlier * rows + row] }
        }
        let norm = dot(c, c).squareRoot()
        let factor = norm > 1e-12 * before ? 1 / norm : 0
        for row in 0..<rows { v[c * rows + row] *= factor }
      }
    }
  }

  /// The larger distance of the first columns, of unit length, to the other's or their negatives.
  func distance(to other: ColumnMatrix, columns: Int) -> Double {
    (0..<columns).reduce(0.0) { worst, c in
      var (minus, plus) = (0.0, 0.0)
      for row in 0..<rows {
        let (a, b) = (self[row, c], other[row, c])
        minus += (a - b) * (a - b)
        plus += (a + b) * (a + b)
      }
      return max(worst, min(minus, plus).squareRoot())
    }
  }
}
