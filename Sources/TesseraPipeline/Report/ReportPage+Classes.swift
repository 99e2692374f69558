// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraVision

/// What a page tells of each class.
extension ReportPage {
  /// Measures of all classes alike and of each, beside those of the probe, and what is never predicted.
  @_optimize(none)
  var classFigures: String {
    guard let evaluation = data.evaluation, let own = evaluation.measures else { return "" }
    let probe = evaluation.probeMeasures
    func show(_ estimate: Estimate?) -> String { estimate?.description ?? "-" }
    let all = HTMLPage.table(
      ["over all classes (95% interval)", "image classifier", "linear probe"],
      [
        ["balanced accuracy", show(own.balancedAccuracy), show(probe?.balancedAccuracy)],
        ["macro F1", show(own.macroF1), show(probe?.macroF1)],
        ["Matthews' correlation", show(own.matthews), show(probe?.matthews)],
        ["log loss", show(own.logLoss), "-"],
      ])
    let each = HTMLPage.table(
      ["class", "rows", "called so", "precision", "recall", "F1", "the probe's F1"],
      own.classes.enumerated().map { place, one in
        let its = probe.flatMap { place < $0.classes.count ? $0.classes[place].f1 : nil }
        return [
          one.name, "\(one.rows)", "\(one.predicted)", show(one.precision), show(one.recall), show(one.f1),
          show(its),
        ]
      })
    return neverPredicted + all + each
      + "<p class=\"note\">Precision: the share of the rows called so that are of the class. Recall: the share of the "
      + "class's rows that are called so. F1: the harmonic mean of both. Balanced accuracy and macro F1 count every "
      + "class alike, however many rows it has. Intervals of precision and recall are Wilson's, the others those of a "
      + "percentile bootstrap of \(own.bootstrap.resamples) draws by seed \(own.bootstrap.seed).</p>"
  }

  private var neverPredicted: String {
    (data.evaluation?.measures?.warnings ?? []).map {
      "<p><b>Warning:</b> \(escaped($0)).</p>"
    }.joined()
  }

  /// Rows of each class by what they are called, with their share of the class.
  @_optimize(none)
  var confusion: String {
    let names = data.model.classes
    guard names.count <= ClassMeasures.mostConfused else {
      return "<p>\(names.count) classes: the table of confusions is left out.</p>"
    }
    let rows = names.indices.map { t in
      let counts = data.metrics.confusion[t]
      let all = Double(max(1, counts.reduce(0, +)))
      return [names[t]] + counts.map { $0 == 0 ? "0" : "\($0) (\(decimal(100 * Double($0) / all, 0))%)" }
    }
    return HTMLPage.table(["in truth / called"] + names, rows)
  }

  /// The area under the curve of the second of two classes, or the mean over the classes that have rows, and what
  /// it is of.
  var area: (value: Double, of: String)? {
    let (names, curves) = (data.model.classes, data.metrics.roc)
    guard names.count > 2 else { return curves.last.map { ($0.area, names.last ?? "") } }
    let occurring = names.indices.filter { c in data.labels.contains(Int32(c)) }
    guard !occurring.isEmpty else { return nil }
    let sum = occurring.reduce(0.0) { $0 + curves[$1].area }
    return (sum / Double(occurring.count), "mean of \(occurring.count) classes against the others")
  }

  /// The most curves of a plot: those of the classes with the smallest areas.
  private static let mostCurves = 12

  /// One class against the others, for every class; of two classes the second, which the first mirrors.
  @_optimize(none)
  var roc: Figure {
    let (names, curves) = (data.model.classes, data.metrics.roc)
    let all = names.count == 2 ? [1] : Array(names.indices)
    let shown = all.ordered { (curves[$0].area, $0) < (curves[$1].area, $1) }.prefix(Self.mostCurves)
      .ordered()
    let chart = Chart(
      curves: shown.enumerated().map { index, c in
        let points = curves[c].points
        // A page needs no more points than a screen has pixels.
        let step = max(1, points.count / 400)
        let thin = points.indices.filter { $0 % step == 0 || $0 == points.count - 1 }.map {
          (x: points[$0].x, y: points[$0].y)
        }
        let colour = shown.count > 1 ? Palette.colour(index, of: shown.count) : nil
        return .init(
          name: "\(names[c]): area \(decimal(curves[c].area))", style: colour == nil ? "a" : "",
          colour: colour,
          points: thin)
      }, x: Axis("false positive rate", from: 0, to: 1), y: Axis("true positive rate", from: 0, to: 1),
      diagonal: true)
    let left = all.count > shown.count ? "; the \(shown.count) smallest areas of \(all.count)" : ""
    return chart.figure(
      "roc", "ROC of each class against the others, with the area below\(left). Dashed: chance.")
  }

