// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraData

@Suite struct DuplicatesTests {
  private func read(_ rows: [(String, String)], classes: [String]? = nil) throws -> DataSet {
    try withTemporaryFolder { folder in
      let text = "text,label\n" + rows.map { "\"\($0.0)\",\($0.1)\n" }.joined()
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/a.csv"))
      return try DataSet.read(folder + "/a.csv", classes: classes)
    }
  }

  @Test func textsThatOccurAgainAreCounted() throws {
    let data = try read([("a", "x"), ("b", "y"), ("a", "x"), ("a", "y"), ("A", "x"), ("c", "y")])
    let own = Duplicates(data, split: Split(training: [0, 1], validation: [2, 4], test: [3, 5]), test: nil)
    #expect((own.rows, own.contradicting, own.judged, own.known) == (2, 1, 4, 2))
    #expect(own.notes.count == 2 && own.notes[0].hasPrefix("2 of 4 validation and test rows"))
    let test = try read([("a", "x"), ("c", "y"), ("d", "y")], classes: data.classes)
    let other = Duplicates(data, split: Split(training: [0, 1, 5], validation: [2], test: []), test: test)
    #expect((other.judged, other.known) == (4, 3))
    let none = try read([("a", "x"), ("b", "y")])
    #expect(
      Duplicates(none, split: Split(training: [0, 1], validation: [], test: []), test: nil).notes.isEmpty)
  }
}
