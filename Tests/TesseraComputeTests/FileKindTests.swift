// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraCompute

/// What files are by their first bytes, and that readers say so.
@Suite struct FileKindTests {
  private static let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 90868376\n"

  private static let starts: [(FileKind, [UInt8])] = [
    (.empty, []), (.lfsPointer, Array(lfs.utf8)), (.html, Array("\n <!DOCTYPE html><p>".utf8)),
    (.html, Array("<HTML lang=en>".utf8)), (.html, Array("<?xml version='1.0'?><!DOCTYPE html>".utf8)),
    (.xml, Array("\u{feff}<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>".utf8)),
    (.json, Array(#"{"error":"Repository not found"}"#.utf8)), (.json, Array("[\n  {}]".utf8)),
    (.json, Array("{}".utf8)), (.zip, [0x50, 0x4b, 3, 4, 20]), (.zip, [0x50, 0x4b, 5, 6, 0]),
    (.gzip, [0x1f, 0x8b, 8, 0]), (.bzip2, Array("BZh9".utf8) + [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]),
    (.xz, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), (.zstandard, [0x28, 0xb5, 0x2f, 0xfd]),
    (.lz4, [4, 0x22, 0x4d, 0x18]), (.sevenZip, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]),
    (.rar, Array("Rar!\u{1a}\u{7}".utf8)),
    (.tar, Array("w.pth".utf8) + [UInt8](repeating: 0, count: 252) + Array("ustar\u{0}00".utf8)),
    (.safetensors, [0x80, 2, 0, 0, 0, 0, 0, 0, 0x7b]), (.pickle, [0x80, 2, 0x8a]), (.pickle, [0x80, 5]),
    (.hdf5, [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]), (.gguf, Array("GGUF".utf8) + [3, 0]),
    (.ggml, Array("lmgg".utf8)), (.onnx, [8, 8, 0x12, 7] + Array("pytorch".utf8) + [0x1a]),
    (.onnx, [8, 9, 0x3a, 0x90, 1, 2, 3, 4, 5]), (.tensorflow, [8, 1, 0x12, 0xf0, 0x81, 1, 0x0a, 5, 9, 9]),
    (.tensorflow, Array("model_checkpoint_path: \"bert_model.ckpt\"".utf8)),
    (.flax, [0x85, 0xaa] + Array("embeddings".utf8)), (.numpy, [0x93] + Array("NUMPY".utf8)),
    (.parquet, Array("PAR1".utf8)), (.arrow, Array("ARROW1".utf8)), (.orc, Array("ORC\n".utf8)),
    (.sqlite, Array("SQLite format 3\0".utf8)),
    (.oldOffice, [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]),
    (.pdf, Array("%PDF-1.7".utf8)), (.png, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    (.jpeg, [0xff, 0xd8, 0xff, 0xe0]), (.gif, Array("GIF89a".utf8)), (.elf, [0x7f, 0x45, 0x4c, 0x46]),
    (.utf16, [0xff, 0xfe, 0x61, 0]), (.utf16, [0xfe, 0xff, 0, 0x61]), (.utf32, [0xff, 0xfe, 0, 0]),
  ]

  @Test func everyKindIsRecognised() {
    for (kind, start) in Self.starts { #expect(FileKind.recognise(start) == kind, "\(kind)") }
    let tried = Set(Self.starts.map { "\($0.0)" })
    #expect(FileKind.allCases.allSatisfy { tried.contains("\($0)") }, "each kind has an example")
  }

  @Test(
    arguments: [
      "review,sentiment\nfine,1\n", "[PAD]\n[UNK]\n", "BZh is a film", "PK is dull", "GIFs", "<br />A film",
      "version 2 of the film", "ORC army", "Rar", "{\\rtf1", "[Music] plays", "{ curly", "\u{8} bell", "a",
    ])
  func plainTextIsNone(_ text: String) { #expect(FileKind.recognise(text.utf8) == nil) }

  private func refusal(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return "accepted"
  }

  @Test func aReaderNamesWhatItWasGiven() throws {
    try withTemporaryFolder { folder in
      func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
        return folder + "/" + name
      }
      for (kind, start) in Self.starts where ![.zip, .pickle, .safetensors].contains(kind) {
        let path = try write("w.safetensors", start)
        let text = refusal { _ = try TensorFile.open(path) }
        #expect(text.hasPrefix("\(path): found \(kind.name)") && text.hasSuffix(kind.advice), "\(text)")
      }
      for (kind, start) in Self.starts where kind != .json {
        let path = try write("vocab.txt", start)
        let text = refusal { _ = try InputFile.read(path, wanted: "a list", atMost: 1 << 20) }
        #expect(text.hasPrefix("\(path): found \(kind.name)"), "\(text)")
      }
      let page = "<!doctype html><html><head><title>\n 404   Not Found</title></head></html>"
      let path = try write("p", Array(page.utf8))
      #expect(
        refusal { _ = try TensorFile.open(path) }.hasPrefix("\(path): found an HTML page (404 Not Found), "))
      let answer = try write("j", Array(#"{"error":"Repository not found"}"#.utf8))
      #expect(
        refusal { _ = try TensorFile.open(answer) }
          == #"\#(answer): found a JSON document ({"error":"Repository not found"}), "#
          + "wanted safetensors or PyTorch weights")
    }
  }
}
