// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// UTF-8 as the Unicode standard defines it (table 3-7): no surrogates, nothing overlong, nothing above
/// U+10FFFF.
package enum UTF8Check {
  /// Where the first byte stands that belongs to no character; nil if there is none.
  package static func firstInvalid(_ bytes: [UInt8]) -> Int? {
    bytes.withUnsafeBytes { all in
      var at = 0
      while at < all.count {
        // Eight bytes of ASCII at once.
        if at + 8 <= all.count, all.loadUnaligned(fromByteOffset: at, as: UInt64.self) & ascii == 0 {
          at += 8
          continue
        }
        let length = characterLength(all, at)
        guard length > 0 else { return at }
        at += length
      }
      return nil
    }
  }

  private static let ascii: UInt64 = 0x8080_8080_8080_8080

  /// Bytes of the character that begins here; 0 for none.
  private static func characterLength(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int {
    let first = bytes[at]
    if first < 0x80 { return 1 }
    guard first >= 0xc2, first <= 0xf4 else { return 0 }
    let length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    guard at + length <= bytes.count else { return 0 }
    let low: UInt8 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80
    let high: UInt8 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf
    guard bytes[at + 1] >= low, bytes[at + 1] <= high else { return 0 }
    for next in 2..<max(2, length) where bytes[at + next] & 0xc0 != 0x80 { return 0 }
    return length
  }

  /// Appends a character's bytes.
  package static func append(_ scalar: UInt32, to out: inout [UInt8]) {
    switch scalar {
    case 0..<0x80: out.append(UInt8(scalar))
    case 0x80..<0x800: out += [UInt8(0xc0 | scalar >> 6), UInt8(0x80 | scalar & 0x3f)]
    case 0x800..<0x10000:
      out += [UInt8(0xe0 | scalar >> 12), UInt8(0x80 | scalar >> 6 & 0x3f), UInt8(0x80 | scalar & 0x3f)]
    default:
      out += [
        UInt8(0xf0 | scalar >> 18 & 7), UInt8(0x80 | scalar >> 12 & 0x3f), UInt8(0x80 | scalar >> 6 & 0x3f),
        UInt8(0x80 | scalar & 0x3f),
      ]
    }
  }
}

/// UTF-16 to UTF-8.
enum UTF16Text {
  /// The text's UTF-8.
  ///
  /// - Throws: `TesseraError` naming the line of half a character.
  static func decode(_ bytes: ArraySlice<UInt8>, isBig: Bool, place: String) throws -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count / 2 + bytes.count / 16)
    func refuse(_ found: String) -> TesseraError {
      let line = 1 + out.count { $0 == 10 }
      return .input("\(place): line \(line)", found: found, wanted: "whole characters of UTF-16")
    }
    var at = bytes.startIndex
    func unit(_ at: Int) -> UInt32 {
      isBig ? UInt32(bytes[at]) << 8 | UInt32(bytes[at + 1]) : UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at])
    }
    while at < bytes.endIndex {
      guard at + 1 < bytes.endIndex else { throw refuse("a single byte at the end") }
      var scalar = unit(at)
      at += 2
      if scalar & 0xf800 == 0xd800 {
        guard scalar < 0xdc00, at + 1 < bytes.endIndex, unit(at) & 0xfc00 == 0xdc00 else {
          throw refuse("half a surrogate pair")
        }
        scalar = 0x10000 + (scalar & 0x3ff) << 10 + unit(at) & 0x3ff
        at += 2
      }
      UTF8Check.append(scalar, to: &out)
    }
    return out
  }
}
