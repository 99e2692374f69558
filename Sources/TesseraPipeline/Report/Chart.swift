// SPDX-License-Identifier: Apache-2.0

/// Curves over two axes.
struct Chart {
  /// A curve with its class in the style sheet, `a` or `b`, or with a colour of its own.
  struct Curve {
    let name: String, style: String
    var colour: String?
    let points: [(x: Double, y: Double)]
    /// The ends of an interval at each point; none: nothing is known of it.
    var interval: [(low: Double, high: Double)] = []
    var marks = false
  }

  let curves: [Curve]
  let x: Axis, y: Axis
  /// Whether the diagonal is drawn.
  var diagonal = false
  /// A place of the x axis that is marked, and what is written there.
  var mark: (x: Double, text: String)?

  /// The chart as a figure.
  @_optimize(none)
  func figure(_ name: String, _ caption: String) -> Figure {
    let legend = Legend(
      curves.map { ($0.name, $0.colour, $0.style) }, x: 60, y: 4, width: 410)
    let top = legend.height + 12
    let frame = Frame(x: x, y: y, left: 60, top: top, right: 468, bottom: top + 230)
    var out = legend.marks + frame.axes
    if diagonal { out += "<path class=\"box\" d=\"\(frame.path([(x.low, y.low), (x.high, y.high)]))\"/>" }
    if let mark {
      let at = frame.place((mark.x, y.low)).x
      out +=
        "<path class=\"kept\" d=\"M\(decimal(at, 1)) \(decimal(frame.top, 1))V\(decimal(frame.bottom, 1))\"/>"
      let isRight = at > 380
      out +=
        "<text x=\"\(decimal(at, 1))\" y=\"\(decimal(frame.top - 4, 1))\""
        + "\(isRight ? " text-anchor=\"end\"" : "")>\(escaped(mark.text))</text>"
    }
    for curve in curves { out += Self.draw(curve, frame) }
    return Figure(
      name: name, caption: caption, label: "\(y.title) by \(x.title)", width: 480, height: frame.bottom + 46,
      marks: out, data: data)
  }

  private static func draw(_ curve: Curve, _ frame: Frame) -> String {
    guard let first = curve.points.first else { return "" }
    var out = ""
    let paint = curve.colour.map { "stroke=\"\($0)\"" } ?? ""
    if curve.interval.count == curve.points.count, curve.points.count > 1 {
      let high = zip(curve.points, curve.interval).map { (x: $0.x, y: $1.high) }
      let low = zip(curve.points, curve.interval).map { (x: $0.x, y: $1.low) }
      out += "<path class=\"band f\(curve.style)\" d=\"\(frame.path(high + low.reversed()))Z\"/>"
    } else if let interval = curve.interval.first {
      let ends = frame.path([(first.x, interval.low), (first.x, interval.high)])
      out += "<path class=\"bar \(curve.style)\" d=\"\(ends)\"/>"
    }
    out +=
      "<path class=\"curve \(curve.colour == nil ? curve.style : "")\" \(paint) d=\"\(frame.path(curve.points))\"/>"
    if curve.marks || curve.points.count == 1 {
      for point in curve.points {
        let at = frame.place(point)
        out +=
          "<circle class=\"f\(curve.style)\" cx=\"\(decimal(at.x, 1))\" cy=\"\(decimal(at.y, 1))\" r=\"3.5\"/>"
      }
    }
    return out
  }

  private var data: FigureData {
    let hasInterval = curves.contains { !$0.interval.isEmpty }
    var rows: [[String]] = []
    for curve in curves {
      for (at, point) in curve.points.enumerated() {
        let ends = at < curve.interval.count ? curve.interval[at] : nil
        rows.append(
          [curve.name, "\(point.x)", "\(point.y)"]
            + (hasInterval ? [ends.map { "\($0.low)" } ?? "", ends.map { "\($0.high)" } ?? ""] : []))
      }
    }
    return FigureData(
      header: ["curve", x.title, y.title] + (hasInterval ? ["low", "high"] : []), rows: rows)
  }
}