  /// How often rows are right by the probability that their class was given.
  var calibration: Figure {
    let bins = data.metrics.calibration
    let accuracies = bins.map {
      Accuracy(correct: Int(($0.accuracy * Double($0.count)).rounded()), total: $0.count)
    }
    return Chart(
      curves: [
        .init(
          name: "share right, 95%", style: "a", points: bins.map { (x: $0.confidence, y: $0.accuracy) },
          interval: accuracies.map(\.interval), marks: true)
      ], x: Axis("probability of the predicted class", from: 0, to: 1),
      y: Axis("share that is right", from: 0, to: 1), diagonal: true
    ).figure("calibration", "Calibration, ten bins with Wilson's intervals. Dashed: as sure as right.")
  }

  /// What is right and wrong: measures, confusions, curves.
  @_optimize(none)
  var errors: String {
    guard !data.labels.isEmpty else { return "<p>There are no rows to test on.</p>" }
    let figures = ([confusionFigure, roc, calibration] as [Figure?]).compactMap { $0 }
    return classFigures + confusion
      + "<div class=\"grid charts\">\(figures.map { shelf.put($0) }.joined(separator: "\n"))</div>"
  }

  /// Rows of each class by what they are called, as a square.
  @_optimize(none)
  private var confusionFigure: Figure? {
    let (names, counts) = (data.model.classes, data.metrics.confusion)
    guard names.count <= 20 else { return nil }
    let (left, top, size) = (120.0, 8.0, 330.0)
    let cell = size / Double(names.count)
    var out = ""
    for (t, row) in counts.enumerated() {
      let all = Double(max(1, row.reduce(0, +)))
      let y = top + Double(t) * cell
      out +=
        "<text x=\"\(decimal(left - 6, 1))\" y=\"\(decimal(y + cell / 2, 1))\" dy=\"4\" text-anchor=\"end\">"
      out += "\(escaped(names[t].prefix(15)))</text>"
      for (p, count) in row.enumerated() {
        let (x, share) = (left + Double(p) * cell, Double(count) / all)
        out += "<rect class=\"\(t == p ? "heat" : "cam")\" fill-opacity=\"\(decimal(0.75 * share, 2))\""
        out +=
          " x=\"\(decimal(x, 1))\" y=\"\(decimal(y, 1))\" width=\"\(decimal(cell, 1))\" height=\"\(decimal(cell, 1))\"/>"
        guard count > 0 || names.count <= 10 else { continue }
        out +=
          "<text class=\"head\" x=\"\(decimal(x + cell / 2, 1))\" y=\"\(decimal(y + cell / 2, 1))\" dy=\"4\""
        out += " text-anchor=\"middle\">\(count)</text>"
      }
    }
    let bottom = top + size
    let edge = decimal(size, 1)
    out += "<path class=\"axis\" d=\"M\(left) \(top)h\(edge)v\(edge)h-\(edge)z\"/>"
    for (p, name) in names.enumerated() {
      let x = decimal(left + (Double(p) + 0.5) * cell, 1)
      let isSlanted = names.count > 4
      out +=
        "<text transform=\"translate(\(x) \(decimal(bottom + 14, 1)))\(isSlanted ? " rotate(-35)" : "")\""
      out += " text-anchor=\"\(isSlanted ? "end" : "middle")\">\(escaped(name.prefix(15)))</text>"
    }
    let below = bottom + (names.count > 4 ? 74 : 32)
    out +=
      "<text x=\"\(decimal(left + size / 2, 1))\" y=\"\(decimal(below, 1))\" text-anchor=\"middle\">called</text>"
    out +=
      "<text transform=\"translate(14 \(decimal(top + size / 2, 1))) rotate(-90)\" text-anchor=\"middle\">in truth</text>"
    return Figure(
      name: "confusion",
      caption:
        "Rows by class and by what they are called. The darker a field, the larger its share of the class: blue right, red wrong.",
      label: "confusions of the classes", width: 480, height: below + 10, marks: out,
      data: FigureData(
        header: ["in truth"] + names.map { "called \($0)" },
        rows: counts.enumerated().map { [names[$0]] + $1.map { "\($0)" } }))
  }
}
