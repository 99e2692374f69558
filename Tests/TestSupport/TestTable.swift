// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A plain reader of well-formed CSV for tests, independent of the pipeline's.
public enum TestTable {
  /// The first 10,000 of the assets' reviews for training.
  public static func tenThousandReviews() throws -> [String] {
    let packed = URL(fileURLWithPath: Assets.reviews).deletingLastPathComponent().path + "/train25k.csv.gz"
    return try withTemporaryFolder { folder in
      _ = try Command.shell("gzip -dc '\(packed)' > '\(folder)/reviews.csv'")
      return try Array(column("review", of: folder + "/reviews.csv").prefix(10_000))
    }
  }

  /// The texts of a column.
  public static func column(_ name: String, of path: String) throws -> [String] {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var rows: [[String]] = []
    var row: [String] = []
    var field: [UInt8] = []
    var quoted = false
    func text() -> String { String(decoding: field, as: UTF8.self) }
    var at = 0
    while at < bytes.count {
      let byte = bytes[at]
      if quoted {
        if byte == 34, at + 1 < bytes.count, bytes[at + 1] == 34 {
          field.append(34)
          at += 1
        } else if byte == 34 {
          quoted = false
        } else {
          field.append(byte)
        }
      } else if byte == 34 {
        quoted = true
      } else if byte == 44 || byte == 10 {
        row.append(text())
        field.removeAll(keepingCapacity: true)
        if byte == 10 {
          rows.append(row)
          row = []
        }
      } else if byte != 13 {
        field.append(byte)
      }
      at += 1
    }
    if !row.isEmpty || !field.isEmpty { rows.append(row + [text()]) }
    guard let header = rows.first, let index = header.firstIndex(of: name) else { return [] }
    return rows.dropFirst().map { $0[index] }
  }
}
