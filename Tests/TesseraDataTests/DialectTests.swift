// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraData

/// The dialect that is found: right, or refused with the line and the option, never rows swallowed in
/// silence.
@Suite struct DialectTests {
  /// Texts and labels of a file, read as a user's would be.
  private func read(_ text: String, _ name: String = "a.tsv", format: DataFormat = DataFormat()) throws
    -> [[String]]
  {
    try withTemporaryFolder { folder in
      let path = "\(folder)/\(name)"
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      let data = try DataSet.read(path, format: format)
      return zip(data.texts, data.labels).map { [$0, data.classes[Int($1)]] }
    }
  }

  private func refusal(_ text: String, _ name: String = "a.tsv", format: DataFormat = DataFormat()) -> String
  {
    do {
      return "read: \(try read(text, name, format: format))"
    } catch {
      return "\(error)".replacingOccurrences(of: #"^.*/a\."#, with: "a.", options: .regularExpression)
    }
  }

  @Test func aQuoteThatBeginsATextSwallowsNoRow() throws {
    let text =
      "sentence\tlabel\n\"a triumph of style\t1\nso bad it hurts\t0\nand that was it\"\t0\nplain dull\t0\ngood fun\t1\n"
    #expect(
      try read(text) == [
        ["\"a triumph of style", "1"], ["so bad it hurts", "0"], ["and that was it\"", "0"],
        ["plain dull", "0"],
        ["good fun", "1"],
      ])
    #expect(try read(text.replacingOccurrences(of: "\t", with: ","), "a.csv").count == 5)
    // The label first, and more columns.
    let first = "label\tid\ttext\n1\ta\t\"so\n0\tb\tbad\n1\tc\tfine\"\n0\td\tdull\n"
    #expect(try read(first).map(\.[0]) == ["\"so", "bad", "fine\"", "dull"])
    // Quotes that mean something elsewhere: both are possible, so it is asked.
    let mixed = "text\tlabel\n\"well quoted\"\t1\n\"open\t0\nbad\t1\nclosed\"\t0\nfine\t1\n"
    #expect(refusal(mixed).hasPrefix("a.tsv: line 3: found a quote that opens here"), "\(refusal(mixed))")
    #expect(try read(mixed, format: .init(quotes: .none)).count == 5)
    #expect(try read(mixed, format: .init(quotes: .double)).count == 3)
  }

