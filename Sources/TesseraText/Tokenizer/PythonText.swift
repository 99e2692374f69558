// SPDX-License-Identifier: Apache-2.0
/// Texts as Python changes them.
enum PythonText {
  /// `str.lower()`: character by character, but a capital sigma at the end of a word is the final one.
  static func lowercased(_ text: String) -> String {
    let scalars = Array(text.unicodeScalars)
    var result = String.UnicodeScalarView()
    for (at, scalar) in scalars.enumerated() {
      if scalar == "\u{3a3}" {
        result.append(isFinal(at, scalars) ? "\u{3c2}" : "\u{3c3}")
      } else {
        result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
      }
    }
    return String(result)
  }

  /// Whether a letter is before, and none after, marks and the like aside.
  private static func isFinal(_ at: Int, _ scalars: [Unicode.Scalar]) -> Bool {
    func isCased(_ scalar: Unicode.Scalar?) -> Bool { scalar?.properties.isCased ?? false }
    return isCased(scalars[..<at].last { !$0.properties.isCaseIgnorable })
      && !isCased(scalars[(at + 1)...].first { !$0.properties.isCaseIgnorable })
  }
}
