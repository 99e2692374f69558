// SPDX-License-Identifier: Apache-2.0
/// A JSON value as it stands in a file.
///
/// Foundation's readers put an object's keys into a dictionary of `String`, in which canonically
/// equivalent keys are one: a vocabulary would lose tokens. Here keys keep their bytes and their order.
enum JSONValue: Sendable {
  case null
  case bool(Bool)
  /// A number without fraction or exponent that fits.
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// A key with its value. Of equal keys the last counts, as in Python.
  struct Member: Sendable {
    let key: String
    let value: JSONValue
  }

  /// What it is, for messages; a long text or a container is not shown whole.
  var summary: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .string(let value): value.isEmpty ? "an empty text" : value
    case .array(let values): values.isEmpty ? "an empty list" : "a list of \(values.count)"
    case .object(let members): members.isEmpty ? "an empty object" : "an object of \(members.count)"
    }
  }

  /// Whether it says nothing: null, an empty list or an empty object.
  var isEmpty: Bool {
    switch self {
    case .null: true
    case .array(let values): values.isEmpty
    case .object(let members): members.isEmpty
    default: false
    }
  }
}

extension StringProtocol {
  /// Whether two texts have the same bytes; `==` takes canonically equivalent ones for equal.
  func hasBytes(of other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }
}
