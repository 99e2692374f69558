// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData

/// The file of features that are a table's columns: the tensors of `Embeddings`, the features' names in its metadata
/// and, of the rows that columns are fitted on, what they were scaled by.
enum TableFeatures {
  /// The key of the names in the metadata: a JSON array of text.
  static let names = "names"

  /// Writes the features of all rows, some at a time.
  ///
  /// - Parameters:
  ///   - table: the rows.
  ///   - scaler: what makes features of them.
  ///   - options: how it was fitted, for the metadata.
  ///   - isFitted: whether the file tells the scaler, which was fitted on its rows.
  ///   - path: the file.
  /// - Returns: its fingerprint.
  static func write(
    _ table: NumberTable, _ scaler: ColumnScaler, _ options: TableOptions, isFitted: Bool, to path: String
  ) throws -> String {
    func json(_ list: [String]) throws -> String {
      String(decoding: try JSONEncoder().encode(list), as: UTF8.self)
    }
    var writer = SafetensorsWriter(metadata: [
      "kind": "embeddings", "classes": try json(table.classes), "data": table.fingerprint,
      names: try json(scaler.names), "scaling": options.scaling.rawValue, "missing": options.missing.rawValue,
    ])
    let columns = scaler.names.count
    writer.add("features", shape: [table.count, columns]) { take in
      let step = max(1, (1 << 20) / columns)
      for begin in stride(from: 0, to: table.count, by: step) {
        let rows = Array(begin..<min(table.count, begin + step))
        try scaler.features(table, rows: rows).withUnsafeBufferPointer(take)
      }
    }
    writer.add("labels", table.labels, shape: [table.count])
    if isFitted {
      let high = scaler.offset.map { Float($0) }
      let low = zip(scaler.offset, high).map { Float($0 - Double($1)) }
      writer.add("column.offset", high + low, shape: [2, columns])
      writer.add("column.scale", scaler.scale, shape: [columns])
      writer.add("column.fill", scaler.fill, shape: [columns])
    }
    return try writer.write(to: path)
  }

  /// Reads the scaler of a run's features.
  ///
  /// - Throws: `TesseraError` for a file without one.
  static func scaler(_ path: String) throws -> ColumnScaler {
    let file = try TensorFile.open(path)
    try file.checkNumerics()
    guard let text = file.metadata[names],
      let names = try? JSONDecoder().decode([String].self, from: Data(text.utf8)), !names.isEmpty
    else {
      throw TesseraError.input(
        path, found: "no names of features in its metadata", wanted: "the features of a run of a table")
    }
    let halves = try file.floats("column.offset", shape: [2, names.count])
    return try ColumnScaler(
      names: names, offset: names.indices.map { Double(halves[$0]) + Double(halves[names.count + $0]) },
      scale: try file.floats("column.scale", shape: [names.count]),
      fill: try file.floats("column.fill", shape: [names.count]))
  }
}

extension Pipeline {
  /// Makes features of a table's columns. Columns are fitted on the training rows of the run's table; rows to test on
  /// are scaled as these.
  func features(
    _ table: NumberTable, _ file: String, _ stage: String, _ options: TableOptions
  ) throws -> (fingerprint: String, ran: Bool) {
    let isFitted = stage == "embeddings"
    var inputs = ["data": table.fingerprint]
    if !isFitted {
      inputs["embeddings"] =
        StageRecord.read(URL(fileURLWithPath: folder.file("embeddings.json")))?.fingerprint
    }
    return try folder.stage(
      stage, inputs: inputs, parameters: configuration.tableParameters, outputs: [file]
    ) {
      progress.begin("scaling \(table.names.count) columns")
      let scaler =
        isFitted
        ? try ColumnScaler.fit(
          table, rows: try split(table.labels).training, scaling: options.scaling, missing: options.missing)
        : try TableFeatures.scaler(folder.file(Files.embeddings))
      return try TableFeatures.write(table, scaler, options, isFitted: isFitted, to: folder.file(file))
    }
  }
}
