// SPDX-License-Identifier: Apache-2.0

/// A setting whose values have names, the same on the command line, in files and in messages.
///
/// A new case is all that a new value needs: the command line takes it and lists it, files hold its name, and
/// the refusal of another name lists it.
public protocol NamedOption: RawRepresentable, CaseIterable, Codable, Hashable, Sendable
where RawValue == String {}

extension NamedOption {
  /// The names of all values, such as `frozen, moving or trainable`.
  public static var names: String {
    let names = allCases.map(\.rawValue)
    guard names.count > 1, let last = names.last else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " or " + last
  }

  /// The value of a name.
  ///
  /// - Parameters:
  ///   - name: the value's raw value.
  ///   - place: what the name was given for.
  /// - Throws: `TesseraError` with all names for another one.
  public init(named name: String, for place: String) throws {
    guard let value = Self(rawValue: name) else {
      throw TesseraError.input(place, found: name, wanted: Self.names)
    }
    self = value
  }

  /// Reads a name.
  ///
  /// - Throws: `TesseraError` that names the key and all names for another one.
  public init(from decoder: any Decoder) throws {
    try self.init(
      named: try decoder.singleValueContainer().decode(String.self),
      for: decoder.codingPath.last?.stringValue ?? "name")
  }
}
