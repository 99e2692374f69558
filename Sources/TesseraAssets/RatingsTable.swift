// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// The ratings of Hutto and Gilbert (2014) as a table of text and label: positive above 0, as the data set's
/// authors score them.
enum RatingsTable {
  private static let inner = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
  private static let ratings = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
  /// What an archive may unpack to.
  private static let most = 256 << 20

  /// Writes the table of the source archive.
  static func write(from archive: URL, to file: URL) throws {
    let outer = try unpacked(try Data(contentsOf: archive), place: archive.path)
    let packed = try TarFile.member(inner, of: outer, place: archive.path)
    let text = try TarFile.member(ratings, of: unpacked(Data(packed), place: inner), place: inner)
    try Data(table(of: String(decoding: text, as: UTF8.self), place: ratings).utf8).write(to: file)
  }

  /// The table of the ratings' lines: number, rating and sentence with tabs between them.
  static func table(of text: String, place: String) throws -> String {
    var table = "text,label\n"
    // By scalars: to Swift a carriage return with a line feed is one character.
    let lines = text.unicodeScalars.split(omittingEmptySubsequences: true, whereSeparator: isLineEnd)
    for (number, line) in lines.enumerated() {
      let parts = line.split(separator: "\t", maxSplits: 2, omittingEmptySubsequences: false)
      guard parts.count == 3, let rating = Double(String(parts[1])) else {
        throw TesseraError.failure(
          "\(place): line \(number + 1)", found: String(line), wanted: "a number, a rating and a sentence")
      }
      let sentence = String(String.UnicodeScalarView(trimmed(parts[2])))
      table += "\(field(sentence)),\(rating > 0 ? "positive" : "negative")\n"
    }
    return table
  }

  /// Where a line ends, as Python's `splitlines` has it.
  private static func isLineEnd(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0a...0x0d, 0x1c...0x1e, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }

  private static func trimmed(_ text: Substring.UnicodeScalarView) -> Substring.UnicodeScalarView {
    func isBlank(_ scalar: Unicode.Scalar) -> Bool {
      scalar.properties.isWhitespace || (0x1c...0x1f).contains(scalar.value)
    }
    var text = text.drop(while: isBlank)
    while let last = text.last, isBlank(last) { text.removeLast() }
    return text
  }

  /// A field of a table, in quotes where it needs them.
  private static func field(_ text: String) -> String {
    text.contains { ",\"\n\r".contains($0) }
      ? "\"\(text.replacingOccurrences(of: "\"", with: "\"\""))\"" : text
  }

  private static func unpacked(_ data: Data, place: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try data.withUnsafeBytes { packed in
      try Inflater.unpack(packed, .gzip, atMost: most, place: place) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }
}

/// A tar archive (POSIX ustar): headers of 512 bytes before members that fill whole blocks.
enum TarFile {
  /// The bytes of a member.
  ///
  /// - Throws: `TesseraError` where it is not there whole.
  static func member(_ name: String, of bytes: [UInt8], place: String) throws -> [UInt8] {
    var at = 0
    while at + 512 <= bytes.count, bytes[at] != 0 {
      let header = bytes[at..<at + 512]
      func text(_ begin: Int, _ count: Int) -> String {
        String(decoding: header[at + begin..<at + begin + count].prefix { $0 != 0 }, as: UTF8.self)
      }
      let digits = text(124, 12).filter { $0 != " " }
      guard let size = Int(digits, radix: 8), size >= 0, at + 512 + size <= bytes.count else { break }
      let prefix = text(257, 5) == "ustar" ? text(345, 155) : ""
      if (prefix.isEmpty ? "" : prefix + "/") + text(0, 100) == name {
        return Array(bytes[at + 512..<at + 512 + size])
      }
      at += 512 + (size + 511) / 512 * 512
    }
    throw TesseraError.failure(place, found: "no \(name)", wanted: "it in the archive")
  }
}
