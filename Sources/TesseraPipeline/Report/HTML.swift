// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Text for HTML and SVG: characters with a meaning are escaped; control characters are left out.
func escaped(_ text: some StringProtocol) -> String {
  var out = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": out += "&amp;"
    case "<": out += "&lt;"
    case ">": out += "&gt;"
    case "\"": out += "&quot;"
    case "\t", "\n", "\r": out += " "
    default: if scalar.value >= 32 { out.unicodeScalars.append(scalar) }
    }
  }
  return out
}

/// A number for people: `digits` decimals.
func decimal(_ value: Double, _ digits: Int = 3) -> String {
  guard value.isFinite else { return "-" }
  var scale = 1.0
  for _ in 0..<digits { scale *= 10 }
  let whole = Int((abs(value) * scale).rounded())
  let text = String(whole)
  let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
  let split = padded.index(padded.endIndex, offsetBy: -digits)
  return (value < 0 && whole > 0 ? "-" : "") + padded[..<split] + (digits > 0 ? "." + padded[split...] : "")
}

/// One self-contained page: no scripts, no network, light and dark by the reader's setting, readable on a
/// phone.
struct HTMLPage {
  private let title: String
  private var body = ""

  init(title: String) { self.title = title }

  /// A section with a heading.
  mutating func section(_ heading: String, _ content: String, note: String = "") {
    body += "<section><h2>\(escaped(heading))</h2>"
    if !note.isEmpty { body += "<p class=\"note\">\(escaped(note))</p>" }
    body += content + "</section>\n"
  }

  /// A table; numbers are set to the right from the second column on.
  static func table(_ header: [String], _ rows: [[String]]) -> String {
    let head =
      header.isEmpty ? "" : "<thead><tr>\(header.map { "<th>\(escaped($0))</th>" }.joined())</tr></thead>"
    let lines = rows.map { "<tr>\($0.map { "<td>\(escaped($0))</td>" }.joined())</tr>" }.joined(
      separator: "\n")
    return "<div class=\"wide\"><table>\(head)<tbody>\(lines)</tbody></table></div>"
  }

  /// A picture inside the page.
  static func picture(_ png: Data, alt: String) -> String {
    "<img alt=\"\(escaped(alt))\" src=\"data:image/png;base64,\(png.base64EncodedString())\">"
  }

  /// Figures beside each other, one below the other on a phone.
  static func grid(_ figures: [(caption: String, content: String)]) -> String {
    let parts = figures.map {
      "<figure>\($0.content)<figcaption>\(escaped($0.caption))</figcaption></figure>"
    }
    return "<div class=\"grid\">\(parts.joined(separator: "\n"))</div>"
  }

  /// The page as text.
  var text: String {
    """
    <!DOCTYPE html>
    <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escaped(title))</title><link rel="icon" href="data:,"><style>\(Self.style)</style></head>
    <body><main><h1>\(escaped(title))</h1>
    \(body)</main></body></html>

    """
  }

  private static let style = """
    :root{color-scheme:light dark;--back:#fbfaf8;--card:#fff;--ink:#1d2733;--soft:#5b6775;--line:#d9dee4;--a:#1f6fb2;
    --b:#c2571a;--cam:#d1341f}
    @media(prefers-color-scheme:dark){:root{--back:#11161c;--card:#1a2129;--ink:#e6ebf0;--soft:#9aa7b4;--line:#33404d;
    --a:#6db3ee;--b:#f0985a;--cam:#ff7a5c}}
    *{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
    main{max-width:1100px;margin:0 auto;padding:1rem}h1{font-size:1.6rem;margin:.5rem 0 1rem;overflow-wrap:anywhere}
    h2{font-size:1.15rem;margin:0 0 .5rem}section{background:var(--card);border:1px solid var(--line);border-radius:10px;
    padding:1rem;margin:0 0 1rem}.note,figcaption{color:var(--soft);font-size:.875rem;margin:.25rem 0 .75rem}
    .wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
    th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
    td:first-child{white-space:nowrap}th{color:var(--soft);font-weight:600;font-size:.85rem}.grid{display:grid;gap:1rem;
    grid-template-columns:repeat(auto-fit,minmax(min(100%,230px),1fr))}figure{margin:0;min-width:0}
    img{width:100%;max-width:320px;image-rendering:pixelated;border:1px solid var(--line);border-radius:4px;display:block}
    svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font:12px system-ui,sans-serif}
    .axis{stroke:var(--line);fill:none}.a{stroke:var(--a)}.b{stroke:var(--b)}.fa{fill:var(--a)}.fb{fill:var(--b)}
    .curve{fill:none;stroke-width:2;stroke-linejoin:round}.hull{fill:none;stroke:var(--b);stroke-width:1.5}
    .box{fill:none;stroke:var(--soft);stroke-dasharray:5 4}.points{fill:none;stroke-width:3;stroke-linecap:round}
    .heat{fill:var(--a)}.cam{fill:var(--cam)}.legend span{display:inline-block;margin:0 .9rem .25rem 0;white-space:nowrap}
    .legend i{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin-right:.35em}
    .tiles{display:flex;flex-wrap:wrap;gap:.75rem}.tile{flex:1 1 150px;border:1px solid var(--line);border-radius:8px;
    padding:.6rem .8rem}.tile b{display:block;font-size:1.4rem}.tile small{color:var(--soft)}
    blockquote{margin:0;padding:.1rem 0 .1rem .8rem;border-left:3px solid var(--line);font-size:.92rem;overflow-wrap:anywhere}
    """
}
