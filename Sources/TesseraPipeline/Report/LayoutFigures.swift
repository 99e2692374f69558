// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraImages

/// Where a channel has its features: their places in the plane, and their pixels.
struct LayoutFigures {
  let channel: LayoutChannel
  /// The name of each feature of the channel, what it belongs to, and how many such groups there are.
  let names: [String], groups: [Int], groupNames: [String]
  /// Whether every feature has a name that people know, as a table's columns have.
  let isNamed: Bool
  /// What is put at the end of files' names.
  let suffix: String

  /// Points with more names than this have them under the pointer alone.
  private static let mostNames = 64

  private var points: [Point] {
    let count = channel.coordinates.count / 2
    return (0..<count).map {
      Point(x: Double(channel.coordinates[$0]), y: Double(channel.coordinates[count + $0]))
    }
  }

  private func colour(_ group: Int) -> String { Palette.colour(group, of: groupNames.count) }

  /// The groups that occur, if there are several: a channel of one hidden state needs no legend.
  private var entries: [(name: String, colour: String?, style: String)] {
    let occurring = Set(groups)
    guard !isNamed, occurring.count > 1 else { return [] }
    return groupNames.indices.filter(occurring.contains).map { (groupNames[$0], colour($0), "") }
  }

  /// Features, one a line: name, group, place and pixel, counted from 1.
  private var data: FigureData {
    let (points, side) = (points, channel.pixels.pixels)
    return FigureData(
      header: ["feature", isNamed ? "column" : "group", "x", "y", "pixel's row", "pixel's column"],
      rows: points.indices.map { at in
        let pixel = Int(channel.pixels.pixelOfFeature[at])
        return [
          names[at], isNamed ? "\(groups[at] + 1)" : groupNames[groups[at]], "\(points[at].x)",
          "\(points[at].y)", "\(pixel / side + 1)", "\(pixel % side + 1)",
        ]
      })
  }

  /// The features' places, their hull, and the smallest rectangle around it.
  @_optimize(none)
  func places() -> Figure {
    let points = points
    let hull = convexHull(points)
    let corners = Rectangle.smallest(around: hull).corners
    let all = corners + points
    let (lowX, highX) = (all.map(\.x).min() ?? 0, all.map(\.x).max() ?? 1)
    let (lowY, highY) = (all.map(\.y).min() ?? 0, all.map(\.y).max() ?? 1)
    let margin = max(1e-9, max(highX - lowX, highY - lowY) * 0.03)
    let x = Axis("first coordinate", from: lowX - margin, to: highX + margin, isTight: true)
    let y = Axis("second coordinate", from: lowY - margin, to: highY + margin, isTight: true)
    let scale = 400 / max(1e-300, max(x.high - x.low, y.high - y.low))
    let legend = Legend(entries, x: 60, y: 4, width: 400)
    let top = legend.height + 8
    let frame = Frame(
      x: x, y: y, left: 60, top: top, right: 60 + max(80, (x.high - x.low) * scale),
      bottom: top + max(80, (y.high - y.low) * scale))
    var out = legend.marks + frame.axes
    let pairs = points.map { (x: $0.x, y: $0.y) }
    if hull.count > 2 {
      out += "<path class=\"hull\" d=\"\(frame.path(hull.map { ($0.x, $0.y) }))Z\"/>"
    }
    out += "<path class=\"box\" d=\"\(frame.path(corners.map { ($0.x, $0.y) }))Z\"/>"
    out += isNamed ? named(pairs, frame) : grouped(pairs, frame)
    return Figure(
      name: "layout-places" + suffix,
      caption: (isNamed ? "The columns" : "The features, coloured by hidden state")
        + ": what behaves alike over the training rows lies together. Solid: their hull; dashed: the smallest "
        + "rectangle around it, which becomes the image.",
      label: "layout of the features", width: max(480, frame.right + 20), height: frame.bottom + 44,
      marks: out, data: data)
  }

  private func grouped(_ points: [(x: Double, y: Double)], _ frame: Frame) -> String {
    var paths = [String](repeating: "", count: groupNames.count)
    for (at, point) in points.enumerated() { paths[groups[at]] += "M\(frame.text(point))h0" }
    return paths.enumerated().map { group, path in
      path.isEmpty ? "" : "<path class=\"points\" stroke=\"\(colour(group))\" d=\"\(path)\"/>"
    }.joined()
  }

