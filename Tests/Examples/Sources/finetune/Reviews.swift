// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Sentences and their classes, as many as are wanted, spread over a file.
struct Reviews {
  let texts: [String]
  let labels: [Int32]

  init(_ path: String, rows: Int) throws {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst()
    let all = lines.compactMap { line -> (text: String, label: Int32)? in
      guard let comma = line.lastIndex(of: ",") else { return nil }
      let text = line[..<comma].trimmingCharacters(in: CharacterSet(charactersIn: "\""))
      return (text, line.hasSuffix("positive") ? 1 : 0)
    }
    let count = min(rows, all.count) / 32 * 32
    // Classes stand one behind the other in the file: every n-th row, then those after it.
    let chosen = (0..<count).map { all[($0 * 7919) % all.count] }
    (texts, labels) = (chosen.map(\.text), chosen.map(\.label))
  }
}
