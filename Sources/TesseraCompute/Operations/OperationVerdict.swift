// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What a recomputation of one operation gave, beside what one party or two claim.
package struct OperationVerdict: Codable, Equatable, Sendable {
  /// An operand that was written.
  package struct Output: Codable, Equatable, Sendable {
    /// Its number among the operands, its shape and its elements' type.
    package let operand: Int, shape: [Int], type: ElementType
    /// SHA-256 of its elements: as the file's maker claims and as recomputed.
    package let claimed: String, recomputed: String
    /// As the other party claims; nil where there is none.
    package var other: String?
  }

  /// The operation's number in its recording, and the primitive's name.
  package let number: Int, operation: String
  /// The device on which was recomputed.
  package let device: String
  /// What it writes.
  package internal(set) var outputs: [Output]

  /// Whether the file's maker claims what was recomputed.
  package var isEqual: Bool { outputs.allSatisfy { $0.claimed == $0.recomputed } }
  /// Whether the other party does; nil where there is none.
  package var isOtherEqual: Bool? {
    outputs.contains { $0.other == nil } ? nil : outputs.allSatisfy { $0.other == $0.recomputed }
  }

  /// A line for each output, and one for each party's claim.
  package var text: String {
    var lines = ["operation \(number), \(operation), on \(device)"]
    for output in outputs {
      let verdict = output.claimed == output.recomputed ? "equal" : "different"
      let other = output.other.map { ", other \($0)" } ?? ""
      lines.append(
        "operand \(output.operand) \(output.shape): \(verdict), claimed \(output.claimed), "
          + "recomputed \(output.recomputed)\(other)")
    }
    lines.append("first: \(isEqual ? "right" : "wrong")")
    if let isOtherEqual { lines.append("second: \(isOtherEqual ? "right" : "wrong")") }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension OperationFile {
  /// Runs the operation again.
  ///
  /// - Parameters:
  ///   - device: where.
  ///   - others: the records of another party, which has to have the same operation on the same contents; nil
  ///     where there is none.
  /// - Throws: `TesseraError` for an operation that does not take such operands, for more memory than the
  ///   device has, and for records of something else; a difference is no error.
  package func recompute(
    on device: any Backend, against others: [OperationRecord]? = nil
  ) throws -> OperationVerdict {
    let other = try others.map { try counterpart(in: $0) }
    let bytes = try record.operands.reduce(0) { $0 + 4 * (try Tensor.elementCount($1.shape)) }
    guard bytes <= device.memory else {
      throw TesseraError.outOfMemory(
        record.place, found: "operands of \(bytes) bytes", wanted: "\(device.memory), as \(device.name) has")
    }
    let tensors = try operands(on: device)
    do {
      try record.operation.run(on: device, tensors)
    } catch let error as TesseraError where error.kind == .failure {
      // Who made the file says what is run: it is the file that is wrong.
      throw TesseraError.input("\(record.place): \(error.place)", found: error.found, wanted: error.wanted)
    }
    var outputs: [OperationVerdict.Output] = []
    for (index, operand) in record.operands.enumerated() {
      guard let claimed = operand.after else { continue }
      outputs.append(
        .init(
          operand: index, shape: operand.shape, type: operand.type, claimed: claimed,
          recomputed: try device.digest(of: tensors[index]), other: other?.operands[index].after))
    }
    return OperationVerdict(
      number: record.number, operation: record.operation.name, device: device.name, outputs: outputs)
  }

  /// The operands as they were before; those that are written whole hold zeros.
  private func operands(on device: any Backend) throws -> [Tensor] {
    var tensors: [Tensor] = []
    for (index, operand) in record.operands.enumerated() {
      if let owner = OperationRecord.owner(of: operand.memory, in: record.operands[..<index]) {
        tensors.append(try tensors[owner].reshaped(operand.shape))
        continue
      }
      let tensor = try device.allocate(operand.shape, operand.type)
      if let bytes = contents[index] {
        try bytes.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
      } else {
        try device.zero(tensor)
      }
      tensors.append(tensor)
    }
    return tensors
  }

  /// Another party's record of this operation.
  private func counterpart(in others: [OperationRecord]) throws -> OperationRecord {
    let place = "the other party's records"
    guard let other = others.first(where: { $0.number == record.number }) else {
      throw TesseraError.input(place, found: "no operation \(record.number)", wanted: "one to compare")
    }
    guard other.withoutClaim == record.withoutClaim else {
      throw TesseraError.input(
        "\(place): \(other.place)", found: "other parameters or operands",
        wanted: "those of \(record.place): the parties differ before it")
    }
    return other
  }
}

extension OperationRecord {
  /// The record without what its maker says that came out.
  package var withoutClaim: OperationRecord {
    let operands = operands.map { operand in
      var operand = operand
      operand.after = nil
      return operand
    }
    return OperationRecord(number: number, operation: operation, operands: operands)
  }
}

extension MemoryBackend {
  /// Sets every element of a tensor of any type to 0, whose bits are the same.
  func zero(_ tensor: Tensor) throws {
    guard tensor.elementType.byteCount == 4 else {
      let zeros = [UInt8](repeating: 0, count: tensor.count * tensor.elementType.byteCount)
      return try zeros.withUnsafeBytes { try upload($0, to: tensor, offset: 0) }
    }
    try fill(try Tensor(shape: tensor.shape, elementType: .float32, storage: tensor.storage), with: 0)
  }
}
