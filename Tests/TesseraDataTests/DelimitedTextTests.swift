// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraData

/// Delimited text by each dialect, compared with Python's csv module (tools/golden/dialects.py).
@Suite struct DelimitedTextTests {
  private struct Table: Decodable {
    let quotes: Quotes, separator: String, text: String, rows: [[String]]
  }

  private func records(_ text: String, _ quotes: Quotes = .double, separator: Character = ",") throws
    -> [[String]]
  {
    var reader = DelimitedText(Array(text.utf8), quotes: quotes, separator: separator.asciiValue)
    var (rows, fields): ([[String]], [DelimitedText.Field]) = ([], [])
    while try reader.next(into: &fields) != nil { rows.append(fields.map { reader.text($0) }) }
    return rows
  }

  @Test func everyDialectReadsWhatPythonReads() throws {
    let tables = try Golden(.module).json("dialects.json", as: [Table].self)
    #expect(tables.count > 200 && Set(tables.map(\.quotes)) == [.double, .backslash, .none])
    for table in tables {
      let rows = try records(table.text, table.quotes, separator: Character(table.separator))
      // By bytes: to Swift a carriage return with a line feed is one character.
      #expect(
        rows.map { $0.map { Array($0.utf8) } } == table.rows.map { $0.map { Array($0.utf8) } }, "\(table)")
    }
  }

  @Test func recordsFollowRFC4180() throws {
    #expect(try records("a,b\r\n\"x, y\",\"say \"\"hi\"\"\"\r\n") == [["a", "b"], ["x, y", "say \"hi\""]])
    #expect(
      try records("a,b\n\"two\nlines\r\nthree\",\n,,\n") == [
        ["a", "b"], ["two\nlines\r\nthree", ""], ["", "", ""],
      ])
    #expect(try records("a\tb, c\n", separator: "\t") == [["a", "b, c"]])
    #expect(try records("a,\"\"\r\r\n\nb,c") == [["a", ""], ["b", "c"]])
    #expect(try records("") == [] && records("\n\r\n") == [])
    #expect(try records("caf\u{e9},\u{1f600}") == [["caf\u{e9}", "\u{1f600}"]])
    // An empty field may be the last thing in a file.
    #expect(try records("a,b\nc,") == [["a", "b"], ["c", ""]])
  }

  @Test func backslashesTakeTheMeaningFromQuotesSeparatorsAndLineEndsAlone() throws {
    #expect(try records("\"\\\"a\\\" b\",c:\\d\n", .backslash) == [["\"a\" b", "c:\\d"]])
    #expect(try records("a\\,b,\\\\,\\x\n", .backslash) == [["a,b", "\\", "\\x"]])
    #expect(try records("\"a\",\\", .backslash) == [["a", "\\"]])
    #expect(throws: DelimitedText.BrokenQuote.self) { try records("\"a\\", .backslash) }
  }

  @Test func linesAreCountedWhateverEndsThem() throws {
    for end in ["\n", "\r\n", "\r"] {
      let text = ["a,b", "\"x", "y\",1", "", "z,2"].joined(separator: end)
      var reader = DelimitedText(Array(text.utf8), quotes: .double, separator: 44)
      var (lines, fields): ([Int], [DelimitedText.Field]) = ([], [])
      while let line = try reader.next(into: &fields) { lines.append(line) }
      #expect(lines == [1, 2, 5] && reader.blankLines == 1, "\(end.debugDescription)")
    }
  }

  @Test func aBrokenQuoteNamesTheLineWhereItOpened() {
    for (text, line, isClosed) in [
      ("a\n\"b\n\n", 2, false), ("a\nb\n\"c\"d\n", 3, true), ("\"x\ny\" z", 1, true),
    ] {
      #expect(throws: DelimitedText.BrokenQuote(opened: line, isClosed: isClosed)) { try records(text) }
    }
  }
}
