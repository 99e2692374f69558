// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData

extension Target {
  /// Delimited text, JSON and encodings by every option. The first four bytes choose them, the rest is the file. What was read
  /// of a table, written as CSV again, must read back as the same rows.
  func dialects(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count > 4 else { return }
    let all = Quotes.allCases
    let separators = ["auto", "auto", "tab", "comma", "semicolon", "pipe", "x"]
    let names = ["d.csv", "d.tsv", "d.txt", "d.json", "d.csv.gz", "d"]
    let name = names[Int(bytes[3] >> 1) % names.count]
    let labelled = bytes[3] & 1 == 0
    let encodings = TextEncoding.allCases
    expectOneLine {
      var format = DataFormat(
        quotes: all[Int(bytes[0]) % all.count],
        separator: try Separator(named: separators[Int(bytes[1]) % separators.count]),
        encoding: encodings[Int(bytes[2] >> 1) % encodings.count], header: bytes[2] & 1 == 0,
        labels: try LabelRules("as-is"))
      if !format.header { (format.text, format.label) = ("1", "2") }
      let path = Scratch.file(name, UnsafeRawBufferPointer(rebasing: bytes.dropFirst(4)))
      let data = try DataSet.read(path, format: format, labelled: labelled)
      precondition(data.texts.count == data.labels.count && !data.texts.isEmpty)
      precondition(data.labels.allSatisfy { $0 >= (labelled ? 0 : -1) && $0 < Int32(data.classes.count) })
      precondition(!data.summary.line.isEmpty && data.summary.rows == data.texts.count)
      if labelled { readBack(data) }
    }
  }

  private func readBack(_ data: DataSet) {
    func quoted(_ text: String) -> [UInt8] {
      [34] + text.utf8.flatMap { $0 == 34 ? [34, 34] : [$0] } + [34]
    }
    // Labels lose blanks at their ends in a table; those of JSON may have them.
    guard data.classes.allSatisfy({ $0 == $0.trimmingCharacters(in: .whitespaces) && !$0.isEmpty }) else { return }
    var table = Array("text,label\n".utf8)
    for (text, label) in zip(data.texts, data.labels) {
      table += quoted(text) + [44] + quoted(data.classes[Int(label)]) + [10]
    }
    do {
      let format = DataFormat(quotes: .double, encoding: .utf8, labels: try LabelRules("as-is"))
      let path = table.withUnsafeBytes { Scratch.file("back.csv", $0) }
      let again = try DataSet.read(path, format: format)
      precondition(
        again.texts.map { Array($0.utf8) } == data.texts.map { Array($0.utf8) } && again.labels == data.labels,
        "rows that read back as others")
    } catch {
      preconditionFailure("rows that do not read back: \(error)")
    }
  }

  /// Rules for labels: the first line; the labels: the others.
  func labels(_ bytes: UnsafeRawBufferPointer) {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    expectOneLine {
      let rules = try LabelRules(String(lines.first ?? ""))
      let table = "text,label\n" + lines.dropFirst().map { "t,\($0)\n" }.joined()
      let path = Array(table.utf8).withUnsafeBytes { Scratch.file("l.csv", $0) }
      let data = try DataSet.read(path, format: DataFormat(labels: rules))
      try data.requireRowsOfEachClass()
      precondition(data.classes.count >= 2 && data.summary.classes.reduce(0) { $0 + $1.rows } == data.texts.count)
      // What merges once is merged.
      if rules.text == "merge" {
        precondition(Set(data.classes.map { $0.lowercased() }).count == data.classes.count)
      }
    }
  }
}
