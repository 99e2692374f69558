// SPDX-License-Identifier: Apache-2.0

import TesseraCompute

/// Rows with a class each, of which a run can be made: texts, or a table's numbers.
package protocol LabelledRows: Sendable {
  /// How many rows there are.
  var count: Int { get }
  /// The class of each row, -1 where it has none.
  var labels: [Int32] { get }
  /// Names of the classes, sorted.
  var classes: [String] { get }
  /// SHA-256 of rows and labels.
  var fingerprint: String { get }
  /// What there is, and what was left out.
  var summary: DataSummary { get }
  /// A number for each row, the same for rows that are the same.
  var rowDigests: [UInt64] { get }
  /// Throws where a class has a single row: what is learnt of it could not be judged, or what is judged not learnt.
  func requireRowsOfEachClass() throws
}

extension DataSet: LabelledRows {
  /// How many texts there are.
  package var count: Int { texts.count }
  /// 64 bits of each text's SHA-256: of a million texts two differ and agree in them with a chance of 3 in 10^8.
  package var rowDigests: [UInt64] {
    texts.map { text in
      var print = Fingerprint()
      print.add(text)
      return print.word
    }
  }
}

extension Fingerprint {
  /// The first 64 bits.
  var word: UInt64 { bytes().prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }
}
