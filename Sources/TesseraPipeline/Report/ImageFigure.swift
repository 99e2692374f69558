// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraImages

/// An image as a figure: its channels with their names, what lies over them, and a scale of its greys.
struct ImageFigure {
  /// Each pixel's difference from its mean in its standard deviations, (channels, side, side).
  let values: [Float]
  let side: Int
  /// The channels' names.
  let channels: [String]
  /// Evidence over each channel; empty: none.
  var regions: [Regions] = []

  /// Deviations that are black and white.
  static let range: Float = 3

  private var columns: Int { channels.count == 1 ? 1 : channels.count < 5 ? 2 : 3 }
  private var size: Double { channels.count == 1 ? 232 : columns == 2 ? 128 : 84 }

  /// A channel as a PNG of one pixel a value, in greys of a fixed scale.
  private func png(_ channel: Int) throws -> String {
    let plane = values[channel * side * side..<(channel + 1) * side * side]
    let bytes = plane.map { value -> UInt8 in
      let share = (max(-Self.range, min(Self.range, value)) + Self.range) / (2 * Self.range)
      return UInt8((share * 255).rounded())
    }
    return try PNG.encode(bytes, width: side, height: side).base64EncodedString()
  }

  /// The figure.
  ///
  /// - Parameters:
  ///   - name: the stem of its files.
  ///   - caption: what stands below it.
  ///   - label: what is read out in its place.
  @_optimize(none)
  func figure(_ name: String, _ caption: String, label: String) throws -> Figure {
    let head = channels.count == 1 ? 0.0 : 16
    var out = ""
    for channel in channels.indices {
      let x = 8 + Double(channel % columns) * (size + 10)
      let y = 6 + Double(channel / columns) * (size + 8 + head) + head
      if head > 0 {
        out +=
          "<text class=\"small\" x=\"\(decimal(x, 1))\" y=\"\(decimal(y - 4, 1))\">\(escaped(channels[channel]))</text>"
      }
      let box =
        "x=\"\(decimal(x, 1))\" y=\"\(decimal(y, 1))\" width=\"\(decimal(size, 1))\" height=\"\(decimal(size, 1))\""
      out += "<image href=\"data:image/png;base64,\(try png(channel))\" \(box) preserveAspectRatio=\"none\"/>"
      if channel < regions.count { out += regions[channel].marks(x: x, y: y, size: size) }
      out += "<rect class=\"frame\" \(box)/>"
    }
    let lines = Double((channels.count + columns - 1) / columns)
    let below = 6 + lines * (size + 8 + head) + 4
    out += Palette.scale(
      x: 8, y: below, width: 232, colours: Palette.greys,
      marks: [(0, "-3"), (0.5, "0"), (1, "3")], title: "standard deviations from the mean")
    let most = regions.map(\.most).max() ?? 0
    if let first = regions.first, most > 0 { out += first.scale(x: 8, y: below + 48, most: most) }
    let width = max(252, 16 + Double(columns) * (size + 10) - 10)
    return Figure(
      name: name, caption: caption, label: label, width: width, height: below + (most > 0 ? 90 : 42),
      marks: out, data: regions.isEmpty ? pixelData : regionData, widest: 320)
  }

  /// Deviations, a line of pixels a row: as many numbers as there are pixels need no more words.
  private var pixelData: FigureData {
    FigureData(
      header: ["channel", "pixel's row"] + (1...max(1, side)).map { "column \($0)" },
      rows: stride(from: 0, to: values.count, by: side).map { begin in
        let line = values[begin..<begin + side].map { decimal(Double($0), 3) }
        return [channels[begin / (side * side)], "\(begin / side % side + 1)"] + line
      })
  }

  private var regionData: FigureData {
    FigureData(
      header: ["channel", "region's row", "region's column", "of so many a side", "evidence"],
      rows: regions.enumerated().flatMap { channel, regions in
        regions.values.indices.map {
          [
            channels[channel], "\($0 / regions.side + 1)", "\($0 % regions.side + 1)", "\(regions.side)",
            "\(regions.values[$0])",
          ]
        }
      })
  }
}

/// Evidence by regions of an image's square, for a class (red) and against it (blue).
struct Regions {
  /// Row-major (side, side).
  let values: [Double]
  let side: Int
  /// The largest size of a value; colours are relative to it.
  let most: Double
  /// What it is measured in.
  let unit: String

  /// Of a map of as many regions as it has values.
  init(_ map: [Float], side: Int, most: Double, unit: String) {
    (values, self.side, self.most, self.unit) = (map.map { Double($0) }, side, most, unit)
  }

  /// Sums of a channel's pixels over regions, `regions` a side at the most.
  static func sums(_ pixels: ArraySlice<Float>, side: Int, regions: Int = 8) -> [Float] {
    let count = min(side, regions)
    var sums = [Float](repeating: 0, count: count * count)
    for (at, value) in pixels.enumerated() {
      sums[at / side * count / side * count + at % side * count / side] += value
    }
    return sums
  }

  /// Fills and outlines over an image.
  @_optimize(none)
  func marks(x: Double, y: Double, size: Double) -> String {
    guard most > 0 else { return "" }
    let cell = size / Double(side)
    func corner(_ row: Int, _ column: Int) -> String {
      "\(decimal(x + Double(column) * cell, 1)) \(decimal(y + Double(row) * cell, 1))"
    }
    var out = "", edges = [1: "", -1: ""]
    func isStrong(_ row: Int, _ column: Int, _ sign: Int) -> Bool {
      guard (0..<side).contains(row), (0..<side).contains(column) else { return false }
      return values[row * side + column] * Double(sign) >= most / 2
    }
    let length = decimal(cell, 2)
    for row in 0..<side {
      for column in 0..<side {
        let value = values[row * side + column]
        guard abs(value) >= most / 20 else { continue }
        let opacity = decimal(0.55 * min(1, abs(value) / most), 2)
        out += "<path class=\"\(value > 0 ? "cam" : "heat")\" fill-opacity=\"\(opacity)\""
        out += " d=\"M\(corner(row, column))h\(length)v\(length)h-\(length)z\"/>"
        let sign = value > 0 ? 1 : -1
        guard isStrong(row, column, sign) else { continue }
        for (dr, dc, from, step) in [
          (-1, 0, corner(row, column), "h"), (1, 0, corner(row + 1, column), "h"),
          (0, -1, corner(row, column), "v"), (0, 1, corner(row, column + 1), "v"),
        ] where !isStrong(row + dr, column + dc, sign) {
          edges[sign]? += "M\(from)\(step)\(length)"
        }
      }
    }
    for (sign, style) in [(1, "for"), (-1, "against")] {
      if let path = edges[sign], !path.isEmpty { out += "<path class=\"edge \(style)\" d=\"\(path)\"/>" }
    }
    return out
  }

  /// The scale of its colours.
  func scale(x: Double, y: Double, most: Double) -> String {
    let hasBoth = values.contains { $0 < 0 }
    let (red, blue) = (Figure.light["cam"] ?? "", Figure.light["heat"] ?? "")
    let colours: [(fill: String, opacity: Double)] = (0..<24).map { step in
      let share = hasBoth ? Double(step) / 11.5 - 1 : Double(step) / 23
      return (share < 0 ? blue : red, 0.55 * abs(share))
    }
    let end = decimal(most, 2)
    return Palette.scale(
      x: x, y: y, width: 232, colours: colours,
      marks: hasBoth ? [(0, "-" + end), (0.5, "0"), (1, end)] : [(0, "0"), (1, end)], title: unit)
  }
}
