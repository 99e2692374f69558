// SPDX-License-Identifier: Apache-2.0
import COpenCL
import Foundation

/// Device memory that returns to the pool.
final class OpenCLStorage: TensorStorage, IntegerBounds, @unchecked Sendable {
  let buffer: cl_mem
  let byteCount: Int
  let bounds = Bounds()
  let prepared = PreparedWeights()
  private let capacity: Int
  let pool: OpenCLMemoryPool

  init(buffer: cl_mem, byteCount: Int, capacity: Int, pool: OpenCLMemoryPool) {
    self.buffer = buffer
    self.byteCount = byteCount
    self.capacity = capacity
    self.pool = pool
  }

  deinit { pool.release(buffer, capacity: capacity) }
}

/// Free lists of device buffers by size class. The queue is in order, so a buffer can be handed out again
/// while its last use is still pending.
final class OpenCLMemoryPool: @unchecked Sendable {
  private let lock = NSLock()
  private let cl: tsr_opencl
  private let context: cl_context
  /// Whether a buffer ends where its tensor does, so that a simulator sees what is read beyond.
  private let exact: Bool
  private var free: [Int: [cl_mem]] = [:]
  /// Bytes that the device has given, those in the lists among them, and the most that it ever has.
  private var held = 0
  private var most = 0
  /// The most bytes that were held at a time.
  var highWaterMark: Int { lock.withLock { most } }

  /// `TESSERA_OPENCL_BUFFERS=exact` asks for exact buffers.
  init(
    cl: tsr_opencl, context: cl_context,
    exact: Bool = ProcessInfo.processInfo.environment["TESSERA_OPENCL_BUFFERS"] == "exact"
  ) {
    self.cl = cl
    self.context = context
    self.exact = exact
  }

  deinit {
    for buffer in free.values.joined() { _ = cl.clReleaseMemObject(buffer) }
  }

  func storage(_ bytes: Int) throws -> OpenCLStorage {
    let capacity = exact ? max(bytes, 4) : CPUMemoryPool.sizeClass(bytes)
    if let buffer = lock.withLock({ free[capacity]?.popLast() }) {
      return OpenCLStorage(buffer: buffer, byteCount: bytes, capacity: capacity, pool: self)
    }
    if let buffer = try? create(capacity) {
      return OpenCLStorage(buffer: buffer, byteCount: bytes, capacity: capacity, pool: self)
    }
    // What is kept for later may be what is missing now.
    let kept = lock.withLock {
      let all = Array(free.values.joined())
      held -= free.reduce(0) { $0 + $1.key * $1.value.count }
      free = [:]
      return all
    }
    for buffer in kept { _ = cl.clReleaseMemObject(buffer) }
    return OpenCLStorage(buffer: try create(capacity), byteCount: bytes, capacity: capacity, pool: self)
  }

  private func create(_ capacity: Int) throws -> cl_mem {
    var status: cl_int = 0
    let buffer = cl.clCreateBuffer(context, cl_mem_flags(CL_MEM_READ_WRITE), capacity, nil, &status)
    guard
      ![CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY, CL_INVALID_BUFFER_SIZE]
        .contains(status)
    else {
      throw TesseraError.outOfMemory(
        "opencl buffer", found: openCLError(status),
        wanted: "\(capacity) bytes beside \(lock.withLock { held }) in use")
    }
    try check(status, "opencl buffer of \(capacity) bytes")
    lock.withLock {
      held += capacity
      most = max(most, held)
    }
    guard let buffer else {
      throw TesseraError.failure("opencl buffer", found: "nothing", wanted: "\(capacity) bytes")
    }
    return buffer
  }

  func release(_ buffer: cl_mem, capacity: Int) {
    lock.withLock { free[capacity, default: []].append(buffer) }
  }
}
