// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// A file or a folder of texts, opened: what formats recognise and read.
struct DataSource {
  /// The path as it was given, for messages.
  let path: String
  /// The path in lower case, without `.gz` of a packed file.
  let name: String
  /// Whether it is a folder.
  let isFolder: Bool
  /// A file's text in UTF-8, unpacked and without a byte order mark; a folder has none.
  let bytes: [UInt8]

  /// A source whose content is known.
  init(path: String, name: String, isFolder: Bool = false, bytes: [UInt8] = []) {
    self.path = path
    self.name = name
    self.isFolder = isFolder
    self.bytes = bytes
  }

  /// Opens a file or a folder; `-` is standard input.
  ///
  /// A packed file is unpacked, files of other kinds are refused, and characters are decoded, in this order.
  ///
  /// - Parameters:
  ///   - path: file or folder.
  ///   - encoding: how the bytes of a file stand for characters.
  ///   - wanted: what an empty file lacks, for messages.
  /// - Throws: `TesseraError` for what cannot be read, is no text, or is empty.
  init(_ path: String, encoding: TextEncoding, wanted: String = "reviews") throws {
    var name = path.lowercased()
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    if isFolder.boolValue {
      self.init(path: path, name: name, isFolder: true)
      return
    }
    let data = try InputFile.readAny(
      path == "-" ? "/dev/stdin" : path, wanted: "CSV, TSV, JSON lines or a folder of classes",
      atMost: InputFile.Limit.data, pipes: true)
    var bytes = [UInt8](data)
    if Gzip.isPacked(bytes) {
      bytes = try Gzip.unpack(bytes, place: path)
      if name.hasSuffix(".gz") { name.removeLast(3) }
    }
    try ForeignFile.refuse(bytes, path: path)
    bytes = try encoding.decode(bytes, place: path)
    guard bytes.contains(where: { $0 > 32 }) else {
      throw TesseraError.input(path, found: "an empty file", wanted: wanted)
    }
    self.init(path: path, name: name, bytes: bytes)
  }
}
