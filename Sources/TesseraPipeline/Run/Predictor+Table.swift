// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraVision

/// Rows of a table, classified with a finished run of a table.
extension Predictor {
  /// Names of the run's features; nil of a run of texts.
  package var featureNames: [String]? {
    if case .table(let scaler) = source { scaler.names } else { nil }
  }

  /// Reads a table whose columns are the run's features: by name, in any order.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - format: how it is read, where it does not say so itself.
  ///   - columns: columns that the run has not and that are left out, and the features' array.
  ///   - labelled: whether every row must have one of the run's classes.
  /// - Throws: `TesseraError` for a run of texts, for columns that are missing or that the run has not, and for missing
  ///   values that its rule does not fill.
  package func table(
    _ path: String, _ format: DataFormat, _ columns: TableColumns, labelled: Bool
  ) throws -> NumberTable {
    guard case .table(let scaler) = source, let own = configuration.table else {
      throw TesseraError.input(run.folder, found: "a run of texts", wanted: "texts, not a table of numbers")
    }
    var request = TableRequest()
    (request.format, request.columns, request.labelled) = (format, columns, labelled)
    request.columns.array = columns.array ?? own.columns.array
    // What an option of the run names need not be named again; another kind of file has no arrays.
    if columns.array == nil, !TableFormats.hasArrays(path) { request.columns.array = nil }
    request.format.label = format.label ?? configuration.format.label
    (request.wanted, request.classes) = (scaler.names, model.classes)
    request.known = own.columns.ignored + (labelled ? [] : request.labelNames)
    let found = try NumberTable.read(path, request)
    if own.missing == .refuse { try found.requireComplete() }
    return found
  }

  /// Classifies some rows of a table.
  ///
  /// - Parameters:
  ///   - table: read by `table`.
  ///   - rows: the numbers of the rows.
  package func predict(_ table: NumberTable, rows: [Int]) throws -> [Prediction] {
    try predict(try images(table, rows).images, count: rows.count)
  }

  /// What spoke for the prediction for a row of a table, by the columns' names.
  ///
  /// - Parameters:
  ///   - table: read by `table`.
  ///   - row: the row's number.
  ///   - prediction: the same predictor's prediction for it.
  ///   - most: how many columns are named.
  package func evidence(
    _ table: NumberTable, row: Int, _ prediction: Prediction, most: Int = 10
  ) throws -> Evidence {
    var found = try evidence(prediction, most: most)
    guard case .table(let scaler) = source else { return found }
    found.occlusion = try occlusion(scaler.features(table, rows: [row]), prediction, most: most)
    return found
  }

  /// Accuracy on the rows of a table, with the probe fitted on the run's training rows beside it.
  package func evaluate(_ table: NumberTable) throws -> Evaluation {
    let made = try images(table, Array(0..<table.count))
    return try evaluate(made.features, made.images, labels: table.labels)
  }

  private func images(_ table: NumberTable, _ rows: [Int]) throws -> (features: Floats, images: [Float]) {
    guard case .table(let scaler) = source else {
      throw TesseraError.input(run.folder, found: "a run of texts", wanted: "texts, not a table of numbers")
    }
    let features = Floats(try scaler.features(table, rows: rows))
    return (
      features,
      try layout.render(
        features, columns: scaler.names.count, rows: Array(rows.indices), on: model.network.device)
    )
  }
}
