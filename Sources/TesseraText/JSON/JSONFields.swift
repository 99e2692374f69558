// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// The members of a JSON object in a file, read by name and type; a refusal names file and key.
struct JSONFields {
  /// The file, and the way inside it.
  let place: String
  /// Of equal keys the last, in the order of their first.
  let members: [JSONValue.Member]
  private let index: [[UInt8]: Int]

  /// The fields of a file.
  ///
  /// - Throws: `TesseraError` for a file that cannot be read or holds no object.
  init(file path: String, wanted: String, atMost limit: Int = InputFile.Limit.configuration) throws {
    let data = try InputFile.read(path, wanted: wanted, atMost: limit)
    try self.init(try JSONReader.value(of: data, place: path), place: path, wanted: wanted)
  }

  /// The fields of a value that has to be an object.
  init(_ value: JSONValue, place: String, wanted: String = "an object") throws {
    guard case .object(let members) = value else {
      throw TesseraError.input(
        place, found: value.summary, wanted: wanted == "an object" ? wanted : "a JSON object, \(wanted)")
    }
    var index: [[UInt8]: Int] = [:]
    var unique: [JSONValue.Member] = []
    for member in members {
      if let known = index[Array(member.key.utf8)] {
        unique[known] = member
      } else {
        index[Array(member.key.utf8)] = unique.count
        unique.append(member)
      }
    }
    (self.place, self.members, self.index) = (place, unique, index)
  }

  /// No fields, of a file that is not there.
  init(none place: String) { (self.place, members, index) = (place, [], [:]) }

  /// The keys in their order.
  var keys: [String] { members.map(\.key) }

  /// The value of a key, if there is one; null is one.
  subscript(_ key: String) -> JSONValue? {
    @inline(never) get { index[Array(key.utf8)].map { members[$0].value } }
  }

  /// The value of a key, if there is one that is not null.
  func present(_ key: String) -> JSONValue? {
    guard let value = self[key] else { return nil }
    if case .null = value { return nil }
    return value
  }

  /// A refusal of what a key says.
  func refusal(_ key: String, wanted: String) -> TesseraError {
    .input("\(place): \(key)", found: self[key]?.summary ?? "nothing", wanted: wanted)
  }

  /// Yes or no; nil where there is none or null.
  func bool(_ key: String) throws -> Bool? {
    switch present(key) {
    case nil: return nil
    case .bool(let value): return value
    default: throw refusal(key, wanted: "true or false")
    }
  }

  /// A text; nil where there is none or null.
  func text(_ key: String) throws -> String? {
    switch present(key) {
    case nil: return nil
    case .string(let text): return text
    default: throw refusal(key, wanted: "a text")
    }
  }

  /// A whole number within bounds, which may be written as 512.0; nil where there is none or null.
  func integer(_ key: String, _ range: ClosedRange<Int>) throws -> Int? {
    let wanted = "\(range.lowerBound) to \(range.upperBound)"
    switch present(key) {
    case nil: return nil
    case .integer(let value) where range.contains(value): return value
    case .number(let value):
      guard let whole = Int(exactly: value), range.contains(whole) else { throw refusal(key, wanted: wanted) }
      return whole
    default: throw refusal(key, wanted: wanted)
    }
  }

  /// An object; nil where there is none or null.
  func object(_ key: String) throws -> JSONFields? {
    guard let value = present(key) else { return nil }
    return try JSONFields(value, place: "\(place): \(key)")
  }

  /// A list; nil where there is none or null.
  func list(_ key: String) throws -> [JSONValue]? {
    switch present(key) {
    case nil: return nil
    case .array(let values): return values
    default: throw refusal(key, wanted: "a list")
    }
  }

  /// Refuses keys that are in none of the lists.
  ///
  /// - Parameter wanted: what to do with one.
  func requireKnown(_ lists: Set<String>..., wanted: String) throws {
    for key in keys where !lists.contains(where: { $0.contains(key) }) {
      throw TesseraError.input("\(place): \(key)", found: self[key]?.summary ?? "nothing", wanted: wanted)
    }
  }
}
