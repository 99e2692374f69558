// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraVision

/// What a person has to know of a run's classifier before it is used (Mitchell et al. 2019, "Model Cards for Model
/// Reporting"), as Markdown: `README.md` in the run's folder. It is made of what the folder tells.
public struct ModelCard {
  /// The card's name in the folder.
  public static let name = "README.md"

  private let run: RunSummary
  private let command: [String]

  /// The card of a run.
  ///
  /// - Parameters:
  ///   - run: what the folder tells.
  ///   - command: the command line that made it, word by word.
  package init(_ run: RunSummary, command: [String]) { (self.run, self.command) = (run, command) }

  private static let mark = "<!-- Written by `tessera run`, which writes it again. -->"

  /// Writes the card into the run's folder, unless another file of the name is there.
  ///
  /// - Returns: whether it is there.
  /// - Throws: `TesseraError` if it cannot be written.
  package func write() throws -> Bool {
    let path = URL(fileURLWithPath: run.folder).appendingPathComponent(Self.name).path
    var status = stat()
    if lstat(path, &status) == 0 {
      guard let old = InputFile.readIfThere(path), String(decoding: old, as: UTF8.self).hasPrefix(Self.mark)
      else {
        return false
      }
      if old == Data(text.utf8) { return true }
    }
    try AtomicFile.write(Data(text.utf8), to: path)
    return true
  }

  /// The card.
  @_optimize(none)
  public var text: String {
    let c = run.configuration
    let parts = [
      "\(Self.mark)\n# \(c.model.architecture.rawValue) on \(Self.last(c.data))",
      (isTable
        ? "A classifier of a table's rows into \(list(classes)). Its columns are features, the "
        : "A classifier of texts into \(list(classes)). Each text becomes a vector of features by an encoder of language, "
          + "the ")
        + "features an image, and the image goes through the first layers of a network for images.",
      "## Data", data, "## Measures", measures, "## Recipe", recipe, "## How it was made", provenance,
      "## How it is used", usage, "## Limits", limits,
    ]
    return parts.joined(separator: "\n\n") + "\n"
  }

  private var isTable: Bool { run.configuration.table != nil }

  private static func last(_ path: String) -> String { escaped(URL(fileURLWithPath: path).lastPathComponent) }

  /// Text that Markdown takes as it is, in one line.
  private static func escaped(_ text: String) -> String {
    var out = ""
    for character in text.split(whereSeparator: \.isNewline).joined(separator: " ") {
      if "\\`*_{}[]<>#|~".contains(character) { out.append("\\") }
      out.append(character)
    }
    return out
  }

  private static func table(_ header: [String], _ rows: [[String]]) -> String {
    ([header, header.map { _ in "---" }] + rows).map { "| \($0.joined(separator: " | ")) |" }.joined(
      separator: "\n")
  }

  private var classes: [String] {
    run.evaluation.measures?.classes.map(\.name) ?? run.data?.data.classes.map(\.name) ?? []
  }

  private func list(_ names: [String]) -> String {
    let shown = names.prefix(10).map { Self.escaped($0) }.joined(separator: ", ")
    return names.count > 10 ? "\(shown) and \(names.count - 10) more" : names.isEmpty ? "classes" : shown
  }

  private var data: String {
    let c = run.configuration
    var lines = (run.data?.lines ?? []).map { "- \(Self.escaped($0))" }
    let method = c.split.splitMethod ?? .random
    lines.append(
      "- \(run.rows.training) rows to learn from, \(run.rows.validation) to choose by, \(run.rows.test) to test on; "
        + "divided \(method == .random ? "by chance" : "with every class in the same shares"), seed \(c.seed)"
        + (c.split.fold.map { ", fold \($0) of \(c.split.folds ?? 0)" } ?? ""))
    if let test = c.test { lines.append("- tested on \(Self.last(test))") }
    let counts = run.data.map { record in
      Self.table(
        ["class", "rows"], record.data.classes.prefix(100).map { [Self.escaped($0.name), "\($0.rows)"] })
    }
    return ([lines.joined(separator: "\n")] + (counts.map { [$0] } ?? [])).joined(separator: "\n\n")
  }

