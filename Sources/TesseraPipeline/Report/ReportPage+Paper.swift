// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraImages

/// One figure of all, with letters and a caption, for a paper or a slide.
extension ReportPage {
  /// The figure with its caption; nil without a row that is right.
  @_optimize(none)
  func paperFigure() throws -> String? {
    guard let first = shownRows.first else { return nil }
    let layout = layoutFigures(0)
    let curve = data.history.count > 1 ? accuracyFigure : roc
    let panels = [layout.places(), layout.pixels(), try imageFigure(first), curve]
    let figure = Self.composed(panels)
    let c = data.configuration
    let isTable = data.table != nil
    let accuracy = data.evaluation.map { " Test accuracy: \($0.model)." } ?? ""
    let caption =
      "a, the \(data.layout.scaler.minimum.count) \(isTable ? "columns" : "features") laid out by \(c.layout.layout.rawValue)"
      + " over the training rows, with their hull and its smallest rectangle. b, the rectangle as an image of "
      + "\(data.layout.side) x \(data.layout.side) pixels, each in the colour of its \(isTable ? "column" : "hidden state"). "
      + "c, the image of a row of class \(data.model.classes[Int(data.labels[first])]), as differences from the mean. d, "
      + (data.history.count > 1
        ? "accuracy on the validation rows by epoch, with Wilson's interval at 95%."
        : "true by false positives on the test rows.") + accuracy
    return shelf.put(
      Figure(
        name: "paper", caption: caption, label: "layout, pixels, an image and a curve", width: figure.width,
        height: figure.height, marks: figure.marks, data: panels[0].data, widest: 1000))
  }

  /// Four figures in two columns, each in a square of its own.
  private static func composed(_ panels: [Figure]) -> (marks: String, width: Double, height: Double) {
    let (column, gap) = (480.0, 24.0)
    var (out, top) = ("", 0.0)
    for begin in stride(from: 0, to: panels.count, by: 2) {
      let line = panels[begin..<min(panels.count, begin + 2)]
      let height = line.map { min($0.height, 520) }.max() ?? 0
      for (place, panel) in line.enumerated() {
        let x = Double(place) * (column + gap)
        let letter = ["a", "b", "c", "d"][min(3, begin + place)]
        out +=
          "<text class=\"letter\" x=\"\(decimal(x + 4, 1))\" y=\"\(decimal(top + 16, 1))\">\(letter)</text>"
        out += "<svg x=\"\(decimal(x, 1))\" y=\"\(decimal(top + 24, 1))\" width=\"\(decimal(column, 1))\""
        out += " height=\"\(decimal(height, 1))\" preserveAspectRatio=\"xMidYMin meet\""
        out += " viewBox=\"0 0 \(decimal(panel.width, 0)) \(decimal(panel.height, 0))\">\(panel.marks)</svg>"
      }
      top += height + 24 + gap
    }
    return (out, 2 * column + gap, top)
  }
}
