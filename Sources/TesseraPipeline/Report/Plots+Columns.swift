// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraImages

/// Plots in which points and pixels have names.
extension Plots {
  /// Points with more names than this have them under the pointer alone.
  private static let mostNames = 64

  /// Named points, with their hull and the rectangle that becomes the image.
  @_optimize(none)
  static func named(_ coordinates: [Float], names: [String]) -> String {
    let count = coordinates.count / 2
    let points = (0..<count).map { Point(x: Double(coordinates[$0]), y: Double(coordinates[count + $0])) }
    let hull = convexHull(points)
    let corners = Rectangle.smallest(around: hull).corners
    let all = corners + points
    let (lowX, highX) = (all.map(\.x).min() ?? 0, all.map(\.x).max() ?? 1)
    let (lowY, highY) = (all.map(\.y).min() ?? 0, all.map(\.y).max() ?? 1)
    let scale = 480 / max(1e-300, max(highX - lowX, highY - lowY))
    func place(_ p: Point) -> (x: Double, y: Double) {
      (10 + (p.x - lowX) * scale, 10 + (highY - p.y) * scale)
    }
    func polygon(_ points: [Point]) -> String {
      "M" + points.map { "\(decimal(place($0).x, 1)) \(decimal(place($0).y, 1))" }.joined(separator: "L")
        + "Z"
    }
    let (width, height) = (Int((highX - lowX) * scale + 20), Int((highY - lowY) * scale + 20))
    var out = "<svg viewBox=\"0 0 \(width) \(height)\" role=\"img\" aria-label=\"layout of the columns\">"
    if hull.count > 2 { out += "<path class=\"hull\" d=\"\(polygon(hull))\"/>" }
    out += "<path class=\"box\" d=\"\(polygon(corners))\"/>"
    for (point, name) in zip(points, names) {
      let at = place(point)
      let (x, y) = (decimal(at.x, 1), decimal(at.y, 1))
      out += "<circle class=\"fa\" cx=\"\(x)\" cy=\"\(y)\" r=\"4\"><title>\(escaped(name))</title></circle>"
      guard names.count <= mostNames else { continue }
      // Beyond the middle a name ends at its point, so that it stays inside.
      let isRight = at.x > Double(width) / 2
      out +=
        "<text x=\"\(decimal(at.x + (isRight ? -6 : 6), 1))\" y=\"\(y)\""
        + "\(isRight ? " text-anchor=\"end\"" : "") style=\"font-size:9px\">\(escaped(name))</text>"
    }
    return out + "</svg>"
  }

  /// A square grid with the names of the columns in their pixels, where there is room for them; else under the pointer.
  @_optimize(none)
  static func cells(_ pixels: [Int32], side: Int, names: [String]) -> String {
    let cell = 80
    var members: [Int: [String]] = [:]
    for (pixel, name) in zip(pixels, names) { members[Int(pixel), default: []].append(name) }
    var out =
      "<svg viewBox=\"0 0 \(side * cell) \(side * cell)\" role=\"img\" aria-label=\"pixels of the columns\">"
    for (pixel, list) in members.ordered(by: { $0.key < $1.key }) {
      let (x, y) = (pixel % side * cell, pixel / side * cell)
      out +=
        "<rect class=\"heat\" fill-opacity=\"0.15\" x=\"\(x)\" y=\"\(y)\" width=\"\(cell)\" height=\"\(cell)\">"
      out += "<title>\(escaped(list.joined(separator: ", ")))</title></rect>"
      guard side <= 8 else { continue }
      let lines = list.flatMap { $0.split(separator: " ").map { $0.prefix(12) } }.prefix(5)
      for (number, line) in lines.enumerated() {
        let base = y + cell / 2 + 4 + (2 * number - lines.count + 1) * 7
        out +=
          "<text x=\"\(x + cell / 2)\" y=\"\(base)\" text-anchor=\"middle\">\(escaped(line))</text>"
      }
    }
    out += "<path class=\"axis\" d=\"M0 0h\(side * cell)v\(side * cell)h-\(side * cell)z\"/>"
    return out + "</svg>"
  }

  /// Horizontal bars with their names and values, from a line in the middle where some are below 0.
  @_optimize(none)
  static func bars(_ values: [(name: String, value: Double)]) -> String {
    let (row, names, width) = (22, 165.0, 340.0)
    let most = max(1e-30, values.map { abs($0.value) }.max() ?? 1)
    let hasBoth = values.contains { $0.value < 0 }
    let room = width - names - 46
    let zero = names + (hasBoth ? room / 2 : 0)
    let scale = (hasBoth ? room / 2 : room) / most
    var out =
      "<svg viewBox=\"0 0 \(Int(width)) \(row * values.count + 4)\" role=\"img\" aria-label=\"columns by their change\" style=\"max-width:560px\">"
    for (number, (name, value)) in values.enumerated() {
      let (y, length) = (number * row + 2, abs(value) * scale)
      let short = name.count > 26 ? name.prefix(25) + "…" : name[...]
      out += "<text x=\"\(names - 6)\" y=\"\(y + 15)\" text-anchor=\"end\">\(escaped(short))"
      out += "<title>\(escaped(name))</title></text>"
      out +=
        "<rect class=\"\(value < 0 ? "heat" : "cam")\" x=\"\(decimal(value < 0 ? zero - length : zero, 1))\" y=\"\(y + 3)\""
        + " width=\"\(decimal(max(0.5, length), 1))\" height=\"\(row - 6)\"/>"
      out += "<text x=\"\(width)\" y=\"\(y + 15)\" text-anchor=\"end\">\(decimal(value, 3))</text>"
    }
    return out + "</svg>"
  }
}
