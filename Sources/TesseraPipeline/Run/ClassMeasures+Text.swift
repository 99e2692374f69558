// SPDX-License-Identifier: Apache-2.0

extension ClassMeasures {
  /// Classes that have rows and that no row is called.
  public var neverPredicted: [OneClass] { classes.filter(\.isNeverPredicted) }

  /// A warning for each class that is never predicted.
  public var warnings: [String] {
    neverPredicted.map {
      "the class \($0.name) is never predicted: \($0.rows) of \(rows) rows are of it, and no row is called so"
    }
  }

  /// Rows that were compared.
  var rows: Int { classes.reduce(0) { $0 + $1.rows } }

  /// The most classes that are told as text.
  private static let mostLines = 30

  /// What is told as text: the measures of all classes, then a line for each class.
  ///
  /// - Parameter width: characters of a line's name.
  @_optimize(none)
  package func lines(width: Int) -> [String] {
    func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(1, width - text.count))
    }
    var lines = [
      ("balanced", balancedAccuracy as Estimate?), ("macro F1", macroF1), ("Matthews", matthews),
      ("log loss", logLoss),
    ].compactMap { name, estimate in
      estimate.map {
        "\(padded(name, width))\(decimal($0.value)) (95% \(decimal($0.low)) to \(decimal($0.high)))"
      }
    }
    let names = max(width - 2, classes.prefix(Self.mostLines).map(\.name.count).max() ?? 0) + 2
    lines.append(
      padded("by class", names + 2) + padded("rows", 8) + padded("called", 8) + padded("precision", 24)
        + padded("recall", 24) + "F1")
    for one in classes.prefix(Self.mostLines) {
      func show(_ estimate: Estimate?) -> String { estimate?.description ?? "-" }
      lines.append(
        padded("  \(one.name)", names + 2) + padded("\(one.rows)", 8) + padded("\(one.predicted)", 8)
          + padded(show(one.precision), 24) + padded(show(one.recall), 24) + show(one.f1))
    }
    if classes.count > Self.mostLines {
      lines.append("  and \(classes.count - Self.mostLines) more, which --json has")
    }
    return lines + warnings.map { "\(padded("warning", width))\($0)" }
  }
}

extension ClassMeasures {
  /// The first measure in which two differ, of each.
  static func difference(
    _ own: ClassMeasures?, _ other: ClassMeasures?
  ) -> (recorded: String, recomputed: String) {
    guard let own, let other else { return (own == nil ? "none" : "some", other == nil ? "none" : "some") }
    func text(_ estimate: Estimate?) -> String {
      estimate.map { "\($0.value) (\($0.low) to \($0.high))" } ?? "none"
    }
    for (name, one, two) in [
      ("balanced accuracy", own.balancedAccuracy as Estimate?, other.balancedAccuracy as Estimate?),
      ("macro F1", own.macroF1, other.macroF1), ("Matthews' coefficient", own.matthews, other.matthews),
      ("log loss", own.logLoss, other.logLoss),
    ] where one != two {
      return ("\(name) \(text(one))", "\(name) \(text(two))")
    }
    for (one, two) in zip(own.classes, other.classes) where one != two {
      func text(_ one: OneClass) -> String {
        "\(one.name): \(one.correct) of \(one.rows), called \(one.predicted), F1 \(text(one.f1))"
      }
      func text(_ estimate: Estimate?) -> String {
        estimate.map { "\($0.value) (\($0.low) to \($0.high))" } ?? "none"
      }
      return (text(one), text(two))
    }
    return ("another table of confusions, or other classes", "its own")
  }
}
