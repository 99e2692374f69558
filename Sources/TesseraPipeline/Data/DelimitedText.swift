import Foundation
import TesseraCompute

/// Comma- or tab-separated text (RFC 4180): quoted fields may hold separators, quotes (doubled) and line breaks.
struct DelimitedText {
  private let bytes: [UInt8]
  private let separator: UInt8
  private let place: String
  private var at = 0
  private var line = 1

  init(_ bytes: [UInt8], separator: Character, place: String) {
    self.bytes = bytes
    self.separator = separator.asciiValue ?? 44
    self.place = place
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { at = 3 }
  }

  /// The next record with the line it starts on; nil at the end. Empty lines are passed over.
  mutating func next() throws -> (fields: [String], line: Int)? {
    while at < bytes.count, bytes[at] == 10 || bytes[at] == 13 { newline() }
    guard at < bytes.count else { return nil }
    let start = line
    var fields: [String] = []
    while true {
      fields.append(try field())
      guard at < bytes.count else { return (fields, start) }
      if bytes[at] == separator {
        at += 1
        if at == bytes.count { fields.append("") }
        continue
      }
      newline()
      return (fields, start)
    }
  }

  private mutating func newline() {
    if bytes[at] == 13, at + 1 < bytes.count, bytes[at + 1] == 10 { at += 1 }
    at += 1
    line += 1
  }

  private mutating func field() throws -> String {
    guard at < bytes.count, bytes[at] == 34 else {
      let begin = at
      while at < bytes.count, bytes[at] != separator, bytes[at] != 10, bytes[at] != 13 { at += 1 }
      return try text(bytes[begin..<at])
    }
    let opened = line
    at += 1
    var value: [UInt8] = []
    while true {
      let begin = at
      at = find(34)
      guard at < bytes.count else {
        throw TesseraError.input(
          "\(place): line \(opened)", found: "a quote that never closes", wanted: "a closing quote")
      }
      // A doubled quote stands for one, which is kept with what was before it.
      let doubled = at + 1 < bytes.count && bytes[at + 1] == 34
      let part = bytes[begin..<(doubled ? at + 1 : at)]
      line += part.reduce(0) { $0 + ($1 == 10 ? 1 : 0) }
      at += doubled ? 2 : 1
      if !doubled, value.isEmpty { return try closed(part) }
      value += part
      if !doubled { return try closed(value[...]) }
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

  /// The text of a quoted field, behind which one ends.
  private func closed(_ value: ArraySlice<UInt8>) throws -> String {
    guard at == bytes.count || bytes[at] == separator || bytes[at] == 10 || bytes[at] == 13 else {
      throw TesseraError.input(
        "\(place): line \(line)", found: "text after a closing quote", wanted: "a separator or a new line")
    }
    return try text(value)
  }

  private func text(_ slice: ArraySlice<UInt8>) throws -> String {
    guard let text = String(validating: slice, as: UTF8.self) else {
      throw TesseraError.input(
        "\(place): line \(line)", found: "bytes that are not UTF-8", wanted: "UTF-8 text")
    }
    return text
  }
}
