// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Float32 values that are read only: in memory, or in a mapped file, whose pages come and go as they are needed.
///
/// Features of many rows, and their images, are larger than memory. Every stage therefore reads them by ranges of
/// rows, and lets go of what it has read (`release`).
///
///     file on disk   [header|######################################|...]
///     address space          ^ withUnsafeBufferPointer: all of it
///     memory                          [####] what was read since `release`
public struct Floats: Sendable {
  private enum Storage {
    case memory([Float])
    /// A mapped file, and where in it the values begin, in bytes: a multiple of 4.
    case file(MappedFile, Int)
  }

  private let storage: Storage
  /// The number of values.
  public let count: Int

  /// Values in memory.
  public init(_ values: [Float]) { (storage, count) = (.memory(values), values.count) }

  /// Values of a mapped file from a byte on.
  init(_ file: MappedFile, offset: Int, count: Int) { (storage, self.count) = (.file(file, offset), count) }

  /// Whether there are none.
  public var isEmpty: Bool { count == 0 }

  /// Calls a function with all values.
  public func withUnsafeBufferPointer<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
    switch storage {
    case .memory(let values): try values.withUnsafeBufferPointer(body)
    case .file(let file, let offset):
      try withExtendedLifetime(file) {
        let own = UnsafeRawBufferPointer(rebasing: file.bytes[offset..<offset + 4 * count])
        return try body(own.bindMemory(to: Float.self))
      }
    }
  }

  /// A copy of some values.
  ///
  /// - Precondition: `range` lies within `0..<count`.
  package subscript(range: Range<Int>) -> [Float] {
    withUnsafeBufferPointer { Array($0[range]) }
  }

  /// A copy of some rows of `columns` values, one after the other.
  ///
  /// - Precondition: the rows are there.
  package func gather(_ rows: some Collection<Int>, columns: Int) -> [Float] {
    withUnsafeBufferPointer { values in
      [Float](unsafeUninitializedCapacity: rows.count * columns) { out, filled in
        for (at, row) in rows.enumerated() {
          _ = UnsafeMutableBufferPointer(rebasing: out[at * columns..<(at + 1) * columns])
            .update(fromContentsOf: values[row * columns..<(row + 1) * columns])
        }
        filled = rows.count * columns
      }
    }
  }

  /// A copy of all values: as large as the file is.
  public var array: [Float] {
    if case .memory(let values) = storage { return values }
    return self[0..<count]
  }

  /// Lets the system take back the memory of a mapped file's range; what is read of it later comes from the file
  /// again. Values in memory stay.
  package func release(_ range: Range<Int>) {
    guard case .file(let file, let offset) = storage else { return }
    file.release(offset + 4 * range.lowerBound..<offset + 4 * range.upperBound)
  }

  /// Values of a block that stays in the cache of a processor's core while several things are done with it.
  private static let block = 1 << 20

  /// Calls a function with ranges of rows of `columns` values, some MiB at a time, and lets go of each: memory stays
  /// the same for any number of rows.
  ///
  /// - Parameter body: called with the number of the first row, and the rows' values.
  package func forEachBlock(
    columns: Int, _ body: (Int, UnsafeBufferPointer<Float>) throws -> Void
  ) rethrows {
    let step = max(1, Self.block / max(1, columns))
    let rows = count / max(1, columns)
    for begin in stride(from: 0, to: rows, by: step) {
      let range = begin * columns..<min(rows, begin + step) * columns
      try withUnsafeBufferPointer { try body(begin, UnsafeBufferPointer(rebasing: $0[range])) }
      release(range)
    }
  }

  /// Calls a function with copies of some rows, some MiB at a time and in the order of the rows.
  ///
  /// - Parameter body: called with the place of the first row in `rows`, the rows' numbers, and their values.
  /// - Precondition: the rows are there.
  package func forEachBlock(
    of rows: [Int], columns: Int,
    _ body: (Int, ArraySlice<Int>, UnsafeBufferPointer<Float>) throws -> Void
  ) rethrows {
    let step = max(1, Self.block / max(1, columns))
    for begin in stride(from: 0, to: rows.count, by: step) {
      let part = rows[begin..<min(rows.count, begin + step)]
      try gather(part, columns: columns).withUnsafeBufferPointer { try body(begin, part, $0) }
      if let first = part.min(), let last = part.max() { release(first * columns..<(last + 1) * columns) }
    }
  }
}

extension Floats: ExpressibleByArrayLiteral {
  /// Values in memory.
  public init(arrayLiteral values: Float...) { self.init(values) }
}

extension Floats: Equatable {
  /// Whether all values are equal, wherever they are.
  public static func == (a: Floats, b: Floats) -> Bool {
    a.count == b.count
      && a.withUnsafeBufferPointer { x in b.withUnsafeBufferPointer { y in x.elementsEqual(y) } }
  }
}
