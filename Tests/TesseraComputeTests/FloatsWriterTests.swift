// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

/// Values that come in any order, in memory and in a file without a name.
@Suite struct FloatsWriterTests {
  @Test(arguments: [0, 1, 7, 4096]) func valuesAreWhereTheyWereWritten(_ count: Int) throws {
    try withTemporaryFolder { folder in
      let values = drawn(3, count)
      for limit in [0, 1 << 20] {
        let writer = try FloatsWriter(count: count, folder: folder, limit: limit)
        for begin in stride(from: 0, to: count, by: 5).reversed() {
          try writer.write(values[begin..<min(count, begin + 5)], at: begin)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        #expect(try writer.finish().array == values)
        #expect(throws: TesseraError.self) { try writer.write([1][...], at: count) }
        #expect(throws: TesseraError.self) { try writer.write([1][...], at: -1) }
      }
    }
  }

  @Test func placesThatWereNotWrittenAreZero() throws {
    try withTemporaryFolder { folder in
      let writer = try FloatsWriter(count: 3000, folder: folder, limit: 0)
      try writer.write([2][...], at: 1500)
      let found = try writer.finish().array
      #expect(found[1500] == 2 && found.count { $0 == 0 } == 2999)
    }
  }

  @Test func folderThatIsNotThereIsRefused() {
    let error = #expect(throws: TesseraError.self) {
      _ = try FloatsWriter(count: 8, folder: "/proc/none", limit: 0)
    }
    #expect(error?.place == "values in /proc/none")
  }
}
