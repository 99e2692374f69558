// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Rows of delimited text: which columns there are, by which dialect.
struct DelimitedFormat: DataSetFormat {
  static let kind = DataKind.table
  static let options: DataFormatEffects = [.columns, .dialect]

  let bytes: [UInt8]
  let path: String
  /// The file's name in lower case without `.gz`.
  let name: String
  let format: DataFormat
  let labelled: Bool

  /// Numbers of the columns, and how many there are.
  private struct Columns {
    var text: Int, label: Int?, count: Int
  }

  /// All text that no other format took.
  static func recognises(_ source: DataSource) -> Bool { !source.isFolder }

  /// Whether a line names a usual column of texts, between others.
  static func looksLikeStart(_ line: String) -> Bool {
    DialectSniffer.candidates("").contains { separator in
      let names = line.utf8.split(separator: separator, omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self).filter { $0 != "\"" }.lowercased()
      }
      return names.count > 1 && DataFormat.usualTexts.contains { names.contains($0) }
    }
  }

  static func read(_ source: DataSource, _ request: DataRequest) throws -> DataRows {
    try DelimitedFormat(
      bytes: source.bytes, path: source.path, name: source.name, format: request.format,
      labelled: request.labelled
    ).read()
  }

  /// Reads the rows.
  func read() throws -> DataRows {
    // Excel writes the separator into a line of its own.
    let told = Self.toldSeparator(bytes)
    let sniffer = DialectSniffer(
      bytes: bytes, start: told?.length ?? 0, line: told == nil ? 1 : 2, place: path)
    let separator = try format.separator?.byte ?? told?.separator ?? found(sniffer)
    var fields: [DelimitedText.Field] = []
    var names: [String] = []
    var quotes = format.quotes
    // The header tells which column has the labels, which the meaning of quotes is found by.
    for header in [quotes, .double, .none] where header != .auto {
      var reader = DelimitedText(bytes, quotes: header, separator: separator, start: sniffer.start)
      guard (try? reader.next(into: &fields)) != nil else { continue }
      names = fields.map { reader.text($0) }
      break
    }
    guard !names.isEmpty else {
      throw TesseraError.input(
        path, found: "no line\(told == nil ? "" : " after that of the separator")", wanted: "rows of fields")
    }
    let columns = try columns(names)
    if quotes == .auto { quotes = try sniffer.quotes(separator: separator, label: columns.label) }
    return try rows(
      DelimitedText(
        bytes, quotes: quotes, separator: separator, start: sniffer.start, line: sniffer.line), columns)
  }

  private func rows(_ text: DelimitedText, _ columns: Columns) throws -> DataRows {
    var (reader, fields, result) = (text, [DelimitedText.Field](), DataRows(Self.kind))
    var (isFirst, withoutLabel) = (format.header, 0)
    if !format.header { result.reading = [columnNumbers(text, columns)] }
    do {
      while let line = try reader.next(into: &fields) {
        guard fields.count == columns.count else { throw ragged(line, fields.count, columns.count) }
        if isFirst {
          result.reading = [columnNames(fields, reader, columns)]
          isFirst = false
          continue
        }
        let value = columns.label.map { reader.text(fields[$0]).trimmingCharacters(in: .whitespaces) }
        if labelled, value?.isEmpty ?? true {
          guard format.labels.leavesOutUnlabelled else { throw unlabelled(line) }
          withoutLabel += 1
          continue
        }
        result.rows.append(
          .init(
            text: reader.text(fields[columns.text]), label: value.flatMap { $0.isEmpty ? nil : $0 },
            place: .line(line)))
      }
    } catch let broken as DelimitedText.BrokenQuote {
      throw broken.error(path)
    }
    if format.quotes == .auto, reader.quotes != .double {
      result.reading.append(
        reader.quotes == .none ? "quotes are characters (none)" : "a backslash before quotes in texts")
    }
    result.leaveOut(reader.blankLines, "blank lines")
    result.leaveOut(withoutLabel, "rows without a label")
    return result
  }

  private func columnNames(_ fields: [DelimitedText.Field], _ reader: DelimitedText, _ columns: Columns)
    -> String
  {
    func name(_ index: Int) -> String {
      reader.text(fields[index]).trimmingCharacters(in: .whitespaces)
    }
    guard let label = columns.label else { return "column \(name(columns.text))" }
    return "columns \(name(columns.text)) and \(name(label))"
  }

  private func columnNumbers(_ reader: DelimitedText, _ columns: Columns) -> String {
    let label = columns.label.map { " and \($0 + 1)" } ?? ""
    let name = reader.separator.map { Separator(byte: $0).name } ?? "none"
    return "columns \(columns.text + 1)\(label) of \(columns.count), separator \(name)"
  }

  private func unlabelled(_ line: Int) -> TesseraError {
    .input(
      "\(path): line \(line)", found: "no label",
      wanted: "a label in every row (--labels '=' leaves rows without one out)")
  }

  private func ragged(_ line: Int, _ found: Int, _ wanted: Int) -> TesseraError {
    .input(
      "\(path): line \(line)", found: "\(found) fields",
      wanted: "\(wanted), as the first line has (see --separator and --quotes)")
  }

  /// The separator of a first line such as `sep=;`, and the bytes of that line.
  static func toldSeparator(_ bytes: [UInt8]) -> (separator: UInt8, length: Int)? {
    guard bytes.count > 5, String(decoding: bytes[..<4], as: UTF8.self).lowercased() == "sep=",
      bytes[5] == 10 || bytes[5] == 13, let separator = try? Separator(named: String(UnicodeScalar(bytes[4])))
    else { return nil }
    return (separator.byte, bytes[5] == 13 && bytes.count > 6 && bytes[6] == 10 ? 7 : 6)
  }

  private func found(_ sniffer: DialectSniffer) throws -> UInt8? {
    let candidates = DialectSniffer.candidates(name)
    guard format.header else {
      let numbers = [format.text, format.label].compactMap { $0.flatMap { Int($0) } }
      return sniffer.separator(candidates, columns: numbers.max() ?? 1)
        ?? sniffer.separator(candidates, columns: 2)
    }
    return sniffer.separator(candidates) { names in
      let names = names.map { $0.trimmingCharacters(in: .whitespaces) }
      func has(_ wanted: [String]) -> Bool { wanted.contains { !Self.places(of: $0, in: names).isEmpty } }
      return has(format.textNames) && (!labelled || has(format.labelNames))
    }
  }

  /// Where a name stands among others; without regard to case if it does not stand there as it is.
  private static func places(of name: String, in names: [String]) -> [Int] {
    let exact = names.indices.filter { names[$0] == name }
    return exact.isEmpty ? names.indices.filter { names[$0].lowercased() == name.lowercased() } : exact
  }

  private func columns(_ first: [String]) throws -> Columns {
    let names = first.map { $0.trimmingCharacters(in: .whitespaces) }
    guard format.header else {
      let text = try number(format.text, "--text-column", of: names.count)
      guard labelled || format.label != nil else {
        return Columns(text: text, label: nil, count: names.count)
      }
      let label = try number(format.label, "--label-column", of: names.count)
      return Columns(text: text, label: label, count: names.count)
    }
    let text = try column(format.text, DataFormat.usualTexts, names, "--text-column", needed: true)
    let label = try column(format.label, DataFormat.usualLabels, names, "--label-column", needed: labelled)
    return Columns(text: text ?? 0, label: label, count: names.count)
  }

  private func column(
    _ wanted: String?, _ usual: [String], _ names: [String], _ option: String, needed: Bool
  ) throws -> Int? {
    let candidates = wanted.map { [$0] } ?? usual
    for candidate in candidates {
      let places = Self.places(of: candidate, in: names)
      guard places.count < 2 else {
        if !needed, wanted == nil { return nil }
        throw TesseraError.input(
          "\(path): header", found: "\(places.count) columns \(candidate)", wanted: "names that differ")
      }
      if let place = places.first { return place }
    }
    guard needed || wanted != nil else { return nil }
    throw TesseraError.input(
      "\(path): header", found: "columns \(names.joined(separator: ", "))",
      wanted: "a column \(candidates.joined(separator: " or ")) (\(option) names another; "
        + "--no-header where the first line is a row, with columns by number)")
  }

  private func number(_ wanted: String?, _ option: String, of count: Int) throws -> Int {
    guard let wanted, let number = Int(wanted), (1...count).contains(number) else {
      throw TesseraError.input(
        "\(path): \(option)", found: wanted ?? "nothing",
        wanted: count == 1 ? "1, the only column" : "a number from 1 to \(count), as there is no header")
    }
    return number - 1
  }
}
