// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraVision
import Testing

@testable import TesseraPipeline

/// Event files against those of TensorBoard's own code (tools/golden/events.py); `tools/check/tensorboard` opens them in
/// TensorBoard itself.
@Suite struct EventTests {
  private struct Wanted: Decodable { let bytes: String }

  /// RFC 3720, appendix B.4, and the usual check value.
  @Test func sumsAreThoseOfTheStandard() {
    #expect(CRC32C.of(Array("123456789".utf8)) == 0xe306_9283)
    #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
    #expect(CRC32C.of([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
    #expect(CRC32C.of(0..<32) == 0x46dd_794e && CRC32C.of([]) == 0)
  }

  @Test func integersTakeAsManyBytesAsTheyNeed() {
    for (value, wanted) in [
      (0, [8, 0]), (127, [8, 127]), (128, [8, 128, 1]), (300, [8, 172, 2]),
      (-1, [8] + [UInt8](repeating: 255, count: 9) + [1]),
    ] as [(Int64, [UInt8])] {
      var message = ProtobufMessage()
      message.add(1, value)
      #expect(message.bytes == wanted)
    }
    var message = ProtobufMessage()
    message.add(16, "\u{e9}")
    #expect(message.bytes == [130, 1, 2, 0xc3, 0xa9])
  }

  @Test func bytesAreTensorBoards() throws {
    let figures = try JSONDecoder().decode(
      [EpochFigures].self,
      from: Data(
        """
        [{"epoch": 0, "loss": 0.6931471805599453, "validationLoss": 0.7, "validationAccuracy": 0.5, "seconds": 0.25,
          "validationSeconds": 0.125, "rowsPerSecond": 400, "validationRowsPerSecond": 160},
         {"epoch": 300, "loss": 0.1, "seconds": 3, "rowsPerSecond": 333333333.3333333}]
        """.utf8))
    try withTemporaryFolder { folder in
      let events = try TensorBoardEvents(folder + "/events", time: 1_500_000_000)
      try events.add(figures[0], time: 1_500_000_001.25)
      try events.add(figures[1], time: 1_500_000_002.5)
      let found = try Data(contentsOf: URL(fileURLWithPath: folder + "/events"))
      let wanted = try Golden(.module).json("events.json", as: Wanted.self).bytes
      #expect(found.map { String(format: "%02x", $0) }.joined() == wanted)
    }
  }

  @Test func filesHaveNamesOfTheirOwnAndFoldersThatCannotBeAreRefused() throws {
    try withTemporaryFolder { folder in
      let files = try (0..<3).map { _ in try TensorBoardEvents(folder: folder + "/a/b").path }
      #expect(Set(files).count == 3 && files == files.sorted())
      #expect(files.allSatisfy { $0.contains("/events.out.tfevents.") })
      try Data().write(to: URL(fileURLWithPath: folder + "/file"))
      #expect(throws: TesseraError.self) { try TensorBoardEvents(folder: folder + "/file") }
      #expect(throws: TesseraError.self) { try TensorBoardEvents(folder + "/none/events", time: 0) }
    }
  }
}
