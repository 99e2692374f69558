// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Which of a table's columns is the label and which are features, by their names.
struct ColumnChoice {
  /// The file, for messages.
  let path: String
  /// The columns' names in the order of the file; without a header `column 1`, `column 2`, ...
  let names: [String]
  /// Whether the file names them.
  let areNamed: Bool
  /// Whether the label is one of the columns, and not an array of its own.
  var holdsLabel = true

  /// The column of the labels, and those of the features in the order that is wanted.
  struct Found {
    var label: Int?
    var features: [Int]
  }

  /// Names for columns that a file does not name.
  static func numbered(_ count: Int) -> [String] { (0..<count).map { "column \($0 + 1)" } }

  /// Whether a name is one that a file gave.
  static func isNumbered(_ names: [String]) -> Bool { names == numbered(names.count) }

  /// Chooses.
  ///
  /// - Throws: `TesseraError` naming a column that is missing, twice there, without a name, or not known to the model.
  func choose(_ request: TableRequest) throws -> Found {
    let label = request.labelled ? try label(request) : toldLabel(request)
    var ignored = Set<Int>()
    for name in request.columns.ignored { ignored.formUnion(try ignoredColumns(name)) }
    // A table without names that has as many columns as the model has features has no others.
    let isComplete = !areNamed && names.count == request.wanted?.count
    for name in request.known where !isComplete && !(request.wanted ?? []).contains(name) {
      ignored.formUnion(places(of: name))
    }
    if let label, request.columns.ignored.contains(where: { places(of: $0).contains(label) }) {
      throw TesseraError.input(
        "ignore", found: "the label's column \(names[label])", wanted: "columns that are no features")
    }
    let rest = names.indices.filter { $0 != label && !ignored.contains($0) }
    guard !rest.isEmpty else {
      throw TesseraError.input(path, found: "no column that is a feature", wanted: "one or more")
    }
    if areNamed { try requireNames(rest) }
    guard let wanted = request.wanted else { return Found(label: label, features: rest) }
    return Found(label: label, features: try ordered(rest, by: wanted))
  }

  /// The column of the labels of a table that need not have any: what a label's name stands for, unless a feature or
  /// what is left out has the name.
  private func toldLabel(_ request: TableRequest) -> Int? {
    // Of a table without names the label's place is told; one that has the features alone has no label.
    guard holdsLabel, areNamed || request.format.label != nil && names.count != request.wanted?.count else {
      return nil
    }
    let ignored = Set(request.columns.ignored.flatMap { places(of: $0) })
    for name in request.labelNames where !(request.wanted ?? []).contains(name) {
      let found = places(of: name)
      if found.count == 1, !ignored.contains(found[0]) { return found[0] }
    }
    return nil
  }

  private func label(_ request: TableRequest) throws -> Int? {
    guard holdsLabel else { return nil }
    // Of a table without names no column is taken for the label by chance.
    guard areNamed || request.format.label != nil else {
      throw missingLabel("\(names.count) columns without names", request)
    }
    for name in request.labelNames {
      let found = places(of: name)
      guard found.count < 2 else {
        throw TesseraError.input(path, found: "\(found.count) columns \(name)", wanted: "names that differ")
      }
      if let place = found.first { return place }
    }
    throw missingLabel("columns \(listed(Array(names.indices)))", request)
  }

  private func missingLabel(_ found: String, _ request: TableRequest) -> TesseraError {
    let wanted = request.format.label ?? "\(TableColumns.usualLabels.dropLast().joined(separator: ", "))"
    return .input(
      path, found: found,
      wanted: "the labels in a column \(wanted) (--label-column names another"
        + (areNamed ? ")" : ", here by its number)"))
  }

  private func ignoredColumns(_ name: String) throws -> [Int] {
    let found = places(of: name)
    guard found.isEmpty else { return found }
    throw TesseraError.input(
      "ignore", found: "\(name), which \(path) has not", wanted: "one of \(listed(Array(names.indices)))")
  }

  /// Where a name stands: as it is, else without regard to case; of columns without names by number from 1.
  private func places(of name: String) -> [Int] {
    guard areNamed else {
      let number = Int(name) ?? Int(name.drop { !$0.isNumber }) ?? 0
      return names.indices.contains(number - 1) ? [number - 1] : []
    }
    let exact = names.indices.filter { names[$0] == name }
    return exact.isEmpty ? names.indices.filter { names[$0].lowercased() == name.lowercased() } : exact
  }

  private func requireNames(_ columns: [Int]) throws {
    if let nameless = columns.first(where: { names[$0].isEmpty }) {
      throw TesseraError.input(
        "\(path): column \(nameless + 1)", found: "no name (the index that pandas writes?)",
        wanted: "a name, or --ignore '' (pandas: to_csv(FILE, index=False))")
    }
    var first: [String: Int] = [:]
    for column in columns {
      if let other = first.updateValue(column, forKey: names[column]) {
        throw TesseraError.input(
          path, found: "columns \(other + 1) and \(column + 1) of the name \(names[column])",
          wanted: "names that differ, or --ignore \(names[column])")
      }
    }
  }

  /// The columns in the order of a model's features.
  private func ordered(_ rest: [Int], by wanted: [String]) throws -> [Int] {
    guard areNamed, !Self.isNumbered(wanted) else {
      // Without names on one side the places decide.
      guard rest.count == wanted.count else {
        throw TesseraError.input(
          path, found: "\(rest.count) columns of features", wanted: "\(wanted.count), as the run has")
      }
      return rest
    }
    let places = Dictionary(rest.map { (names[$0], $0) }, uniquingKeysWith: { first, _ in first })
    let missing = wanted.filter { places[$0] == nil }
    guard missing.isEmpty else {
      throw TesseraError.input(
        path, found: "no column \(Self.listed(missing))", wanted: "every feature of the run by its name")
    }
    let known = Set(wanted)
    let others = rest.filter { !known.contains(names[$0]) }
    guard others.isEmpty else {
      throw TesseraError.input(
        path,
        found: "\(others.count == 1 ? "the column" : "the columns") \(listed(others)), which the run has not",
        wanted: "the run's features alone (--ignore \(names[others[0]]) leaves it out)")
    }
    return wanted.compactMap { places[$0] }
  }

  private func listed(_ columns: [Int]) -> String { Self.listed(columns.map { names[$0] }) }

  private static func listed(_ names: [String]) -> String {
    names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ... (\(names.count))" : "")
  }
}
