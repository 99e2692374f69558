// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How bytes stand for characters.
public enum TextEncoding: String, Sendable, Codable, CaseIterable {
  /// UTF-8, or UTF-16 with a byte order mark.
  case auto
  /// UTF-8, with or without a byte order mark.
  case utf8
  /// UTF-16 by its byte order mark, little-endian without one.
  case utf16
  /// UTF-16 in this order of bytes.
  case utf16le, utf16be
  /// Windows code page 1252 (Western European).
  case windows1252 = "windows-1252"
  /// ISO 8859-1.
  case latin1

  /// An encoding by its name.
  ///
  /// - Throws: `TesseraError` for a name that does not exist.
  public init(named name: String) throws {
    let others: [String: TextEncoding] = [
      "utf-8": .utf8, "utf-16": .utf16, "utf-16le": .utf16le, "utf-16be": .utf16be, "cp1252": .windows1252,
      "windows1252": .windows1252, "latin-1": .latin1, "iso-8859-1": .latin1,
    ]
    let name = name.lowercased()
    guard let value = TextEncoding(rawValue: name) ?? others[name] else {
      throw TesseraError.input(
        "encoding", found: name, wanted: Self.allCases.map(\.rawValue).joined(separator: ", "))
    }
    self = value
  }

  /// Bytes as UTF-8 without a byte order mark.
  ///
  /// - Throws: `TesseraError` naming line and byte of what is not in this encoding.
  func decode(_ bytes: [UInt8], place: String) throws -> [UInt8] {
    let mark = Self.mark(of: bytes)
    if mark?.encoding == .utf8, self == .auto || self == .utf8 {
      return try Self.checked(Array(bytes.dropFirst(3)), place, offset: 3, isAuto: self == .auto)
    }
    switch self {
    case .auto:
      guard let mark else {
        try Self.refuseUnmarkedUTF16(bytes, place)
        return try Self.checked(bytes, place, offset: 0, isAuto: true)
      }
      return try UTF16Text.decode(
        bytes.dropFirst(mark.length), isBig: mark.encoding == .utf16be, place: place)
    case .utf8: return try Self.checked(bytes, place, offset: 0, isAuto: false)
    case .utf16, .utf16le, .utf16be:
      let marked = mark.flatMap { $0.encoding == .utf8 ? nil : $0 }
      if self != .utf16, let marked, marked.encoding != self {
        throw TesseraError.input(
          place, found: "the byte order mark of \(marked.encoding.rawValue)", wanted: rawValue)
      }
      let isBig = self == .utf16be || marked?.encoding == .utf16be
      return try UTF16Text.decode(bytes.dropFirst(marked?.length ?? 0), isBig: isBig, place: place)
    case .windows1252, .latin1: return try singleBytes(bytes, place)
    }
  }

  /// One line of a stream, which cannot be UTF-16; nil if it is not in this encoding.
  package func line(_ bytes: ArraySlice<UInt8>) -> String? {
    switch self {
    case .latin1, .windows1252:
      (try? singleBytes(Array(bytes), "")).map { String(decoding: $0, as: UTF8.self) }
    default: String(validating: bytes, as: UTF8.self)
    }
  }

  /// The byte order mark at the beginning.
  private static func mark(of bytes: [UInt8]) -> (encoding: TextEncoding, length: Int)? {
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { return (.utf8, 3) }
    if bytes.starts(with: [0xff, 0xfe]) { return (.utf16le, 2) }
    if bytes.starts(with: [0xfe, 0xff]) { return (.utf16be, 2) }
    return nil
  }

  /// Every other byte of the beginning is 0 in UTF-16 of Western text, and none of the others.
  private static func refuseUnmarkedUTF16(_ bytes: [UInt8], _ place: String) throws {
    let head = bytes.prefix(512)
    let zeros = [0, 1].map { odd in head.indices.count { $0 % 2 == odd && head[$0] == 0 } }
    guard bytes.count % 2 == 0, zeros[0] + zeros[1] > head.count / 4, zeros.contains(0) else { return }
    let name = zeros[1] > 0 ? "utf16le" : "utf16be"
    throw TesseraError.input(
      place, found: "what looks like UTF-16 without a byte order mark", wanted: "--encoding \(name)")
  }

  private static func checked(_ bytes: [UInt8], _ place: String, offset: Int, isAuto: Bool) throws -> [UInt8]
  {
    guard let bad = UTF8Check.firstInvalid(bytes) else { return bytes }
    let line = lineNumber(of: bad, in: bytes)
    let hint = isAuto ? " (--encoding windows-1252, latin1 or utf16 for what is in one of them)" : ""
    throw TesseraError.input(
      "\(place): line \(line)",
      found: "bytes that are not UTF-8: 0x\(hexadecimal(bytes[bad])) (byte \(bad + offset + 1) of the text)",
      wanted: "UTF-8\(hint)")
  }

  private func singleBytes(_ bytes: [UInt8], _ place: String) throws -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count + bytes.count / 16)
    for (at, byte) in bytes.enumerated() {
      if byte < 0x80 {
        out.append(byte)
        continue
      }
      var scalar = UInt32(byte)
      if self == .windows1252, byte < 0xa0 {
        scalar = UInt32(Self.upper[Int(byte) - 0x80])
        guard scalar != 0 else {
          let line = Self.lineNumber(of: at, in: bytes)
          throw TesseraError.input(
            "\(place): line \(line)",
            found: "the byte 0x\(Self.hexadecimal(byte)), no character in windows-1252 (byte \(at + 1))",
            wanted: "text in windows-1252, or another --encoding")
        }
      }
      UTF8Check.append(scalar, to: &out)
    }
    return out
  }

  /// Number of the line that a byte stands in.
  static func lineNumber(of at: Int, in bytes: [UInt8]) -> Int {
    var line = 1
    for i in 0..<at where bytes[i] == 10 || bytes[i] == 13 && bytes[i + 1] != 10 { line += 1 }
    return line
  }

  static func hexadecimal(_ byte: UInt8) -> String {
    String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
  }

  /// What windows-1252 has at 0x80 to 0x9f; 0 is none.
  private static let upper: [UInt16] = [
    0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
    0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
    0x0153, 0, 0x017e, 0x0178,
  ]
}
