// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// A figure: what a page shows, what is saved as SVG, and the numbers that it is drawn from.
struct Figure {
  /// The stem of its files.
  let name: String
  /// What stands below it.
  let caption: String
  /// What is read out in its place.
  let label: String
  /// Extents in its own units, which are pixels at the size of a page.
  let width: Double, height: Double
  /// Its elements, in classes of `style`.
  let marks: String
  /// The numbers that it shows.
  let data: FigureData
  /// The most pixels that it takes on a page.
  var widest = 560

  /// The figure within a page, whose style sheet holds.
  var inline: String {
    "<svg viewBox=\"0 0 \(decimal(width, 0)) \(decimal(height, 0))\" role=\"img\""
      + " aria-label=\"\(escaped(label))\" style=\"max-width:\(widest)px\">\(marks)</svg>"
  }

  /// The figure as a file of its own: light, with its style, of the size that it has on a page.
  var file: String {
    let (w, h) = (decimal(width, 0), decimal(height, 0))
    return
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(w) \(h)\" width=\"\(w)\" height=\"\(h)\">"
      + "<title>\(escaped(label))</title><style>\(Self.style { Self.light[$0] ?? "#000" })</style>"
      + "<rect width=\"\(w)\" height=\"\(h)\" fill=\"#fff\"/>\(marks)</svg>\n"
  }

  /// The figure on a page with its caption and the links that save it.
  var html: String {
    "<figure>\(inline)<figcaption>\(escaped(caption)) \(links)</figcaption></figure>"
  }

  /// The links that save it.
  var links: String {
    "<span class=\"save\">Save: \(Self.link("\(name).svg", "image/svg+xml", file, "SVG")), "
      + "\(Self.link("\(name).csv", "text/csv;charset=utf-8", data.csv, "CSV"))</span>"
  }

  private static func link(_ name: String, _ type: String, _ content: String, _ text: String) -> String {
    "<a download=\"\(escaped(name))\" href=\"data:\(type),\(percentEncoded(content))\">\(text)</a>"
  }

  /// Text within a URL: all but letters, digits and a few signs as `%` and two digits.
  static func percentEncoded(_ text: String) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/:;=,+*()!@$".utf8)
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count * 3 / 2)
    for byte in text.utf8 {
      if plain.contains(byte) {
        out.append(byte)
      } else {
        out += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Colours of figures on a light ground.
  static let light = [
    "ink": "#1d2733", "soft": "#5b6775", "line": "#d9dee4", "a": "#1f6fb2", "b": "#c2571a", "cam": "#d1341f",
    "heat": "#1f6fb2", "card": "#fff",
  ]

  /// The rules of figures' classes.
  ///
  /// - Parameter colour: a colour by its name in `light`.
  static func style(_ colour: (String) -> String) -> String {
    let (ink, soft, line) = (colour("ink"), colour("soft"), colour("line"))
    let (a, b, cam, heat) = (colour("a"), colour("b"), colour("cam"), colour("heat"))
    return """
      text{fill:\(soft);font:12px system-ui,Helvetica,Arial,sans-serif}.head{fill:\(ink);font-weight:600}
      .letter{fill:\(ink);font-weight:700;font-size:15px}.small{font-size:9px}
      .axis{stroke:\(soft);fill:none;stroke-width:1}.rule{stroke:\(line);fill:none;stroke-width:1}
      .a{stroke:\(a)}.b{stroke:\(b)}.fa{fill:\(a)}.fb{fill:\(b)}.curve{fill:none;stroke-width:2;stroke-linejoin:round}
      .band{fill-opacity:.18;stroke:none}.bar{stroke-width:1.5;fill:none}
      .hull{fill:none;stroke:\(b);stroke-width:1.5}.box{fill:none;stroke:\(soft);stroke-dasharray:5 4}
      .points{fill:none;stroke-width:3;stroke-linecap:round}.heat{fill:\(heat)}.cam{fill:\(cam)}
      .edge{fill:none;stroke-width:2}.edge.for{stroke:\(cam)}.edge.against{stroke:\(heat)}
      .kept{stroke:\(ink);fill:none;stroke-dasharray:3 3}.frame{fill:none;stroke:\(line)}
      image{image-rendering:pixelated}
      """
  }
}

/// The numbers of a figure, as a table.
struct FigureData {
  let header: [String], rows: [[String]]

  /// The table as CSV (RFC 4180, with line feeds alone).
  var csv: String {
    ([header] + rows).map { CSVRecord.line($0) + "\n" }.joined()
  }
}
