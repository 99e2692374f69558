// SPDX-License-Identifier: Apache-2.0
import Foundation

/// One operation of a recording with the contents of its tensors before: what somebody else needs to run it
/// again, and what its maker claims that it gives.
///
/// The file is safetensors: `tensor.K` is what operand K holds before, for operands of which that matters;
/// the record is in the metadata, as JSON under `operation`.
package struct OperationFile: Equatable, Sendable {
  /// The operation and its maker's claim.
  package let record: OperationRecord
  /// The bytes before of the operands that have some, by the operands' numbers.
  let contents: [Int: Data]

  /// The name of an operand's contents in the file.
  static func name(_ operand: Int) -> String { "tensor.\(operand)" }

  private static let kind = "tessera operation"

  /// Writes the file, whole or not at all.
  ///
  /// - Throws: `TesseraError` if it cannot be written.
  /// - Returns: the fingerprint of its tensors.
  @discardableResult
  package func write(to path: String) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var writer = SafetensorsWriter(metadata: [
      "kind": Self.kind, "version": "\(FileVersions.operation)",
      "operation": String(decoding: try encoder.encode(record), as: UTF8.self),
    ])
    for (operand, bytes) in contents {
      let (type, shape) = (record.operands[operand].type, record.operands[operand].shape)
      writer.add(Self.name(operand), bytes, type: type, shape: shape)
    }
    return try writer.write(to: path)
  }

  /// Reads a file. Whether the primitive takes such operands it says itself, when it is run.
  ///
  /// - Throws: `TesseraError` for a file that is none, of another version or numerics; for an operation that
  ///   is not known; for operands, digests or tensors that do not fit each other.
  package static func read(_ path: String) throws -> OperationFile {
    let wanted = "an operation's file, which a verification of a training writes"
    let file = try TensorFile.open(path)
    guard file.metadata["kind"] == kind, let text = file.metadata["operation"] else {
      throw TesseraError.input(path, found: "no operation", wanted: wanted)
    }
    guard file.metadata["version"] == "\(FileVersions.operation)" else {
      throw TesseraError.input(
        path, found: "version \(file.metadata["version"] ?? "missing")",
        wanted: "\(FileVersions.operation), this program's")
    }
    guard file.metadata["numerics"] != nil else {
      throw TesseraError.input(path, found: "no numerics version", wanted: "\(numericsVersion)")
    }
    try file.checkNumerics()
    let record: OperationRecord
    do {
      record = try JSONDecoder().decode(OperationRecord.self, from: Data(text.utf8))
    } catch {
      throw TesseraError.input(path, found: OperationRecord.reason(error), wanted: wanted)
    }
    try record.check(path)
    return OperationFile(record: record, contents: try contents(of: record, in: file))
  }

  /// The tensors of a record that is checked: all that it wants and no others, with the digests that it
  /// tells.
  private static func contents(of record: OperationRecord, in file: TensorFile) throws -> [Int: Data] {
    var contents: [Int: Data] = [:]
    for (index, operand) in record.operands.enumerated() {
      guard let digest = operand.before else { continue }
      let name = name(index)
      let bytes = try file.bytes(name, operand.type, shape: operand.shape)
      var print = Fingerprint()
      bytes.withUnsafeBytes { print.add($0) }
      guard print.digits() == digest else {
        throw TesseraError.input(
          "\(file.path): \(name)", found: "elements of digest \(print.digits())",
          wanted: "\(digest), as its record says")
      }
      contents[index] = bytes
    }
    guard
      let stranger = file.names.first(where: { name in !contents.keys.contains { Self.name($0) == name } })
    else { return contents }
    throw TesseraError.input(file.path, found: "a tensor \(stranger)", wanted: "the operation's alone")
  }
}

extension TensorFile {
  /// A tensor's bytes.
  ///
  /// - Throws: `TesseraError` for a tensor that is missing, of another shape, or of another type.
  func bytes(_ name: String, _ type: ElementType, shape: [Int]) throws -> Data {
    let tensor = try stored(name)
    guard tensor.shape == shape, tensor.type.elementType == type, tensor.strides == nil else {
      throw TesseraError.input(
        "\(path): \(name)", found: "\(tensor.type.name) \(tensor.shape)", wanted: "\(type) \(shape)")
    }
    return withBytes(of: tensor) { Data($0) }
  }
}
