// SPDX-License-Identifier: Apache-2.0
extension RunConfiguration {
  /// How the files of reviews are read.
  ///
  /// - Throws: `TesseraError` for a name that is not known.
  public func dataFormat() throws -> DataFormat {
    DataFormat(
      text: textColumn, label: labelColumn, quotes: try Quotes(named: quotes),
      separator: try Separator(named: separator), encoding: try TextEncoding(named: encoding), header: header,
      labels: try LabelRules(labels))
  }
}
