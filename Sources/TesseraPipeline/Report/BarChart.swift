// SPDX-License-Identifier: Apache-2.0

/// Horizontal bars with their names and values, from a line in the middle where some are below 0.
struct BarChart {
  let values: [(name: String, value: Double)]
  /// What is counted.
  let title: String

  /// The bars as a figure.
  @_optimize(none)
  func figure(_ name: String, _ caption: String, label: String, all: FigureData? = nil) -> Figure {
    let (row, names, width) = (22.0, 170.0, 400.0)
    let low = min(0, values.map(\.value).min() ?? 0), high = max(0, values.map(\.value).max() ?? 1)
    let axis = Axis(title, from: low, to: high, about: 3)
    let (left, right) = (names, width - 52)
    let bottom = Double(values.count) * row + 6
    func place(_ value: Double) -> Double { left + axis.share(value) * (right - left) }
    var out = ""
    for tick in axis.ticks {
      let at = decimal(place(tick.at), 1)
      out += "<path class=\"rule\" d=\"M\(at) 4V\(decimal(bottom, 1))\"/>"
      out += "<text x=\"\(at)\" y=\"\(decimal(bottom + 15, 1))\" text-anchor=\"middle\">\(tick.text)</text>"
    }
    for (number, (name, value)) in values.enumerated() {
      let y = Double(number) * row + 4
      let short = name.count > 26 ? name.prefix(25) + "…" : name[...]
      out +=
        "<text x=\"\(decimal(names - 6, 1))\" y=\"\(decimal(y + 15, 1))\" text-anchor=\"end\">\(escaped(short))"
      out += "<title>\(escaped(name))</title></text>"
      let (from, to) = (min(place(0), place(value)), max(place(0), place(value)))
      out +=
        "<rect class=\"\(value < 0 ? "heat" : "cam")\" x=\"\(decimal(from, 1))\" y=\"\(decimal(y + 3, 1))\""
      out += " width=\"\(decimal(max(0.5, to - from), 1))\" height=\"\(decimal(row - 6, 1))\"/>"
      out +=
        "<text x=\"\(decimal(width - 4, 1))\" y=\"\(decimal(y + 15, 1))\" text-anchor=\"end\">\(decimal(value, 3))</text>"
    }
    out += "<path class=\"axis\" d=\"M\(decimal(place(0), 1)) 2V\(decimal(bottom, 1))\"/>"
    let middle = decimal((left + right) / 2, 1)
    out +=
      "<text x=\"\(middle)\" y=\"\(decimal(bottom + 33, 1))\" text-anchor=\"middle\">\(escaped(title))</text>"
    return Figure(
      name: name, caption: caption, label: label, width: width, height: bottom + 42, marks: out,
      data: all ?? FigureData(header: ["column", title], rows: values.map { [$0.name, "\($0.value)"] }))
  }
}
