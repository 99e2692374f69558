// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// An array of numbers with one or two axes, read where it lies in a mapped file.
struct NumberArray: Sendable {
  /// The file's bytes, and where in them the elements begin.
  let data: Data, offset: Int
  let kind: ElementKind
  /// Its extents.
  let shape: [Int]
  /// Whether the first axis is the one whose elements are neighbours, as in Fortran.
  var isColumnMajor = false

  /// An array whose elements lie within the bytes.
  ///
  /// - Throws: `TesseraError` for more than two axes, and for extents that the bytes do not hold.
  init(
    _ data: Data, offset: Int, kind: ElementKind, shape: [Int], isColumnMajor: Bool = false, place: String
  ) throws {
    guard (1...2).contains(shape.count) else {
      throw TesseraError.input(place, found: "shape \(shape)", wanted: "rows by features, or one label a row")
    }
    var bytes = kind.byteCount
    for extent in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else {
        throw TesseraError.input(place, found: "shape \(shape)", wanted: "extents that a file can hold")
      }
      bytes = product
    }
    guard offset >= 0, offset <= data.count, bytes <= data.count - offset else {
      throw TesseraError.input(
        place, found: "shape \(shape), \(bytes) bytes, at byte \(offset) of \(data.count)",
        wanted: "elements within the file")
    }
    (self.data, self.offset, self.kind, self.shape) = (data, offset, kind, shape)
    self.isColumnMajor = isColumnMajor
  }

  /// Rows that there are.
  var rows: Int { shape[0] }
  /// Values of a row.
  var columns: Int { shape.count > 1 ? shape[1] : 1 }

  /// Some columns of some rows, row by row.
  ///
  /// - Precondition: rows and columns are there.
  func gather(rows wanted: some Collection<Int>, columns chosen: [Int]) -> [Double] {
    data.withUnsafeBytes { all in
      [Double](unsafeUninitializedCapacity: wanted.count * chosen.count) { out, filled in
        for row in wanted {
          for column in chosen {
            let element = isColumnMajor ? column * rows + row : row * columns + column
            out[filled] = kind.value(all, at: offset + element * kind.byteCount)
            filled += 1
          }
        }
      }
    }
  }

  /// Its elements as labels: whole numbers as such, truth values by Python's names.
  func labels(column: Int = 0) -> [String] {
    gather(rows: 0..<rows, columns: [column]).map { value in
      if kind == .bool { return value == 0 ? "False" : "True" }
      return Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }
  }
}
