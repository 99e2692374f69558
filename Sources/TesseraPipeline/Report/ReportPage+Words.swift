// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData

/// A text whose words show what they do for its class.
extension ReportPage {
  /// Stretches that a text is divided into at the most, each of which costs an encoding.
  private static let stretches = 24
  /// Letters of a text that are shown, and stretches that are listed.
  private static let letters = 2400, listed = 8

  /// The row's text with the words marked that its class hangs on, and the strongest of them as a list.
  @_optimize(none)
  func text(_ row: Int) throws -> String {
    guard data.table == nil, let text = data.texts?[row] else { return quote(row) }
    guard let predictor = try data.predictor() else {
      return quote(row) + "<p class=\"note\">The encoder is not there: what single words do is not known.</p>"
    }
    let stretches = try predictor.stretches(
      text, target: data.prediction(row).label, most: Self.stretches)
    guard !stretches.isEmpty else { return quote(row) }
    let most = max(1e-6, stretches.map { abs($0.evidence) }.max() ?? 1)
    var (marked, at) = ("", text.startIndex)
    for stretch in stretches {
      guard text.distance(from: text.startIndex, to: stretch.range.upperBound) <= Self.letters else { break }
      marked += escaped(text[at..<stretch.range.lowerBound])
      let share = abs(stretch.evidence) / most
      let words = escaped(text[stretch.range])
      if share < 0.1 {
        marked += words
      } else {
        let colour = stretch.evidence > 0 ? "209,52,31" : "31,111,178"
        marked += "<mark class=\"\(stretch.evidence > 0 ? "for" : "against")\""
        marked += " style=\"background:rgba(\(colour),\(decimal(0.45 * Double(share), 2)))\""
        marked += " title=\"\(decimal(Double(stretch.evidence), 3))\">\(words)</mark>"
      }
      at = stretch.range.upperBound
    }
    let rest = at < text.endIndex ? "..." : ""
    let order = stretches.indices.ordered {
      (abs(stretches[$1].evidence), $0) < (abs(stretches[$0].evidence), $1)
    }
    let rows = order.prefix(Self.listed).enumerated().map { rank, at in
      [
        "\(rank + 1)", String(text[stretches[at].range].prefix(80)),
        decimal(Double(stretches[at].evidence), 3),
      ]
    }
    return
      "<blockquote>\(marked)\(rest)</blockquote><p class=\"note\">Marked is what the class's lead (its logit over "
      + "the mean of the others') loses without these words: red, solid, for the class; blue, dotted, against it.</p>"
      + "<details><summary>The words that change most</summary>"
      + HTMLPage.table(["rank", "words", "change of the lead"], rows) + "</details>"
  }
}
