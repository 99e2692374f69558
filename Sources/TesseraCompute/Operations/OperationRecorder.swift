// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Makes the records of a recording.
struct OperationRecorder {
  /// The records so far.
  private(set) var records: [OperationRecord] = []
  /// The operation whose contents were to be kept, once it has run.
  private(set) var captured: OperationFile?
  /// The number of the operation whose contents are kept.
  private let wanted: Int?
  /// The memory that operations met.
  private var memories: [ObjectIdentifier: Known] = [:]
  private var met = 0

  private struct Known {
    /// Tells memory from other memory at its address, which came after it.
    weak var storage: (any TensorStorage)?
    let number: Int
    /// As the last operation left it, for others to read.
    var digest: String?
  }

  /// A recording in which the contents of one operation may be kept.
  init(capturing wanted: Int?) { self.wanted = wanted }

  /// Runs an operation and adds its record; what fails has none.
  mutating func record(_ operation: RecordedOperation, _ tensors: [Tensor], on device: any Backend) throws {
    let accesses = try operation.accesses(tensors.map(\.count))
    let isCaptured = records.count == wanted
    var operands: [OperationRecord.Operand] = [], contents: [Int: Data] = [:]
    for (index, (tensor, access)) in zip(tensors, accesses).enumerated() {
      var operand = OperationRecord.Operand(
        shape: tensor.shape, type: tensor.elementType, memory: number(of: tensor))
      if OperationRecord.hasContents(operand, access, after: operands[...]) {
        operand.before = try digest(of: tensor, on: device)
        if isCaptured { contents[index] = try device.bytes(of: tensor) }
      }
      operands.append(operand)
    }
    let outputs = tensors.indices.filter { accesses[$0] != .read }
    for index in outputs { memories[ObjectIdentifier(tensors[index].storage)]?.digest = nil }
    try operation.run(on: device, tensors)
    for index in outputs { operands[index].after = try digest(of: tensors[index], on: device) }
    let record = OperationRecord(number: records.count, operation: operation, operands: operands)
    if isCaptured { captured = OperationFile(record: record, contents: contents) }
    records.append(record)
  }

  /// The number of a tensor's memory, a new one where it is met first.
  private mutating func number(of tensor: Tensor) -> Int {
    let key = ObjectIdentifier(tensor.storage)
    if let known = memories[key], known.storage === tensor.storage { return known.number }
    memories[key] = Known(storage: tensor.storage, number: met)
    met += 1
    return met - 1
  }

  /// The digest of a tensor whose memory has a number.
  private mutating func digest(of tensor: Tensor, on device: any Backend) throws -> String {
    let key = ObjectIdentifier(tensor.storage)
    if let digest = memories[key]?.digest { return digest }
    let digest = try device.digest(of: tensor)
    memories[key]?.digest = digest
    return digest
  }
}

extension MemoryBackend {
  /// SHA-256 of a tensor's elements alone.
  func digest(of tensor: Tensor) throws -> String {
    var print = Fingerprint()
    try print.addElements(of: tensor, on: self)
    return print.digits()
  }

  /// A tensor's elements, as they lie on the device.
  func bytes(of tensor: Tensor) throws -> Data {
    var data = Data(count: tensor.count * tensor.elementType.byteCount)
    try data.withUnsafeMutableBytes { try download(tensor, offset: 0, into: $0) }
    return data
  }
}
