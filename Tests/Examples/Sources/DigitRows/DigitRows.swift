// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Handwritten digits of 8 x 8 pixels (`tools/check/examples.d/digits.py FILE`).
public struct DigitRows: Sendable {
  private let rows: [[Float]]

  /// Rows of a file: 64 pixels of 0 to 16 and the digit in each line; nil for another file.
  public init?(_ path: String) {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    rows = text.split(separator: "\n").map { $0.split(separator: ",").compactMap { Float($0) } }
    guard rows.count > 300, rows.allSatisfy({ $0.count == 65 }) else { return nil }
  }

  /// How many there are.
  public var count: Int { rows.count }

  /// Pixels of some rows, -1 to 1.
  public func pixels(_ chosen: some Sequence<Int>) -> [Float] {
    chosen.flatMap { rows[$0].dropLast().map { $0 / 8 - 1 } }
  }

  /// Digits of some rows.
  public func labels(_ chosen: some Sequence<Int>) -> [Int32] { chosen.map { Int32(rows[$0][64]) } }
}