  @Test func quotesAreFoundByWhatReadsTheWholeFile() throws {
    let kaggle =
      "id\tsentiment\treview\n\"1\"\t1\t\"Calm, twice.\"\n\"2\"\t0\t\"\\\"Best,\\\" they said\"\n\"3\"\t1\t\"a \\\"b\\\" c\"\n"
    #expect(try read(kaggle) == [["Calm, twice.", "1"], ["\"Best,\" they said", "0"], ["a \"b\" c", "1"]])
    let sms = "label\ttext\nham\tok\nham\t\"Who\" so they say..\nspam\tYou won\nspam\t\"5\" tall\n"
    #expect(try read(sms).map(\.[0]) == ["ok", "\"Who\" so they say..", "You won", "\"5\" tall"])
    let genuine =
      "review,label\n\"two, really\nlines, and\nmore\",1\n\"one \"\"film\"\"\",0\nplain,1\nbad,0\n"
    #expect(
      try read(genuine, "a.csv").map(\.[0]) == [
        "two, really\nlines, and\nmore", "one \"film\"", "plain", "bad",
      ])
    // Two lines that look like rows but for the label.
    let doubtful = "review,label\n\"It was good, bad\nand ugly\",1\nplain,0\nfine,1\n"
    #expect(try read(doubtful, "a.csv")[0] == ["It was good, bad\nand ugly", "1"])
  }

  @Test func whatNoDialectReadsIsRefusedWithTheOption() {
    let open = "review,sentiment\n\"good, film\",pos\n\"bad, film\",neg\n\"cut, off"
    #expect(
      refusal(open, "a.csv").hasPrefix(
        "a.csv: line 4: found a quote that never closes, wanted a closing quote"))
    let behind = "review,sentiment\n\"good, film\",pos\n\"bad\" film,neg\n"
    #expect(refusal(behind, "a.csv").contains("line 3: found a quote with text after its end"))
    #expect(refusal(behind, "a.csv").contains("--quotes none"))
    #expect(refusal("review,sentiment\na,1\nb,c,0\n", "a.csv").contains("line 3: found 3 fields, wanted 2"))
  }

  /// Random tables with stray quotes: what is read is what was written, or it is refused.
  @Test func strayQuotesNeverChangeRowsInSilence() throws {
    var state: UInt64 = 24
    func draw(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }
    let words = ["good", "bad, or so", "\"", "film", "\"so\"", "5\"", "it's", "one;two"]
    var read = 0
    for _ in 0..<300 {
      let rows = (0..<6 + draw(10)).map { row in
        [
          (0..<1 + draw(4)).map { _ in words[draw(words.count)] }.joined(separator: " "),
          row % 2 == 0 ? "pos" : "neg",
        ]
      }
      let plain = ([["text", "label"]] + rows).map { $0.joined(separator: "\t") }.joined(separator: "\n")
      if let found = try? self.read(plain) {
        #expect(found.count == rows.count && found.map(\.[1]) == rows.map(\.[1]), "\(plain)")
        read += 1
      }
      let quoted = ([["text", "label"]] + rows).map { row in
        row.map {
          $0.contains { "\",".contains($0) } ? "\"\($0.replacingOccurrences(of: "\"", with: "\"\""))\"" : $0
        }
        .joined(separator: ",")
      }
      #expect(try self.read(quoted.joined(separator: "\n"), "a.csv") == rows, "\(quoted)")
    }
    #expect(read > 150, "\(read)")
  }

  @Test func separatorsAreFoundByTheHeader() throws {
    let rows = [["A fine film, really", "pos"], ["Dull| slow", "neg"]]
    for (separator, name) in [(";", "a.csv"), ("\t", "a.txt"), ("\t", "a.csv"), ("|", "a.txt"), (";", "a")] {
      let rows = separator == "|" ? [["A fine film, really", "pos"], ["Dull", "neg"]] : rows
      let text = ([["Review", "Sentiment"]] + rows).map { $0.joined(separator: separator) }.joined(
        separator: "\n")
      #expect(try read(text, name) == rows, "\(separator) \(name)")
    }
    #expect(
      try read("sep=;\r\nreview;sentiment\r\na, b;x\r\nc;y\r\n", "a.csv") == [["a, b", "x"], ["c", "y"]])
    #expect(
      try read("review^sentiment\na^x\nb^y", format: .init(separator: Separator(named: "^"))).count == 2)
    // One column: nothing separates.
    try withTemporaryFolder { folder in
      try Data("text\ngood, really; good\nbad\n".utf8).write(to: URL(fileURLWithPath: folder + "/a.csv"))
      #expect(try DataSet.read(folder + "/a.csv", labelled: false).texts == ["good, really; good", "bad"])
    }
    for name in ["", "ab", "\"", "\n", "\\", "é"] {
      #expect(throws: TesseraError.self) { try Separator(named: name) }
    }
  }

  @Test func noFirstLineIsSaidSo() throws {
    for header in [true, false] {
      for quotes in Quotes.allCases {
        let format = DataFormat(
          text: header ? nil : "1", label: header ? nil : "2", quotes: quotes, header: header)
        for text in ["sep=;\n", "sep=;\r\n", "sep=;\r\n\n\n"] {
          let said = refusal(text, "a.csv", format: format)
          #expect(said.contains("found no line after that of the separator"), "\(text) \(quotes): \(said)")
        }
        for text in ["\n", "\r\n\r\n", "\0", ""] {
          #expect(refusal(text, "a.csv", format: format).hasPrefix("a.csv"), "\(text.utf8.map { $0 })")
        }
      }
    }
  }

  @Test func columnsByNumberAndByName() throws {
    let text = "So there is no way, really.\t0\nGood case, Excellent value.\t1\n"
    #expect(refusal(text, "a.txt").contains("--no-header"))
    let numbers = DataFormat(text: "1", label: "2", header: false)
    #expect(try read(text, "a.txt", format: numbers).map(\.[1]) == ["0", "1"])
    for (column, label) in [("0", "2"), ("1", "3"), ("x", "2"), ("1", nil)] {
      let format = DataFormat(text: column, label: label, header: false)
      #expect(refusal(text, "a.txt", format: format).contains("a number from 1 to 2"))
    }
    #expect(try read("b,Mood\nx,1\ny,2\n", "a.csv", format: .init(text: "B", label: "mood")).count == 2)
    let missing = refusal("review,mood\na,1\n", "a.csv")
    #expect(
      missing.contains("found columns review, mood") && missing.contains("--label-column"), "\(missing)")
    #expect(refusal("review,review,label\na,b,1\n", "a.csv").contains("2 columns review"))
  }
}
