// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraImages
import TesseraVision

extension ReportPage {
  /// What the most confident right and wrong answers hang on: words or columns, regions of the image, features.
  @_optimize(none)
  func evidence() throws -> String {
    let chosen = Array(data.rows(right: true).prefix(2) + data.rows(right: false).prefix(2))
    guard !chosen.isEmpty else { return "<p>No row to look at.</p>" }
    // A picture that shows nothing is none: words say so (`evidenceNote`).
    guard data.kept.isCNNTrained || data.kept.hasLinearPath else { return "" }
    return try chosen.map { try evidence(of: $0) }.joined(separator: "\n")
  }

  @_optimize(none)
  private func evidence(of row: Int) throws -> String {
    let (number, target) = (data.rows[row] + 1, Int32(data.prediction(row).label))
    let image = try data.model.statistics.apply(data.image(row))
    let shares = try data.model.network.bypassShares(image, of: target)
    var parts: [String] = []
    if data.table != nil { parts.append(shelf.put(try columns(row))) }
    let map = data.kept.isCNNTrained ? try data.model.network.gradCAM(image, of: [target]) : nil
    // Of a few columns the slice makes a patch or two, whose evidence says nothing of any column.
    if let map, data.table == nil || map.side >= 3 { parts.append(try gradCAM(map, row)) }
    if let shares { parts.append(shelf.put(try linearPath(shares, row))) }
    if data.table == nil, let features = features(row, shares, map) { parts.append(shelf.put(features)) }
    return "<div class=\"case\"><h3>Row \(number): \(escaped(verdict(row)))</h3>\(try text(row))"
      + HTMLPage.grid(parts) + "</div>"
  }

  private func gradCAM(_ map: (maps: [Float], side: Int), _ row: Int) throws -> String {
    guard map.maps.contains(where: { $0 > 0 }) else {
      return "<p>Nothing in the slice's output speaks for the class (Grad-CAM).</p>"
    }
    let number = data.rows[row] + 1
    let means = byLayer(data.layout.values(of: map.maps, side: map.side), mean: true)
    let regions = Regions(
      map.maps, side: map.side, most: Double(map.maps.max() ?? 1), unit: "Grad-CAM, for the class")
    let caption =
      "Grad-CAM: outlined is what speaks for the class at least half as much as the place that speaks most."
      + (data.table == nil ? " Mean at the features of \(means)." : "")
    return shelf.put(
      try ImageFigure(
        values: data.deviations(row), side: data.layout.side, channels: data.layout.channels.map(\.name),
        regions: data.layout.channels.map { _ in regions }
      ).figure("row-\(number)-grad-cam", caption, label: "Grad-CAM of row \(number)"))
  }

  private func linearPath(_ shares: [Float], _ row: Int) throws -> Figure {
    let (side, number) = (data.layout.side, data.rows[row] + 1)
    let sums = stride(from: 0, to: shares.count, by: side * side).map {
      Regions.sums(shares[$0..<$0 + side * side], side: side)
    }
    let most = Double(max(1e-30, sums.joined().map { abs($0) }.max() ?? 1))
    let regions = sums.map {
      Regions($0, side: min(side, 8), most: most, unit: "share of the class's lead, against and for")
    }
    let caption =
      "The linear path by regions of the image: red ones speak for the class, blue ones against it; outlined are the "
      + "strongest."
      + (data.table == nil
        ? " Through the features of \(byLayer(data.layout.shares(of: shares), mean: false))." : "")
    return try ImageFigure(
      values: data.deviations(row), side: side, channels: data.layout.channels.map(\.name), regions: regions
    ).figure("row-\(number)-linear-path", caption, label: "linear path of row \(number)")
  }

  /// The features with the largest shares of the linear path, or with the most evidence of Grad-CAM.
  private func features(_ row: Int, _ shares: [Float]?, _ map: (maps: [Float], side: Int)?) -> Figure? {
    let values: [Float]
    if let shares {
      values = data.layout.shares(of: shares)
    } else if let map, map.maps.contains(where: { $0 > 0 }) {
      values = data.layout.values(of: map.maps, side: map.side)
    } else {
      return nil
    }
    let number = data.rows[row] + 1
    let order = values.indices.ordered { (abs(values[$1]), $0) < (abs(values[$0]), $1) }
    let title = shares == nil ? "Grad-CAM" : "share of the class's lead"
    let all = FigureData(
      header: ["rank", "feature", title],
      rows: order.prefix(100).enumerated().map { ["\($0 + 1)", data.name(of: $1), "\(values[$1])"] })
    return BarChart(
      values: order.prefix(10).map { (data.name(of: $0), Double(values[$0])) }, title: title
    ).figure(
      "row-\(number)-features",
      shares == nil
        ? "The ten features with the most evidence."
        : "The ten features that add most through the linear path.",
      label: "features of row \(number)", all: all)
  }

  private func byLayer(_ values: [Float], mean: Bool) -> String {
    var sums = [Double](repeating: 0, count: data.layers.count), counts = sums
    for (feature, value) in values.enumerated() {
      sums[data.layerOfFeature[feature]] += Double(value)
      counts[data.layerOfFeature[feature]] += 1
    }
    return zip(data.layers, zip(sums, counts)).map {
      "\($0) \(decimal(mean ? $1.0 / max(1, $1.1) : $1.0, 2))"
    }.joined(separator: ", ")
  }
}
