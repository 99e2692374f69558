import COpenCL
import Foundation
import Kernels

/// An OpenCL device: one in-order queue; work is enqueued and only a read-back waits.
public final class OpenCLBackend: Backend, @unchecked Sendable {
  /// Device and platform.
  public var name: String {
    "opencl:\(device.index) (\(device.name), \(device.platform)\(wide == device.isCPU ? ", GPU kernels" : ""))"
  }
  /// The device's memory; of the host's, where it computes there, what is free.
  public var memory: Int {
    device.isCPU ? min(device.globalMemory, HostMemory.available) : device.globalMemory
  }
  /// What the device says of itself.
  public let device: OpenCLDevice
  /// The options that programs are built with.
  public var buildOptions: String { programs.options }
  /// Whether rows are computed by work-groups (GPU variants) instead of single work-items.
  let wide: Bool
  let cl: tsr_opencl
  let queue: cl_command_queue
  private let context: cl_context
  private let programs: OpenCLPrograms
  private let pool: OpenCLMemoryPool
  /// Guards kernels' arguments: OpenCL objects are shared, argument slots are not thread-safe.
  private let lock = NSLock()

  /// Opens a device.
  ///
  /// - Parameters:
  ///   - device: one of `OpenCLDevice.all()`.
  ///   - variant: `wide` for the GPU variants, `narrow` for those of CPU devices; by device type if nil.
  ///   - softwareDivision: use the software division and square root even if the device rounds natively.
  /// - Throws: `TesseraError` if the device cannot be used.
  public init(_ device: OpenCLDevice, variant: Variant? = nil, softwareDivision: Bool = false) throws {
    let cl = try openCL().pointee
    self.cl = cl
    self.device = device
    wide = variant.map { $0 == .wide } ?? !device.isCPU
    var status: cl_int = 0
    var id: cl_device_id? = device.id
    let context = cl.clCreateContext(nil, 1, &id, nil, nil, &status)
    try check(status, "context of \(device.name)")
    guard let context else { throw TesseraError.failure("context of \(device.name)", found: "nothing") }
    self.context = context
    let queue = cl.clCreateCommandQueue(context, id, 0, &status)
    try check(status, "queue of \(device.name)")
    guard let queue else { throw TesseraError.failure("queue of \(device.name)", found: "nothing") }
    self.queue = queue
    programs = OpenCLPrograms(
      cl: cl, context: context, device: device, wide: wide,
      nativeDivision: device.roundsDivision && !softwareDivision)
    pool = OpenCLMemoryPool(cl: cl, context: context)
  }

  deinit {
    _ = cl.clFinish(queue)
    _ = cl.clReleaseCommandQueue(queue)
    _ = cl.clReleaseContext(context)
  }

  /// Which form of the row and product kernels to run.
  public enum Variant: Sendable {
    case wide, narrow
  }

  /// Enqueues a kernel over a global range.
  func enqueue(
    _ family: String, _ name: String, global: [Int], local: [Int], parameters: UnsafeRawBufferPointer,
    _ tensors: [Tensor]
  ) throws {
    try lock.withLock {
      let kernel = try programs.kernel(family, name)
      try check(cl.clSetKernelArg(kernel, 0, parameters.count, parameters.baseAddress), name)
      for (index, tensor) in tensors.enumerated() {
        var buffer: cl_mem? = try tensor.openCL(name).buffer
        try check(
          cl.clSetKernelArg(kernel, cl_uint(index + 1), MemoryLayout<cl_mem>.size, &buffer), name)
      }
      try check(
        cl.clEnqueueNDRangeKernel(queue, kernel, cl_uint(global.count), nil, global, local, 0, nil, nil), name
      )
    }
  }

  public func allocate(_ shape: [Int], _ type: ElementType) throws -> Tensor {
    let count = try Tensor.elementCount(shape)
    return Tensor(shape: shape, elementType: type, storage: try pool.storage(count * type.byteCount))
  }

  public func upload(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor, offset: Int) throws {
    try tensor.checkTransfer(bytes.count, offset)
    guard bytes.count > 0 else { return }
    let buffer = try tensor.openCL("upload").buffer
    try check(
      cl.clEnqueueWriteBuffer(
        queue, buffer, cl_bool(CL_TRUE), offset * 4, bytes.count, bytes.baseAddress, 0, nil, nil), "upload")
  }

  public func download(_ tensor: Tensor, offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
    try tensor.checkTransfer(bytes.count, offset)
    guard bytes.count > 0 else { return }
    let buffer = try tensor.openCL("download").buffer
    try check(
      cl.clEnqueueReadBuffer(
        queue, buffer, cl_bool(CL_TRUE), offset * 4, bytes.count, bytes.baseAddress, 0, nil, nil), "download")
  }

  public func synchronize() throws { try check(cl.clFinish(queue), "synchronize") }
}

extension Tensor {
  /// The device memory behind the tensor.
  func openCL(_ place: String) throws -> OpenCLStorage {
    guard let storage = storage as? OpenCLStorage else {
      throw TesseraError.failure(
        place, found: "a tensor of another device", wanted: "one of the OpenCL device")
    }
    return storage
  }

  /// Throws unless a transfer of bytes from an element on lies inside the tensor.
  func checkTransfer(_ bytes: Int, _ offset: Int) throws {
    guard offset >= 0, offset * 4 + bytes <= count * 4 else {
      throw TesseraError.failure(
        "transfer", found: "\(bytes) bytes from element \(offset)", wanted: "within \(count) elements")
    }
  }

  /// The number of elements of a shape, checked.
  static func elementCount(_ shape: [Int]) throws -> Int {
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow, product <= Int(Int32.max) else {
        throw TesseraError.failure(
          "tensor \(shape)", found: "too many elements", wanted: "extents from 0, at most 2^31 - 1 elements")
      }
      count = product
    }
    return count
  }
}
