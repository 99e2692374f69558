import TesseraCompute

/// DeepInsight's second normalisation (Sharma et al. 2019): y = log(x + |m| + 1) with m the feature's minimum over
/// the training rows, divided by the one largest y. Unseen rows are clipped to what training rows can reach.
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
  ///   - rows: the row numbers to fit on; all must be finite.
  public static func fit(
    _ values: [Float], columns: Int, rows: [Int], on device: any Backend
  ) throws -> Scaler {
    guard let first = rows.first, columns > 0 else {
      throw TesseraError.input(
        "scaler", found: "\(rows.count) rows of \(columns) features", wanted: "at least one row")
    }
    var minimum = Array(values[first * columns..<(first + 1) * columns])
    for row in rows {
      for c in 0..<columns { minimum[c] = min(minimum[c], values[row * columns + c]) }
    }
    let unscaled = Scaler(minimum: minimum, maximum: 1)
    let logarithms = try unscaled.logarithms(values, columns: columns, rows: rows, on: device)
    let maximum = logarithms.reduce(0) { max($0, $1) }
    return Scaler(minimum: minimum, maximum: maximum > 0 ? maximum : 1)
  }

  /// The scaled rows, row-major (rows.count, columns), in [0, 1].
  public func apply(_ values: [Float], columns: Int, rows: [Int], on device: any Backend) throws -> [Float] {
    guard columns == minimum.count else {
      throw TesseraError.input("scaler", found: "\(columns) features", wanted: "\(minimum.count)")
    }
    var scaled = try logarithms(values, columns: columns, rows: rows, on: device)
    for i in scaled.indices { scaled[i] = min(1, scaled[i] / maximum) }
    return scaled
  }

  private func logarithms(
    _ values: [Float], columns: Int, rows: [Int], on device: any Backend
  ) throws -> [Float] {
    let shifts = minimum.map { abs($0) }
    var out: [Float] = []
    out.reserveCapacity(rows.count * columns)
    // In slices: the device need not hold a data set.
    let step = max(1, (8 << 20) / columns)
    for begin in stride(from: 0, to: rows.count, by: step) {
      let slice = rows[begin..<min(rows.count, begin + step)]
      let shifted = [Float](unsafeUninitializedCapacity: slice.count * columns) { buffer, count in
        for (at, row) in slice.enumerated() {
          for c in 0..<columns {
            buffer[at * columns + c] = max(1, values[row * columns + c] + shifts[c] + 1)
          }
        }
        count = slice.count * columns
      }
      let x = try device.tensor(shifted, [slice.count * columns])
      try device.unary(.log, x, alpha: 0, beta: 0, into: x)
      out += try device.floats(x)
    }
    return out
  }
}

/// Throws if a matrix holds a value that is not finite, naming its row and feature.
public func requireFinite(_ place: String, _ values: [Float], columns: Int) throws {
  guard let bad = values.firstIndex(where: { !$0.isFinite }) else { return }
  throw TesseraError.input(
    "\(place): row \(bad / max(1, columns)), feature \(bad % max(1, columns))", found: "\(values[bad])",
    wanted: "finite numbers")
}
