// SPDX-License-Identifier: Apache-2.0
import TesseraImages

/// Plots as SVG that follow the page's colours.
enum Plots {
  /// A curve with its class in the style sheet, `a` or `b`, or with a colour of its own.
  struct Curve {
    let name: String, style: String
    var colour: String?
    let points: [(x: Double, y: Double)]
    var marks = false
  }

  /// Curves over axes from `x` and `y` with their ends written out; the legend stands in the plot's head, below it
  /// where the curves have colours of their own.
  @_optimize(none)
  static func lines(
    _ curves: [Curve], x: ClosedRange<Double>, y: ClosedRange<Double>, xLabel: String, yLabel: String,
    diagonal: Bool = false, digits: (x: Int, y: Int) = (0, 2)
  ) -> String {
    let (width, height, left, top, right, bottom) = (480.0, 300.0, 56.0, 26.0, 470.0, 260.0)
    func place(_ p: (x: Double, y: Double)) -> String {
      let u = (p.x - x.lowerBound) / max(1e-300, x.upperBound - x.lowerBound)
      let v = (p.y - y.lowerBound) / max(1e-300, y.upperBound - y.lowerBound)
      return "\(decimal(left + u * (right - left), 1)) \(decimal(bottom - v * (bottom - top), 1))"
    }
    var out =
      "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\" aria-label=\"\(escaped(yLabel))\">"
    out += "<path class=\"axis\" d=\"M\(left) \(top)V\(bottom)H\(right)\"/>"
    for step in 0...4 {
      let share = Double(step) / 4
      let level = y.lowerBound + share * (y.upperBound - y.lowerBound)
      let at = bottom - share * (bottom - top)
      if step > 0 {
        out += "<path class=\"axis\" d=\"M\(left) \(decimal(at, 1))H\(right)\" stroke-dasharray=\"2 4\"/>"
      }
      out +=
        "<text x=\"\(left - 6)\" y=\"\(decimal(at + 4, 1))\" text-anchor=\"end\">\(decimal(level, digits.y))</text>"
    }
    out += "<text x=\"\(left)\" y=\"\(bottom + 18)\">\(decimal(x.lowerBound, digits.x))</text>"
    out +=
      "<text x=\"\(right)\" y=\"\(bottom + 18)\" text-anchor=\"end\">\(decimal(x.upperBound, digits.x))</text>"
    out +=
      "<text x=\"\((left + right) / 2)\" y=\"\(bottom + 32)\" text-anchor=\"middle\">\(escaped(xLabel))</text>"
    if diagonal {
      out +=
        "<path class=\"box\" d=\"M\(place((x.lowerBound, y.lowerBound)))L\(place((x.upperBound, y.upperBound)))\"/>"
    }
    for (index, curve) in curves.enumerated() {
      let path = curve.points.map { place($0) }.joined(separator: "L")
      let style = curve.colour.map { "class=\"curve\" stroke=\"\($0)\"" } ?? "class=\"curve \(curve.style)\""
      if !curve.points.isEmpty { out += "<path \(style) d=\"M\(path)\"/>" }
      if curve.marks || curve.points.count == 1 {
        for point in curve.points {
          let at = place(point).split(separator: " ")
          out += "<circle class=\"f\(curve.style)\" cx=\"\(at[0])\" cy=\"\(at[1])\" r=\"3\"/>"
        }
      }
      guard curve.colour == nil else { continue }
      let from = left + Double(index) * 200
      out += "<path class=\"curve \(curve.style)\" d=\"M\(from) 12h18\"/>"
      out += "<text x=\"\(from + 24)\" y=\"16\">\(escaped(curve.name))</text>"
    }
    out += "</svg>"
    let coloured = curves.compactMap { curve in curve.colour.map { (curve.name, $0) } }
    guard !coloured.isEmpty else { return out }
    return out + "<p class=\"legend\">"
      + coloured.map { "<span><i style=\"background:\($1)\"></i>\(escaped($0))</span>" }.joined() + "</p>"
  }

