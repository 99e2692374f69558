// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A format in a run's file: the options' names as keys, their values as they are written on the command
/// line.
extension DataFormat: Codable {
  private enum CodingKeys: String, CodingKey {
    case text = "textColumn"
    case label = "labelColumn"
    case quotes, separator, encoding, header, labels
  }

  /// Reads what `encode(to:)` writes.
  ///
  /// - Throws: `TesseraError` for a value that does not exist.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      text: try fields.decodeIfPresent(String.self, forKey: .text),
      label: try fields.decodeIfPresent(String.self, forKey: .label),
      quotes: try fields.decode(Quotes.self, forKey: .quotes),
      separator: try Separator(named: try fields.decode(String.self, forKey: .separator)),
      encoding: try TextEncoding(named: try fields.decode(String.self, forKey: .encoding)),
      header: try fields.decode(Bool.self, forKey: .header),
      labels: try fields.decode(LabelRules.self, forKey: .labels))
  }

  /// Writes every option as a field.
  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encodeIfPresent(text, forKey: .text)
    try fields.encodeIfPresent(label, forKey: .label)
    try fields.encode(quotes, forKey: .quotes)
    try fields.encode(separator.text, forKey: .separator)
    try fields.encode(encoding.rawValue, forKey: .encoding)
    try fields.encode(header, forKey: .header)
    try fields.encode(labels, forKey: .labels)
  }
}
