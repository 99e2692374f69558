// SPDX-License-Identifier: Apache-2.0
import COpenCL
import Foundation

/// Copies of host data that writes in the queue have yet to read, so that an upload need not wait for its
/// turn.
final class OpenCLStaging: @unchecked Sendable {
  /// Bytes above which an upload is not worth a copy.
  static let largest = 16 << 20
  /// How many writes, and bytes in them, the host may be ahead of the device.
  private static let mostWrites = 32, mostBytes = 64 << 20

  private let lock = NSLock()
  private let cl: tsr_opencl
  private let pool = CPUMemoryPool()
  private var waiting: [(event: cl_event, copy: CPUStorage)] = []
  private var bytes = 0

  init(cl: tsr_opencl) { self.cl = cl }

  deinit { for write in waiting { _ = cl.clReleaseEvent(write.event) } }

  /// Copies data and lets a non-blocking write of the copy be enqueued, which gives its event.
  func write(
    _ data: UnsafeRawBufferPointer,
    _ enqueue: (UnsafeRawPointer, UnsafeMutablePointer<cl_event?>) throws -> Void
  ) throws {
    guard let start = data.baseAddress else { return }
    let copy = try pool.storage(data.count, for: "an upload")
    copy.pointer.copyMemory(from: start, byteCount: data.count)
    var event: cl_event?
    try enqueue(copy.pointer, &event)
    guard let event else { throw TesseraError.failure("upload", found: "no event", wanted: "the write's") }
    try lock.withLock {
      waiting.append((event, copy))
      bytes += data.count
      try releaseDone()
      while waiting.count > Self.mostWrites || bytes > Self.mostBytes, let oldest = waiting.first {
        var event: cl_event? = oldest.event
        let status = cl.clWaitForEvents(1, &event)
        release(1)
        try check(status, "upload")
      }
    }
  }

  /// Gives back what was kept for writes that are done. Another thread may have enqueued more in the
  /// meantime.
  ///
  /// - Throws: `TesseraError` if a write failed.
  func retire() throws { try lock.withLock { try releaseDone() } }

  /// The queue is in order: what is done is in front.
  private func releaseDone() throws {
    let states = waiting.lazy.map { self.cl.executionStatus($0.event) }.prefix { $0 <= CL_COMPLETE }
    let (count, failure) = states.reduce((0, cl_int(CL_SUCCESS))) { ($0.0 + 1, min($0.1, $1)) }
    release(count)
    try check(failure, "upload")
  }

  private func release(_ count: Int) {
    for write in waiting.prefix(count) {
      bytes -= write.copy.byteCount
      _ = cl.clReleaseEvent(write.event)
    }
    waiting.removeFirst(count)
  }
}

extension tsr_opencl {
  /// How far a command is: `CL_COMPLETE`, more before, an error's negative number if it failed or cannot be
  /// asked: what became of it is not known then, and never will be.
  func executionStatus(_ event: cl_event) -> cl_int {
    var status = cl_int(CL_QUEUED)
    let found = clGetEventInfo(
      event, cl_event_info(CL_EVENT_COMMAND_EXECUTION_STATUS), MemoryLayout.size(ofValue: status), &status,
      nil)
    return found == CL_SUCCESS ? status : found
  }

  /// Whether a command has come to its end, good or bad.
  func isDone(_ event: cl_event) -> Bool { executionStatus(event) <= CL_COMPLETE }
}
