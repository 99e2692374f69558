// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraImages

/// A table's columns by what predictions lose without them.
extension ReportPage {
  /// What stands above the evidence of a table.
  var columnsNote: String {
    "Each column is put to its mean over the training rows in turn, and the row is classified again: a bar is what the "
      + "lead of the predicted class (its logit over the mean of the others) loses, red, or gains, blue."
  }

  /// Bars that a figure has at the most.
  private static let bars = 12
  /// Rows by which columns are ranked, and the classifications that this may take.
  private static let ranked = 50, work = 20_000

  /// The columns that a row's prediction hangs on most.
  func columns(_ row: Int) throws -> Figure {
    let number = data.rows[row] + 1
    let changes = try data.table.map {
      try FeatureOcclusion($0.features, data.layout, data.model).changes(
        $0.row(data.rows[row]), target: data.prediction(row).label)
    }
    return bars(
      (changes ?? []).map { Double($0) }, "change of the class's lead", "row-\(number)-columns",
      "The columns that the class hangs on most: what its lead loses when a column is put to its mean.",
      label: "columns of row \(number)")
  }

  private func bars(
    _ values: [Double], _ title: String, _ name: String, _ caption: String, label: String
  ) -> Figure {
    let names = data.table?.names ?? []
    let order = values.indices.ordered { (abs(values[$1]), $0) < (abs(values[$0]), $1) }
    let all = FigureData(
      header: ["rank", "column", title],
      rows: order.enumerated().map { ["\($0 + 1)", names[$1], "\(values[$1])"] })
    return BarChart(values: order.prefix(Self.bars).map { (names[$0], values[$0]) }, title: title).figure(
      name, caption, label: label, all: all)
  }

  /// The columns by the mean size of what they change, over some of the rows that were tested on; nil of texts, without
  /// such rows, and of more columns than there is time for.
  func ranking() throws -> (content: String, note: String)? {
    guard let table = data.table, !data.rows.isEmpty else { return nil }
    let count = min(data.rows.count, Self.ranked, Self.work / table.names.count)
    guard count > 0 else { return nil }
    let occlusion = FeatureOcclusion(table.features, data.layout, data.model)
    var sums = [Double](repeating: 0, count: table.names.count)
    for number in 0..<count {
      // Evenly over the rows, which may stand in an order.
      let row = number * data.rows.count / count
      let changes = try occlusion.changes(table.row(data.rows[row]), target: data.prediction(row).label)
      for at in sums.indices { sums[at] += Double(abs(changes[at])) / Double(count) }
    }
    let order = sums.indices.ordered { (sums[$1], $0) < (sums[$0], $1) }
    let rows = order.prefix(1000).enumerated().map { ["\($0 + 1)", table.names[$1], decimal(sums[$1], 4)] }
    return (
      shelf.put(
        bars(
          sums, "mean change of the class's lead", "columns", "The columns that change most.",
          label: "columns by their change")) + "<details><summary>All columns</summary>"
        + HTMLPage.table(["rank", "column", "mean change"], Array(rows)) + "</details>",
      "The mean size of the change of the predicted class's lead when a column is put to its mean over the training rows, "
        + "over \(count) of the \(data.rows.count) rows that were tested on. It says what this network uses, not what "
        + "causes what."
    )
  }
}
