// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Labels become classes: rules are applied, and what looks like a mistake is refused with the option that
/// decides.
struct ClassList {
  let path: String
  let rules: LabelRules

  /// More numbers than this look like ratings or measurements, not classes.
  static let mostNumbers = 20

  /// Applies the rules to the rows' labels.
  ///
  /// - Parameter isFirst: whether the classes come from these rows: every rule must then name a label.
  func apply(to data: inout DataRows, isFirst: Bool) throws {
    guard !rules.rules.isEmpty || rules.merges else { return }
    var used = Set<Int>()
    var outcomes: [[UInt8]: (LabelRules.Outcome, rule: Int?)] = [:]
    var kept: [DataRows.Row] = []
    kept.reserveCapacity(data.rows.count)
    for var row in data.rows {
      guard let label = row.label else {
        kept.append(row)
        continue
      }
      let key = Array(label.utf8)
      let (outcome, rule) = outcomes[key] ?? rules.outcome(label)
      outcomes[key] = (outcome, rule)
      if let rule { used.insert(rule) }
      switch outcome {
      case .leftOut: continue
      case .unnamed:
        throw TesseraError.input(
          row.place.description(in: path), found: "the label \(label), which no rule of --labels names",
          wanted: "a rule for it (\(label)=NEW), or *= to leave such rows out")
      case .name(let name):
        row.label = name
        kept.append(row)
      }
    }
    if isFirst, let unused = rules.rules.indices.first(where: { !used.contains($0) && isNamed($0) }) {
      throw TesseraError.input(
        "labels", found: "a rule for \(described(unused)), which no row of \(path) has",
        wanted: "labels that there are: \(list(Set(outcomes.keys)))")
    }
    data.leaveOut(data.rows.count - kept.count, "rows by --labels")
    data.rows = kept
  }

  /// Rules for one label are meant for a label that is there; those for numbers may well hold for none.
  private func isNamed(_ rule: Int) -> Bool {
    if case .label = rules.rules[rule].condition { return true }
    return false
  }

  private func described(_ rule: Int) -> String {
    if case .label(let name) = rules.rules[rule].condition { return name }
    return "numbers"
  }

  /// The classes, sorted by name.
  ///
  /// - Throws: `TesseraError` for labels that are spellings of one, and for numbers that look like ratings.
  func classes(of data: DataRows) throws -> [String] {
    var counts: [[UInt8]: Int] = [:]
    for row in data.rows {
      if let label = row.label { counts[Array(label.utf8), default: 0] += 1 }
    }
    let labels = counts.keys.map { String(decoding: $0, as: UTF8.self) }
    if !rules.areAsIs {
      try refuseSpellings(labels)
      let numbers = labels.filter { LabelForm.number($0) != nil }
      guard numbers.count <= Self.mostNumbers else {
        throw TesseraError.input(
          path,
          found: "\(numbers.count) numbers as labels in \(data.rows.count) rows (\(list(Set(counts.keys))))",
          wanted:
            "at most \(Self.mostNumbers): --labels '>=7' makes two classes of numbers, '<=4=bad,>=7=good,*=' "
            + "leaves some out, as-is takes them all as classes")
      }
    }
    return Set(labels).ordered()
  }

  private func refuseSpellings(_ labels: [String]) throws {
    var forms: [String: [String]] = [:]
    for label in labels { forms[LabelForm.merged(label), default: []].append(label) }
    let doubtful = forms.filter { $0.value.count > 1 }.ordered { $0.key < $1.key }
    guard let first = doubtful.first else { return }
    let groups = doubtful.prefix(3).map { group in
      group.value.map { Self.quoted($0) }.ordered().joined(separator: " and ")
    }
    // The others become the one that is spelt as `merge` would.
    let spellings = first.value.ordered { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    let kept = spellings.first { $0.utf8.elementsEqual(first.key.utf8) } ?? spellings[0]
    let others = spellings.filter { !$0.utf8.elementsEqual(kept.utf8) }
    let example = "'\(others.map { "\($0)=\(kept)" }.joined(separator: ","))'"
    throw TesseraError.input(
      path, found: "labels that look like one: " + groups.joined(separator: "; "),
      wanted: "--labels merge (they are one class), as-is (they are different), or rules such as \(example)")
  }

  /// A label in quotes, so that blanks are seen.
  private static func quoted(_ label: String) -> String {
    // Letters that only their code points tell apart are shown by them.
    let text = label.unicodeScalars.map {
      $0.isASCII ? String($0) : "\($0)" + "(U+\(String($0.value, radix: 16, uppercase: true)))"
    }
    return "\"\(text.joined())\""
  }

  private func list(_ labels: Set<[UInt8]>) -> String {
    let names = labels.map { String(decoding: $0, as: UTF8.self) }.ordered()
    return names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
  }
}
