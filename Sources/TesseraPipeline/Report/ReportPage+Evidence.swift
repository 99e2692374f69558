// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraImages
import TesseraVision

extension ReportPage {
  /// Grad-CAM and the linear path's shares for the most confident right and wrong answers.
  @_optimize(none)
  func evidence() throws -> String {
    let chosen = Array(data.rows(right: true).prefix(2) + data.rows(right: false).prefix(2))
    guard !chosen.isEmpty else { return "<p>No row to look at.</p>" }
    // A picture that shows nothing is none: words say so (`evidenceNote`).
    guard data.kept.isCNNTrained || data.kept.hasLinearPath else { return "" }
    var figures: [(caption: String, content: String)] = []
    for row in chosen {
      if data.table != nil {
        figures.append(("Row \(data.rows[row] + 1): \(verdict(row))", try columns(row)))
      }
      let image = try data.model.statistics.apply(data.image(row))
      let target = Int32(data.prediction(row).label)
      if data.kept.isCNNTrained, let figure = try gradCAM(image, target, row) { figures.append(figure) }
      guard let shares = try data.model.network.bypassShares(image, of: target) else { continue }
      let sums = byLayer(data.layout.shares(of: shares), mean: false)
      let said = data.kept.isCNNTrained || data.table != nil ? "" : "\(verdict(row)). "
      figures.append(
        (
          data.table == nil
            ? said + "Shares of the linear path through the features of \(sums)"
            : "Shares of the linear path at each pixel", picture(shares, row)
        ))
    }
    return HTMLPage.grid(figures)
  }

  private func gradCAM(_ image: [Float], _ target: Int32, _ row: Int) throws -> (String, String)? {
    let (map, side) = try data.model.network.gradCAM(image, of: [target])
    // Of a few columns the slice makes a patch or two, whose evidence says nothing of any column.
    if data.table != nil, side < 3 { return nil }
    guard map.contains(where: { $0 > 0 }) else {
      return ("\(verdict(row)). Grad-CAM", "<p>Nothing in the slice's output speaks for the class.</p>")
    }
    let means = byLayer(data.layout.values(of: map, side: side), mean: true)
    let png = try data.picture(row).base64EncodedString()
    return (
      data.table == nil ? "\(verdict(row)). Mean evidence at the features of \(means)" : "Grad-CAM",
      Plots.heat(
        map.map { Double($0) }, side: side, copies: data.layout.channels.count, style: "cam", over: png,
        label: "Grad-CAM of row \(row)")
    )
  }

  /// Shares of pixels, channels side by side.
  private func picture(_ shares: [Float], _ row: Int) -> String {
    let side = data.layout.side
    // A few pixels outshine all others: the twentieth is as dark as it gets.
    let most = Double(max(1e-30, shares.map { abs($0) }.ordered(by: >).prefix(20).last ?? 1))
    let channels = stride(from: 0, to: shares.count, by: side * side).map { begin in
      Plots.signedHeat(
        shares[begin..<begin + side * side].map { Double($0) / most }, side: side,
        label: "linear path of row \(row)")
    }
    return channels.joined()
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
