// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What a label is, apart from how it is spelt.
enum LabelForm {
  /// The number that a label is; nil for none. Only plain decimal notation counts.
  static func number(_ label: String) -> Double? {
    guard label.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 || [43, 45, 46, 69, 101].contains($0) }),
      let value = Double(label), value.isFinite
    else { return nil }
    return value
  }

  /// One spelling for all spellings of a label: a number as short as can be; else without surplus white
  /// space and marks that are not seen, compatible characters as one (NFKC), in lower case.
  static func merged(_ label: String) -> String {
    let visible = String(
      String.UnicodeScalarView(label.unicodeScalars.filter { $0.properties.generalCategory != .format }))
    let words = visible.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    if let number = number(words) {
      if let whole = Int(exactly: number) { return String(whole) }
      return String(number)
    }
    // Lower case first: what it makes of some letters is composed again.
    return words.precomposedStringWithCompatibilityMapping.lowercased().precomposedStringWithCanonicalMapping
  }
}
