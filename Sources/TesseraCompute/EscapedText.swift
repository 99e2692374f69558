// SPDX-License-Identifier: Apache-2.0
/// Lists on the command line in which a backslash before a comma, an equals sign or a backslash takes it literally.
package enum EscapedText {
  /// Parts between separators that no backslash stands before; escapes stay.
  package static func split(_ text: String, at separator: Unicode.Scalar) -> [String] {
    var (parts, isEscaped) = ([""], false)
    for scalar in text.unicodeScalars {
      if scalar == separator, !isEscaped {
        parts.append("")
      } else {
        parts[parts.count - 1].unicodeScalars.append(scalar)
      }
      isEscaped = scalar == "\\" && !isEscaped
    }
    return parts
  }

  /// A part without its escapes; a backslash before anything else stays.
  package static func unescaped(_ text: String) -> String {
    var (out, isEscaped) = ("", false)
    for scalar in text.unicodeScalars {
      if scalar == "\\", !isEscaped {
        isEscaped = true
        continue
      }
      if isEscaped, scalar != ",", scalar != "=", scalar != "\\" { out.unicodeScalars.append("\\") }
      out.unicodeScalars.append(scalar)
      isEscaped = false
    }
    return isEscaped ? out + "\\" : out
  }
}
