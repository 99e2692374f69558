// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Labels of a table become classes, by the same rules as those of texts.
extension NumberTable {
  /// The rows that are used, with their labels, and their numbers in the file.
  static func labels(
    _ content: TableContent, _ path: String, _ request: TableRequest
  ) throws -> (rows: DataRows, kept: [Int]) {
    var rows = DataRows(.numbers)
    let rules = request.format.labels
    rows.rows.reserveCapacity(content.values.count)
    var unlabelled = 0
    for number in 0..<content.values.count {
      let place = content.lines.map { DataRows.Place.line($0[number]) } ?? .row(number + 1)
      var label = content.labels?[number]
      if let names = content.classes, let own = label {
        // -1 is what `Embeddings` writes for none.
        guard let index = Int(own), index == -1 || names.indices.contains(index) else {
          throw TesseraError.input(
            place.description(in: path), found: "the label \(own)",
            wanted: "a number of one of \(names.count) classes")
        }
        label = index == -1 ? nil : names[index]
      }
      if request.labelled, label == nil {
        guard rules.leavesOutUnlabelled else {
          throw TesseraError.input(
            place.description(in: path), found: "no label",
            wanted: "a label in every row (--labels '=' leaves rows without one out)")
        }
        unlabelled += 1
        continue
      }
      rows.rows.append(.init(text: "", label: label, place: place, number: number))
    }
    rows.leaveOut(unlabelled, "rows without a label")
    if request.labelled {
      try ClassList(path: path, rules: rules).apply(to: &rows, isFirst: request.classes == nil)
    }
    guard !rows.rows.isEmpty else {
      throw TesseraError.input(path, found: "no rows", wanted: "at least one")
    }
    return (rows, rows.rows.map(\.number))
  }

  /// The classes of rows.
  ///
  /// - Throws: `TesseraError` for labels that look like what a regression predicts, and as `ClassList.classes`.
  static func classes(of rows: DataRows, _ path: String, _ request: TableRequest) throws -> [String] {
    guard request.labelled else { return [] }
    let rules = request.format.labels
    if !rules.areAsIs {
      let numbers = Set(rows.rows.compactMap { $0.label.flatMap(LabelForm.number) })
      if numbers.count > ClassList.mostNumbers {
        let middle = numbers.sorted()[numbers.count / 2]
        let whole = numbers.allSatisfy { $0 == $0.rounded() } ? "" : ", not all of them whole"
        throw TesseraError.input(
          path, found: "\(numbers.count) different numbers as labels\(whole): targets of a regression?",
          wanted:
            "at most \(ClassList.mostNumbers) classes: --labels '>=\(middle)' makes two, as-is takes each number "
            + "for a class (regression is not offered)")
      }
    }
    return try ClassList(path: path, rules: rules).classes(of: rows)
  }

  /// The number of each row's class.
  static func numbers(
    _ rows: DataRows, _ classes: [String], _ path: String, _ request: TableRequest
  ) throws -> [Int32] {
    let numbers = Dictionary(
      classes.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
    return try rows.rows.map { row in
      guard request.labelled, let label = row.label else { return -1 }
      guard let number = numbers[label] else {
        throw TesseraError.input(
          row.place.description(in: path), found: "the label \(label)",
          wanted: "\(classes.joined(separator: " or ")) (--labels says what others stand for)")
      }
      return number
    }
  }

  /// What the table holds.
  static func summary(
    _ content: TableContent, _ rows: DataRows, _ labels: [Int32], _ classes: [String], missing: [Int]
  ) -> DataSummary {
    var counts = [Int](repeating: 0, count: classes.count)
    for label in labels where classes.indices.contains(Int(label)) { counts[Int(label)] += 1 }
    let names = content.names.prefix(3).joined(separator: ", ") + (content.names.count > 3 ? ", ..." : "")
    var reading = ["\(content.names.count) \(content.names.count == 1 ? "feature" : "features"): \(names)"]
    reading += content.reading
    let total = missing.reduce(0, +)
    if total > 0 {
      let columns = missing.count { $0 > 0 }
      reading.append("\(total) missing \(total == 1 ? "value" : "values") in \(columns) of the features")
    }
    return DataSummary(
      rows: labels.count, classes: zip(classes, counts).map { .init(name: $0, rows: $1) }, reading: reading,
      leftOut: content.leftOut + rows.leftOut, emptyTexts: 0)
  }
}
