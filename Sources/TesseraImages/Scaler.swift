// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// DeepInsight's second normalisation (Sharma et al. 2019): y = log(x + |m| + 1) with m the feature's
/// minimum over the training rows, divided by the one largest y. Unseen rows are clipped to what training
/// rows can reach.
public struct Scaler: Sendable {
  /// The minimum of each feature over the training rows.
  public let minimum: [Float]
  /// The largest logarithm over the training rows.
  public let maximum: Float

  /// A scaler with known numbers.
  public init(minimum: [Float], maximum: Float) {
    self.minimum = minimum
    self.maximum = maximum
  }

  /// Fits on some rows of a matrix.
  ///
  /// - Parameters:
  ///   - values: row-major (rows, columns).
  ///   - columns: values of a row.
  ///   - rows: the row numbers to fit on; all must be finite.
  ///   - device: the device that computes the logarithms.
  /// - Throws: `TesseraError` for no rows, rows that are not there and values that are not finite.
  public static func fit(
    _ values: Floats, columns: Int, rows: [Int], on device: any Backend
  ) throws -> Scaler {
    guard let first = rows.first, columns > 0 else {
      throw TesseraError.input(
        "scaler", found: "\(rows.count) rows of \(columns) features", wanted: "at least one row")
    }
    try check(values, columns: columns, rows: rows)
    var minimum = values[first * columns..<(first + 1) * columns]
    values.forEachBlock(of: rows, columns: columns) { _, _, block in
      for begin in stride(from: 0, to: block.count, by: columns) {
        for c in 0..<columns { minimum[c] = min(minimum[c], block[begin + c]) }
      }
    }
    let unscaled = Scaler(minimum: minimum, maximum: 1)
    var maximum: Float = 0
    try unscaled.logarithms(values, columns: columns, rows: rows, on: device) { _, part in
      for value in part { maximum = max(maximum, value) }
    }
    return Scaler(minimum: minimum, maximum: maximum > 0 ? maximum : 1)
  }

  /// The scaled rows, row-major (rows.count, columns), in [0, 1].
  public func apply(_ values: Floats, columns: Int, rows: [Int], on device: any Backend) throws -> [Float] {
    try check(values, columns: columns, rows: rows)
    return try [Float](unsafeUninitializedCapacity: rows.count * columns) { out, count in
      try logarithms(values, columns: columns, rows: rows, on: device) { first, part in
        for i in part.indices { out[first * columns + i] = min(1, part[i] / maximum) }
      }
      count = rows.count * columns
    }
  }

  /// The scaled rows with a feature's values side by side, row-major (columns, rows.count).
  public func applyTransposed(_ values: Floats, columns: Int, rows: [Int], on device: any Backend) throws
    -> [Float]
  {
    try check(values, columns: columns, rows: rows)
    return try [Float](unsafeUninitializedCapacity: rows.count * columns) { out, count in
      try logarithms(values, columns: columns, rows: rows, on: device) { first, part in
        let height = part.count / columns
        // Sixteen columns at a time: a line of the cache is read once.
        for begin in stride(from: 0, to: columns, by: 16) {
          for r in 0..<height {
            for c in begin..<min(columns, begin + 16) {
              out[c * rows.count + first + r] = min(1, part[r * columns + c] / maximum)
            }
          }
        }
      }
      count = rows.count * columns
    }
  }

  /// Throws unless the scaler is one of so many features, and the rows are there.
  private func check(_ values: Floats, columns: Int, rows: [Int]) throws {
    guard columns == minimum.count, columns > 0 else {
      throw TesseraError.input("scaler", found: "\(columns) features", wanted: "\(max(1, minimum.count))")
    }
    guard maximum > 0, maximum.isFinite, minimum.allSatisfy(\.isFinite) else {
      throw TesseraError.input(
        "scaler", found: "a largest logarithm of \(maximum), or a minimum that is not finite",
        wanted: "what `fit` gives")
    }
    try Self.check(values, columns: columns, rows: rows)
  }

  /// Throws for rows that are not there, and for values in them that are not finite.
  private static func check(_ values: Floats, columns: Int, rows: [Int]) throws {
    let count = values.count / columns
    guard values.count == count * columns else {
      throw TesseraError.input(
        "scaler", found: "\(values.count) values", wanted: "whole rows of \(columns) features")
    }
    if let row = rows.first(where: { !(0..<count).contains($0) }) {
      throw TesseraError.input("scaler", found: "row \(row)", wanted: "one of 0..<\(count)")
    }
    try values.forEachBlock(of: rows, columns: columns) { _, rows, block in
      guard let bad = block.firstIndex(where: { !$0.isFinite }) else { return }
      throw TesseraError.input(
        "scaler: row \(rows[rows.startIndex + bad / columns])", found: "a value that is not finite",
        wanted: "finite numbers")
    }
  }

  /// Calls `body` with the logarithms of some rows after the other, and the number of the first of them.
  private func logarithms(
    _ values: Floats, columns: Int, rows: [Int], on device: any Backend,
    body: (Int, UnsafeBufferPointer<Float>) throws -> Void
  ) throws {
    let shifts = minimum.map { abs($0) }
    // In blocks: neither the device nor the host need hold another copy of a data set.
    try values.forEachBlock(of: rows, columns: columns) { begin, _, block in
      let shifted = [Float](unsafeUninitializedCapacity: block.count) { buffer, count in
        for start in stride(from: 0, to: block.count, by: columns) {
          for c in 0..<columns { buffer[start + c] = max(1, block[start + c] + shifts[c] + 1) }
        }
        count = block.count
      }
      let x = try device.tensor(shifted, [block.count])
      try device.unary(.log, x, alpha: 0, beta: 0, into: x)
      let part = try device.floats(x)
      try part.withUnsafeBufferPointer { try body(begin, $0) }
    }
  }
}

/// Throws if a matrix holds a value that is not finite, naming its row and feature; of a mapped file, block by block.
package func requireFinite(_ place: String, _ values: Floats, columns: Int) throws {
  let columns = max(1, columns)
  try values.forEachBlock(columns: columns) { row, block in
    guard let bad = block.firstIndex(where: { !$0.isFinite }) else { return }
    throw TesseraError.input(
      "\(place): row \(row + bad / columns), feature \(bad % columns)", found: "\(block[bad])",
      wanted: "finite numbers")
  }
}

/// Throws if a matrix holds a value that is not finite, naming its row and feature.
public func requireFinite(_ place: String, _ values: [Float], columns: Int) throws {
  try requireFinite(place, Floats(values), columns: columns)
}
