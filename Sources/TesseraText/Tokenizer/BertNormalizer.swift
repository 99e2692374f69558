// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What BERT's cleaning of text does.
struct BertNormalization: Sendable, Equatable {
  /// Control characters out, white space to blanks.
  var cleans = true
  /// Blanks around CJK characters.
  var separatesIdeographs = true
  /// Accents off: canonical decomposition without marks. Where nothing says so, as `lowercases`.
  var stripsAccents: Bool?
  /// Lower case, character by character.
  var lowercases = true

  /// Whether accents come off.
  var stripsMarks: Bool { stripsAccents ?? lowercases }
}

/// BERT's cleaning of text, by scalar.
struct BertNormalizer: Sendable {
  let normalization: BertNormalization
  /// What the 128 characters of ASCII are.
  let ascii: [ASCII]
  private let tables: [Table]

  /// The forms of a range of scalars.
  private struct Table: Sendable {
    let first: UInt32
    let forms: [[Unicode.Scalar]]
  }

  /// What a character of ASCII is to cleaning and splitting.
  enum ASCII: Sendable {
    case control, blank, punctuation
    case letter(UInt8)
  }

  init(_ normalization: BertNormalization) {
    self.normalization = normalization
    ascii = (0..<128).map { Self.kind($0, normalization) }
    // Latin letters, and the usual quotes and dashes: looking one up in Unicode's data takes a microsecond.
    tables = [0x80...0x17f, 0x2000...0x206f].map { range in
      Table(
        first: range.lowerBound,
        forms: range.map { Unicode.Scalar($0).map { Self.form($0, normalization) } ?? [] })
    }
  }

  /// What a scalar becomes; nothing, a blank, or its normal form.
  func normalized(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    for table in tables where table.first <= scalar.value && scalar.value - table.first < table.forms.count {
      return table.forms[Int(scalar.value - table.first)]
    }
    return Self.form(scalar, normalization)
  }

  /// What a text becomes.
  func normalized(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var at = 0
    while at < text.count {
      let (scalar, length) = UTF8Text.scalar(text, at)
      for part in normalized(scalar) { if let bytes = UTF8.encode(part) { result.append(contentsOf: bytes) } }
      at += length
    }
    return result
  }

  private static func kind(_ byte: UInt8, _ normalization: BertNormalization) -> ASCII {
    switch byte {
    case 9, 10, 13, 32: .blank
    case 11, 12: normalization.cleans ? .control : .blank
    case 0..<32, 127: normalization.cleans ? .control : .letter(byte)
    case 65...90: .letter(normalization.lowercases ? byte + 32 : byte)
    case 33...47, 58...64, 91...96, 123...126: .punctuation
    default: .letter(byte)
    }
  }

  private static func form(_ scalar: Unicode.Scalar, _ normalization: BertNormalization) -> [Unicode.Scalar] {
    if normalization.cleans {
      if ["\t", "\n", "\r"].contains(scalar) { return [" "] }
      if scalar.value == 0xfffd || CharacterClass.isControl(scalar) { return [] }
      if scalar.properties.isWhitespace { return [" "] }
    }
    var letters = [scalar]
    // U+11938 is the one decomposition that came after the tokenizer's tables.
    if normalization.stripsMarks {
      let parts =
        scalar.value == 0x11938 ? String(scalar) : String(scalar).decomposedStringWithCanonicalMapping
      letters = parts.unicodeScalars.filter { CharacterClass.category($0) != .nonspacingMark }
    }
    if normalization.lowercases {
      letters = letters.flatMap { $0.properties.lowercaseMapping.unicodeScalars }
    }
    return normalization.separatesIdeographs && CharacterClass.isIdeograph(scalar)
      ? [" "] + letters + [" "] : letters
  }
}
