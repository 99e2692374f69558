// SPDX-License-Identifier: Apache-2.0
extension FileKind {
  /// How many of a file's first bytes tell all kinds; fewer tell those that they can.
  package static let prefixCount = 1024

  /// Formats that begin with bytes of their own.
  private static let marks: [(FileKind, [UInt8])] = [
    (.lfsPointer, Array("version https://git-lfs.github.com/spec/".utf8)),
    (.lfsPointer, Array("version https://hawser.github.com/spec/".utf8)),
    (.zip, [0x50, 0x4b, 3, 4]), (.zip, [0x50, 0x4b, 5, 6]), (.zip, [0x50, 0x4b, 7, 8]),
    (.gzip, [0x1f, 0x8b, 8]), (.xz, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
    (.zstandard, [0x28, 0xb5, 0x2f, 0xfd]), (.lz4, [4, 0x22, 0x4d, 0x18]),
    (.sevenZip, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]), (.rar, Array("Rar!\u{1a}\u{7}".utf8)),
    (.hdf5, [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]), (.gguf, Array("GGUF".utf8)),
    (.ggml, Array("lmgg".utf8)), (.ggml, Array("fmgg".utf8)), (.ggml, Array("tjgg".utf8)),
    (.tensorflow, Array("model_checkpoint_path:".utf8)),
    (.numpy, [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]), (.parquet, Array("PAR1".utf8)),
    (.arrow, Array("ARROW1".utf8)), (.arrow, Array("FEA1".utf8)), (.orc, Array("ORC\n".utf8)),
    (.sqlite, Array("SQLite format 3\0".utf8)),
    (.oldOffice, [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), (.pdf, Array("%PDF-".utf8)),
    (.png, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), (.jpeg, [0xff, 0xd8, 0xff]),
    (.gif, Array("GIF87a".utf8)), (.gif, Array("GIF89a".utf8)), (.elf, [0x7f, 0x45, 0x4c, 0x46]),
    // Before UTF-16, whose mark is the first half of one of these.
    (.utf32, [0xff, 0xfe, 0, 0]), (.utf32, [0, 0, 0xfe, 0xff]), (.utf16, [0xff, 0xfe]),
    (.utf16, [0xfe, 0xff]),
  ]

  /// What a file is by its first bytes, at least `prefixCount` of them where it has so many; nil for plain
  /// text and for what is not known.
  package static func recognise(_ start: some Collection<UInt8>) -> FileKind? {
    let bytes = Array(start.prefix(prefixCount))
    guard !bytes.isEmpty else { return .empty }
    // A safetensors header's length may be any mark by chance; its brace and the zeros before it are not.
    if isSafetensors(bytes) { return .safetensors }
    for (kind, mark) in marks where bytes.starts(with: mark) { return kind }
    if bytes.starts(with: Array("BZh".utf8)), bytes.count > 9, (0x31...0x39).contains(bytes[3]),
      Array(bytes[4..<10]) == [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]
        || Array(bytes[4..<10]) == [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]
    {
      return .bzip2
    }
    // Protocols 2 to 5 say so; a byte of text is never 0x80.
    if bytes.count > 1, bytes[0] == 0x80, (2...5).contains(bytes[1]) { return .pickle }
    if bytes.count > 261, bytes[257..<262].elementsEqual("ustar".utf8) { return .tar }
    if isFlax(bytes) { return .flax }
    if let kind = protocolBuffer(bytes) { return kind }
    return document(bytes)
  }

  private static func isSafetensors(_ bytes: [UInt8]) -> Bool {
    bytes.count > 8 && bytes[8] == UInt8(ascii: "{") && bytes[4..<8].allSatisfy { $0 == 0 }
      && bytes[0..<4].contains { $0 != 0 }
  }

  /// A msgpack map whose first key is a short text.
  private static func isFlax(_ bytes: [UInt8]) -> Bool {
    guard bytes.count > 8, (0x81...0x8f).contains(bytes[0]), (0xa1...0xbf).contains(bytes[1]) else {
      return false
    }
    let length = min(Int(bytes[1] & 31), bytes.count - 2)
    return bytes[2..<2 + length].allSatisfy { (0x20...0x7e).contains($0) }
  }

  /// ONNX: a version, then the producer's name, a domain or a graph; TensorFlow's saved model: version 1,
  /// then a graph's metadata.
  private static func protocolBuffer(_ bytes: [UInt8]) -> FileKind? {
    guard bytes.count > 8, bytes[0] == 0x08, (1...32).contains(bytes[1]) else { return nil }
    if bytes[2] == 0x3a { return .onnx }
    guard bytes[2] == 0x12 else { return nil }
    let length = Int(bytes[3])
    guard length > 0, length < 128, bytes.count > 4 + length,
      bytes[4..<4 + length].allSatisfy({ (0x20...0x7e).contains($0) })
    else { return bytes[1] == 1 ? .tensorflow : nil }
    return .onnx
  }

  /// Documents of text by how they open, after blanks.
  private static func document(_ bytes: [UInt8]) -> FileKind? {
    var text = bytes[...]
    if text.starts(with: [0xef, 0xbb, 0xbf]) { text = text.dropFirst(3) }
    text = text.drop { [0x20, 0x09, 0x0a, 0x0d].contains($0) }
    func opens(_ word: String) -> Bool {
      text.count >= word.utf8.count
        && Swift.zip(text, word.utf8).allSatisfy { $0 | ((0x41...0x5a).contains($0) ? 0x20 : 0) == $1 }
    }
    let tags = ["<!doctype html", "<html", "<head>", "<body", "<script", "<title>"]
    if tags.contains(where: opens) { return .html }
    if opens("<?xml") {
      let start = String(decoding: text, as: UTF8.self).lowercased()
      return start.contains("<html") || start.contains("<!doctype html") ? .html : .xml
    }
    guard let first = text.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return nil }
    // RTF and templates open with a brace too: an object goes on with a name or ends, an array with a value
    // or its end.
    let next = text.dropFirst().first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }
    guard let next else { return .json }
    let values = first == UInt8(ascii: "{") ? "\"}" : "\"{[]-0123456789tfn"
    return values.utf8.contains(next) ? .json : nil
  }
}
