// SPDX-License-Identifier: Apache-2.0

/// An axis of a figure: its range, its title and its ticks, which stand at 1, 2 or 5 times a power of ten.
struct Axis {
  let title: String
  let low: Double, high: Double
  /// Places with what is written there.
  let ticks: [(at: Double, text: String)]

  /// An axis over some values.
  ///
  /// - Parameters:
  ///   - title: what is counted, with its unit.
  ///   - low, high: the values' range.
  ///   - isWhole: whether nothing lies between integers.
  ///   - isTight: whether the axis ends where the values do, and not at a tick.
  ///   - about: so many ticks are wanted.
  init(
    _ title: String, from low: Double, to high: Double, isWhole: Bool = false, isTight: Bool = false,
    about: Int = 5
  ) {
    let (low, high) = (low.isFinite ? low : 0, high.isFinite ? high : 1)
    let span = high > low ? high - low : max(abs(low), 1) * 0.1
    let top = high > low ? high : low + span
    var (step, digits) = Self.step(span / Double(max(1, about)))
    if isWhole, step < 1 { (step, digits) = (1, 0) }
    let first = isTight ? (low / step - 1e-9).rounded(.up) : (low / step + 1e-9).rounded(.down)
    let last = isTight ? (top / step + 1e-9).rounded(.down) : (top / step - 1e-9).rounded(.up)
    let count = max(0, min(50, Int(last - first)))
    self.title = title
    ticks = (0...count).map { ((first + Double($0)) * step, decimal((first + Double($0)) * step, digits)) }
    (self.low, self.high) = isTight ? (low, top) : (first * step, max(last, first + 1) * step)
  }

  /// The smallest of 1, 2 and 5 times a power of ten that is not below a length, and its decimals.
  private static func step(_ length: Double) -> (step: Double, digits: Int) {
    var (power, digits) = (1.0, 0)
    while power > length, digits < 12 {
      power /= 10
      digits += 1
    }
    while power * 10 <= length, power < 1e15 {
      power *= 10
      digits -= 1
    }
    for factor in [1.0, 2, 5] where power * factor >= length * (1 - 1e-9) {
      return (power * factor, max(0, digits))
    }
    return (power * 10, max(0, digits - 1))
  }

  /// A value's place in the range, 0 at its beginning and 1 at its end.
  func share(_ value: Double) -> Double { (value - low) / max(1e-300, high - low) }
}

/// The frame of a figure with two axes: where its values are, and how the axes are drawn.
struct Frame {
  let x: Axis, y: Axis
  let left: Double, top: Double, right: Double, bottom: Double

  /// A value's place.
  func place(_ point: (x: Double, y: Double)) -> (x: Double, y: Double) {
    (left + x.share(point.x) * (right - left), bottom - y.share(point.y) * (bottom - top))
  }

  /// The same as text.
  func text(_ point: (x: Double, y: Double)) -> String {
    let at = place(point)
    return "\(decimal(at.x, 1)),\(decimal(at.y, 1))"
  }

  /// A path through values.
  func path(_ points: [(x: Double, y: Double)]) -> String {
    "M" + points.map { text($0) }.joined(separator: "L")
  }

  /// Lines, ticks and titles of the axes.
  @_optimize(none)
  var axes: String {
    var out = ""
    for tick in y.ticks {
      let at = decimal(place((x.low, tick.at)).y, 1)
      out += "<path class=\"rule\" d=\"M\(decimal(left, 1)) \(at)H\(decimal(right, 1))\"/>"
      out +=
        "<text x=\"\(decimal(left - 6, 1))\" y=\"\(at)\" dy=\"4\" text-anchor=\"end\">\(tick.text)</text>"
    }
    for tick in x.ticks {
      let at = decimal(place((tick.at, y.low)).x, 1)
      out += "<path class=\"axis\" d=\"M\(at) \(decimal(bottom, 1))v4\"/>"
      out += "<text x=\"\(at)\" y=\"\(decimal(bottom + 17, 1))\" text-anchor=\"middle\">\(tick.text)</text>"
    }
    out += "<path class=\"axis\" d=\"M\(decimal(left, 1)) \(decimal(top, 1))V\(decimal(bottom, 1))"
    out += "H\(decimal(right, 1))\"/>"
    let (middle, half) = (decimal((left + right) / 2, 1), decimal((top + bottom) / 2, 1))
    out +=
      "<text x=\"\(middle)\" y=\"\(decimal(bottom + 35, 1))\" text-anchor=\"middle\">\(escaped(x.title))</text>"
    out +=
      "<text transform=\"translate(14 \(half)) rotate(-90)\" text-anchor=\"middle\">\(escaped(y.title))</text>"
    return out
  }
}
