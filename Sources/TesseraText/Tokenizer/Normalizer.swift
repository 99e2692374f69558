// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What is done to a text before words are looked for: `BertNormalizer`, or the steps of a
/// `tokenizer.json`.
struct Normalizer: Sendable {
  /// One step.
  enum Step: Sendable {
    case bert(BertNormalizer)
    case lowercase
    /// Marks off, without decomposing first.
    case stripAccents
    case nfd, nfc, nfkd, nfkc
    /// White space off the ends.
    case strip(left: Bool, right: Bool)
  }

  let steps: [Step]

  /// BERT's cleaning where it is all that is done and leaves no white space but blanks: words can be taken
  /// from it scalar by scalar, without the whole text.
  var cleaning: BertNormalizer? {
    guard steps.count == 1, case .bert(let bert) = steps[0], bert.normalization.cleans else { return nil }
    return bert
  }

  /// What a text becomes.
  func normalized(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    steps.reduce(Array(text)) { text, step in
      text.withUnsafeBufferPointer { Self.apply(step, to: $0) }
    }
  }

  private static func apply(_ step: Step, to text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    if case .bert(let bert) = step { return bert.normalized(text) }
    let string = String(decoding: text, as: UTF8.self)
    switch step {
    case .bert: return Array(text)
    case .lowercase: return string.unicodeScalars.flatMap { Array($0.properties.lowercaseMapping.utf8) }
    case .stripAccents:
      return Array(String(String.UnicodeScalarView(string.unicodeScalars.filter { !isMark($0) })).utf8)
    case .nfd: return Array(string.decomposedStringWithCanonicalMapping.utf8)
    case .nfc: return Array(string.precomposedStringWithCanonicalMapping.utf8)
    case .nfkd: return Array(string.decomposedStringWithCompatibilityMapping.utf8)
    case .nfkc: return Array(string.precomposedStringWithCompatibilityMapping.utf8)
    case .strip(let left, let right):
      var scalars = string.unicodeScalars[...]
      if left { scalars = scalars.drop { $0.properties.isWhitespace } }
      while right, let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
      return Array(String(scalars).utf8)
    }
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: true
    default: false
    }
  }
}

extension Normalizer: CustomStringConvertible {
  /// The steps in words.
  var description: String {
    let steps = steps.map { step in
      switch step {
      case .bert(let bert):
        let parts: [(String, Bool)] = [
          ("clean_text", bert.normalization.cleans),
          ("handle_chinese_chars", bert.normalization.separatesIdeographs),
          ("strip_accents", bert.normalization.stripsMarks), ("lowercase", bert.normalization.lowercases),
        ]
        return "BertNormalizer(\(parts.map { "\($0) \($1)" }.joined(separator: ", ")))"
      case .lowercase: return "Lowercase"
      case .stripAccents: return "StripAccents"
      case .nfd: return "NFD"
      case .nfc: return "NFC"
      case .nfkd: return "NFKD"
      case .nfkc: return "NFKC"
      case .strip(let left, let right): return "Strip(left \(left), right \(right))"
      }
    }
    return steps.isEmpty ? "none" : steps.joined(separator: ", ")
  }
}
