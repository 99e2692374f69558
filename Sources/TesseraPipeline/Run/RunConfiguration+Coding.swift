// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData

/// A run's file has one object: every group of options writes its fields into it, under names that have not
/// changed since version 1.
extension RunConfiguration: Codable {
  private enum CodingKeys: String, CodingKey {
    case version, data, test, encoder, seesValidation, repeats
  }

  /// Reads what `encode(to:)` writes; every field must be there (`read` fills in what an older version did
  /// not know).
  ///
  /// - Throws: `TesseraError` for a value that does not exist, `DecodingError` for a field that is missing or
  ///   of another type.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      data: try fields.decode(String.self, forKey: .data),
      encoder: try fields.decode(String.self, forKey: .encoder))
    table = try TableOptions.read(decoder)
    test = try fields.decodeIfPresent(String.self, forKey: .test)
    seesValidation = try fields.decode(Bool.self, forKey: .seesValidation)
    repeats = try fields.decode(Int.self, forKey: .repeats)
    format = try DataFormat(from: decoder)
    embedding = try EmbeddingOptions(from: decoder)
    split = try SplitOptions(from: decoder)
    layout = try LayoutOptions(from: decoder)
    model = try TrainedModel.Options(from: decoder)
  }

  /// Writes all options as fields of one object.
  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(version, forKey: .version)
    try fields.encode(data, forKey: .data)
    try fields.encodeIfPresent(test, forKey: .test)
    try fields.encode(self.encoder, forKey: .encoder)
    try table?.encode(to: encoder)
    try fields.encode(seesValidation, forKey: .seesValidation)
    try fields.encode(repeats, forKey: .repeats)
    try format.encode(to: encoder)
    try embedding.encode(to: encoder)
    try split.encode(to: encoder)
    try layout.encode(to: encoder)
    try model.encode(to: encoder)
  }
}

extension RunConfiguration {
  /// The fields of the run's file with their values as text, by name.
  var fields: [(name: String, value: String)] {
    get throws {
      try JSONDecoder().decode([String: FieldText].self, from: try encoded()).map { ($0, $1.text) }
        .ordered { $0.name < $1.name }
    }
  }

  /// A field's value as people write it.
  private struct FieldText: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if let flag = try? value.decode(Bool.self) {
        text = "\(flag)"
      } else if let number = try? value.decode(UInt64.self) {
        text = "\(number)"
      } else if let number = try? value.decode(Double.self) {
        text = "\(number)"
      } else if let list = try? value.decode([String].self) {
        text = list.joined(separator: ", ")
      } else {
        text = try value.decode(String.self)
      }
    }
  }
}