  private func named(_ points: [(x: Double, y: Double)], _ frame: Frame) -> String {
    var out = ""
    for (at, point) in points.enumerated() {
      let place = frame.place(point)
      let (x, y) = (decimal(place.x, 1), decimal(place.y, 1))
      out += "<circle fill=\"\(colour(groups[at]))\" cx=\"\(x)\" cy=\"\(y)\" r=\"4\">"
      out += "<title>\(escaped(names[at]))</title></circle>"
      guard names.count <= Self.mostNames else { continue }
      // Beyond the middle a name ends at its point, so that it stays inside.
      let isRight = place.x > (frame.left + frame.right) / 2
      out +=
        "<text class=\"small\" x=\"\(decimal(place.x + (isRight ? -6 : 6), 1))\" y=\"\(y)\" dy=\"3\""
        + "\(isRight ? " text-anchor=\"end\"" : "")>\(escaped(names[at]))</text>"
    }
    return out
  }

  /// The image's square: each pixel in the colour of what it shows.
  @_optimize(none)
  func pixels() -> Figure {
    let side = channel.pixels.pixels
    let legend = Legend(entries, x: 60, y: 4, width: 400)
    let square = PixelSquare(side: side, left: 60, top: legend.height + 8, size: 400)
    var members = [[Int]](repeating: [], count: side * side)
    for (at, pixel) in channel.pixels.pixelOfFeature.enumerated() { members[Int(pixel)].append(at) }
    var paths = [String](repeating: "", count: groupNames.count), texts = ""
    for (pixel, list) in members.enumerated() where !list.isEmpty {
      // The group that most of a pixel's features are of; of equal ones the first.
      var counts: [Int: Int] = [:]
      for at in list { counts[groups[at], default: 0] += 1 }
      let group = counts.ordered { ($1.value, $0.key) < ($0.value, $1.key) }[0].key
      paths[group] += square.path(pixel)
      if isNamed { texts += square.text(pixel, list.map { names[$0] }) }
    }
    var out = legend.marks
    for (group, path) in paths.enumerated() where !path.isEmpty {
      out += "<path fill=\"\(colour(group))\"\(isNamed ? " fill-opacity=\"0.45\"" : "") d=\"\(path)\"/>"
    }
    out += texts + square.frame
    let shared = channel.pixels.collisions.most > 1
    return Figure(
      name: "layout-pixels" + suffix,
      caption: "The image's square: each pixel in the colour of the "
        + (isNamed ? "column" : "hidden state") + " whose value it shows"
        + (shared ? " (where several share a pixel, of most of them)" : "") + "; empty pixels stay 0.",
      label: isNamed ? "pixels of the columns" : "pixels of the features", width: 480,
      height: square.bottom + 44, marks: out, data: data)
  }

  /// How many features each pixel shows, where any shows several.
  func density() -> Figure? {
    let (counts, side) = (channel.pixels.density, channel.pixels.pixels)
    guard let most = counts.max(), most > 1 else { return nil }
    let square = PixelSquare(side: side, left: 60, top: 8, size: 400)
    var out = ""
    for count in 1...most {
      let path = counts.indices.filter { counts[$0] == count }.map { square.path($0) }.joined()
      let opacity = decimal(Double(count) / Double(most), 2)
      if !path.isEmpty { out += "<path class=\"heat\" fill-opacity=\"\(opacity)\" d=\"\(path)\"/>" }
    }
    out += square.frame
    out += Palette.scale(
      x: 60, y: square.bottom + 48, width: 200,
      colours: (0...min(most, 24)).map { (Figure.light["heat"] ?? "", Double($0) / Double(min(most, 24))) },
      marks: [(0, "0"), (1, "\(most)")], title: "features of a pixel")
    return Figure(
      name: "features-per-pixel" + suffix,
      caption: "Features per pixel. A pixel shows the mean of its features.", label: "features per pixel",
      width: 480, height: square.bottom + 92, marks: out,
      data: FigureData(
        header: ["pixel's row", "pixel's column", "features"],
        rows: counts.indices.map { ["\($0 / side + 1)", "\($0 % side + 1)", "\(counts[$0])"] }))
  }
}

/// A square of pixels in a figure, its rows and columns counted from 1.
struct PixelSquare {
  let side: Int
  let left: Double, top: Double, size: Double

  var bottom: Double { top + size }
  private var cell: Double { size / Double(max(1, side)) }

  /// A pixel as a path.
  func path(_ pixel: Int) -> String {
    let (x, y) = (left + Double(pixel % side) * cell, top + Double(pixel / side) * cell)
    let edge = decimal(cell, 2)
    return "M\(decimal(x, 1)),\(decimal(y, 1))h\(edge)v\(edge)h-\(edge)z"
  }

  /// Names in a pixel, where there is room for them; else under the pointer.
  func text(_ pixel: Int, _ names: [String]) -> String {
    let (x, y) = (left + (Double(pixel % side) + 0.5) * cell, top + (Double(pixel / side) + 0.5) * cell)
    let title = "<title>\(escaped(names.joined(separator: ", ")))</title>"
    guard side <= 8 else {
      return "<rect fill-opacity=\"0\" x=\"\(decimal(x - cell / 2, 1))\" y=\"\(decimal(y - cell / 2, 1))\""
        + " width=\"\(decimal(cell, 2))\" height=\"\(decimal(cell, 2))\">\(title)</rect>"
    }
    let room = Int(cell / 5)
    let lines = names.flatMap { $0.split(separator: " ").map { $0.prefix(room) } }.prefix(
      max(1, Int(cell / 12)))
    return lines.enumerated().map { number, line in
      let base = y + 3 + Double(2 * number - lines.count + 1) * 5.5
      return "<text class=\"small\" x=\"\(decimal(x, 1))\" y=\"\(decimal(base, 1))\" text-anchor=\"middle\">"
        + "\(title)\(escaped(line))</text>"
    }.joined()
  }

  /// The square's frame with the numbers of its first, middle and last rows and columns.
  var frame: String {
    var out = "<path class=\"axis\" d=\"M\(decimal(left, 1)) \(decimal(top, 1))h\(decimal(size, 1))"
    out += "v\(decimal(size, 1))h-\(decimal(size, 1))z\"/>"
    for number in Set([1, (side + 1) / 2, side]).ordered() {
      let at = (Double(number) - 0.5) * cell
      out +=
        "<text x=\"\(decimal(left + at, 1))\" y=\"\(decimal(bottom + 16, 1))\" text-anchor=\"middle\">\(number)</text>"
      out +=
        "<text x=\"\(decimal(left - 6, 1))\" y=\"\(decimal(top + at, 1))\" dy=\"4\" text-anchor=\"end\">\(number)</text>"
    }
    let (middle, half) = (decimal(left + size / 2, 1), decimal(top + size / 2, 1))
    out +=
      "<text x=\"\(middle)\" y=\"\(decimal(bottom + 34, 1))\" text-anchor=\"middle\">pixel's column</text>"
    return out
      + "<text transform=\"translate(14 \(half)) rotate(-90)\" text-anchor=\"middle\">pixel's row</text>"
  }
}
