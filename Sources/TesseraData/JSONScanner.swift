// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Reads JSON (RFC 8259) value by value, without a tree of the whole: a file of any length takes the memory
/// of one object.
struct JSONScanner {
  /// A value of a field; what is nested is passed over.
  enum Value: Equatable {
    case string(String)
    /// As it is written: 1 and 1.0 are not the same.
    case number(String)
    case bool(Bool)
    case null
    case nested
  }

  /// What is wrong, and on which line.
  struct Problem: Error {
    let line: Int
    let found: String
  }

  private let bytes: [UInt8]
  private(set) var at = 0
  private(set) var line = 1
  private static let deepest = 512

  /// A scanner over valid UTF-8.
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The next byte that is no white space; nil at the end.
  mutating func peek() -> UInt8? {
    while at < bytes.count {
      switch bytes[at] {
      case 10: line += 1
      case 13: if at + 1 == bytes.count || bytes[at + 1] != 10 { line += 1 }
      case 9, 32: break
      default: return bytes[at]
      }
      at += 1
    }
    return nil
  }

  /// Takes a byte if it comes next.
  mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    at += 1
    return true
  }

  /// The fields of the object that comes next, in order.
  mutating func object() throws(Problem) -> [(name: String, value: Value)] {
    guard take(0x7b) else { throw problem("\(here), no JSON object") }
    var fields: [(String, Value)] = []
    if take(0x7d) { return fields }
    repeat {
      guard peek() == 0x22 else { throw problem("\(here) for a field's name") }
      let name = try string()
      guard take(0x3a) else { throw problem("\(here) for the colon after \(name)") }
      fields.append((name, try value(depth: 1)))
    } while take(0x2c)
    guard take(0x7d) else { throw problem("\(here) for a comma or the object's end") }
    return fields
  }

  func problem(_ found: String) -> Problem { Problem(line: line, found: found) }

  /// What stands here, for messages.
  var here: String {
    guard at < bytes.count else { return "the end of the file" }
    let end = bytes[at...].prefix(40).firstIndex { $0 == 10 || $0 == 13 } ?? min(bytes.count, at + 20)
    return String(decoding: bytes[at..<min(end, at + 20)], as: UTF8.self)
  }

  private mutating func value(depth: Int) throws(Problem) -> Value {
    switch peek() {
    case 0x22: return .string(try string())
    case 0x7b, 0x5b:
      try skipNested()
      return .nested
    case 0x74: return try word("true", .bool(true))
    case 0x66: return try word("false", .bool(false))
    case 0x6e: return try word("null", .null)
    default: return .number(try number())
    }
  }

  private mutating func word(_ text: String, _ value: Value) throws(Problem) -> Value {
    guard bytes[at...].starts(with: text.utf8) else { throw problem("\(here), no JSON value") }
    at += text.utf8.count
    return value
  }

  private mutating func number() throws(Problem) -> String {
    let begin = at
    func isDigit(_ at: Int) -> Bool { at < bytes.count && bytes[at] >= 48 && bytes[at] <= 57 }
    var end = at
    if end < bytes.count, bytes[end] == 45 { end += 1 }
    guard isDigit(end) else { throw problem("\(here), no JSON value") }
    if bytes[end] == 48 { end += 1 } else { while isDigit(end) { end += 1 } }
    if end < bytes.count, bytes[end] == 46 {
      guard isDigit(end + 1) else { throw problem("\(here), no JSON value") }
      end += 1
      while isDigit(end) { end += 1 }
    }
    if end < bytes.count, bytes[end] | 32 == 101 {
      end += 1
      if end < bytes.count, bytes[end] == 43 || bytes[end] == 45 { end += 1 }
      guard isDigit(end) else { throw problem("\(here), no JSON value") }
      while isDigit(end) { end += 1 }
    }
    at = end
    return String(decoding: bytes[begin..<end], as: UTF8.self)
  }

  /// Passes over an array or an object; a stack of brackets instead of recursion.
  private mutating func skipNested() throws(Problem) {
    var open: [UInt8] = []
    repeat {
      guard let byte = peek() else { throw problem("the end of the file within brackets") }
      switch byte {
      case 0x22: _ = try string()
      case 0x7b, 0x5b:
        guard open.count < Self.deepest else {
          throw problem("more than \(Self.deepest) brackets in one another")
        }
        open.append(byte + 2)
        at += 1
      case 0x7d, 0x5d:
        guard open.popLast() == byte else { throw problem("\(here) for the other bracket") }
        at += 1
      case 0x2c, 0x3a: at += 1
      default: _ = try value(depth: open.count)
      }
    } while !open.isEmpty
  }

  private mutating func string() throws(Problem) -> String {
    at += 1
    let begin = at
    while at < bytes.count, bytes[at] != 0x22, bytes[at] != 0x5c, bytes[at] >= 0x20 { at += 1 }
    if at < bytes.count, bytes[at] == 0x22 {
      at += 1
      return String(decoding: bytes[begin..<at - 1], as: UTF8.self)
    }
    var text = Array(bytes[begin..<at])
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      if byte == 0x22 { return String(decoding: text, as: UTF8.self) }
      guard byte >= 0x20 else {
        throw problem(
          byte == 10 || byte == 13 ? "a text that does not end on its line" : "a control character in a text")
      }
      if byte == 0x5c { try escape(&text) } else { text.append(byte) }
    }
    throw problem("the end of the file within a text")
  }

  private mutating func escape(_ text: inout [UInt8]) throws(Problem) {
    guard at < bytes.count else { throw problem("the end of the file within a text") }
    let byte = bytes[at]
    at += 1
    let simple: [UInt8: UInt8] = [
      0x22: 0x22, 0x5c: 0x5c, 0x2f: 0x2f, 0x62: 8, 0x66: 12, 0x6e: 10, 0x72: 13, 0x74: 9,
    ]
    if let character = simple[byte] { return text.append(character) }
    guard byte == 0x75 else { throw problem("an escape that JSON does not have") }
    var scalar = try hexadecimal()
    if scalar & 0xf800 == 0xd800 {
      guard scalar < 0xdc00, at + 1 < bytes.count, bytes[at] == 0x5c, bytes[at + 1] == 0x75 else {
        throw problem("half a surrogate pair")
      }
      at += 2
      let low = try hexadecimal()
      guard low & 0xfc00 == 0xdc00 else { throw problem("half a surrogate pair") }
      scalar = 0x10000 + (scalar & 0x3ff) << 10 + low & 0x3ff
    }
    UTF8Check.append(scalar, to: &text)
  }

  private mutating func hexadecimal() throws(Problem) -> UInt32 {
    guard at + 4 <= bytes.count else { throw problem("the end of the file within a text") }
    var value: UInt32 = 0
    for byte in bytes[at..<at + 4] {
      guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
        throw problem("an escape of no four digits")
      }
      value = value << 4 | UInt32(digit)
    }
    at += 4
    return value
  }
}
