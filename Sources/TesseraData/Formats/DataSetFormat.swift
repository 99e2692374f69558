// SPDX-License-Identifier: Apache-2.0

/// A format of labelled texts: what recognises it, what reads it, and which options say something about it.
///
/// A format is one file in this folder and one line in `DataSetFormats.all`.
protocol DataSetFormat: Sendable {
  /// What data in this format are, in messages; no two formats share one.
  static var kind: DataKind { get }

  /// The options of `DataFormat` that decide how it is read; the others are refused where they are given.
  static var options: DataFormatEffects { get }

  /// Whether a source is in this format. It is asked only if no format before it in the list said yes.
  static func recognises(_ source: DataSource) -> Bool

  /// Whether the first line of a stream looks as if a file in this format followed.
  static func looksLikeStart(_ line: String) -> Bool

  /// Reads the rows, each with its label as it is written and its place.
  ///
  /// - Throws: `TesseraError` naming file and line, and the option that decides where there is a doubt.
  static func read(_ source: DataSource, _ request: DataRequest) throws -> DataRows
}

extension DataSetFormat {
  static func looksLikeStart(_ line: String) -> Bool { false }
}

/// What is asked of a source.
struct DataRequest {
  /// What the source does not say itself.
  var format = DataFormat()
  /// Whether every text must have a class.
  var labelled = true
  /// Which part of a divided folder is meant.
  var part = DataSet.Part.training
}

/// Options of `DataFormat` beside encoding and labels, which say something about every format.
struct DataFormatEffects: OptionSet, Sendable {
  let rawValue: Int

  /// Names of the columns, or of the fields, of text and class.
  static let columns = DataFormatEffects(rawValue: 1)
  /// Separator, quotes, and whether there is a header.
  static let dialect = DataFormatEffects(rawValue: 2)
}
