// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How features get places in the plane.
public enum LayoutMethod: String, Sendable, CaseIterable {
  /// t-SNE: neighbours stay neighbours.
  case tsne
  /// The first two principal components.
  case pca
}

extension RawRepresentable where Self: CaseIterable, RawValue == String {
  /// The case of a name.
  ///
  /// - Parameters:
  ///   - name: the case's raw value.
  ///   - place: what the name was given for.
  /// - Throws: `TesseraError` with all names for another one.
  public init(named name: String, for place: String) throws {
    guard let value = Self(rawValue: name) else {
      let names = Self.allCases.map(\.rawValue)
      let last = names.last ?? ""
      throw TesseraError.input(
        place, found: name,
        wanted: names.count > 1 ? names.dropLast().joined(separator: ", ") + " or " + last : last)
    }
    self = value
  }
}
