// SPDX-License-Identifier: Apache-2.0

/// Tables of numbers whose columns tell the class: a run of one takes a fraction of a second.
public enum TinyTable {
  /// Names of the features.
  public static let names = ["width", "height", "Länge, ganz", "weight", "constant", "offset", "noise"]

  /// A table as CSV: an id, the features in an order of their own, the class.
  ///
  /// - Parameters:
  ///   - rows: its rows.
  ///   - seed: decides the numbers.
  ///   - order: the columns by number, of `id`, the features and `label`; nil: as they are.
  ///   - missing: whether some numbers are left out.
  public static func csv(_ rows: Int, seed: UInt64 = 1, order: [Int]? = nil, missing: Bool = false) -> String
  {
    let numbers = drawn(seed, rows * 5, -1, 1)
    var lines = [["id"] + names.map { $0.contains(",") ? "\"\($0)\"" : $0 } + ["label"]]
    for row in 0..<rows {
      let isTall = row * 5 % 7 % 2 == 0
      let own = Array(numbers[row * 5..<row * 5 + 5])
      let shift: Float = isTall ? 0.7 : -0.7
      var values = [
        "\(own[0] + shift)", "\(1000 * (own[1] + shift))", "\(0.001 * (own[2] - shift))",
        "\(own[3] * 5 + shift)", "0.1",
        "\(1_600_000_000 + Double(own[1]))", "\(own[4])",
      ]
      if missing, row % 5 == 3 { values[row % 4] = row % 2 == 0 ? "" : "NA" }
      lines.append(["row \(row)"] + values + [isTall ? "tall" : "small"])
    }
    return lines.map { line in (order.map { $0.map { line[$0] } } ?? line).joined(separator: ",") + "\n" }
      .joined()
  }
}
