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
  var roc: (caption: String, content: String) {
    let (names, curves) = (data.model.classes, data.metrics.roc)
    let all = names.count == 2 ? [1] : Array(names.indices)
    let shown = all.ordered { (curves[$0].area, $0) < (curves[$1].area, $1) }.prefix(Self.mostCurves)
      .ordered()
    let plot = Plots.lines(
      shown.enumerated().map { index, c in
        let points = curves[c].points
        // A page needs no more points than a screen has pixels.
        let step = max(1, points.count / 400)
        let thin = points.indices.filter { $0 % step == 0 || $0 == points.count - 1 }.map {
          (x: points[$0].x, y: points[$0].y)
        }
        let colour = shown.count > 2 ? Plots.colour(index, of: shown.count) : nil
        return .init(
          name: "\(names[c]): \(decimal(curves[c].area))", style: index == 0 ? "a" : "b", colour: colour,
          points: thin)
      }, x: 0...1, y: 0...1, xLabel: "false positive rate", yLabel: "true positive rate", diagonal: true)
    let left = all.count > shown.count ? "; the \(shown.count) smallest areas of \(all.count)" : ""
    return ("ROC of each class against the others, with the area below\(left)", plot)
  }
}
