// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A table of numbers in NumPy's files: an `.npy` of rows by columns, of which one may be the label, or an `.npz` with
/// an array of features, one of labels and, if it likes, one of the features' names.
enum NumpyTable {
  /// Reads a table.
  ///
  /// - Throws: `TesseraError` naming the array and what is wrong with it.
  static func read(_ path: String, _ request: TableRequest) throws -> TableContent {
    try TableFormats.requireNoDialect(request.format, "NumPy arrays")
    let arrays = try NumpyArrays(path)
    guard !arrays.isSingle else { return try single(arrays, request) }
    let set = NamedArrays(path: path, names: arrays.names)
    let name = try set.features(request)
    let names = TableColumns.usualNames.first { arrays.names.contains($0) }
    return try set.content(
      try arrays.numbers(name), name, names: names.map { try arrays.texts($0) },
      labels: try set.labels(request).map { ($0, try arrays.texts($0)) }, request)
  }

  private static func single(_ arrays: NumpyArrays, _ request: TableRequest) throws -> TableContent {
    if let array = request.columns.array {
      throw TesseraError.input("array", found: "\(array) of an .npy", wanted: "an .npz (else leave it out)")
    }
    let array = try arrays.numbers("")
    guard array.shape.count == 2, array.rows > 0, array.columns > 0 else {
      throw TesseraError.input(arrays.path, found: "shape \(array.shape)", wanted: "rows by columns")
    }
    let choice = ColumnChoice(
      path: arrays.path, names: ColumnChoice.numbered(array.columns), areNamed: false)
    let found = try choice.choose(request)
    var content = TableContent(
      names: found.features.map { choice.names[$0] },
      values: NumberMatrix(array).choosing(columns: found.features))
    if let label = found.label {
      content.labels = array.labels(column: label)
      content.reading.append("the label is \(choice.names[label])")
    }
    return content
  }
}

/// Arrays with names, of which one has the features and one the labels.
struct NamedArrays {
  let path: String
  let names: [String]

  /// The name of the features' array.
  func features(_ request: TableRequest) throws -> String {
    let wanted = request.columns.array.map { [$0] } ?? TableColumns.usualArrays
    guard let name = wanted.first(where: names.contains) else {
      throw TesseraError.input(
        path, found: "the arrays \(names.joined(separator: ", "))",
        wanted: "features in \(wanted.joined(separator: ", ")) (--array names another)")
    }
    return name
  }

  /// The name of the labels' array; nil where there is none and none is needed.
  func labels(_ request: TableRequest) throws -> String? {
    guard let name = request.labelNames.first(where: names.contains) else {
      guard request.labelled else { return nil }
      throw TesseraError.input(
        path, found: "the arrays \(names.joined(separator: ", "))",
        wanted: "labels in \(request.labelNames.joined(separator: ", ")) (--label-column names another)")
    }
    return name
  }

  /// The table of an array of features, with the names of its columns and the labels of its rows.
  ///
  /// - Throws: `TesseraError` for other numbers of them than the array has columns and rows.
  func content(
    _ array: NumberArray, _ name: String, names given: [String]?, labels: (name: String, texts: [String])?,
    _ request: TableRequest
  ) throws -> TableContent {
    guard array.shape.count == 2, array.rows > 0, array.columns > 0 else {
      throw TesseraError.input("\(path): \(name)", found: "shape \(array.shape)", wanted: "rows by features")
    }
    if let given, given.count != array.columns {
      throw TesseraError.input(
        path, found: "\(given.count) names of \(array.columns) features", wanted: "a name for each")
    }
    if let labels, labels.texts.count != array.rows {
      throw TesseraError.input(
        "\(path): \(labels.name)", found: "\(labels.texts.count) labels of \(array.rows) rows",
        wanted: "one for each")
    }
    let choice = ColumnChoice(
      path: path, names: given ?? ColumnChoice.numbered(array.columns), areNamed: given != nil,
      holdsLabel: false)
    let features = try choice.choose(request).features
    var content = TableContent(
      names: features.map { choice.names[$0] }, values: NumberMatrix(array).choosing(columns: features))
    content.reading.append("features in \(name)")
    if let labels {
      content.labels = labels.texts.map { $0.isEmpty ? nil : $0 }
      content.reading.append("labels in \(labels.name)")
    }
    return content
  }
}
