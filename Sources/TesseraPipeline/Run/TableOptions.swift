// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraText

/// How a table's columns become the features of a run: the one place of these options and their defaults. A run's file
/// keeps them beside all others, under the names of the command line.
public struct TableOptions: Sendable, Equatable {
  /// Which columns are features.
  public var columns = TableColumns()
  /// What stands for missing values.
  public var missing = MissingValues.refuse
  /// What brings columns to one scale.
  public var scaling = ColumnScaling.standard

  /// The defaults.
  public init() {}

  private enum CodingKeys: String, CodingKey {
    case source, ignore, array, missing, scaling
  }

  /// What a run's file says of its source.
  private static let kind = "table"

  /// Reads what `encode(to:)` writes; nil of a run of texts.
  ///
  /// - Throws: `TesseraError` for a name that does not exist, `DecodingError` for a field of another type.
  static func read(_ decoder: any Decoder) throws -> TableOptions? {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    guard let source = try fields.decodeIfPresent(String.self, forKey: .source) else { return nil }
    guard source == kind else { throw TesseraError.input("source", found: source, wanted: kind) }
    var options = TableOptions()
    options.columns.ignored = try fields.decode([String].self, forKey: .ignore)
    options.columns.array = try fields.decodeIfPresent(String.self, forKey: .array)
    options.missing = try fields.decode(MissingValues.self, forKey: .missing)
    options.scaling = try fields.decode(ColumnScaling.self, forKey: .scaling)
    return options
  }

  /// Writes all options as fields of one object.
  func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(Self.kind, forKey: .source)
    try fields.encode(columns.ignored, forKey: .ignore)
    try fields.encodeIfPresent(columns.array, forKey: .array)
    try fields.encode(missing, forKey: .missing)
    try fields.encode(scaling, forKey: .scaling)
  }
}

extension RunConfiguration {
  /// What the rows are called: reviews or, of a table, rows.
  var rowsName: String { table == nil ? "reviews" : "rows" }

  /// What features come from, for a run's report in text.
  func source(features: Int) -> String {
    guard let table else { return "encoder        \(encoder), \(embedding.pooling.rawValue) vectors" }
    return
      "features       \(features) columns of a table, scaled: \(table.scaling.rawValue), missing values: "
      + table.missing.rawValue
  }

  /// Reads rows that a run is made of or tested on.
  ///
  /// - Parameters:
  ///   - path: where they are.
  ///   - first: the rows that the run is made of, where others are read: these have their classes and, of a table, their
  ///     columns.
  ///   - part: which part of a divided folder is meant.
  /// - Throws: `TesseraError` for rows that cannot be read, and for missing values that no rule fills.
  func rows(
    _ path: String, as first: (any LabelledRows)? = nil, part: DataSet.Part = .training
  ) throws -> any LabelledRows {
    guard let table else {
      return try DataSet.read(path, format: format, classes: first?.classes, part: part)
    }
    var request = TableRequest()
    (request.format, request.columns, request.classes) = (format, table.columns, first?.classes)
    if let first = first as? NumberTable {
      request.wanted = first.names
      (request.columns.ignored, request.known) = ([], table.columns.ignored)
    }
    let found = try NumberTable.read(path, request)
    if table.missing == .refuse { try found.requireComplete() }
    return found
  }

  /// What decides a table's features besides its numbers, by the names of a stage's record.
  var tableParameters: [String: String] {
    guard let table else { return [:] }
    var parameters = layoutParameters().filter {
      ["seed", "shares", "training rows", "split", "fold"].contains($0.key)
    }
    (parameters["scaling"], parameters["missing"]) = (table.scaling.rawValue, table.missing.rawValue)
    return parameters
  }
}
