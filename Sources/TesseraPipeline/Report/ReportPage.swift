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

  /// Reads a finished run and classifies its test rows on a device.
  ///
  /// - Throws: `TesseraError` if the run is not finished.
  public init(folder: String, device: any Backend) throws {
    data = try ReportData(folder: folder, device: device)
    self.device = device
  }

  /// The page.
  @_optimize(none)
  public func html() throws -> String {
    let c = data.configuration
    let file = URL(fileURLWithPath: c.data).lastPathComponent
    var page = HTMLPage(title: "Tessera: \(c.model.architecture.rawValue) on \(file)")
    page.section("Result", summary)
    page.section(
      data.table == nil ? "Texts and their images" : "Rows and their images", try samples(),
      note:
        "The most confident right answers of each class. Images show each pixel's difference from its mean, in its standard deviations."
    )
    page.section(
      "Layout of the features", layout,
      note: (data.table == nil
        ? "Each point is one feature of the encoder" : "Each point is a column of the table")
        + "; the rectangle becomes the image"
        + (data.layout.channels.count == 1
          ? ". \(data.layout.channels[0].pixels.collisions)"
          : "'s channel. Channels stand side by side in images, the first on the left."))
    page.section("Learning", learning)
    page.section("Errors", errors)
    page.section("The most confident mistakes", try mistakes())
    page.section(
      "What the network looks at", try evidence(), note: evidenceNote)
    if let ranks = try ranking() {
      page.section("Features by what they change", ranks.content, note: ranks.note)
    }
    if let found = data.found {
      page.section("Data", "<ul>\(found.lines.map { "<li>\(escaped($0))</li>" }.joined())</ul>")
    }
    page.section("Stages", try stages())
    page.section("Parameters", try parameters, note: habits)
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

  private func quote(_ row: Int, _ length: Int = 360) -> String {
    if let table = data.table { return "<p class=\"note\">\(escaped(table.line(data.rows[row])))</p>" }
    guard let text = data.texts?[row] else { return "<p class=\"note\">(the texts are not there)</p>" }
    let short = text.count > length ? text.prefix(length) + "..." : text[...]
    return "<blockquote>\(escaped(short))</blockquote>"
  }

  func verdict(_ row: Int) -> String {
    let (label, probability) = data.prediction(row)
    let truth = Int(data.labels[row])
    let said = "\(data.model.classes[label]) with \(decimal(Double(probability)))"
    return label == truth ? said : "\(said), in truth \(data.model.classes[truth])"
  }

  private func figures(_ rows: [Int]) throws -> String {
    HTMLPage.grid(
      try rows.map { row in
        let picture = HTMLPage.picture(try data.picture(row), alt: "image of row \(row)")
        return (verdict(row), picture + quote(row))
      })
  }

  private func samples() throws -> String {
    let right = data.rows(right: true)
    let chosen = data.model.classes.indices.flatMap { c in
      right.filter { Int(data.labels[$0]) == c }.prefix(2)
    }
    return chosen.isEmpty ? "<p>No right answer to show.</p>" : try figures(Array(chosen))
  }

  private func mistakes() throws -> String {
    let wrong = data.rows(right: false).prefix(6)
    return wrong.isEmpty ? "<p>None.</p>" : try figures(Array(wrong))
  }

  @_optimize(none)
  private var layout: String {
    let channels = data.layout.channels
    return channels.map { channel -> String in
      let pixels = channel.pixels
      let density = pixels.density
      let most = Double(max(1, density.max() ?? 1))
      let heat = Plots.heat(
        density.map { Double($0) / most }, side: pixels.pixels, style: "heat", label: "features per pixel")
      let counts = pixels.collisions.pixelsByFeatures.enumerated().map { ["\($0.offset)", "\($0.element)"] }
      if let table = data.table { return table.layout(channel, isOnly: channels.count == 1) }
      let grid = HTMLPage.grid([
        (
          "features by encoder layer, their hull and its smallest rectangle",
          Plots.scatter(
            channel.coordinates, groups: channel.features.map { data.layerOfFeature[$0] }, names: data.layers)
        ),
        ("features per pixel (darkest: \(Int(most)))", heat),
      ])
      let heading =
        channels.count == 1
        ? "" : "<h3>\(escaped(channel.name))</h3><p class=\"note\">\(escaped(channel.summary))</p>"
      return heading + grid + "<details><summary>Pixels by their number of features</summary>"
        + HTMLPage.table(["features", "pixels"], counts) + "</details>"
    }.joined()
  }

  @_optimize(none)
  private var learning: String {
    let epochs = data.history
    guard let last = epochs.last else { return "<p>No epoch was run.</p>" }
    let held = Double(max(1, data.layout.split.validation.count))
    let losses = epochs.map { (x: Double($0.epoch), y: $0.loss) }
    let right = epochs.map { (x: Double($0.epoch), y: Double($0.correct) / held) }
    let first = Double(epochs[0].epoch)
    let start = data.kept.hasFittedHead ? "as it was fitted" : "the linear path alone"
    let range = first...max(first + 1, Double(last.epoch))
    let top = 1.1 * max(1e-3, losses.map(\.y).max() ?? 1)
    return HTMLPage.grid([
      (
        "mean cross-entropy over the training rows",
        Plots.lines(
          [.init(name: "training loss", style: "b", points: losses)], x: range, y: 0...top, xLabel: "epoch",
          yLabel: "loss")
      ),
      (
        "share of right answers on \(Int(held)) validation rows; the best epoch's weights are kept"
          + (epochs[0].epoch == 0
            ? ", epoch 0's (\(start)) unless it is beaten by more than a standard error" : ""),
        Plots.lines(
          [.init(name: "validation accuracy", style: "a", points: right)], x: range, y: 0...1,
          xLabel: "epoch",
          yLabel: "accuracy")
      ),
    ])
  }

  @_optimize(none)
  private var errors: String {
    guard !data.labels.isEmpty else { return "<p>There are no rows to test on.</p>" }
    let calibration = Plots.lines(
      [
        .init(
          name: "share right", style: "a",
          points: data.metrics.calibration.map { (x: $0.confidence, y: $0.accuracy) }, marks: true)
      ], x: 0...1, y: 0...1, xLabel: "probability of the predicted class", yLabel: "share right",
      diagonal: true)
    return classFigures + confusion + HTMLPage.grid([roc, ("calibration, ten bins", calibration)])
  }

  private var habits: String {
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

  private var parameters: String {
    get throws {
      HTMLPage.table(["name", "value"], try data.configuration.fields.map { [$0.name, $0.value] })
    }
  }
}
