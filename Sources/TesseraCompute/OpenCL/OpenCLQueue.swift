// SPDX-License-Identifier: Apache-2.0
import COpenCL

/// A device's context with its in-order queue; both are released at the end, and if the second cannot be
/// made.
final class OpenCLQueue: @unchecked Sendable {
  let context: cl_context
  let queue: cl_command_queue
  private let cl: tsr_opencl

  /// Opens a device.
  ///
  /// - Parameter timed: whether commands are to tell their times.
  /// - Throws: `TesseraError` if the driver refuses.
  init(_ cl: tsr_opencl, _ device: OpenCLDevice, timed: Bool) throws {
    self.cl = cl
    var status: cl_int = 0
    var id: cl_device_id? = device.id
    let context = cl.clCreateContext(nil, 1, &id, nil, nil, &status)
    try check(status, "context of \(device.name)")
    guard let context else { throw TesseraError.failure("context of \(device.name)", found: "nothing") }
    let properties = timed ? cl_command_queue_properties(CL_QUEUE_PROFILING_ENABLE) : 0
    let queue = cl.clCreateCommandQueue(context, id, properties, &status)
    guard let queue, status == CL_SUCCESS else {
      _ = cl.clReleaseContext(context)
      try check(status, "queue of \(device.name)")
      throw TesseraError.failure("queue of \(device.name)", found: "nothing")
    }
    (self.context, self.queue) = (context, queue)
  }

  deinit {
    _ = cl.clFinish(queue)
    _ = cl.clReleaseCommandQueue(queue)
    _ = cl.clReleaseContext(context)
  }
}
