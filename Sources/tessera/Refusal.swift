// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
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

  /// Refuses a word that is no command, with the one that was probably meant.
  ///
  /// - Parameter word: the first argument.
  static func checkCommand(_ word: String?) throws {
    guard let word, !word.hasPrefix("-") else { return }
    let names =
      Tessera.configuration.subcommands.map { $0.configuration.commandName ?? "\($0)".lowercased() } + [
        "help"
      ]
    guard !names.contains(word) else { return }
    let wanted = Suggestion.nearest(to: word, of: names).map { "; did you mean \($0)?" } ?? ""
    throw TesseraError.input("command", found: word, wanted: "one that tessera --help lists\(wanted)")
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
