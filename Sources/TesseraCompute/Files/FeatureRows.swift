// SPDX-License-Identifier: Apache-2.0

/// Rows of features that are standardised as they are read, y = (x - mean) scale for each column: a copy of all of
/// them need not fit into memory.
public struct FeatureRows: Sendable {
  /// The values as they are kept, row-major.
  public let values: Floats
  /// Values of a row.
  public let columns: Int
  /// What is taken off each column's values, and what the difference is multiplied by: one after the other.
  private var standards: [(mean: [Float], scale: [Float])] = []

  /// Rows as they are kept.
  public init(_ values: Floats, columns: Int) {
    (self.values, self.columns) = (values, columns)
  }

  /// Rows that are standardised.
  ///
  /// - Throws: `TesseraError` unless there is a mean and a scale for each column.
  public init(_ values: Floats, columns: Int, mean: [Float], scale: [Float]) throws {
    guard columns > 0, mean.count == columns, scale.count == columns else {
      throw TesseraError.input(
        "rows", found: "\(mean.count) means and \(scale.count) scales",
        wanted: "one of each for \(columns) columns")
    }
    (self.values, self.columns, standards) = (values, columns, [(mean, scale)])
  }

  /// The rows standardised once more.
  ///
  /// - Precondition: there is a mean and a scale for each column.
  package func standardized(_ mean: [Float], _ scale: [Float]) -> FeatureRows {
    var rows = self
    rows.standards.append((mean, scale))
    return rows
  }

  /// The number of whole rows.
  public var count: Int { columns > 0 ? values.count / columns : 0 }

  /// Some rows, one after the other.
  ///
  /// - Precondition: the rows are there.
  package func gather(_ rows: some Collection<Int>) -> [Float] {
    [Float](unsafeUninitializedCapacity: rows.count * columns) { out, filled in
      write(rows, to: out)
      filled = rows.count * columns
    }
  }

  /// The same into an array that has room for them, or is given it: a caller that keeps it allocates once.
  ///
  /// - Precondition: the rows are there.
  package func gather(_ rows: some Collection<Int>, into out: inout [Float]) {
    let count = rows.count * columns
    if out.count > count { out.removeLast(out.count - count) }
    if out.count < count { out += [Float](repeating: 0, count: count - out.count) }
    out.withUnsafeMutableBufferPointer { write(rows, to: $0) }
  }

  private func write(_ rows: some Collection<Int>, to out: UnsafeMutableBufferPointer<Float>) {
    values.withUnsafeBufferPointer { values in
      for (at, row) in rows.enumerated() {
        let own = UnsafeBufferPointer(rebasing: values[row * columns..<(row + 1) * columns])
        let target = UnsafeMutableBufferPointer(rebasing: out[at * columns..<(at + 1) * columns])
        _ = target.update(fromContentsOf: own)
        for (mean, scale) in standards {
          mean.withUnsafeBufferPointer { mean in
            scale.withUnsafeBufferPointer { scale in
              for c in 0..<columns { target[c] = (target[c] - mean[c]) * scale[c] }
            }
          }
        }
      }
    }
  }

  /// Lets go of what a mapped file was read for, some rows.
  package func release(_ rows: Range<Int>) {
    values.release(rows.lowerBound * columns..<rows.upperBound * columns)
  }

  /// Calls a function with some rows, a number of them at a time and in the order of the rows, and lets go of what
  /// a mapped file was read for.
  ///
  /// - Parameters:
  ///   - size: rows of a block; nil: some MiB.
  ///   - body: called with the place of the first row in `rows`, and the rows' values.
  /// - Precondition: the rows are there.
  package func forEachBlock(
    of rows: [Int], size: Int? = nil, _ body: (Int, UnsafeBufferPointer<Float>) throws -> Void
  ) rethrows {
    let step = size ?? max(1, (1 << 20) / max(1, columns))
    var block: [Float] = []
    for begin in stride(from: 0, to: rows.count, by: step) {
      let part = rows[begin..<min(rows.count, begin + step)]
      gather(part, into: &block)
      try block.withUnsafeBufferPointer { try body(begin, $0) }
      if let first = part.min(), let last = part.max() { release(first..<last + 1) }
    }
  }
}
