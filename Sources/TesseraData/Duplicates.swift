// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How many rows occur more than once: texts character by character, tables by their numbers. Hashes are kept, not
/// rows.
package struct Duplicates: Codable, Sendable, Equatable {
  /// Rows whose content an earlier row has, and those of them with another label.
  package var rows = 0, contradicting = 0
  /// Rows to be judged by, and those of them whose content is among the rows to learn from.
  package var judged = 0, known = 0
  /// What is compared, if not texts.
  private var content: String?

  /// Counts.
  ///
  /// - Parameters:
  ///   - data: the rows to learn from, and without `test` those to be judged by too.
  ///   - split: which rows are for what.
  ///   - test: the rows to be judged by, if they are a data set of their own.
  package init(_ data: any LabelledRows, split: Split, test: (any LabelledRows)?) {
    var labels: [UInt64: Int32] = [:]
    let digests = data.rowDigests
    for (row, digest) in digests.enumerated() {
      guard let label = labels[digest] else {
        labels[digest] = data.labels[row]
        continue
      }
      rows += 1
      if label != data.labels[row] { contradicting += 1 }
    }
    let training = Set(split.training.map { digests[$0] })
    let others = (test == nil ? split.test : []) + split.validation
    judged = others.count + (test?.count ?? 0)
    known = others.count { training.contains(digests[$0]) }
    if let test { known += test.rowDigests.count { training.contains($0) } }
    content = data is NumberTable ? "numbers" : nil
  }

  /// What is told, if anything.
  package var notes: [String] {
    var notes: [String] = []
    if known > 0 {
      notes.append(
        "\(known) of \(judged) validation and test rows have \(content ?? "a text") that \(content == nil ? "is" : "are") among the training rows: "
          + "accuracy on them says less")
    }
    if rows > 0 {
      let others = contradicting > 0 ? ", \(contradicting) of them with another label" : ""
      notes.append("\(rows) rows repeat the \(content ?? "text") of an earlier row\(others)")
    }
    return notes
  }
}
