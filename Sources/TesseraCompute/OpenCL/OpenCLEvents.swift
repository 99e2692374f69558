// SPDX-License-Identifier: Apache-2.0
import COpenCL
import Foundation

/// The commands of a queue whose times are read once they are done, for a profiler.
final class OpenCLEvents: @unchecked Sendable {
  private struct Pending {
    let event: cl_event
    let category: Profiler.Category
    let name: String
    let primitive: Int32
    let work: KernelWork
  }

  /// Commands after which those that are done are looked for, and that may be waiting at all.
  private static let batch = 1024, most = 16 * batch

  private let lock = NSLock()
  private let cl: tsr_opencl
  private let profiler: Profiler
  /// The device's track in the profile.
  let track: Int32
  /// What the host's clock is ahead of the device's, in nanoseconds.
  private let offset: Int64
  private var pending: [Pending] = []

  /// - Throws: `TesseraError` if the device tells no times.
  init(_ profiler: Profiler, cl: tsr_opencl, context: cl_context, queue: cl_command_queue, name: String)
    throws
  {
    (self.profiler, self.cl) = (profiler, cl)
    offset = try Self.offset(cl, context, queue, name)
    track = profiler.addTrack(name)
    pending.reserveCapacity(2 * Self.batch)
  }

  deinit { for command in pending { _ = cl.clReleaseEvent(command.event) } }

  /// The difference of the clocks: a write is handed to the empty queue between two looks at the host's
  /// clock, and the narrowest of some such intervals counts. (Intel's runtime tells no times of markers.)
  private static func offset(
    _ cl: tsr_opencl, _ context: cl_context, _ queue: cl_command_queue, _ name: String
  ) throws -> Int64 {
    var status: cl_int = 0
    let buffer = cl.clCreateBuffer(context, cl_mem_flags(CL_MEM_READ_WRITE), 4, nil, &status)
    try check(status, "profile of \(name)")
    guard let buffer else {
      throw TesseraError.failure("profile of \(name)", found: "nothing", wanted: "a buffer")
    }
    defer { _ = cl.clReleaseMemObject(buffer) }
    var word: UInt32 = 0
    return try withUnsafeBytes(of: &word) { try offset(cl, queue, name, writing: $0, to: buffer) }
  }

  private static func offset(
    _ cl: tsr_opencl, _ queue: cl_command_queue, _ name: String, writing bytes: UnsafeRawBufferPointer,
    to buffer: cl_mem
  ) throws -> Int64 {
    var best: (width: Int64, offset: Int64)?
    for _ in 0..<8 {
      var event: cl_event?
      let before = Profiler.now
      try check(
        cl.clEnqueueWriteBuffer(
          queue, buffer, cl_bool(CL_FALSE), 0, bytes.count, bytes.baseAddress, 0, nil, &event),
        "profile of \(name)")
      let after = Profiler.now
      try check(cl.clFinish(queue), "profile of \(name)")
      guard let event else { continue }
      defer { _ = cl.clReleaseEvent(event) }
      guard let queued = time(cl, event, CL_PROFILING_COMMAND_QUEUED), queued > 0 else { continue }
      if after - before < best?.width ?? .max {
        best = (after - before, before + (after - before) / 2 - queued)
      }
    }
    guard let best else {
      throw TesseraError.failure(
        "profile of \(name)", found: "no times of commands", wanted: "a device that tells them")
    }
    return best.offset
  }

  /// Adds a command by its event, which somebody else keeps too.
  func share(_ event: cl_event, _ category: Profiler.Category, _ name: String, _ work: KernelWork) {
    guard cl.clRetainEvent(event) == CL_SUCCESS else { return profiler.addUntimed() }
    let command = Pending(
      event: event, category: category, name: name, primitive: Profiler.primitive, work: work)
    lock.withLock {
      pending.append(command)
      guard pending.count % Self.batch == 0 else { return }
      // The queue is in order: what is done is in front.
      var done = doneCount
      if done == 0, pending.count >= Self.most {
        done = Self.batch
        var last: cl_event? = pending[done - 1].event
        _ = cl.clWaitForEvents(1, &last)
      }
      read(done)
    }
  }

  /// Reads the times of the commands that are done.
  func collect() { lock.withLock { read(doneCount) } }

  private var doneCount: Int { pending.firstIndex { !cl.isDone($0.event) } ?? pending.count }

  private func read(_ count: Int) {
    for command in pending.prefix(count) {
      defer { _ = cl.clReleaseEvent(command.event) }
      guard let start = time(command, CL_PROFILING_COMMAND_START),
        let end = time(command, CL_PROFILING_COMMAND_END)
      else {
        profiler.addUntimed()
        continue
      }
      profiler.add(
        ProfileRecord(
          command.category, queued: time(command, CL_PROFILING_COMMAND_QUEUED),
          submit: time(command, CL_PROFILING_COMMAND_SUBMIT), start: start, end: end, work: command.work),
        command.name, primitive: command.primitive, track: track)
    }
    pending.removeFirst(count)
  }

  private func time(_ command: Pending, _ what: Int32) -> Int64? {
    Self.time(cl, command.event, what).map { $0 + offset }
  }

  private static func time(_ cl: tsr_opencl, _ event: cl_event, _ what: Int32) -> Int64? {
    var value: cl_ulong = 0
    let status = cl.clGetEventProfilingInfo(
      event, cl_profiling_info(what), MemoryLayout.size(ofValue: value), &value, nil)
    return status == CL_SUCCESS ? Int64(clamping: value) : nil
  }
}
