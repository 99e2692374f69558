// SPDX-License-Identifier: Apache-2.0
/// Classes of characters as BERT's tokenizers see them.
enum CharacterClass {
  /// The general category by Unicode 8: the tables of Hugging Face's tokenizer end there, and what was
  /// assigned later counts as unassigned.
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

extension CharacterClass {
  /// What a regular expression's `\w` takes in.
  static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    let properties = scalar.properties
    if properties.isAlphabetic || properties.isJoinControl { return true }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
    default: return false
    }
  }
}
