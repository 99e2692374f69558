// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraImages

/// The layouts of several channels as they are written: names separated by commas. Files keep the spelling.
public struct RepresentationList: Sendable, Equatable, Codable {
  /// What was written.
  public let text: String
  /// The layouts, at least one, all different.
  public let list: [Representation]

  /// What several channels show unless they are named: three, as pretrained weights have them.
  public static let usual = RepresentationList([
    Representation(method: .tsne, metric: .euclidean), Representation(method: .tsne, metric: .correlation),
    Representation(method: .pca),
  ])

  private init(_ list: [Representation]) {
    self.list = list
    text = list.map(\.description).joined(separator: ",")
  }

  /// Layouts by their names (`Representation.list`).
  ///
  /// - Throws: `TesseraError` for a name that does not exist or comes twice.
  public init(_ text: String) throws {
    self.text = text
    list = try Representation.list(text)
  }

  /// Reads what `encode(to:)` writes.
  public init(from decoder: any Decoder) throws {
    try self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}
