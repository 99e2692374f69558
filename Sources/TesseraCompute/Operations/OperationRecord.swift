// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What one operation of a recording was applied to, and what it made: two parties that computed the same
/// have equal records, whatever devices they used.
package struct OperationRecord: Codable, Equatable, Sendable {
  /// A tensor that an operation was given.
  package struct Operand: Codable, Equatable, Sendable {
    /// Its extents.
    package let shape: [Int]
    /// The type of its elements.
    package let type: ElementType
    /// The number of its memory, from 0, in the order in which the recording met it: what one operation
    /// writes others read under the same number.
    package let memory: Int
    /// SHA-256 of its elements before; nil where nothing of them is read or stays, and where an earlier
    /// operand has it.
    package var before: String?
    /// SHA-256 of its elements after; nil where it is not written.
    package var after: String?
  }

  /// Its place in the recording, from 0.
  package let number: Int
  /// The primitive with its parameters.
  package let operation: RecordedOperation
  /// Its tensors: those that are read, those that are changed, those that are written.
  package let operands: [Operand]

  /// Where it is, for messages.
  package var place: String { "operation \(number), \(operation.name)" }

  /// The first operation that two recordings of one step tell differently.
  ///
  /// - Returns: its number, at which one of the lists may have ended; nil where the lists are equal.
  package static func firstDifference(_ a: [OperationRecord], _ b: [OperationRecord]) -> Int? {
    if let index = zip(a, b).enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset {
      return index
    }
    return a.count == b.count ? nil : min(a.count, b.count)
  }

  /// The first operation of a recording that is given other contents than the recording itself says that the
  /// memory held. Who denies what he said before, to quarrel about an input instead of an output, is found
  /// without a recomputation; what is left to differ first is an output, or memory that the step began with.
  ///
  /// - Parameter list: a recording, or a part of one.
  /// - Returns: its place in the list; nil where there is none.
  package static func firstContradiction(_ list: [OperationRecord]) -> Int? {
    var held: [Int: String] = [:]
    return list.firstIndex { record in
      let isContradiction = record.operands.contains { operand in
        guard let before = operand.before else { return false }
        return held.updateValue(before, forKey: operand.memory) ?? before != before
      }
      for operand in record.operands { if let after = operand.after { held[operand.memory] = after } }
      return isContradiction
    }
  }

  /// Reads a list of records (JSON), or that of a party's evidence, and checks each.
  ///
  /// - Throws: `TesseraError` for what is no such list.
  package static func readList(_ path: String) throws -> [OperationRecord] {
    let wanted = "a list of operations (JSON)"
    let data = try InputFile.read(path, wanted: wanted, atMost: InputFile.Limit.text)
    let records: [OperationRecord]
    do {
      struct Evidence: Decodable { let operations: [OperationRecord] }
      let isEvidence = data.first { !" \n\r\t".utf8.contains($0) } == UInt8(ascii: "{")
      records =
        try isEvidence
        ? JSONDecoder().decode(Evidence.self, from: data).operations
        : JSONDecoder().decode([OperationRecord].self, from: data)
    } catch {
      throw TesseraError.input(path, found: Self.reason(error), wanted: wanted)
    }
    for record in records { try record.check(path) }
    return records
  }

  /// What a decoder did not like.
  static func reason(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context),
      .keyNotFound(_, let context):
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      return "\(path.isEmpty ? "JSON" : path): \(context.debugDescription)"
    default: return "a file that cannot be read"
    }
  }
}
