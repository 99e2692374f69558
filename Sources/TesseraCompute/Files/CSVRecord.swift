// SPDX-License-Identifier: Apache-2.0

/// Lines of comma-separated values (RFC 4180).
package enum CSVRecord {
  /// A field, in quotes where it has to be.
  package static func field(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }) else {
      return text
    }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }

  /// A line of fields, without its end.
  package static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") }
}
