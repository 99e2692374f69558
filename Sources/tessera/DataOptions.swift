// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraAssets
import TesseraCompute
import TesseraData
import TesseraPipeline

/// How a file of reviews is read.
struct DataFormatOptions: ParsableArguments {
  @Option(
    help:
      "Column of the text: a name, or with --no-header a number from 1 (default: review, text or sentence).")
  var textColumn: String?
  @Option(help: "Separator of delimited text: auto, tab, comma, semicolon, pipe or a character.")
  var separator = DataFormat().separator.text
  @Option(
    help: """
      What quotation marks mean in delimited text: double (RFC 4180), backslash (\\" in quotes), none (characters), or \
      auto: what reads the whole file without contradiction.
      """)
  var quotes = DataFormat().quotes
  @Option(help: "Encoding; auto: UTF-8, or UTF-16 by its byte order mark.")
  var encoding = DataFormat().encoding
  @Flag(help: "The first line is a row, not names of columns.")
  var noHeader = false

  /// Whether any of them was given.
  var isGiven: Bool {
    let usual = DataFormat()
    return textColumn != nil || separator != usual.separator.text || quotes != usual.quotes
      || encoding != usual.encoding || noHeader
  }

  /// The format.
  func format(label: String? = nil, labels: LabelRules = LabelRules()) throws -> DataFormat {
    DataFormat(
      text: textColumn, label: label, quotes: quotes, separator: try Separator(named: separator),
      encoding: encoding, header: !noHeader, labels: labels)
  }
}

/// Reviews, their columns, and what their labels stand for.
struct DataOptions: ParsableArguments {
  @Option(help: Self.help)
  var data: String
  @OptionGroup(title: "Data") var rows: LabelOptions

  /// What reviews are read from.
  static let help: ArgumentHelp = """
    Reviews: CSV, TSV, JSON lines or a JSON array (also .gz), a folder per class as aclImdb, - for standard input, \
    or what tessera fetch fetched (snippets).
    """

  /// Where the reviews are: a path, or a fetched asset's.
  ///
  /// - Throws: `TesseraError` for an asset that was not fetched.
  func source() throws -> String { try AssetStore.standard.path(of: data, option: "data") }

  /// The format.
  ///
  /// - Parameter run: a run whose rules for labels hold where none are given.
  func format(of run: RunConfiguration? = nil) throws -> DataFormat { try rows.format(of: run) }
}

/// How a file of labelled rows is read, and what its labels stand for.
struct LabelOptions: ParsableArguments {
  @OptionGroup(title: "Data") var file: DataFormatOptions
  @Option(
    help: """
      Column of the class, as --text-column (default: sentiment, label or class; of a table of numbers label, class, \
      target, labels or y).
      """)
  var labelColumn: String?
  @Option(
    help:
      "What labels stand for, rules separated by commas: pos=positive, unsure= (left out), >=7=good, *=other; >=7 alone makes two classes of numbers; = leaves rows without a label out; merge joins spellings of one label; as-is takes labels whatever they look like."
  )
  var labels: String?

  /// The format.
  ///
  /// - Parameter run: a run whose rules for labels hold where none are given.
  func format(of run: RunConfiguration? = nil) throws -> DataFormat {
    try file.format(label: labelColumn, labels: try LabelRules(labels ?? run?.format.labels.text ?? ""))
  }
}
