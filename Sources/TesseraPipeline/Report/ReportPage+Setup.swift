// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraVision

/// What a run was made of and how: rows, parameters, program, command, date.
extension ReportPage {
  /// What stands below the title.
  var subtitle: String {
    let c = data.configuration
    let made = data.command.map { "Made on \($0.date) by " } ?? "Made by "
    let features =
      c.table == nil
      ? "Texts become \(data.layout.scaler.minimum.count) features"
      : "The \(data.layout.scaler.minimum.count) columns of a table are features"
    let classes = data.model.classes.count
    return
      "\(features), features become images of \(data.layout.side) x \(data.layout.side) pixels, and a network for "
      + "images tells \(classes) classes apart. \(made)\(program)."
  }

  /// The program and its device.
  private var program: String {
    let maker = data.records.last { $0.maker != nil }
    let version = maker?.maker?.version ?? tesseraVersion
    let commit = maker?.maker?.commit.map { ", commit \($0)" } ?? ""
    return "Tessera \(version)\(commit)" + (maker?.device.map { ", on \($0)" } ?? "")
  }

  /// How many rows of each class are for what, and what was found out about the data.
  @_optimize(none)
  var rowCounts: String {
    let classes = data.model.classes
    let shown = classes.count <= 12 ? Array(classes.indices) : []
    let rows = data.splits.map { split in
      [split.name, "\(split.counts.reduce(0, +))"] + shown.map { "\(split.counts[$0])" } + [split.use]
    }
    let c = data.configuration
    let how =
      "Divided \((c.split.splitMethod ?? .random) == .random ? "by chance" : "with every class in the same shares")"
      + " by seed \(c.seed)"
      + (c.split.fold.map { "; fold \($0) of \(c.split.folds ?? 0) of a cross-validation" } ?? "") + "."
    let found = (data.found?.lines ?? []).map { "<li>\(escaped($0))</li>" }.joined()
    return HTMLPage.table(["rows", "number"] + shown.map { classes[$0] } + ["what they are for"], rows)
      + "<p class=\"note\">\(how)</p>"
      + (found.isEmpty ? "" : "<h3>What the data hold</h3><ul>\(found)</ul>")
  }

  /// How far the run goes as the official code does.
  var habits: String {
    let c = data.configuration
    let differences = [
      c.model.normalization == .batch
        ? "batches are standardised as a whole (a prediction depends on its batch)" : nil,
      c.model.training.slice == .batchNormOnly ? "the frozen slice's batch norms move" : nil,
      c.seesValidation ? "scaler and layout have seen the validation rows" : nil,
      c.embedding.paperStates ? "validation accuracy is also given as a mean over all epochs" : nil,
    ].compactMap { $0 }
    return differences.isEmpty
      ? "Scaler, layout and standardisation know the training rows alone; accuracy on the test rows was taken once."
      : "As in the official code, \(differences.joined(separator: "; "))."
  }

  /// The options of the run as they are called, with the values that were used; program, command and date.
  @_optimize(none)
  var parameters: String {
    var rows = data.configuration.options.map { ["--\($0.name)", used($0)] }
    let (c, names) = (data.configuration, Set(data.configuration.options.map(\.name)))
    if !names.contains("weights") { rows.append(["--weights", "(not given) the slice is drawn by seed"]) }
    let rates = c.model.training.rates(of: c.model.architecture, c.model.network.head)
    for (name, rate) in [("conv-lr", rates.convolutions), ("classifier-lr", rates.classifier)]
    where !names.contains(name) && c.model.training.epochs > 0 {
      rows.append(["--\(name)", "\(rate) (the network's)"])
    }
    if data.table == nil, !names.contains("layers"), let first = data.states.first,
      let last = data.states.last
    {
      rows.append(["--layers", "\(first)...\(last) (not given)"])
    }
    var made = [["program", program]]
    if let command = data.command {
      made.append(["ended", command.date])
      made.append(["command", command.command.map(ModelCard.quoted).joined(separator: " ")])
    }
    return HTMLPage.table([], made) + HTMLPage.table(["option of tessera run", "value that was used"], rows)
  }

  /// A value as it was used, where that is not what was asked for.
  private func used(_ option: RunOption) -> String {
    let layout = data.records.first { $0.stage == "layout" }
    switch option.name {
    case "pixels" where data.configuration.layout.pixels == 0: return "\(data.layout.side) (auto)"
    case "perplexity":
      guard let value = layout?.parameters["perplexity"], Double(value) != Double(option.text) else { break }
      return "\(value) (\(option.text) is too much for so few features)"
    default: break
    }
    return option.text
  }
}