  /// The colour of a group, by its place among `count`: hues that both colour schemes can show.
  static func colour(_ index: Int, of count: Int) -> String {
    "hsl(\(250 - 230 * index / max(1, count - 1)) 65% 52%)"
  }

  /// Points coloured by group, with the hull and the rectangle that becomes the image.
  @_optimize(none)
  static func scatter(_ coordinates: [Float], groups: [Int], names: [String]) -> String {
    let count = coordinates.count / 2
    let points = (0..<count).map { Point(x: Double(coordinates[$0]), y: Double(coordinates[count + $0])) }
    let hull = convexHull(points)
    let rectangle = Rectangle.smallest(around: hull)
    let corners = rectangle.corners
    let all = corners + points
    let (lowX, highX) = (all.map(\.x).min() ?? 0, all.map(\.x).max() ?? 1)
    let (lowY, highY) = (all.map(\.y).min() ?? 0, all.map(\.y).max() ?? 1)
    let scale = 480 / max(1e-300, max(highX - lowX, highY - lowY))
    func place(_ p: Point) -> String {
      "\(decimal(10 + (p.x - lowX) * scale, 1)) \(decimal(10 + (highY - p.y) * scale, 1))"
    }
    func polygon(_ points: [Point]) -> String { "M" + points.map { place($0) }.joined(separator: "L") + "Z" }
    let (width, height) = (Int((highX - lowX) * scale + 20), Int((highY - lowY) * scale + 20))
    var out = "<svg viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"layout of the features\">"
    for group in names.indices {
      let path = points.indices.filter { groups[$0] == group }.map { "M\(place(points[$0]))h0" }.joined()
      out += "<path class=\"points\" stroke=\"\(colour(group, of: names.count))\" d=\"\(path)\"/>"
    }
    if hull.count > 2 { out += "<path class=\"hull\" d=\"\(polygon(hull))\"/>" }
    out += "<path class=\"box\" d=\"\(polygon(corners))\"/></svg><p class=\"legend\">"
    for (index, name) in names.enumerated() {
      out += "<span><i style=\"background:\(colour(index, of: names.count))\"></i>\(escaped(name))</span>"
    }
    return out + "</p>"
  }

  /// A square grid of shares in [-1, 1]: positive ones in the colour of `cam`, negative ones in that of
  /// `heat`.
  static func signedHeat(_ values: [Double], side: Int, label: String) -> String {
    var out =
      "<svg viewBox=\"0 0 \(side) \(side)\" role=\"img\" aria-label=\"\(escaped(label))\" style=\"max-width:320px\">"
    for (at, value) in values.enumerated() where abs(value) >= 0.02 {
      out +=
        "<path class=\"\(value > 0 ? "cam" : "heat")\" fill-opacity=\"\(decimal(min(1, abs(value)), 2))\" d=\"M\(at % side) \(at / side)h1v1h-1z\"/>"
    }
    return out + "</svg>"
  }

  /// A square grid of shares in [0, 1] as opacity, over a picture if there is one; over a picture of
  /// several squares side by side, that many copies.
  static func heat(
    _ values: [Double], side: Int, copies: Int = 1, style: String, over png: String? = nil, label: String
  ) -> String {
    let width = side * copies
    var out =
      "<svg viewBox=\"0 0 \(width) \(side)\" role=\"img\" aria-label=\"\(escaped(label))\" style=\"max-width:320px\">"
    if let png {
      out +=
        "<image href=\"data:image/png;base64,\(png)\" width=\"\(width)\" height=\"\(side)\" preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\"/>"
    }
    for (at, value) in values.enumerated() where value >= 0.02 {
      let squares = (0..<copies).map { "M\($0 * side + at % side) \(at / side)h1v1h-1z" }.joined()
      out += "<path class=\"\(style)\" fill-opacity=\"\(decimal(min(1, value), 2))\" d=\"\(squares)\"/>"
    }
    return out + "</svg>"
  }
}
