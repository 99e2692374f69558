// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraVision

/// A run as one HTML page.
public struct ReportPage {
  let data: ReportData
  let device: any Backend
  let shelf = FigureShelf()

  /// Reads a finished run and classifies its test rows on a device.
  ///
  /// - Throws: `TesseraError` if the run is not finished.
  public init(folder: String, device: any Backend) throws {
    data = try ReportData(folder: folder, device: device)
    self.device = device
  }

  /// The page.
  ///
  /// - Returns: HTML that needs no other file.
  /// - Throws: `TesseraError` if a device fails at the evidence.
  @_optimize(none)
  public func html() throws -> String {
    shelf.figures = []
    let c = data.configuration
    let file = URL(fileURLWithPath: c.data).lastPathComponent
    var page = HTMLPage(title: "Tessera: \(c.model.architecture.rawValue) on \(file)", subtitle: subtitle)
    page.section("Result", summary)
    page.section("How to read this page", guide)
    page.section("Rows", rowCounts)
    page.section(
      "Layout of the features", layout,
      note: (data.table == nil
        ? "Each point is one feature of the encoder" : "Each point is a column of the table")
        + "; the rectangle becomes the image"
        + (data.layout.channels.count == 1
          ? ". \(data.layout.channels[0].pixels.collisions)"
          : "'s channel. Each channel of the images has a layout of its own."))
    page.section(
      data.table == nil ? "Texts and their images" : "Rows and their images", try samples(),
      note:
        "The most confident right answers of each class. Images show each pixel's difference from its mean, in its standard deviations."
    )
    page.section("Learning", learning)
    page.section("Errors", errors)
    page.section("The most confident mistakes", try mistakes())
    page.section(
      "What the network looks at", try evidence(), note: evidenceNote)
    if let ranks = try ranking() {
      page.section("Features by what they change", ranks.content, note: ranks.note)
    }
    if let paper = try paperFigure() { page.section("A figure for a paper", paper) }
    page.section("Stages", try stages())
    page.section("Parameters", parameters, note: habits)
    return page.text
  }

  @_optimize(none)
  private var summary: String {
    var tiles: [(String, String, String)] = []
    if data.labels.isEmpty {
      tiles.append(("test accuracy", "none", "no rows to test on"))
    } else if let evaluation = data.evaluation {
      for (name, accuracy) in [("test accuracy", evaluation.model), ("linear probe", evaluation.probe)] {
        let interval = "95%: \(decimal(accuracy.interval.low)) to \(decimal(accuracy.interval.high))"
        tiles.append((name, decimal(accuracy.value), interval + ", \(accuracy.correct) of \(accuracy.total)"))
      }
      if let comparison = evaluation.comparison {
        let rows = "\(comparison.onlyModel) rows right alone, the probe \(comparison.onlyProbe)"
        tiles.append(("p beside the probe", comparison.chance, "McNemar: \(rows)"))
      }
      if !data.repeats.isEmpty {
        let mean = MeanAccuracy([evaluation.model] + data.repeats.map(\.accuracy))
        tiles.append(("mean of \(mean.count) seeds", decimal(mean.mean), "95%: +- \(decimal(mean.half))"))
      }
    }
    tiles.append(keptTile)
    if !data.labels.isEmpty {
      if let area { tiles.append(("area under ROC", decimal(area.value), area.of)) }
      tiles.append(("calibration error", decimal(data.metrics.calibrationError), "expected, ten bins"))
    }
    if data.layout.channels.count == 1, let divergence = data.layout.channels[0].divergence {
      tiles.append(("divergence", decimal(Double(divergence), 4), "Kullback-Leibler, t-SNE"))
    }
    let parts = tiles.map {
      "<div class=\"tile\"><small>\(escaped($0.0))</small><b>\($0.1)</b><small>\(escaped($0.2))</small></div>"
    }
    return "<div class=\"tiles\">\(parts.joined())</div><p>\(escaped(keptWords))</p>" + seeds
  }

  /// A row's text, or what stands out of a table's row.
  func quote(_ row: Int, _ length: Int = 360) -> String {
    if let table = data.table { return "<p class=\"note\">\(escaped(table.line(data.rows[row])))</p>" }
    guard let text = data.texts?[row] else { return "<p class=\"note\">(the texts are not there)</p>" }
    let short = text.count > length ? text.prefix(length) + "..." : text[...]
    return "<blockquote>\(escaped(short))</blockquote>"
  }

  /// What was said of a row, and what is true.
  func verdict(_ row: Int) -> String {
    let (label, probability) = data.prediction(row)
    let truth = Int(data.labels[row])
    let said = "\(data.model.classes[label]) with \(decimal(Double(probability)))"
    return label == truth ? said : "\(said), in truth \(data.model.classes[truth])"
  }

  /// The figure of a row's image.
  func imageFigure(_ row: Int) throws -> Figure {
    try ImageFigure(
      values: data.deviations(row), side: data.layout.side, channels: data.layout.channels.map(\.name)
    ).figure(
      "row-\(data.rows[row] + 1)-image", verdict(row) + ".", label: "image of row \(data.rows[row] + 1)")
  }

  private func figures(_ rows: [Int]) throws -> String {
    HTMLPage.grid(
      try rows.map { row in "<div>" + shelf.put(try imageFigure(row)) + quote(row) + "</div>" })
  }

  /// The most confident right answers of each class, of twelve classes at the most.
  var shownRows: [Int] {
    let right = data.rows(right: true)
    return data.model.classes.indices.prefix(12).flatMap { c in
      right.lazy.filter { Int(data.labels[$0]) == c }.prefix(2)
    }
  }

  private func samples() throws -> String {
    let chosen = shownRows
    return chosen.isEmpty ? "<p>No right answer to show.</p>" : try figures(chosen)
  }

  private func mistakes() throws -> String {
    let wrong = data.rows(right: false).prefix(6)
    return wrong.isEmpty ? "<p>None.</p>" : try figures(Array(wrong))
  }
}

/// Figures that a page has, in its order.
final class FigureShelf {
  var figures: [Figure] = []

  /// Adds a figure, and gives it as it stands on the page.
  func put(_ figure: Figure) -> String {
    figures.append(figure)
    return figure.html
  }
}
