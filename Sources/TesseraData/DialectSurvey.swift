// SPDX-License-Identifier: Apache-2.0
/// What a file looks like, read by one dialect from end to end: whether it holds together, and whether
/// quotes may have swallowed rows.
struct DialectSurvey {
  /// The first quote that does not do what quotes do.
  private(set) var broken: DelimitedText.BrokenQuote?
  /// The first record with another number of fields than the first, and whether it has fields in quotes.
  private(set) var ragged: (line: Int, hasQuotes: Bool)?
  /// Records, those with fields in quotes that begin and end in one line, and doubled quotes in fields.
  private(set) var records = 0, quoted = 0, doubled = 0
  /// Whether the first record has fields in quotes.
  private(set) var isHeaderQuoted = false
  /// Records over several lines that look like rows swallowed by a quote: where the first begins, and
  /// whether every line of each is a row by itself.
  private(set) var swallowed: (line: Int, areAllRows: Bool)?

  /// Whether every record has as many fields as the first.
  var isWhole: Bool { broken == nil && ragged == nil }

  private let label: Int?
  private var columns = 0
  private var labels: Set<[UInt8]> = []
  private var candidates: [Candidate] = []
  /// A file has few labels, or they decide nothing.
  private static let mostLabels = 10_000, mostCandidates = 100_000

  private struct Candidate {
    let line: Int
    /// The lines of the record, and the label in each that has as many fields as a record.
    let lines: Int, labels: [[UInt8]], isBlank: Bool
  }

  /// Reads a file by a dialect up to the first contradiction.
  ///
  /// - Parameter label: column of the label, if known.
  init(_ bytes: [UInt8], quotes: Quotes, separator: UInt8?, start: Int, line: Int, label: Int?) {
    self.label = label
    var reader = DelimitedText(bytes, quotes: quotes, separator: separator, start: start, line: line)
    var fields: [DelimitedText.Field] = []
    do {
      var begin = reader.at
      while let first = try reader.next(into: &fields) {
        begin = Self.skipLineEnds(bytes, begin)
        take(fields, bytes, first, quotes)
        guard ragged == nil else { return }
        // The reader stands behind the record's line end.
        if reader.line - first > 1, fields.contains(where: \.isQuoted) {
          addCandidate(bytes[begin..<reader.at], separator, first)
        }
        begin = reader.at
      }
    } catch {
      broken = error
    }
    judge()
  }

  private static func skipLineEnds(_ bytes: [UInt8], _ at: Int) -> Int {
    var at = at
    while at < bytes.count, bytes[at] == 10 || bytes[at] == 13 { at += 1 }
    return at
  }

  private mutating func take(
    _ fields: [DelimitedText.Field], _ bytes: [UInt8], _ line: Int, _ quotes: Quotes
  ) {
    let inQuotes = fields.contains { isWellQuoted($0, bytes, quotes) }
    if records == 0 { (columns, isHeaderQuoted) = (fields.count, inQuotes) }
    records += 1
    if inQuotes { quoted += 1 }
    doubled += fields.count { $0.isQuoted && $0.hasEscapes }
    guard fields.count == columns else {
      ragged = (line, fields.contains { $0.isQuoted || bytes[$0.range].first == 34 })
      return
    }
    if let label, fields.indices.contains(label), labels.count < Self.mostLabels {
      labels.insert(Array(Self.trimmed(bytes[fields[label].range])))
    }
  }

  /// Whether a field stands in quotes, within one line, that close where it ends and nowhere before.
  private func isWellQuoted(_ field: DelimitedText.Field, _ bytes: [UInt8], _ quotes: Quotes) -> Bool {
    if field.isQuoted { return !bytes[field.range].contains { $0 == 10 || $0 == 13 } }
    guard quotes == .none, field.range.count >= 2, bytes[field.range.lowerBound] == 34,
      bytes[field.range.upperBound - 1] == 34
    else { return false }
    var at = field.range.lowerBound + 1
    while at < field.range.upperBound - 1 {
      if bytes[at] == 92 {
        at += 2
      } else if bytes[at] == 34 {
        guard at + 1 < field.range.upperBound - 1, bytes[at + 1] == 34 else { return false }
        at += 2
      } else {
        at += 1
      }
    }
    return at == field.range.upperBound - 1
  }

  private mutating func addCandidate(_ record: ArraySlice<UInt8>, _ separator: UInt8?, _ line: Int) {
    guard candidates.count < Self.mostCandidates else { return }
    var lines = record.split(omittingEmptySubsequences: false) { $0 == 10 || $0 == 13 }
    // A line feed after a carriage return is no line of its own; neither is what comes after the last.
    let isBlank = record.indices.dropLast().contains { i in
      record[i] == 10 && record[i + 1] == 10 && i + 2 < record.endIndex
    }
    lines.removeAll { $0.isEmpty }
    let found = lines.compactMap { text -> [UInt8]? in
      let fields = text.split(omittingEmptySubsequences: false) { $0 == separator }
      guard fields.count == columns else { return nil }
      guard let label, fields.indices.contains(label) else { return [] }
      return Array(Self.trimmed(fields[label]))
    }
    candidates.append(Candidate(line: line, lines: lines.count, labels: found, isBlank: isBlank))
  }

  /// A genuine text of several lines has at most one line, the first or the last, that has the record's
  /// label and as many fields as a record. Where more than half of the lines do, and two at least, each was
  /// a row. Without labels every line must look like a row, and quotes must be rare in the file.
  private mutating func judge() {
    for candidate in candidates {
      let isRow: Bool
      let rows: Int
      if label != nil {
        rows = candidate.labels.count { labels.contains($0) }
        isRow = rows >= 2 && 2 * rows > candidate.lines
      } else {
        rows = candidate.labels.count
        isRow = rows == candidate.lines && !candidate.isBlank && doubled == 0 && 2 * quoted <= records
      }
      guard isRow else { continue }
      let all = rows == candidate.lines && (swallowed?.areAllRows ?? true)
      swallowed = (swallowed?.line ?? candidate.line, all)
    }
    candidates = []
  }

  /// Without blanks and quotes at both ends.
  private static func trimmed(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var field = field
    while let byte = field.first, byte == 32 || byte == 9 || byte == 34 { field.removeFirst() }
    while let byte = field.last, byte == 32 || byte == 9 || byte == 34 { field.removeLast() }
    return field
  }
}
