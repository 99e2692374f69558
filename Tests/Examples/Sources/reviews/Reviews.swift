// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Sentences as numbers of words, and their classes.
struct Reviews {
  /// Words of a sentence that are kept.
  static let length = 24

  let rows: [(tokens: [Int32], label: Int32)]
  /// Numbers of words: 0 is padding, 1 any word that is rare.
  let words: Int

  init(_ path: String) throws {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst()
    let parsed = lines.compactMap { line -> (words: [Substring], label: Int32)? in
      guard let comma = line.lastIndex(of: ",") else { return nil }
      let text = line[..<comma].lowercased()
      let words = text.split { !($0.isLetter || $0 == "'") }.map { Substring($0) }
      return words.isEmpty ? nil : (words, line.hasSuffix("positive") ? 1 : 0)
    }
    var counts: [Substring: Int] = [:]
    for row in parsed { for word in row.words { counts[word, default: 0] += 1 } }
    // Sorted: the order of a dictionary is another one in every run.
    let frequent = counts.filter { $0.value >= 3 }.keys.sorted()
    let numbers = Dictionary(uniqueKeysWithValues: frequent.enumerated().map { ($1, Int32($0 + 2)) })
    rows = parsed.map { row in
      let known = row.words.prefix(Self.length).map { numbers[$0] ?? 1 }
      return (known + [Int32](repeating: 0, count: Self.length - known.count), row.label)
    }
    words = frequent.count + 2
  }
}
