// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Reads `vocab.txt`.
enum VocabularyFile {
  /// One token a line, the line number being its id; white space at the end of a line is no token's.
  static func tokens(_ path: String) throws -> [(bytes: [UInt8], id: Int32)] {
    let data = try InputFile.read(path, wanted: "a WordPiece vocabulary", atMost: InputFile.Limit.text)
    guard String(validating: data, as: UTF8.self) != nil else {
      throw TesseraError.input(path, found: "bytes that are not UTF-8", wanted: "a WordPiece vocabulary")
    }
    // By bytes: to Swift a carriage return and the line feed after it are one character, which is no line
    // feed.
    var lines = [UInt8](data).split(separator: 10, omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    guard lines.count < Int(Int32.max) else {
      throw TesseraError.input(path, found: "\(lines.count) lines", wanted: "below \(Int32.max)")
    }
    return lines.enumerated().map { (trimmed($1), Int32($0)) }
  }

  private static func trimmed(_ line: ArraySlice<UInt8>) -> [UInt8] {
    var line = line
    while let last = line.last {
      if last < 128 {
        guard last == 32 || (9...13).contains(last) else { break }
        line.removeLast()
      } else {
        guard
          let length = line.withUnsafeBufferPointer({ bytes in
            UTF8Text.scalar(before: bytes.count, bytes).flatMap {
              $0.scalar.properties.isWhitespace ? $0.length : nil
            }
          })
        else { break }
        line.removeLast(length)
      }
    }
    return Array(line)
  }
}
