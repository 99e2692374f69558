// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What the labels of a data set stand for: rules separated by commas.
///
/// | rule | meaning | | --- | --- | | `pos=positive` | the label `pos` becomes the class `positive` | |
/// `unsure=` | rows with the label `unsure` are left out | | `>=7=good` | numbers of at least 7 become
/// `good`; also `>`, `<=`, `<` | | `>=7` | alone: numbers become the classes `>=7` and `<7` | | `*=other`,
/// `*=` | what no rule before names becomes `other`, or is left out | | `=` | rows without a label are left
/// out | | `merge` | spellings of one label become one: lower case, no surplus blanks, NFC, numbers as
/// short as can be | | `as-is` | labels are taken as they are, whatever they look like |
///
/// The first rule that fits decides. A label that none fits stays, unless numbers were compared: then it
/// must be named. A backslash takes the meaning from a comma or an equals sign after it.
public struct LabelRules: Sendable, Equatable, Codable {
  /// The rules as they were given; empty for none.
  public let text: String
  let rules: [Rule]
  /// Whether spellings of one label become one, and whether labels are taken as they are.
  package let merges: Bool, areAsIs: Bool
  /// Whether rows without a label are left out.
  let leavesOutUnlabelled: Bool

  struct Rule: Sendable, Equatable {
    let condition: Condition
    /// The class; nil leaves rows out.
    let target: String?
  }

  enum Condition: Sendable, Equatable {
    case label(String)
    case number(Comparison, Double)
    case any
  }

  enum Comparison: String, Sendable, CaseIterable {
    // In the order in which they are looked for.
    case atLeast = ">=", atMost = "<=", above = ">", below = "<"

    func holds(_ a: Double, _ b: Double) -> Bool {
      switch self {
      case .atLeast: a >= b
      case .atMost: a <= b
      case .above: a > b
      case .below: a < b
      }
    }

    var opposite: Comparison {
      switch self {
      case .atLeast: .below
      case .below: .atLeast
      case .atMost: .above
      case .above: .atMost
      }
    }
  }

  /// No rules.
  public init() { (text, rules, merges, areAsIs, leavesOutUnlabelled) = ("", [], false, false, false) }

  /// Rules as they are written.
  ///
  /// - Throws: `TesseraError` naming the rule that is none.
  public init(_ text: String) throws {
    self.text = text
    var (rules, merges, areAsIs, leavesOut): ([Rule], Bool, Bool, Bool) = ([], false, false, false)
    let parts = text.isEmpty ? [] : EscapedText.split(text, at: ",")
    for part in parts {
      switch part {
      case "merge": merges = true
      case "as-is": areAsIs = true
      case "=": leavesOut = true
      default: rules += try Self.rules(part, isAlone: parts.count == 1)
      }
    }
    (self.rules, self.merges, self.areAsIs) = (rules, merges, areAsIs)
    leavesOutUnlabelled = leavesOut
  }

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    try self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  private static func rules(_ part: String, isAlone: Bool) throws -> [Rule] {
    func refusal(_ wanted: String) -> TesseraError {
      .input("labels", found: part.isEmpty ? "an empty rule" : part, wanted: wanted)
    }
    let usual = "as-is, merge, OLD=NEW, OLD= (left out), >=7=NEW, *=NEW, or >=7 alone"
    if let comparison = Comparison.allCases.first(where: { part.hasPrefix($0.rawValue) }) {
      let rest = EscapedText.split(String(part.dropFirst(comparison.rawValue.count)), at: "=")
      guard rest.count <= 2, let number = LabelForm.number(trimmed(rest[0])) else {
        throw refusal("a number after \(comparison.rawValue)")
      }
      if rest.count == 2 {
        return [Rule(condition: .number(comparison, number), target: target(rest[1]))]
      }
      guard isAlone else { throw refusal("\(part)=NEW, as there are other rules") }
      let shown = trimmed(rest[0])
      let other = comparison.opposite
      return [
        Rule(condition: .number(comparison, number), target: comparison.rawValue + shown),
        Rule(condition: .number(other, number), target: other.rawValue + shown),
      ]
    }
    let sides = EscapedText.split(part, at: "=")
    guard sides.count == 2, !trimmed(sides[0]).isEmpty else { throw refusal(usual) }
    let name = EscapedText.unescaped(trimmed(sides[0]))
    return [Rule(condition: trimmed(sides[0]) == "*" ? .any : .label(name), target: target(sides[1]))]
  }

  private static func target(_ text: String) -> String? {
    let name = EscapedText.unescaped(trimmed(text))
    return name.isEmpty ? nil : name
  }

  private static func trimmed(_ text: String) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }

}

extension LabelRules {
  /// What becomes of a label.
  enum Outcome: Equatable {
    case name(String), leftOut
    /// Numbers are compared, and no rule names this.
    case unnamed
  }

  /// Whether numbers are compared.
  var comparesNumbers: Bool {
    rules.contains { if case .number = $0.condition { true } else { false } }
  }

  /// The class of a label, and the number of the rule that decided.
  func outcome(_ label: String) -> (Outcome, rule: Int?) {
    let number = comparesNumbers ? LabelForm.number(label) : nil
    for (index, rule) in rules.enumerated() {
      let fits: Bool
      switch rule.condition {
      case .label(let name): fits = name.utf8.elementsEqual(label.utf8)
      case .number(let comparison, let bound): fits = number.map { comparison.holds($0, bound) } ?? false
      case .any: fits = true
      }
      guard fits else { continue }
      return (rule.target.map { .name($0) } ?? .leftOut, index)
    }
    if comparesNumbers { return (.unnamed, nil) }
    return (.name(merges ? LabelForm.merged(label) : label), nil)
  }
}
