// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Joint probabilities of points with their nearest neighbours on the host: a sparse symmetric matrix by
/// rows, whose columns ascend. Made in a time that grows as the number of neighbours does.
struct JointNeighbours {
  private(set) var starts: [Int32] = [0]
  private(set) var columns: [Int32] = []
  private(set) var values: [Float] = []

  /// P = max((p + p') / sum, eps) where p or p' is there, from conditional probabilities p (points, k); eps
  /// and sum are those of the exact method, the sum a Double's in ascending order.
  init(_ neighbours: [Int32], conditional: [Float], points: Int) {
    let across = Rows(neighbours, conditional, points)
    // The other way round twice: what it was, each row in ascending order.
    let own = across.transposed()
    var total = 0.0
    starts.reserveCapacity(points + 1)
    columns.reserveCapacity(2 * neighbours.count)
    values.reserveCapacity(2 * neighbours.count)
    for point in 0..<points {
      var (i, j) = (own.starts[point], across.starts[point])
      let (end, last) = (own.starts[point + 1], across.starts[point + 1])
      while i < end || j < last {
        let first = i < end ? own.columns[i] : Int32.max
        let second = j < last ? across.columns[j] : Int32.max
        let value =
          (first <= second ? own.values[i] : 0) + (second <= first ? across.values[j] : 0)
        columns.append(min(first, second))
        values.append(value)
        total += Double(value)
        if first <= second { i += 1 }
        if second <= first { j += 1 }
      }
      starts.append(Int32(columns.count))
    }
    let (sum, least) = (max(total, 0x1p-52), Float(0x1p-52))
    // A sum that is no number makes none of the probabilities one.
    for at in values.indices {
      let value = Float(Double(values[at]) / (total.isNaN ? total : sum))
      values[at] = value < least ? least : value
    }
  }

  /// The same on a device.
  func affinities(on device: any Backend) throws -> SparseAffinities {
    try SparseAffinities(
      points: starts.count - 1, starts: try device.tensor(starts, [starts.count]),
      columns: try device.tensor(columns, [columns.count]), values: try device.tensor(values, [values.count]))
  }

  /// A square sparse matrix by rows.
  private struct Rows {
    var starts: [Int], columns: [Int32], values: [Float]

    /// The transpose of a matrix with equally many entries in all rows: sorted by counting, entries of a
    /// row in ascending order.
    init(_ columns: [Int32], _ values: [Float], _ points: Int) {
      let width = points > 0 ? columns.count / points : 0
      self.init(transposing: columns, values, starts: (0...points).map { $0 * width })
    }

    private init(transposing columns: [Int32], _ values: [Float], starts: [Int]) {
      let points = starts.count - 1
      var ends = [Int](repeating: 0, count: points + 1)
      for column in columns { ends[Int(column) + 1] += 1 }
      for point in 0..<points { ends[point + 1] += ends[point] }
      self.starts = ends
      self.columns = [Int32](repeating: 0, count: columns.count)
      self.values = [Float](repeating: 0, count: columns.count)
      for row in 0..<points {
        for at in starts[row]..<starts[row + 1] {
          let place = ends[Int(columns[at])]
          ends[Int(columns[at])] += 1
          (self.columns[place], self.values[place]) = (Int32(row), values[at])
        }
      }
    }

    func transposed() -> Rows { Rows(transposing: columns, values, starts: starts) }
  }
}
