// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Reads JSON (RFC 8259): one value in UTF-8, and nothing after it.
struct JSONReader {
  /// Lists and objects inside each other at most; what tokenizers say needs five.
  private static let deepest = 64

  private let bytes: UnsafeBufferPointer<UInt8>
  private let place: String
  private var at = 0
  private var depth = 0

  /// The value that bytes hold.
  ///
  /// - Parameter place: the file, for messages.
  /// - Throws: `TesseraError` naming the line of what is no JSON.
  static func value(of bytes: some Sequence<UInt8>, place: String) throws -> JSONValue {
    let bytes = Array(bytes)
    return try bytes.withUnsafeBufferPointer { bytes in
      var reader = JSONReader(bytes: bytes, place: place)
      return try reader.whole()
    }
  }

  private init(bytes: UnsafeBufferPointer<UInt8>, place: String) { (self.bytes, self.place) = (bytes, place) }

  private mutating func whole() throws -> JSONValue {
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { at = 3 }
    let value = try value()
    skipBlanks()
    guard at == bytes.count else { throw malformed("more after the value") }
    return value
  }

  private func malformed(_ found: String) -> TesseraError {
    let line = 1 + bytes[..<min(at, bytes.count)].count(where: { $0 == 10 })
    return .input("\(place): line \(line)", found: found, wanted: "well-formed JSON")
  }

  private mutating func skipBlanks() {
    // Blank, line feed, carriage return and tab.
    while at < bytes.count, bytes[at] <= 32, 1 << UInt64(bytes[at]) & 0x1_0000_2600 != 0 { at += 1 }
  }

  /// Takes a byte if it is the next one.
  private mutating func take(_ byte: UInt8) -> Bool {
    guard at < bytes.count, bytes[at] == byte else { return false }
    at += 1
    return true
  }

  private mutating func value() throws -> JSONValue {
    skipBlanks()
    guard at < bytes.count else { throw malformed("an end too early") }
    switch bytes[at] {
    case UInt8(ascii: "{"): return try nested { try $0.object() }
    case UInt8(ascii: "["): return try nested { try $0.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  private mutating func nested(_ body: (inout JSONReader) throws -> JSONValue) throws -> JSONValue {
    guard depth < Self.deepest else { throw malformed("more than \(Self.deepest) values inside each other") }
    depth += 1
    at += 1
    defer { depth -= 1 }
    return try body(&self)
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws -> JSONValue {
    let wanted = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    guard bytes[at...].starts(with: wanted) else { throw malformed("an unknown word") }
    at += wanted.count
    return value
  }

  private mutating func array() throws -> JSONValue {
    var values: [JSONValue] = []
    skipBlanks()
    if take(UInt8(ascii: "]")) { return .array(values) }
    while true {
      values.append(try value())
      skipBlanks()
      if take(UInt8(ascii: "]")) { return .array(values) }
      guard take(UInt8(ascii: ",")) else { throw malformed("a list without an end") }
    }
  }

  private mutating func object() throws -> JSONValue {
    var members: [JSONValue.Member] = []
    skipBlanks()
    if take(UInt8(ascii: "}")) { return .object(members) }
    while true {
      skipBlanks()
      guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw malformed("no key") }
      let key = try string()
      skipBlanks()
      guard take(UInt8(ascii: ":")) else { throw malformed("a key without a value") }
      members.append(JSONValue.Member(key: key, value: try value()))
      skipBlanks()
      if take(UInt8(ascii: "}")) { return .object(members) }
      guard take(UInt8(ascii: ",")) else { throw malformed("an object without an end") }
    }
  }

  private mutating func number() throws -> JSONValue {
    let begin = at
    _ = take(UInt8(ascii: "-"))
    let whole = try digits()
    if whole.count > 1, whole.first == UInt8(ascii: "0") { throw malformed("a number that begins with 0") }
    var isWhole = true
    if take(UInt8(ascii: ".")) {
      isWhole = false
      _ = try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isWhole = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      _ = try digits()
    }
    let text = String(decoding: bytes[begin..<at], as: UTF8.self)
    if isWhole, let value = Int(text) { return .integer(value) }
    guard let value = Double(text) else { throw malformed("no number") }
    return .number(value)
  }

  private mutating func digits() throws -> Slice<UnsafeBufferPointer<UInt8>> {
    let begin = at
    while at < bytes.count, (48...57).contains(bytes[at]) { at += 1 }
    guard at > begin else { throw malformed("no value") }
    return bytes[begin..<at]
  }
}

// MARK: - Texts

extension JSONReader {
  private mutating func string() throws -> String {
    at += 1
    var text: [UInt8] = []
    while true {
      let begin = at
      while at < bytes.count, bytes[at] >= 32, bytes[at] != UInt8(ascii: "\""),
        bytes[at] != UInt8(ascii: "\\")
      {
        at += 1
      }
      text.append(contentsOf: bytes[begin..<at])
      guard at < bytes.count else { throw malformed("a text without an end") }
      guard bytes[at] >= 32 else { throw malformed("a control character within a text") }
      at += 1
      if bytes[at - 1] == UInt8(ascii: "\"") { break }
      text.append(contentsOf: String(try escape()).utf8)
    }
    guard let text = String(validating: text, as: UTF8.self) else {
      throw malformed("bytes that are not UTF-8")
    }
    return text
  }

  /// What stands after a backslash.
  private mutating func escape() throws -> Unicode.Scalar {
    guard at < bytes.count else { throw malformed("a text without an end") }
    at += 1
    switch bytes[at - 1] {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try escapedScalar()
    default: throw malformed("an unknown escape")
    }
  }

  private mutating func escapedScalar() throws -> Unicode.Scalar {
    let first = try hexadecimal()
    if let scalar = Unicode.Scalar(first) { return scalar }
    // Beyond the first plane a scalar is two escapes, a high surrogate and a low one.
    if first < 0xdc00, take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
      let second = try hexadecimal()
      if (0xdc00...0xdfff).contains(second),
        let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
      {
        return scalar
      }
    }
    throw malformed("half a surrogate pair")
  }

  private mutating func hexadecimal() throws -> UInt32 {
    guard at + 4 <= bytes.count else { throw malformed("a text without an end") }
    let digits = bytes[at..<at + 4]
    guard digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
      let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw malformed("no four hexadecimal digits") }
    at += 4
    return value
  }
}
