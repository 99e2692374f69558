// SPDX-License-Identifier: Apache-2.0

/// The formats that are read.
enum DataSetFormats {
  /// All of them, in the order in which they are asked: the first that recognises a source reads it.
  ///
  /// 1. Folders, which have no bytes to look at.
  /// 2. JSON, by its first bytes or by the file's name.
  /// 3. Delimited text: whatever text no other format took, so it stays the last.
  static let all: [any DataSetFormat.Type] = [
    FolderFormat.self,
    JSONFormat.self,
    DelimitedFormat.self,
  ]

  /// The format of a source.
  static func format(of source: DataSource) -> any DataSetFormat.Type {
    all.first { $0.recognises(source) } ?? DelimitedFormat.self
  }

  /// The options that say something about data of a kind.
  static func options(of kind: DataKind) -> DataFormatEffects {
    all.first { $0.kind == kind }?.options ?? [.columns, .dialect]
  }
}
