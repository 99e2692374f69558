// SPDX-License-Identifier: Apache-2.0
import TesseraImages

/// Where features lie, in the plane and in the image.
extension ReportPage {
  /// The figures of a channel.
  func layoutFigures(_ number: Int) -> LayoutFigures {
    let channel = data.layout.channels[number]
    let isTable = data.table != nil
    return LayoutFigures(
      channel: channel, names: channel.features.map { data.name(of: $0) },
      groups: channel.features.map { isTable ? $0 : data.layerOfFeature[$0] },
      groupNames: isTable ? data.table?.names ?? [] : data.layers, isNamed: isTable,
      suffix: data.layout.channels.count == 1 ? "" : "-\(number + 1)")
  }

  /// Every channel's figures, and where each feature lies as a table.
  @_optimize(none)
  var layout: String {
    let channels = data.layout.channels
    return channels.indices.map { number -> String in
      let (channel, figures) = (channels[number], layoutFigures(number))
      let shown = [figures.places(), figures.pixels()] + (figures.density().map { [$0] } ?? [])
      let heading =
        channels.count == 1
        ? "" : "<h3>\(escaped(channel.name))</h3><p class=\"note\">\(escaped(channel.summary))</p>"
      return heading
        + "<div class=\"grid charts\">\(shown.map { shelf.put($0) }.joined(separator: "\n"))</div>"
        + (data.table?.list(channel) ?? counts(channel.pixels))
    }.joined()
  }

  private func counts(_ pixels: PixelLayout) -> String {
    let rows = pixels.collisions.pixelsByFeatures.enumerated().map { ["\($0.offset)", "\($0.element)"] }
    return "<details><summary>Pixels by their number of features</summary>"
      + HTMLPage.table(["features", "pixels"], rows) + "</details>"
  }
}