  private var measures: String {
    guard let model = run.evaluation.model else { return "There were no rows to test on." }
    func show(_ estimate: Estimate?) -> String { estimate?.description ?? "-" }
    func accuracy(_ summary: AccuracySummary?) -> String {
      summary.map { show(Estimate(value: $0.value, low: $0.low, high: $0.high)) } ?? "-"
    }
    let (own, probe) = (run.evaluation.measures, run.evaluation.probeMeasures)
    var rows = [["accuracy", accuracy(model), accuracy(run.evaluation.probe)]]
    if let own {
      rows += [
        ["balanced accuracy", show(own.balancedAccuracy), show(probe?.balancedAccuracy)],
        ["macro F1", show(own.macroF1), show(probe?.macroF1)],
        ["Matthews' correlation", show(own.matthews), show(probe?.matthews)],
        ["log loss", show(own.logLoss), "-"],
      ]
    }
    var parts = [
      "On the \(model.total) test rows, with 95% intervals (Wilson's for proportions, else a bootstrap by seed). The linear "
        + "probe is a logistic regression on the same features, without images.",
      Self.table(["measure", "this classifier", "linear probe"], rows),
    ]
    if let own {
      parts.append(
        Self.table(
          ["class", "rows", "called so", "precision", "recall", "F1"],
          own.classes.prefix(100).map {
            [
              Self.escaped($0.name), "\($0.rows)", "\($0.predicted)", show($0.precision), show($0.recall),
              show($0.f1),
            ]
          }))
      parts += own.warnings.map { "**\(Self.escaped($0)).**" }
    }
    return parts.joined(separator: "\n\n")
  }

  private var recipe: String {
    let fields = (try? run.configuration.fields) ?? []
    let paths: Set = ["data", "test", "encoder", "weights"]
    return Self.table(
      ["option in run.json", "value"],
      fields.map { [$0.name, paths.contains($0.name) ? Self.last($0.value) : Self.escaped($0.value)] })
  }

  private var provenance: String {
    let maker = run.makers["model"]
    var lines = [
      "- Tessera \(maker?.version ?? "of an unknown version")"
        + (maker?.commit.map { ", commit \($0)" } ?? "")
        + (maker?.device.map { ", on \(Self.escaped($0))" } ?? "")
    ]
    lines += run.fingerprints.ordered { $0.key < $1.key }.map { "- \($0.key): `\($0.value)`" }
    return "    \(command.map(Self.quoted).joined(separator: " "))\n\n" + lines.joined(separator: "\n")
      + "\n\nThe same command gives the same fingerprints (SHA-256) on a CPU and on a GPU; `tessera verify --run` compares."
  }

  /// A word for a shell.
  static func quoted(_ word: String) -> String {
    let plain = word.split(whereSeparator: \.isNewline).joined(separator: " ")
    let isPlain =
      !plain.isEmpty
      && plain.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
          || "-_./=:,+@%".utf8.contains($0)
      }
    return isPlain ? plain : "'" + plain.replacing("'", with: "'\\''") + "'"
  }

  private var usage: String {
    """
        tessera predict --run DIR \(isTable ? "--data new.csv" : "--text \"...\"")
        tessera evaluate --run DIR --data labelled.csv
        tessera verify --run DIR --sample 1%
        tessera report --run DIR
    """
  }

  private var limits: String {
    var lines = [
      "The measures are of rows like those of the data above. Of other \(isTable ? "sources or" : "texts, other") times "
        + "\(isTable ? "" : "or other languages ")they say nothing.",
      "A probability is what the network says, not how often it is right: the report has the calibration.",
    ]
    if !isTable { lines.append("What the encoder has learnt of the world, good and bad, comes with it.") }
    if let cut = run.data?.cut.values.map(\.texts).reduce(0, +), cut > 0 {
      lines.append("Of texts that are longer than the encoder takes, the beginning alone is read.")
    }
    if run.evaluation.linearPathAlone {
      lines.append(
        "The classifier is its linear path alone: the layers of the network for images added nothing.")
    }
    if let repeated = run.data?.duplicates.notes, !repeated.isEmpty {
      lines.append(
        "\(isTable ? "Rows" : "Texts") that occur more than once may stand on both sides of the split; see Data."
      )
    }
    return lines.map { "- \($0)" }.joined(separator: "\n")
  }
}
