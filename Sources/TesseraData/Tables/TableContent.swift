// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A table as it was read, before labels become classes.
struct TableContent {
  /// The features' names.
  var names: [String]
  /// A row a sample, a column a feature.
  var values: NumberMatrix
  /// Each row's label as it is written; nil: the table has none.
  var labels: [String?]?
  /// The line of each row in a file of text; nil: rows are counted from 1.
  var lines: [Int]?
  /// The classes that labels are numbers of, where the file names them.
  var classes: [String]?
  /// How the file was read.
  var reading: [String] = []
  /// What was left out.
  var leftOut: [DataSummary.LeftOut] = []

  /// A row's place, for messages.
  func place(_ row: Int) -> String { lines.map { "line \($0[row])" } ?? "row \(row + 1)" }
}

/// The kinds of tables that are read.
package enum TableFormats {
  static let wanted = "a table: CSV, TSV, .npy, .npz or safetensors"

  /// Reads a table, of whatever kind it is by its first bytes.
  ///
  /// - Throws: `TesseraError` naming the file and what is wrong with it, with the way out for other kinds.
  static func read(_ path: String, _ request: TableRequest) throws -> TableContent {
    guard path != "-" else {
      return try DelimitedTable.read(source(path, request), request)
    }
    let start = try InputFile.readAny(path, wanted: wanted, atMost: InputFile.Limit.tensors, mapped: true)
      .prefix(FileKind.prefixCount)
    switch FileKind.recognise(start) {
    case .numpy, .zip: return try NumpyTable.read(path, request)
    case .safetensors: return try TensorTable.read(path, request)
    // What these marks say of a file, a text may begin with too; what is wrong with others is said where they are read.
    case nil, .gzip, .utf16, .flax, .onnx, .tensorflow, .empty:
      return try DelimitedTable.read(source(path, request), request)
    case .json:
      throw TesseraError.input(
        path, found: "JSON",
        wanted: "\(wanted): pandas.read_json(FILE, lines=True).to_csv(OTHER, index=False)")
    case let kind?: throw kind.refusal(path, start, wanted: wanted)
    }
  }

  /// Whether a file holds arrays by their names.
  package static func hasArrays(_ path: String) -> Bool {
    guard path != "-",
      let file = try? InputFile.readAny(path, wanted: wanted, atMost: InputFile.Limit.tensors, mapped: true)
    else { return false }
    let kind = FileKind.recognise(file.prefix(FileKind.prefixCount))
    return kind == .zip || kind == .safetensors
  }

  private static func source(_ path: String, _ request: TableRequest) throws -> DataSource {
    try DataSource(path, encoding: request.format.encoding, wanted: wanted)
  }

  /// Throws for options of delimited text where there is none.
  static func requireNoDialect(_ format: DataFormat, _ what: String) throws {
    let given = [
      ("quotes", format.quotes != .auto), ("separator", format.separator != nil),
      ("no-header", !format.header),
      ("encoding", format.encoding != .auto),
    ]
    guard let (name, _) = given.first(where: \.1) else { return }
    throw TesseraError.input(
      name, found: "data that are \(what)", wanted: "delimited text (else leave it out)")
  }
}
