// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import Testing

@testable import TesseraData

@Suite struct TextEncodingTests {
  private let text = "caf\u{e9}\r\n\u{20ac} \u{1f600}\u{10ffff}\u{d7ff}\u{e000}"

  private func units(_ text: String, big: Bool) -> [UInt8] {
    text.utf16.flatMap { big ? [UInt8($0 >> 8), UInt8($0 & 255)] : [UInt8($0 & 255), UInt8($0 >> 8)] }
  }

  private func refusal(_ bytes: [UInt8], _ encoding: TextEncoding = .auto) -> String {
    do {
      _ = try encoding.decode(bytes, place: "f")
      return "read"
    } catch {
      return "\(error)"
    }
  }

  @Test func byteOrderMarksAreRecognised() throws {
    let own = Array(text.utf8)
    for (bytes, encodings) in [
      (own, [TextEncoding.auto, .utf8]), ([0xef, 0xbb, 0xbf] + own, [.auto, .utf8]),
      ([0xff, 0xfe] + units(text, big: false), [.auto, .utf16, .utf16le]),
      ([0xfe, 0xff] + units(text, big: true), [.auto, .utf16, .utf16be]),
      (units(text, big: false), [.utf16, .utf16le]), (units(text, big: true), [.utf16be]),
    ] {
      for encoding in encodings { #expect(try encoding.decode(bytes, place: "f") == own, "\(encoding)") }
    }
    #expect(refusal([0xff, 0xfe] + units("a", big: false), .utf16be).contains("byte order mark of utf16le"))
    #expect(refusal(units("review\tlabel\n", big: false)).contains("--encoding utf16le"))
    #expect(refusal(units("review\tlabel\n", big: true)).contains("--encoding utf16be"))
  }

  @Test func windows1252AndLatin1HaveTheirCharacters() throws {
    let bytes: [UInt8] = [0x93, 0x63, 0xe9, 0x94, 0x80, 0xff]
    let windows = String(decoding: try TextEncoding.windows1252.decode(bytes, place: "f"), as: UTF8.self)
    #expect(windows == "\u{201c}c\u{e9}\u{201d}\u{20ac}\u{ff}")
    let latin = String(decoding: try TextEncoding.latin1.decode(bytes, place: "f"), as: UTF8.self)
    #expect(Array(latin.unicodeScalars).map(\.value) == [0x93, 0x63, 0xe9, 0x94, 0x80, 0xff])
    #expect(refusal([0x61, 10, 0x9d], .windows1252).hasPrefix("f: line 2: found the byte 0x9d"))
    for name in ["utf-8", "UTF-16LE", "cp1252", "iso-8859-1"] { _ = try TextEncoding(named: name) }
    #expect(throws: TesseraError.self) { try TextEncoding(named: "klingon") }
  }

  @Test func whatIsNoUTF8IsNamedByLineAndByteWithTheOption() {
    let bad: [[UInt8]] = [
      [0xe9, 0x20], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff], [0x80], [0xe2, 0x82],
      [0xf0, 0x80, 0x80, 0x80], [0xe0, 0x9f, 0xbf],
    ]
    for bytes in bad {
      let start = Array("eight by\nt\u{e9}s, then ".utf8)
      #expect(UTF8Check.firstInvalid(start + bytes) == start.count, "\(bytes)")
      #expect(String(validating: bytes, as: UTF8.self) == nil)
      let message = refusal(start + bytes)
      #expect(message.hasPrefix("f: line 2: found bytes that are not UTF-8: 0x"), "\(message)")
      #expect(message.contains("(byte \(start.count + 1) of the text)") && message.contains("--encoding"))
    }
  }

  /// All of two bytes, and many of three and four, against the standard library.
  @Test func validityIsTheStandardLibrarys() {
    var state: UInt64 = 1
    func byte() -> UInt8 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 40)
    }
    let pairs = (0..<65536).map { [UInt8($0 >> 8), UInt8($0 & 255)] }
    let more = (0..<200_000).map { n in
      [byte() | 0xc0, byte() & 0xbf | 0x80] + (0..<n % 3).map { _ in byte() & 0xbf | 0x80 }
    }
    for bytes in pairs + more {
      #expect((UTF8Check.firstInvalid(bytes) == nil) == (String(validating: bytes, as: UTF8.self) != nil))
    }
  }

  @Test func halfOfAUTF16CharacterIsRefused() {
    for bytes: [UInt8] in [[0x61, 0, 0x62], [0x0a, 0, 0, 0xd8, 0x61, 0], [0, 0xdc], [0, 0xd8]] {
      #expect(refusal(bytes, .utf16le).contains("wanted whole characters of UTF-16"))
    }
  }
}
