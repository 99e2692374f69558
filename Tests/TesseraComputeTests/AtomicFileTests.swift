// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

@Suite struct AtomicFileTests {
  @Test func aFileThatIsNotCommittedLeavesTheOldOne() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/deep/er/f"
      try AtomicFile.write(Data("old".utf8), to: path)
      do {
        let file = try AtomicFile(path)
        try file.write(Data("half of the n".utf8))
      }
      #expect(FileManager.default.contents(atPath: path) == Data("old".utf8))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/deep/er") == ["f"])
      try AtomicFile.write(Data("new".utf8), to: path)
      #expect(FileManager.default.contents(atPath: path) == Data("new".utf8))
    }
  }

  @Test func whatCannotBeReplacedIsAFailureWithoutATrace() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/taken", withIntermediateDirectories: true)
      try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/taken/x"))
      #expect(throws: TesseraError.self) { try AtomicFile.write(Data("new".utf8), to: folder + "/taken") }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["taken"])
    }
    #expect(throws: TesseraError.self) { try AtomicFile("/proc/none/f") }
  }
}
