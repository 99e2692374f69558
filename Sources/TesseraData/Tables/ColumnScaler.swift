// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What brings a table's columns to one scale before they become features.
public enum ColumnScaling: String, NamedOption {
  /// Mean 0 and deviation 1 over the training rows.
  case standard
  /// From 0 to 1 over the training rows: DeepInsight's first normalisation (Sharma et al. 2019).
  case minmax
  /// As they are: for columns that have one scale already, such as pixels or logarithms of counts.
  case none
}

/// What stands for values that are missing.
public enum MissingValues: String, NamedOption {
  /// Nothing: a table with missing values is refused.
  case refuse
  /// The column's mean over the training rows.
  case mean
  /// The column's median over the training rows.
  case median
  /// 0.
  case zero
}

/// Makes features of a table's columns, y = (x - offset) scale, and fills in what is missing: fitted on training rows,
/// applied to all.
///
/// Sums are in binary64 in the order of the rows, so that large offsets lose nothing before they are taken off.
package struct ColumnScaler: Sendable, Equatable {
  /// The features' names.
  package let names: [String]
  /// What is taken off each column's values: each is a sum of two binary32 numbers, which files hold.
  package let offset: [Double]
  /// What the difference is multiplied by; 0 for a column that is constant over the training rows.
  package let scale: [Float]
  /// What stands for a missing value of each column, scaled.
  package let fill: [Float]

  /// Values beyond so many units count as that many: squares of them fit binary32.
  package static let largest: Float = 1e18

  /// Known numbers.
  ///
  /// - Throws: `TesseraError` unless there is a finite number of each kind for every name.
  package init(names: [String], offset: [Double], scale: [Float], fill: [Float]) throws {
    guard [offset.count, scale.count, fill.count].allSatisfy({ $0 == names.count }),
      offset.allSatisfy(\.isFinite), (scale + fill).allSatisfy(\.isFinite)
    else {
      throw TesseraError.input(
        "columns", found: "\(offset.count) offsets and \(scale.count) scales for \(names.count) names",
        wanted: "a finite number of each for every column")
    }
    (self.names, self.offset, self.scale, self.fill) = (names, offset, scale, fill)
  }

  /// Fits on some rows of a table.
  ///
  /// - Parameters:
  ///   - table: the table.
  ///   - rows: the numbers of the rows that are fitted on.
  ///   - scaling: what brings columns to one scale.
  ///   - missing: what stands for missing values.
  /// - Throws: `TesseraError` for missing values that are refused, rows that are not there, and a column without any
  ///   value in these rows.
  package static func fit(
    _ table: NumberTable, rows: [Int], scaling: ColumnScaling, missing: MissingValues
  ) throws -> ColumnScaler {
    if missing == .refuse { try table.requireComplete() }
    guard !rows.isEmpty, rows.allSatisfy((0..<table.count).contains) else {
      throw TesseraError.input(
        "columns", found: "\(rows.count) rows", wanted: "rows of \(table.count), at least one")
    }
    let moments = ColumnMoments(table, rows)
    if let empty = moments.counts.firstIndex(of: 0) {
      throw TesseraError.input(
        "column \(table.names[empty])", found: "no value in the \(rows.count) training rows",
        wanted: "one at least (--ignore \(table.names[empty]) leaves the column out)")
    }
    let columns = table.names.indices
    let (offset, scale): ([Double], [Double])
    switch scaling {
    case .none: (offset, scale) = (columns.map { _ in 0 }, columns.map { _ in 1 })
    case .minmax:
      (offset, scale) = (moments.least, columns.map { 1 / (moments.most[$0] - moments.least[$0]) })
    case .standard: (offset, scale) = (moments.mean, moments.deviation.map { 1 / $0 })
    }
    let halves = offset.map(twoFloats)
    let scales = columns.map { column -> Float in
      // Of a constant column rounding would be all that is left.
      if scaling != .none, moments.least[column] == moments.most[column] { return 0 }
      return Float(min(scale[column], Double(Float.greatestFiniteMagnitude)))
    }
    let fill: [Double]
    switch missing {
    case .refuse, .zero: fill = columns.map { _ in 0 }
    case .mean: fill = moments.mean
    case .median: fill = medians(table, rows)
    }
    let open = try ColumnScaler(
      names: table.names, offset: halves, scale: scales, fill: columns.map { _ in 0 })
    return try ColumnScaler(
      names: table.names, offset: halves, scale: scales, fill: columns.map { open.scaled(fill[$0], $0) })
  }

  /// The nearest sum of two binary32 numbers.
  private static func twoFloats(_ value: Double) -> Double {
    let high = Float(value)
    return Double(high) + Double(Float(value - Double(high)))
  }

  /// Values of the columns that are looked at together.
  private static let most = 1 << 23

  /// The median of each column's values over some rows: of an even number the mean of both in the middle.
  private static func medians(_ table: NumberTable, _ rows: [Int]) -> [Double] {
    let (columns, step) = (table.names.count, max(1, most / rows.count))
    return stride(from: 0, to: columns, by: step).flatMap { begin in
      let part = Array(begin..<min(columns, begin + step))
      let values = table.values.gather(rows, columns: part)
      return part.indices.map { column in
        let own = rows.indices.map { values[$0 * part.count + column] }.filter { !$0.isNaN }.sorted()
        let middle = own.count / 2
        return own.count % 2 == 1 ? own[middle] : own[middle - 1] / 2 + own[middle] / 2
      }
    }
  }

  private func scaled(_ value: Double, _ column: Int) -> Float {
    let result = (value - offset[column]) * Double(scale[column])
    return Float(max(-Double(Self.largest), min(Double(Self.largest), result)))
  }

  /// What a column is scaled by, for messages.
  package func line(_ column: Int) -> String {
    guard names.indices.contains(column) else { return "no column" }
    return "\(names[column]): offset \(offset[column]), scale \(scale[column]), fill \(fill[column])"
  }

  /// Whether another scaler treats a column otherwise.
  package func differs(from other: ColumnScaler, at column: Int) -> Bool {
    line(column) != other.line(column)
  }

  /// The features of some rows, one after the other.
  ///
  /// - Throws: `TesseraError` for a table of another number of columns, and for rows that are not there.
  package func features(_ table: NumberTable, rows: [Int]) throws -> [Float] {
    guard table.names.count == names.count else {
      throw TesseraError.input(
        "columns", found: "\(table.names.count)", wanted: "\(names.count), as were fitted")
    }
    guard rows.allSatisfy((0..<table.count).contains) else {
      throw TesseraError.input("columns", found: "rows that are not there", wanted: "rows of \(table.count)")
    }
    let (values, columns) = (table.values.gather(rows), names.count)
    return [Float](unsafeUninitializedCapacity: values.count) { out, filled in
      for (at, value) in values.enumerated() {
        let column = at % columns
        out[at] = value.isNaN ? fill[column] : scaled(value, column)
      }
      filled = values.count
    }
  }
}

/// Moments of a table's columns over some rows, of the values that are there.
private struct ColumnMoments {
  private(set) var counts: [Int], mean: [Double], deviation: [Double], least: [Double], most: [Double]

  init(_ table: NumberTable, _ rows: [Int]) {
    let columns = table.names.count
    counts = [Int](repeating: 0, count: columns)
    mean = [Double](repeating: 0, count: columns)
    (deviation, least) = (mean, [Double](repeating: .infinity, count: columns))
    most = [Double](repeating: -.infinity, count: columns)
    table.values.forEachBlock(of: rows) { _, block in
      for (at, value) in block.enumerated() where !value.isNaN {
        let column = at % columns
        counts[column] += 1
        mean[column] += value
        least[column] = min(least[column], value)
        most[column] = max(most[column], value)
      }
    }
    for column in 0..<columns where counts[column] > 0 { mean[column] /= Double(counts[column]) }
    table.values.forEachBlock(of: rows) { _, block in
      for (at, value) in block.enumerated() where !value.isNaN {
        let difference = value - mean[at % columns]
        deviation[at % columns] += difference * difference
      }
    }
    for column in 0..<columns where counts[column] > 0 {
      deviation[column] = (deviation[column] / Double(counts[column])).squareRoot()
    }
  }
}
