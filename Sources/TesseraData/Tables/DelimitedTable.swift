// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// A table of numbers in delimited text: a header names the columns, a record is a row.
struct DelimitedTable {
  private let source: DataSource
  private let request: TableRequest

  /// Reads a table.
  ///
  /// - Throws: `TesseraError` naming the line and the column of what is no number.
  static func read(_ source: DataSource, _ request: TableRequest) throws -> TableContent {
    guard !source.isFolder else {
      throw TesseraError.input(source.path, found: "a folder", wanted: TableFormats.wanted)
    }
    guard !JSONFormat.isJSON(source.bytes) else {
      throw TesseraError.input(source.path, found: "JSON", wanted: TableFormats.wanted)
    }
    guard request.columns.array == nil else {
      throw TesseraError.input(
        "array", found: "data that are delimited text", wanted: ".npz or safetensors (else leave it out)")
    }
    return try DelimitedTable(source: source, request: request).read()
  }

  private func read() throws -> TableContent {
    let format = request.format
    // Excel writes the separator into a line of its own.
    let told = DelimitedFormat.toldSeparator(source.bytes)
    let sniffer = DialectSniffer(
      bytes: source.bytes, start: told?.length ?? 0, line: told == nil ? 1 : 2, place: source.path)
    let wanted = (request.labelNames + (request.wanted?.prefix(1) ?? [])).map { $0.lowercased() }
    let separator =
      format.separator?.byte ?? told?.separator
      ?? sniffer.separator(DialectSniffer.candidates(source.name)) { names in
        let names = names.map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
        return wanted.contains { names.contains($0) }
      }
    let quotes = format.quotes == .auto ? try sniffer.quotes(separator: separator, label: nil) : format.quotes
    let start = DelimitedText(
      source.bytes, quotes: quotes, separator: separator, start: sniffer.start, line: sniffer.line)
    var (reader, fields) = (start, [DelimitedText.Field]())
    do {
      guard try reader.next(into: &fields) != nil else {
        throw TesseraError.input(source.path, found: "no line", wanted: "rows of numbers")
      }
      let names = fields.map { reader.text($0).trimmingCharacters(in: .whitespaces) }
      let choice = ColumnChoice(
        path: source.path, names: format.header ? names : ColumnChoice.numbered(fields.count),
        areNamed: format.header)
      let found = try choice.choose(request)
      if !format.header { reader = start }
      return try rows(&reader, choice.names, found)
    } catch let broken as DelimitedText.BrokenQuote {
      throw broken.error(source.path)
    }
  }

  private func rows(
    _ reader: inout DelimitedText, _ names: [String], _ columns: ColumnChoice.Found
  ) throws -> TableContent {
    var (values, labels, lines) = ([Double](), [String?](), [Int]())
    var fields: [DelimitedText.Field] = []
    while let line = try reader.next(into: &fields) {
      guard fields.count == names.count else {
        throw TesseraError.input(
          "\(source.path): line \(line)", found: "\(fields.count) fields",
          wanted: "\(names.count), as the first line has (see --separator and --quotes)")
      }
      lines.append(line)
      if let label = columns.label {
        let text = reader.text(fields[label]).trimmingCharacters(in: .whitespaces)
        labels.append(text.isEmpty ? nil : text)
      }
      for column in columns.features {
        values.append(try number(reader, fields[column], line, names[column]))
      }
    }
    guard !lines.isEmpty else {
      throw TesseraError.input(source.path, found: "no rows after the header", wanted: "rows of numbers")
    }
    var content = TableContent(
      names: columns.features.map { names[$0] },
      values: NumberMatrix(values, columns: columns.features.count))
    content.lines = lines
    if let label = columns.label {
      content.labels = labels
      content.reading.append("the label is \(names[label])")
    }
    if reader.blankLines > 0 { content.leftOut.append(.init(what: "blank lines", count: reader.blankLines)) }
    return content
  }

  private func number(
    _ reader: DelimitedText, _ field: DelimitedText.Field, _ line: Int, _ name: String
  ) throws -> Double {
    let found = source.bytes.withUnsafeBufferPointer {
      NumberText.value(UnsafeBufferPointer(rebasing: $0[field.range]))
    }
    if let found, abs(found) <= NumberTable.largest || found.isNaN { return found }
    let (text, place) = (reader.text(field), "\(source.path): line \(line), column \(name)")
    guard found == nil else {
      throw TesseraError.input(place, found: text, wanted: "numbers up to \(NumberTable.largest)")
    }
    let isComma = text.wholeMatch(of: /\s*[+-]?[0-9.]*,[0-9]+\s*/) != nil
    throw TesseraError.input(
      place, found: "\"\(text)\"",
      wanted: isComma
        ? "a number with a decimal point (pandas: read_csv(FILE, decimal=','))"
        : "numbers in every column but the label's (--ignore \(name) leaves the column out; "
          + "classes as numbers: pandas.get_dummies)")
  }
}
