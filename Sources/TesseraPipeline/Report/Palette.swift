// SPDX-License-Identifier: Apache-2.0

/// Colours of figures that both a light and a dark ground can show.
enum Palette {
  /// Stops of a ramp from blue by green to red; neighbours also differ in lightness.
  private static let stops: [(Double, Double, Double)] = [
    (64, 83, 184), (42, 143, 189), (31, 174, 142), (121, 184, 63), (214, 165, 38), (224, 102, 46),
    (196, 58, 88),
  ]

  /// The colour of a place among `count`.
  static func colour(_ index: Int, of count: Int) -> String {
    let at =
      Double(min(max(0, index), max(0, count - 1))) / Double(max(1, count - 1)) * Double(stops.count - 1)
    let low = min(stops.count - 2, Int(at))
    let share = at - Double(low)
    let (from, to) = (stops[low], stops[low + 1])
    return hex(
      from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1), from.2 + share * (to.2 - from.2))
  }

  /// A grey, 0 black and 1 white.
  static func grey(_ share: Double) -> String { hex(255 * share, 255 * share, 255 * share) }

  private static func hex(_ red: Double, _ green: Double, _ blue: Double) -> String {
    "#"
      + [red, green, blue].map { value in
        let text = String(Int(min(255, max(0, value)).rounded()), radix: 16)
        return text.count == 1 ? "0" + text : text
      }.joined()
  }

  /// A horizontal scale of colours with what its ends and its middle stand for.
  ///
  /// - Parameters:
  ///   - x, y: its upper left corner.
  ///   - width: its length.
  ///   - colours: from its beginning to its end; each with its opacity.
  ///   - marks: texts at shares of its length.
  ///   - title: what it is of, below the texts.
  static func scale(
    x: Double, y: Double, width: Double, colours: [(fill: String, opacity: Double)],
    marks: [(share: Double, text: String)], title: String
  ) -> String {
    let step = width / Double(max(1, colours.count))
    var out = ""
    for (number, colour) in colours.enumerated() {
      // A hair wider than its step, or the ground shows between two.
      out +=
        "<rect x=\"\(decimal(x + Double(number) * step, 1))\" y=\"\(decimal(y, 1))\" height=\"8\""
        + " width=\"\(decimal(step + 0.3, 1))\" fill=\"\(colour.fill)\" fill-opacity=\"\(decimal(colour.opacity, 2))\"/>"
    }
    out +=
      "<rect class=\"frame\" x=\"\(decimal(x, 1))\" y=\"\(decimal(y, 1))\" width=\"\(decimal(width, 1))\" height=\"8\"/>"
    for mark in marks {
      let anchor = mark.share == 0 ? "start" : mark.share == 1 ? "end" : "middle"
      out +=
        "<text x=\"\(decimal(x + mark.share * width, 1))\" y=\"\(decimal(y + 20, 1))\" text-anchor=\"\(anchor)\">"
        + "\(escaped(mark.text))</text>"
    }
    return out + "<text x=\"\(decimal(x, 1))\" y=\"\(decimal(y + 35, 1))\">\(escaped(title))</text>"
  }

  /// The greys of an image.
  static let greys = (0..<24).map { (fill: grey(Double($0) / 23), opacity: 1.0) }
}

/// Names with their colours, one after the other, in lines of a width.
struct Legend {
  let marks: String
  let height: Double

  /// A legend.
  ///
  /// - Parameters:
  ///   - entries: names, with a colour or a class each.
  ///   - x, y: its upper left corner.
  ///   - width: where a line ends.
  init(_ entries: [(name: String, colour: String?, style: String)], x: Double, y: Double, width: Double) {
    var (out, left, line) = ("", x, 0.0)
    for entry in entries {
      let name = entry.name.count > 40 ? entry.name.prefix(39) + "…" : entry.name[...]
      let need = Double(name.count) * 6.6 + 34
      if left > x, left + need > x + width { (left, line) = (x, line + 18) }
      let paint = entry.colour.map { "stroke=\"\($0)\"" } ?? ""
      let at = decimal(y + line + 8, 1)
      out += "<path class=\"curve \(entry.style)\" \(paint) d=\"M\(decimal(left, 1)) \(at)h16\"/>"
      out += "<text x=\"\(decimal(left + 21, 1))\" y=\"\(at)\" dy=\"4\">\(escaped(name))</text>"
      left += need
    }
    (marks, height) = (out, entries.isEmpty ? 0 : line + 20)
  }
}
