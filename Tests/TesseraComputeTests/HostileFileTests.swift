// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

/// Files that are none, links, limits and names; the whole of it with every command: `tools/check/hostile`.
@Suite struct HostileFileTests {
  private func refusal(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return "accepted"
  }

  @Test func everyRefusalOfAnInputHasItsReason() throws {
    try withTemporaryFolder { folder in
      try Data("12345".utf8).write(to: URL(fileURLWithPath: folder + "/f"))
      #expect(mkfifo(folder + "/pipe", 0o600) == 0)
      #expect(symlink("loop", folder + "/loop") == 0)
      func read(_ name: String, atMost limit: Int = 5, pipes: Bool = false) throws {
        let path = name.hasPrefix("/") ? name : "\(folder)/\(name)"
        let data = try InputFile.read(path, wanted: "a thing", atMost: limit, pipes: pipes)
        #expect(data == Data("12345".utf8))
      }
      try read("f")
      #expect(
        refusal { try read("f", atMost: 4) }.hasSuffix("found 5 bytes, wanted a thing of at most 0 MiB"))
      #expect(refusal { try read("none") }.contains("no readable file (No such file or directory)"))
      #expect(refusal { try read("f/x") }.contains("(Not a directory)"))
      #expect(refusal { try read("loop") }.contains("(Too many levels of symbolic links)"))
      #expect(refusal { try read(".") }.contains("found a folder"))
      // Nobody writes to it: it must not be waited for.
      #expect(refusal { try read("pipe") }.contains("found a pipe or a device"))
      #expect(
        refusal { try read("/dev/zero", atMost: 1 << 20, pipes: true) }.contains("more than 1048576 bytes"))
    }
  }

  @Test func whatIsMappedIsWhatIsRead() throws {
    try withTemporaryFolder { folder in
      for count in [0, 1, 4095, 4096, 4097] {
        let bytes = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) })
        try bytes.write(to: URL(fileURLWithPath: folder + "/f"))
        for mapped in [false, true] {
          #expect(try InputFile.readAny(folder + "/f", wanted: "", atMost: count, mapped: mapped) == bytes)
        }
      }
    }
  }

  @Test func onlyPlainFilesAreReplaced() throws {
    try withTemporaryFolder { folder in
      try FileManager.default.createDirectory(atPath: folder + "/folder", withIntermediateDirectories: false)
      #expect(mkfifo(folder + "/pipe", 0o600) == 0)
      #expect(symlink("nowhere", folder + "/dangling") == 0)
      func write(_ path: String) -> String { refusal { try AtomicFile.write(Data("x".utf8), to: path) } }
      #expect(write(folder + "/folder").contains("found a folder"))
      #expect(write(folder + "/pipe").contains("found a pipe or a device"))
      #expect(write(folder + "/dangling").contains("found a link to nothing"))
      #expect(write("").contains("an empty name"))
      #expect(write(folder + "/" + String(repeating: "x", count: 256)).contains("(File name too long)"))
      #expect(write(folder + String(repeating: "/x", count: 3000)).contains("(File name too long)"))
      #expect(
        write(folder + "/pipe/x").contains("(Not a directory)")
          || write(folder + "/pipe/x").contains("exists"))
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [
          "dangling", "folder", "pipe",
        ])
      #expect(write(folder + "/" + String(repeating: "ü", count: 127) + "x") == "accepted")
    }
  }

  @Test func aLinkStaysOneAndItsFileIsReplaced() throws {
    try withTemporaryFolder { folder in
      try Data("old".utf8).write(to: URL(fileURLWithPath: folder + "/file"))
      #expect(symlink("file", folder + "/link") == 0)
      try AtomicFile.write(Data("new".utf8), to: folder + "/link")
      #expect(FileManager.default.contents(atPath: folder + "/file") == Data("new".utf8))
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder + "/link") == "file")
    }
  }

  @Test func namesTwiceAndBytesAfterTheLastTensorAreRefused() throws {
    func header(_ text: String, _ body: Int) -> Data {
      var length = UInt64(text.utf8.count).littleEndian
      return withUnsafeBytes(of: &length) { Data($0) } + Data(text.utf8) + Data(count: body)
    }
    let entry = #"{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#
    // Braces, colons and quotes within names are none of the header's.
    let name = #""a\"{:\\""#
    #expect(try SafetensorsFormat.read("f", header("{\(name):\(entry)}", 4)).names == [#"a"{:\"#])
    #expect(
      refusal { _ = try SafetensorsFormat.read("f", header("{\(name):\(entry),\(name):\(entry)}", 4)) }
        == "f: found a header with a name twice, wanted a safetensors header, whose names differ")
    #expect(
      refusal { _ = try SafetensorsFormat.read("f", header("{\(name):\(entry)}", 5)) }
        == "f: found 1 bytes after the last tensor, wanted tensors up to the end of the file")
  }

  @Test func aMessageIsToBeRead() {
    let long = String(repeating: "x", count: 100_000)
    let message = "\(TesseraError.input("f", found: long, wanted: long))"
    #expect(message.utf8.count < 1000 && message.contains("... (100000 bytes)"))
  }
}
