// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How many texts occur more than once, character by character. Hashes are kept, not texts.
package struct Duplicates: Codable, Sendable, Equatable {
  /// Rows whose text an earlier row has, and those of them with another label.
  package var rows = 0, contradicting = 0
  /// Rows to be judged by, and those of them whose text is among the rows to learn from.
  package var judged = 0, known = 0

  /// Counts.
  ///
  /// - Parameters:
  ///   - data: the rows to learn from, and without `test` those to be judged by too.
  ///   - split: which rows are for what.
  ///   - test: the rows to be judged by, if they are a data set of their own.
  package init(_ data: DataSet, split: Split, test: DataSet?) {
    var labels: [UInt64: Int32] = [:]
    let hashes = data.texts.map(Self.hash)
    for (row, hash) in hashes.enumerated() {
      guard let label = labels[hash] else {
        labels[hash] = data.labels[row]
        continue
      }
      rows += 1
      if label != data.labels[row] { contradicting += 1 }
    }
    let training = Set(split.training.map { hashes[$0] })
    let others = (test == nil ? split.test : []) + split.validation
    judged = others.count + (test?.texts.count ?? 0)
    known = others.count { training.contains(hashes[$0]) }
    if let test { known += test.texts.count { training.contains(Self.hash($0)) } }
  }

  /// What is told, if anything.
  package var notes: [String] {
    var notes: [String] = []
    if known > 0 {
      notes.append(
        "\(known) of \(judged) validation and test rows have a text that is among the training rows: "
          + "accuracy on them says less")
    }
    if rows > 0 {
      let others = contradicting > 0 ? ", \(contradicting) of them with another label" : ""
      notes.append("\(rows) rows repeat the text of an earlier row\(others)")
    }
    return notes
  }

  /// 64 bits of the text's SHA-256: of a million texts two differ and agree in them with a chance of 3 in
  /// 10^8.
  private static func hash(_ text: String) -> UInt64 {
    var print = Fingerprint()
    print.add(text)
    return UInt64(print.digits().prefix(16), radix: 16) ?? 0
  }
}
