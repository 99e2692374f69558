// SPDX-License-Identifier: Apache-2.0

/// The numbers of a table, a row a sample: of text in memory, of arrays in their mapped file. What is missing is no
/// number (NaN).
struct NumberMatrix: Sendable {
  private enum Storage: Sendable {
    case memory([Double], columns: Int)
    case array(NumberArray)
  }

  private let storage: Storage
  /// The rows that are used, by their numbers in the storage; nil: all.
  private var rows: [Int]?
  /// The columns that are used, in their order, by their numbers in the storage.
  private var chosen: [Int]
  private let stored: Int

  /// Row-major numbers in memory.
  init(_ values: [Double], columns: Int) {
    storage = .memory(values, columns: columns)
    (stored, chosen) = (columns > 0 ? values.count / columns : 0, Array(0..<columns))
  }

  /// An array of a file.
  init(_ array: NumberArray) {
    storage = .array(array)
    (stored, chosen) = (array.rows, Array(0..<array.columns))
  }

  /// Rows that there are.
  var count: Int { rows?.count ?? stored }
  /// Values of a row.
  var columns: Int { chosen.count }

  /// Some of the columns, in a new order.
  ///
  /// - Precondition: they are there.
  func choosing(columns: [Int]) -> NumberMatrix {
    var matrix = self
    matrix.chosen = columns.map { chosen[$0] }
    return matrix
  }

  /// Some of the rows.
  ///
  /// - Precondition: they are there.
  func choosing(rows: [Int]) -> NumberMatrix {
    var matrix = self
    matrix.rows = rows.map { self.rows?[$0] ?? $0 }
    return matrix
  }

  /// Some rows, one after the other. Infinities are missing values too.
  ///
  /// - Precondition: they are there.
  func gather(_ wanted: some Collection<Int>) -> [Double] { gather(wanted, columns: Array(chosen.indices)) }

  /// Some columns of some rows, likewise.
  func gather(_ wanted: some Collection<Int>, columns: [Int]) -> [Double] {
    let (numbers, places) = (wanted.map { rows?[$0] ?? $0 }, columns.map { chosen[$0] })
    var found: [Double]
    switch storage {
    case .array(let array): found = array.gather(rows: numbers, columns: places)
    case .memory(let values, let width):
      found = [Double](unsafeUninitializedCapacity: numbers.count * places.count) { out, filled in
        for row in numbers {
          for column in places {
            out[filled] = values[row * width + column]
            filled += 1
          }
        }
      }
    }
    for at in found.indices where !found[at].isFinite { found[at] = .nan }
    return found
  }

  /// Values of a block.
  private static let block = 1 << 18

  /// Calls a function with some rows, some MiB at a time and in their order.
  ///
  /// - Parameters:
  ///   - wanted: the rows' numbers.
  ///   - body: called with the place of the first row in `wanted`, and the rows' values.
  func forEachBlock(of wanted: [Int], _ body: (Int, [Double]) throws -> Void) rethrows {
    let step = max(1, Self.block / max(1, columns))
    for begin in stride(from: 0, to: wanted.count, by: step) {
      try body(begin, gather(wanted[begin..<min(wanted.count, begin + step)]))
    }
  }
}
