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
  /// Digests of memory as the last operation that was recorded left it: what one operation makes others read.
  private var digests: [ObjectIdentifier: Known] = [:]

  private struct Known {
    /// Tells memory from other memory at its address, which came after it.
    weak var storage: (any TensorStorage)?
    let digest: String
  }

  /// A recording in which the contents of one operation may be kept.
  init(capturing wanted: Int?) { self.wanted = wanted }

  /// Runs an operation and adds its record; what fails has none.
  mutating func record(_ operation: RecordedOperation, _ tensors: [Tensor], on device: any Backend) throws {
    let accesses = try operation.accesses(tensors.map(\.count))
    let isCaptured = records.count == wanted
    var operands: [OperationRecord.Operand] = [], contents: [Int: Data] = [:]
    for (index, (tensor, access)) in zip(tensors, accesses).enumerated() {
      var operand = OperationRecord.Operand(shape: tensor.shape, type: tensor.elementType)
      operand.sharing = tensors[..<index].firstIndex { $0.storage === tensor.storage }
      if OperationRecord.hasContents(operand, access) {
        operand.before = try digest(of: tensor, on: device)
        if isCaptured { contents[index] = try device.bytes(of: tensor) }
      }
      operands.append(operand)
    }
    let outputs = tensors.indices.filter { accesses[$0] != .read }
    for index in outputs { digests[ObjectIdentifier(tensors[index].storage)] = nil }
    try operation.run(on: device, tensors)
    for index in outputs { operands[index].after = try digest(of: tensors[index], on: device) }
    let record = OperationRecord(number: records.count, operation: operation, operands: operands)
    if isCaptured { captured = OperationFile(record: record, contents: contents) }
    records.append(record)
  }

  private mutating func digest(of tensor: Tensor, on device: any Backend) throws -> String {
    let key = ObjectIdentifier(tensor.storage)
    if let known = digests[key], known.storage === tensor.storage { return known.digest }
    let digest = try device.digest(of: tensor)
    digests[key] = Known(storage: tensor.storage, digest: digest)
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
