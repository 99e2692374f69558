// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Prints what a command found as JSON: keys in order, so that two outputs can be compared line by line.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
