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
/// phone and on paper.
struct HTMLPage {
  private let title: String, subtitle: String
  private var body = "", headings: [String] = []

  init(title: String, subtitle: String = "") { (self.title, self.subtitle) = (title, subtitle) }

  /// A section with a heading.
  mutating func section(_ heading: String, _ content: String, note: String = "") {
    headings.append(heading)
    body += "<section id=\"s\(headings.count)\"><h2>\(escaped(heading))</h2>"
    if !note.isEmpty { body += "<p class=\"note\">\(escaped(note))</p>" }
    body += content + "</section>\n"
  }

  /// A table; numbers are set to the right from the second column on.
  static func table(_ header: [String], _ rows: [[String]]) -> String {
    let head =
      header.isEmpty ? "" : "<thead><tr>\(header.map { "<th>\(escaped($0))</th>" }.joined())</tr></thead>"
    let lines = rows.map { "<tr>\($0.map { cell($0) }.joined())</tr>" }.joined(separator: "\n")
    return "<div class=\"wide\"><table>\(head)<tbody>\(lines)</tbody></table></div>"
  }

  /// A cell of a table; digits and paths may be broken anywhere, words and numbers may not. Sentences keep some
  /// width on a phone, where the table is scrolled, instead of a word a line.
  private static func cell(_ text: String) -> String {
    let words = text.split(separator: " ")
    let kind = words.contains { $0.count > 24 } ? "long" : words.count > 4 ? "prose" : nil
    return "<td\(kind.map { " class=\"\($0)\"" } ?? "")>\(escaped(text))</td>"
  }

  /// Parts beside each other, one below the other on a phone.
  static func grid(_ parts: [String]) -> String {
    "<div class=\"grid\">\(parts.joined(separator: "\n"))</div>"
  }

  /// The page as text.
  var text: String {
    let contents = headings.enumerated().map { "<a href=\"#s\($0.offset + 1)\">\(escaped($0.element))</a>" }
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(escaped(title))</title><link rel="icon" href="data:,"><style>\(Self.style)</style></head>
      <body><main><h1>\(escaped(title))</h1><p class="note">\(escaped(subtitle))</p>
      <nav aria-label="Contents">\(contents.joined(separator: "\n"))</nav>
      \(body)</main></body></html>

      """
  }

  private static let style =
    pageStyle + Figure.style { "var(--\($0))" }.replacing("text{", with: "svg text{") + """
      @media print{:root{--back:#fff;--card:#fff;--ink:#1d2733;--soft:#4a5560;--line:#d9dee4;--a:#1f6fb2;--b:#c2571a;
      --cam:#d1341f;--heat:#1f6fb2}:root{color-scheme:light}body{font-size:11pt}nav,.save{display:none}
      section{border:0;padding:0}figure,tr,.tile,.case h3{break-inside:avoid}h2,h3{break-after:avoid}
      .grid{grid-template-columns:1fr 1fr}}
      """

  private static let pageStyle = """
    :root{color-scheme:light dark;--back:#fbfaf8;--card:#fff;--ink:#1d2733;--soft:#5b6775;--line:#d9dee4;--a:#1f6fb2;
    --b:#c2571a;--cam:#d1341f;--heat:#1f6fb2}
    @media(prefers-color-scheme:dark){:root{--back:#11161c;--card:#1a2129;--ink:#e6ebf0;--soft:#9aa7b4;--line:#33404d;
    --a:#6db3ee;--b:#f0985a;--cam:#ff7a5c;--heat:#6db3ee}}
    *{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
    main{max-width:1100px;margin:0 auto;padding:1rem}h1{font-size:1.6rem;margin:.5rem 0 .25rem;overflow-wrap:anywhere}
    h2{font-size:1.15rem;margin:0 0 .5rem}h3{font-size:1rem;margin:1rem 0 .5rem}section{background:var(--card);
    border:1px solid var(--line);border-radius:10px;padding:1rem;margin:0 0 1rem}
    .note,figcaption{color:var(--soft);font-size:.875rem;margin:.25rem 0 .75rem;overflow-wrap:anywhere}
    a{color:var(--a)}nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;font-size:.875rem;margin:0 0 1rem}
    .wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;margin:0 0 .75rem}
    th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
    .long{overflow-wrap:anywhere}.prose{min-width:12rem}
    td:first-child{white-space:nowrap}th{color:var(--soft);font-weight:600;font-size:.85rem}.grid{display:grid;gap:1rem;
    grid-template-columns:repeat(auto-fit,minmax(min(100%,260px),1fr));align-items:start}
    .charts{grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr))}figure{margin:0;min-width:0}
    svg{width:100%;height:auto;display:block}.tiles{display:flex;flex-wrap:wrap;gap:.75rem}
    .tile{flex:1 1 150px;border:1px solid var(--line);border-radius:8px;padding:.6rem .8rem}
    .tile b{display:block;font-size:1.4rem}.tile small{color:var(--soft)}.save{white-space:nowrap}
    dt{font-weight:600;margin:.5rem 0 0}dd{margin:0 0 .25rem}code{overflow-wrap:anywhere}
    .case{border-top:1px solid var(--line);margin:1rem 0 0}.case:first-of-type{border-top:0;margin:0}
    blockquote{margin:0 0 .75rem;padding:.1rem 0 .1rem .8rem;border-left:3px solid var(--line);font-size:.92rem;
    overflow-wrap:anywhere}mark{color:inherit;border-radius:3px;background:none;text-decoration:underline 2px var(--cam)}
    mark.against{text-decoration:underline 2px dotted var(--heat)}details{margin:0 0 .75rem}summary{cursor:pointer}

    """
}
