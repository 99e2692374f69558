// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// The parser's refusal of a value, in the words of all other refusals: where, what was found, what was
/// wanted.
enum Refusal {
  /// A parser's message in one line.
  ///
  /// - Parameter message: such as `The value 'x' is invalid for '--slice <slice>'. Please provide one of
  ///   'frozen' and 'moving'.` and, of many values, a line for each.
  static func line(_ message: String) -> String {
    let text = message.split(separator: "\n").joined(separator: " ")
    let head =
      #/The value '(?<value>.*)' is invalid for '--(?<name>[a-z0-9-]+) <[^>]*>'\. Please provide one of /#
    guard let match = text.prefixMatch(of: head.dotMatchesNewlines()) else { return text }
    let names = listed(text[match.range.upperBound...])
    guard let last = names.last else { return text }
    let wanted = names.count > 1 ? names.dropLast().joined(separator: ", ") + " or " + last : last
    return "\(TesseraError.input(String(match.name), found: String(match.value), wanted: wanted))"
  }

  /// The names of a list: in quotes, or each after a dash.
  private static func listed(_ text: Substring) -> [String] {
    if text.hasPrefix("the following:") {
      let rest = text.dropFirst("the following:".count)
      return rest.split(separator: "  - ").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
    }
    return text.matches(of: /'([^']*)'/).map { String($0.1) }
  }
}
