// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Delimited text: records that end with a line (LF, CRLF or CR), fields between separators. Fields in
/// quotes may hold separators, quotes and line ends, as the dialect says.
struct DelimitedText {
  /// A field's bytes without the quotes around it.
  struct Field {
    var range: Range<Int>
    var isQuoted = false
    /// Whether escapes have to be taken out.
    var hasEscapes = false
  }

  /// A quote that does not do what quotes do.
  struct BrokenQuote: Error, Equatable {
    let opened: Int
    let isClosed: Bool
  }

  let bytes: [UInt8]
  let quotes: Quotes
  /// The separator; nil where a record has one field.
  let separator: UInt8?
  /// Where the next record begins, and its line.
  private(set) var at: Int
  private(set) var line: Int
  /// Empty lines between records so far.
  private(set) var blankLines = 0

  /// A reader.
  ///
  /// - Parameters:
  ///   - bytes: valid UTF-8.
  ///   - quotes: a dialect, not `auto`.
  ///   - start: where to begin.
  init(_ bytes: [UInt8], quotes: Quotes, separator: UInt8?, start: Int = 0, line: Int = 1) {
    (self.bytes, self.quotes, self.separator) = (bytes, quotes, separator)
    (at, self.line) = (start, line)
  }

  /// Finds the fields of the next record, and the line that it starts on; nil at the end. Empty lines are
  /// passed over.
  mutating func next(into fields: inout [Field]) throws(BrokenQuote) -> Int? {
    fields.removeAll(keepingCapacity: true)
    var empty = 0
    while at < bytes.count, isLineEnd(bytes[at]) {
      endLine()
      empty += 1
    }
    guard at < bytes.count else { return nil }
    blankLines += empty
    let start = line
    while true {
      fields.append(try field())
      guard at < bytes.count else { return start }
      guard bytes[at] == separator else {
        endLine()
        return start
      }
      at += 1
    }
  }

  /// A field as text.
  func text(_ field: Field) -> String {
    guard field.hasEscapes else { return String(decoding: bytes[field.range], as: UTF8.self) }
    var value: [UInt8] = []
    value.reserveCapacity(field.range.count)
    var at = field.range.lowerBound
    while at < field.range.upperBound {
      // What an escape stands for is the byte after it.
      if isEscape(at, in: field) { at += 1 }
      value.append(bytes[at])
      at += 1
    }
    return String(decoding: value, as: UTF8.self)
  }

  private func isEscape(_ at: Int, in field: Field) -> Bool {
    guard at + 1 < field.range.upperBound else { return false }
    return quotes == .double ? bytes[at] == 34 && bytes[at + 1] == 34 : isEscaping(at)
  }

  /// Whether a backslash stands here that takes the meaning from the next byte; before others it is a
  /// character.
  private func isEscaping(_ at: Int) -> Bool {
    guard bytes[at] == 92, at + 1 < bytes.count else { return false }
    let next = bytes[at + 1]
    return next == 34 || next == 92 || next == separator || isLineEnd(next)
  }

  private func isLineEnd(_ byte: UInt8) -> Bool { byte == 10 || byte == 13 }

  private mutating func endLine() {
    if bytes[at] == 13, at + 1 < bytes.count, bytes[at + 1] == 10 { at += 1 }
    at += 1
    line += 1
  }

  private mutating func field() throws(BrokenQuote) -> Field {
    if quotes != .none, at < bytes.count, bytes[at] == 34 { return try quoted() }
    var field = Field(range: at..<at)
    let begin = at
    while at < bytes.count, bytes[at] != separator, !isLineEnd(bytes[at]) {
      if quotes == .backslash, isEscaping(at) {
        field.hasEscapes = true
        countLines(at + 1..<at + 2)
        at += 1
      }
      at += 1
    }
    field.range = begin..<at
    return field
  }

  private mutating func quoted() throws(BrokenQuote) -> Field {
    let opened = line
    at += 1
    let begin = at
    var field = Field(range: at..<at, isQuoted: true)
    while true {
      if quotes == .backslash {
        while at < bytes.count, bytes[at] != 34 {
          if isEscaping(at) {
            field.hasEscapes = true
            at += 1
          }
          at += 1
        }
        at = min(at, bytes.count)
      } else {
        at = find(34)
      }
      guard at < bytes.count else { throw BrokenQuote(opened: opened, isClosed: false) }
      guard quotes == .double, at + 1 < bytes.count, bytes[at + 1] == 34 else { break }
      field.hasEscapes = true
      at += 2
    }
    field.range = begin..<at
    countLines(field.range)
    at += 1
    guard at == bytes.count || bytes[at] == separator || isLineEnd(bytes[at]) else {
      throw BrokenQuote(opened: opened, isClosed: true)
    }
    return field
  }

  /// Counts the line ends in a field: an LF, a CR, or both together.
  private mutating func countLines(_ range: Range<Int>) {
    for i in range where bytes[i] == 10 || bytes[i] == 13 && !(i + 1 < bytes.count && bytes[i + 1] == 10) {
      line += 1
    }
  }

  /// Where a byte stands from here on; the end if it does not.
  private func find(_ byte: Int32) -> Int {
    bytes.withUnsafeBytes { all in
      guard let base = all.baseAddress, let found = memchr(base + at, byte, all.count - at) else {
        return all.count
      }
      return base.distance(to: UnsafeRawPointer(found))
    }
  }
}

extension DelimitedText.BrokenQuote {
  /// What is wrong, with the option that decides.
  func error(_ place: String) -> TesseraError {
    .input(
      "\(place): line \(opened)",
      found: isClosed ? "a quote with text after its end" : "a quote that never closes",
      wanted:
        "a closing quote before a separator or the line's end (--quotes none where quotes mean nothing, "
        + "backslash where \\\" is one)")
  }
}
