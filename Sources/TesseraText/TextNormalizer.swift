import Foundation

/// BERT's cleaning of text: control characters out, white space to blanks, blanks around CJK characters, accents
/// stripped (canonical decomposition without marks), lower case.
enum TextNormalizer {
  /// What a scalar becomes; nothing, a blank, or its normal form.
  static func normalized(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    if scalar.value < 128 { return ofASCII(scalar) }
    for table in tables where table.first <= scalar.value && scalar.value - table.first < table.forms.count {
      return table.forms[Int(scalar.value - table.first)]
    }
    return form(scalar)
  }

  /// The forms of Latin letters and of the usual quotes and dashes: looking one up in Unicode's data takes a microsecond.
  private static let tables = [table(0x80...0x17f), table(0x2000...0x206f)]

  private static func table(_ range: ClosedRange<UInt32>) -> (first: UInt32, forms: [[Unicode.Scalar]]) {
    (range.lowerBound, range.map { Unicode.Scalar($0).map(form) ?? [] })
  }

  private static func ofASCII(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    switch ASCII.classes[Int(scalar.value)] {
    case .control: []
    case .blank: [" "]
    case .letter(let lowercase): [Unicode.Scalar(lowercase)]
    case .punctuation: [scalar]
    }
  }

  private static func form(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    if scalar.value == 0xfffd || CharacterClass.isControl(scalar) { return [] }
    if scalar.properties.isWhitespace { return [" "] }
    // The one decomposition that came after the tokenizer's tables.
    let text = String(scalar)
    let parts = scalar.value == 0x11938 ? text : text.decomposedStringWithCanonicalMapping
    let letters = parts.unicodeScalars
      .filter { CharacterClass.category($0) != .nonspacingMark }
      .flatMap { $0.properties.lowercaseMapping.unicodeScalars }
    return CharacterClass.isIdeograph(scalar) ? [" "] + letters + [" "] : letters
  }
}

/// Classes of characters as BERT's tokenizers see them.
enum CharacterClass {
  /// The general category by Unicode 8: the tables of Hugging Face's tokenizer end there, and what was assigned later
  /// counts as unassigned.
  static func category(_ scalar: Unicode.Scalar) -> Unicode.GeneralCategory {
    let properties = scalar.properties
    guard scalar.value >= 0x300 else { return properties.generalCategory }
    if let age = properties.age, age.major > 8 { return .unassigned }
    return changed[scalar.value] ?? properties.generalCategory
  }

  /// Characters whose category is another one since.
  private static let changed: [UInt32: Unicode.GeneralCategory] = [
    0x166D: .otherPunctuation, 0x1734: .nonspacingMark, 0x1885: .otherLetter, 0x1886: .otherLetter,
    0xA9BD: .spacingMark, 0x111C9: .otherPunctuation, 0x1171E: .nonspacingMark,
  ]

  /// Category C (control, format, private use, surrogate); unassigned code points pass.
  static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    switch category(scalar) {
    case .control, .format, .privateUse, .surrogate: true
    default: false
    }
  }

  /// ASCII that is neither letter, digit nor blank, and category P.
  static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 33...47, 58...64, 91...96, 123...126: return true
    case 0..<128: return false
    default: break
    }
    switch category(scalar) {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      return true
    default: return false
    }
  }

  /// The CJK blocks that BERT splits by character (not Hangul or Kana).
  static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
      0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}

/// What BERT's cleaning makes of the 128 characters of ASCII.
enum ASCII {
  /// Kinds of characters.
  enum Kind: Sendable {
    case control, blank, punctuation
    case letter(UInt8)
  }

  /// By the byte.
  static let classes: [Kind] = (0..<128).map { (byte: UInt8) -> Kind in
    switch byte {
    case 9, 10, 13, 32: .blank
    case 0..<32, 127: .control
    case 65...90: .letter(byte + 32)
    case 33...47, 58...64, 91...96, 123...126: .punctuation
    default: .letter(byte)
    }
  }
}
