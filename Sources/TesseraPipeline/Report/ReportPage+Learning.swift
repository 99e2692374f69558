// SPDX-License-Identifier: Apache-2.0
import TesseraData
import TesseraVision

/// What the epochs gave.
extension ReportPage {
  /// Loss and accuracy by epoch, with the epoch that was kept; of one epoch the figures alone.
  @_optimize(none)
  var learning: String {
    let (epochs, held) = (data.history, data.layout.split.validation.count)
    guard let first = epochs.first else { return "<p>No epoch was run.</p>" }
    let start = data.kept.hasFittedHead ? "as it was fitted" : "the linear path alone"
    let choice =
      "Share of right answers on \(held) validation rows, with Wilson's interval at 95%; the best epoch's weights are kept"
      + (first.epoch == 0 ? ", epoch 0's (\(start)) unless it is beaten by more than a standard error" : "")
      + "."
    guard epochs.count > 1 else {
      let accuracy = Accuracy(correct: first.correct, total: held)
      return HTMLPage.table(
        ["epoch", "mean cross-entropy over the training rows", "validation accuracy"],
        [["\(first.epoch)", decimal(first.loss, 4), accuracy.description]])
        + "<p class=\"note\">\(escaped(choice))</p>"
    }
    return "<div class=\"grid charts\">\(shelf.put(loss))\(shelf.put(accuracy(choice)))</div>"
  }

  private var epochAxis: Axis {
    let (first, last) = (data.history.first?.epoch ?? 0, data.history.last?.epoch ?? 1)
    return Axis("epoch", from: Double(first), to: Double(max(first + 1, last)), isWhole: true, isTight: true)
  }

  private var mark: (x: Double, text: String)? {
    data.kept.epoch.map { (Double($0), "kept: epoch \($0)") }
  }

  private var loss: Figure {
    let points = data.history.map { (x: Double($0.epoch), y: $0.loss) }
    let most = points.map(\.y).filter(\.isFinite).max() ?? 1
    return Chart(
      curves: [
        .init(
          name: "training rows", style: "b", points: points.filter { $0.y.isFinite }, marks: points.count < 40
        )
      ],
      x: epochAxis, y: Axis("mean cross-entropy", from: 0, to: max(most, 1e-6)), mark: mark
    ).figure("loss", "Mean cross-entropy over the training rows; the line marks the epoch that was kept.")
  }

  /// Accuracy on the validation rows by epoch. That on training rows is in the run's log alone, which no record
  /// holds: a report shows what the run attests.
  var accuracyFigure: Figure { accuracy("Accuracy on the validation rows.") }

  private func accuracy(_ caption: String) -> Figure {
    let held = data.layout.split.validation.count
    let accuracies = data.history.map { Accuracy(correct: min($0.correct, held), total: held) }
    let ends = accuracies.map(\.interval)
    let isShort = data.history.count < 40
    let curves = [
      Chart.Curve(
        name: "validation rows, 95%", style: "a",
        points: zip(data.history, accuracies).map { (x: Double($0.epoch), y: $1.value) }, interval: ends,
        marks: isShort)
    ]
    let (low, high) = (ends.map(\.low), ends.map(\.high))
    return Chart(
      curves: curves, x: epochAxis, y: Axis("accuracy", from: low.min() ?? 0, to: high.max() ?? 1), mark: mark
    ).figure("validation-accuracy", caption)
  }
}
