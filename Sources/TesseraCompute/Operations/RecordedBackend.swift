// SPDX-License-Identifier: Apache-2.0

/// A backend that can note every operation that enters it: the same primitives, hence the same bits, and the
/// same notes whatever the device.
///
/// Notes are taken of what a caller asks for, a primitive of `Backend`, not of the launches that a device
/// makes of it: these are each device's own. It is no `KernelDispatching`, so the compiler sees to it that no
/// primitive goes by unnoted.
///
/// Memory that it gives out holds zeros, also while nothing is recorded: of a tensor that is written in part,
/// such as an epoch's losses, the rest would else be what some other tensor left there, and two honest
/// parties would differ. Of an output that is written whole, what it held before is not noted.
package final class RecordedBackend: Backend {
  /// The backend that does the work.
  let base: any Backend
  /// Nil while nothing is recorded.
  private let recorder = Locked<OperationRecorder?>(nil)

  /// A device whose operations can be recorded; nothing is, at first.
  package init(_ device: any Backend) { base = device }

  /// What was noted.
  package struct Recording: Sendable {
    /// The operations in their order.
    package let operations: [OperationRecord]
    /// The operation whose contents were to be kept; nil where none was, or there were fewer.
    package let captured: OperationFile?
  }

  /// Begins a recording, from number 0.
  ///
  /// - Parameter number: the operation whose tensors' contents are kept, for a file of it.
  /// - Throws: `TesseraError` while another recording is made.
  package func start(capturing number: Int? = nil) throws {
    let isFree = recorder.withLock { recorder in
      defer { if recorder == nil { recorder = OperationRecorder(capturing: number) } }
      return recorder == nil
    }
    guard isFree else {
      throw TesseraError.failure("recording", found: "another that has begun", wanted: "its end first")
    }
  }

  /// Ends the recording.
  ///
  /// - Throws: `TesseraError` where none has begun.
  package func stop() throws -> Recording {
    let made = recorder.withLock { recorder in
      defer { recorder = nil }
      return recorder.map { Recording(operations: $0.records, captured: $0.captured) }
    }
    guard let made else {
      throw TesseraError.failure("recording", found: "none that has begun", wanted: "its beginning first")
    }
    return made
  }

  /// Runs an operation, and notes it if that is wanted.
  func perform(_ kind: RecordedOperation.Kind, _ tensors: [Tensor]) throws {
    let operation = RecordedOperation(kind: kind)
    let isRecorded = try recorder.withLock { recorder in
      guard recorder != nil else { return false }
      try recorder?.record(operation, tensors, on: base)
      return true
    }
    // Not under the lock: several threads may use one device.
    if !isRecorded { try operation.run(on: base, tensors) }
  }

  package var unprofiled: any Backend { base.unprofiled }
  package var info: DeviceInfo { base.info }
  package var name: String { base.name }
  package var memory: Int { base.memory }
  package var highWaterMark: Int { base.highWaterMark }
  package var profiler: Profiler? { base.profiler }
}

extension RecordedBackend {
  package func allocate(_ shape: [Int], _ type: ElementType) throws -> Tensor {
    let tensor = try base.allocate(shape, type)
    try base.zero(tensor)
    return tensor
  }

  package func upload(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor, offset: Int) throws {
    guard recorder.withLock({ $0 != nil }) else {
      return try base.upload(bytes, to: tensor, offset: offset)
    }
    // The host's bytes become an operand like others.
    try tensor.checkTransfer(bytes.count, offset)
    let source = try base.allocate(
      [bytes.count / tensor.elementType.byteCount], tensor.elementType)
    try base.upload(bytes, to: source, offset: 0)
    try perform(.memory(.upload(offset: offset)), [source, tensor])
  }

  package func download(
    _ tensor: Tensor, offset: Int, into bytes: UnsafeMutableRawBufferPointer
  ) throws {
    try base.download(tensor, offset: offset, into: bytes)
  }

  package func synchronize() throws { try base.synchronize() }

  package func fill(_ tensor: Tensor, with value: Float) throws {
    try perform(.memory(.fill(value: FloatBits(value))), [tensor])
  }

  package func convert(_ x: Tensor, into y: Tensor) throws {
    try perform(.memory(.convert(to: y.elementType)), [x, y])
  }

  package func copy(_ source: Tensor, to destination: Tensor, region: CopyRegion) throws {
    try perform(.memory(.copy(region: region)), [source, destination])
  }

  package func copy(_ source: Tensor, to destination: Tensor, strided p: StridedCopy) throws {
    try perform(.memory(.copyStrided(p: p)), [source, destination])
  }

  package func transpose(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    try perform(.memory(.transpose(rows: rows, columns: columns)), [x, y])
  }

  package func swapAxes(_ x: Tensor, outer: Int, a: Int, b: Int, inner: Int, into y: Tensor) throws {
    try perform(.memory(.swapAxes(outer: outer, a: a, b: b, inner: inner)), [x, y])
  }
}
