// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import Testing

@testable import TesseraData

/// Lines of a pipe, as they come.
@Suite struct LineReaderTests {
  /// A pipe: what is written at one end is read at the other.
  private struct Pipe {
    let input: Int32, output: Int32

    init() throws {
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else { throw TesseraError.failure("pipe", found: "none") }
      (output, input) = (ends[0], ends[1])
    }

    func send(_ bytes: [UInt8]) { #expect(write(input, bytes, bytes.count) == bytes.count) }
    func send(_ text: String) { send(Array(text.utf8)) }
  }

  private func all(_ bytes: [UInt8], encoding: TextEncoding = .auto, longest: Int = 1 << 20) throws
    -> [LineReader.Line]
  {
    let pipe = try Pipe()
    pipe.send(bytes)
    close(pipe.input)
    defer { close(pipe.output) }
    var (reader, lines) = (
      try LineReader(pipe.output, encoding: encoding, longest: longest), [LineReader.Line]()
    )
    while true {
      let part = try reader.next(atMost: 3)
      guard !part.isEmpty else { break }
      lines += part
    }
    #expect(reader.count == lines.count)
    return lines
  }

  @Test func everyLineIsOne() throws {
    #expect(
      try all(Array("a\n\n \r\nb\r\nc\rd\ne".utf8)) == ["a", "", " ", "b", "c\rd", "e"].map { .text($0) })
    #expect(try all([]) == [] && all([10]) == [.text("")] && all([10, 10]) == [.text(""), .text("")])
    #expect(try all([0xef, 0xbb, 0xbf, 0x61, 10, 0, 10]) == [.text("a"), .text("\0")])
  }

  @Test func brokenLinesAreThemselvesAlone() throws {
    let bytes = Array("caf".utf8) + [0xe9, 10] + Array("good\n".utf8) + [0xff]
    #expect(
      try all(bytes) == [
        .broken("bytes that are not UTF-8: 0xe9 at byte 4"), .text("good"),
        .broken("bytes that are not UTF-8: 0xff at byte 1"),
      ])
    #expect(try all(bytes, encoding: .windows1252) == [.text("caf\u{e9}"), .text("good"), .text("\u{ff}")])
    #expect(
      try all([0x81, 10], encoding: .windows1252) == [
        .broken("bytes that are not windows-1252: 0x81 at byte 1")
      ])
    for encoding in [TextEncoding.utf16, .utf16le, .utf16be] {
      #expect(throws: TesseraError.self) { try LineReader(0, encoding: encoding) }
    }
  }

  @Test func aLineThatIsTooLongIsPassedOver() throws {
    let long = [UInt8](repeating: 0x61, count: 30_000)
    let wanted: [LineReader.Line] = [.text("b"), .broken("a line of more than 100 bytes"), .text("c")]
    #expect(try all([0x62, 10] + long + [10, 0x63], longest: 100) == wanted)
    #expect(try all([0x62, 10] + long, longest: 100) == Array(wanted.prefix(2)))
    #expect(try all(long + [10], longest: 30_000) == [.text(String(repeating: "a", count: 30_000))])
  }

  @Test func whatIsAtHandIsTakenAndNothingIsWaitedFor() throws {
    let pipe = try Pipe()
    defer { close(pipe.output) }
    var reader = try LineReader(pipe.output)
    pipe.send("one\n")
    #expect(try reader.next(atMost: 32) == [.text("one")])
    // Half a line is none yet.
    pipe.send("two\nthree\nfo")
    #expect(try reader.next(atMost: 32) == [.text("two"), .text("three")])
    pipe.send("ur\n" + String(repeating: "x\n", count: 40))
    #expect(try reader.next(atMost: 32).count == 32)
    #expect(try reader.next(atMost: 32).count == 9)
    pipe.send("last")
    close(pipe.input)
    #expect(try reader.next(atMost: 32) == [.text("last")])
    #expect(try reader.next(atMost: 32).isEmpty)
  }

  @Test func aDescriptorThatDoesNotWaitIsWaitedFor() throws {
    let pipe = try Pipe()
    defer { close(pipe.output) }
    _ = fcntl(pipe.output, F_SETFL, O_NONBLOCK)
    var reader = try LineReader(pipe.output)
    let input = pipe.input
    Thread.detachNewThread {
      usleep(50_000)
      _ = write(input, "late\n", 5)
      close(input)
    }
    #expect(try reader.next(atMost: 32) == [.text("late")])
  }

  @Test func aFolderHasNoLines() throws {
    let descriptor = open("/", O_RDONLY)
    defer { close(descriptor) }
    var reader = try LineReader(descriptor)
    #expect(throws: TesseraError.self) { try reader.next(atMost: 1) }
  }
}
