// SPDX-License-Identifier: Apache-2.0
import COpenCL
import Foundation
internal import Kernels

/// An OpenCL device: one in-order queue; work is enqueued and only a read-back waits.
public final class OpenCLBackend: Backend, @unchecked Sendable {
  /// Device and platform.
  public var name: String { Self.name(device, gpu: gpu) }
  /// The device's memory; of the host's, where it computes there, what is free.
  public var memory: Int {
    device.isCPU ? min(device.globalMemory, HostMemory.available) : device.globalMemory
  }
  public var highWaterMark: Int { pool.highWaterMark }
  /// What the device says of itself.
  public let device: OpenCLDevice
  /// The options that programs are built with.
  public var buildOptions: String { programs.options }
  /// Where its programs' text is from.
  public var sources: KernelSources { programs.sources }
  /// What measures its work; nil if nothing does.
  public let profiler: Profiler?
  /// Whether rows are computed by work-groups (GPU variants) instead of single work-items.
  let gpu: Bool
  /// The tiles of its matrix products and convolutions.
  public let tuning: GemmTuning
  let cl: tsr_opencl
  var queue: cl_command_queue { opened.queue }
  private let opened: OpenCLQueue
  let softwareDivision: Bool
  private let programs: OpenCLPrograms
  let pool: OpenCLMemoryPool
  private let staging: OpenCLStaging
  /// The commands whose ends are to be looked at.
  private let commands: OpenCLCommands
  /// The commands whose times are to be read; nil without a profiler.
  private let events: OpenCLEvents?
  /// The matrix units of its products as exact integers.
  let matrixUnits: OpenCLMatrixUnits
  /// Guards kernels' arguments: OpenCL objects are shared, argument slots are not thread-safe.
  private let lock = NSLock()

  /// Opens a device.
  ///
  /// - Parameters:
  ///   - device: one of `OpenCLDevice.all()`.
  ///   - variant: `gpu` for the GPU variants, `cpu` for those of CPU devices; by device type if nil.
  ///   - softwareDivision: use the software division and square root even if the device rounds natively.
  ///   - tuning: the tiles of matrix products and convolutions; what suits the device if nil, or if it
  ///     cannot run these.
  ///   - sources: the kernels' text.
  ///   - profiler: what measures kernels and program builds (`ProfiledBackend` adds the host's transfers);
  ///     nothing does if nil.
  ///   - matrixUnits: which matrix units products as exact integers may use, in GPU variants.
  /// - Throws: `TesseraError` if the device cannot be used, and for emulated matrix units in the variant for CPU
  ///   devices.
  public init(
    _ device: OpenCLDevice, variant: Variant? = nil, softwareDivision: Bool = false,
    tuning: GemmTuning? = nil,
    sources: KernelSources = .embedded, profiler: Profiler? = nil,
    matrixUnits: MatrixUnits = .automatic
  ) throws {
    let cl = try openCL().pointee
    self.cl = cl
    self.device = device
    self.softwareDivision = softwareDivision
    let gpu = Self.isGPUVariant(device, variant)
    self.gpu = gpu
    if case .emulated(let family) = matrixUnits, !gpu {
      throw TesseraError.input(
        "TESSERA_MATRIX_UNITS",
        found:
          "emulated-\(family.rawValue) on opencl:\(device.index), whose kernels are those for CPU devices",
        wanted: "TESSERA_OPENCL_VARIANT=gpu beside it, or auto or off")
    }
    let wanted = tuning.flatMap { $0.fits(device, gpu: gpu) ? $0 : nil }
    self.tuning = wanted ?? .suiting(device, gpu: gpu)
    let opened = try OpenCLQueue(cl, device, timed: profiler != nil)
    self.opened = opened
    programs = OpenCLPrograms(
      cl: cl, context: opened.context, device: device, gpu: gpu,
      nativeDivision: device.roundsDivision && !softwareDivision, sources: sources, profiler: profiler)
    pool = OpenCLMemoryPool(cl: cl, context: opened.context)
    commands = OpenCLCommands(cl: cl)
    staging = OpenCLStaging(cl: cl)
    self.matrixUnits = OpenCLMatrixUnits(matrixUnits, device)
    self.profiler = profiler
    events = try profiler.map {
      try OpenCLEvents(
        $0, cl: cl, context: opened.context, queue: opened.queue, name: Self.name(device, gpu: gpu))
    }
  }

  private static func name(_ device: OpenCLDevice, gpu: Bool) -> String {
    "opencl:\(device.index) (\(device.name), \(device.platform)\(gpu == device.isCPU ? ", GPU kernels" : ""))"
  }

  package var track: Int32? { events?.track }

  // What is kept for commands goes after the queue has come to its end.
  deinit { _ = cl.clFinish(queue) }

  /// Whether a device gets the GPU variants; their work-groups are of up to 256.
  static func isGPUVariant(_ device: OpenCLDevice, _ variant: Variant?) -> Bool {
    variant.map { $0 == .gpu } ?? (!device.isCPU && device.maxWorkGroup >= 256)
  }

  /// Which kernels to run: those written for GPUs or those for CPU devices.
  public enum Variant: Sendable {
    /// Rows by work-groups of 64, operands of a GEMM through local memory.
    case gpu
    /// A work-item a row or a panel of columns, vectors of sixteen, no barriers.
    case cpu

    /// A variant by its name in `TESSERA_OPENCL_VARIANT`: `gpu` or `cpu`, once called `wide` and `narrow`;
    /// nil for another.
    init?(_ name: String) {
      switch name {
      case "gpu", "wide": self = .gpu
      case "cpu", "narrow": self = .cpu
      default: return nil
      }
    }
  }

  /// Enqueues a kernel over a global range.
  func enqueue(
    _ entry: Kernel, options: String = "", global: [Int], local: [Int],
    parameters: UnsafeRawBufferPointer, _ tensors: [Tensor]
  ) throws {
    let name = entry.name
    try lock.withLock {
      let kernel = try programs.kernel(entry.family, name, options: options)
      try check(cl.clSetKernelArg(kernel, 0, parameters.count, parameters.baseAddress), name)
      for (index, tensor) in tensors.enumerated() {
        var buffer: cl_mem? = try tensor.openCL(name, pool).buffer
        try check(
          cl.clSetKernelArg(kernel, cl_uint(index + 1), MemoryLayout<cl_mem>.size, &buffer), name)
      }
      try command(.kernel, name, KernelWork(entry, parameters, tensors)) {
        cl.clEnqueueNDRangeKernel(queue, kernel, cl_uint(global.count), nil, global, local, 0, nil, $0)
      }
    }
  }

  /// Enqueues a user's kernel: items, numbers, then buffers.
  func run(
    _ own: OwnKernel, _ numbers: [Float], _ inputs: [Tensor], _ outputs: [Tensor], _ items: Int
  ) throws {
    guard items > 0 else { return }
    try lock.withLock {
      let kernel = try programs.kernel(own)
      var count = cl_int(items)
      try check(cl.clSetKernelArg(kernel, 0, MemoryLayout<cl_int>.size, &count), own.name)
      for (index, number) in numbers.enumerated() {
        var number = number
        try check(cl.clSetKernelArg(kernel, cl_uint(1 + index), MemoryLayout<Float>.size, &number), own.name)
      }
      for (index, tensor) in (inputs + outputs).enumerated() {
        var buffer: cl_mem? = try tensor.openCL(own.name, pool).buffer
        let place = cl_uint(1 + numbers.count + index)
        try check(cl.clSetKernelArg(kernel, place, MemoryLayout<cl_mem>.size, &buffer), own.name)
      }
      let local = max(1, min(256, device.maxWorkGroup))
      let work = KernelWork(bytes: (inputs + outputs).reduce(0) { $0 + 4 * $1.count })
      try command(.kernel, own.name, work) {
        cl.clEnqueueNDRangeKernel(
          queue, kernel, 1, nil, [(items + local - 1) / local * local], [local], 0, nil, $0)
      }
    }
  }

  /// Enqueues a command with an event, for its end and its times.
  func command(
    _ category: Profiler.Category, _ name: String, _ work: @autoclosure () -> KernelWork,
    _ enqueue: (UnsafeMutablePointer<cl_event?>?) -> cl_int
  ) throws {
    var event: cl_event?
    try check(enqueue(&event), name)
    guard let event else { throw TesseraError.failure(name, found: "no event", wanted: "the command's") }
    events?.share(event, category, name, work())
    try commands.add(event, name)
  }

  public func allocate(_ shape: [Int], _ type: ElementType) throws -> Tensor {
    let count = try Tensor.elementCount(shape)
    do {
      return try Tensor(shape: shape, elementType: type, storage: try pool.storage(count * type.byteCount))
    } catch let error as TesseraError where error.isOutOfMemory {
      throw TesseraError.outOfMemory("a tensor \(shape)", found: error.found, wanted: error.wanted)
    }
  }

  public func upload(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor, offset: Int) throws {
    try tensor.checkTransfer(bytes.count, offset)
    guard bytes.count > 0 else { return }
    let (buffer, size) = (try tensor.openCL("upload", pool).buffer, tensor.elementType.byteCount)
    tensor.forgetBounds()
    guard bytes.count <= OpenCLStaging.largest else {
      return try command(.transfer, "write", KernelWork(bytes: bytes.count)) {
        cl.clEnqueueWriteBuffer(
          queue, buffer, cl_bool(CL_TRUE), offset * size, bytes.count, bytes.baseAddress, 0, nil, $0)
      }
    }
    // A blocking write would wait for everything before it in the queue: the device would idle until the
    // host has enqueued more.
    try staging.write(bytes) { copy, event in
      try check(
        cl.clEnqueueWriteBuffer(
          queue, buffer, cl_bool(CL_FALSE), offset * size, bytes.count, copy, 0, nil, event), "upload")
      if let events, let event = event.pointee {
        events.share(event, .transfer, "write", KernelWork(bytes: bytes.count))
      }
    }
    try check(cl.clFlush(queue), "upload")
  }

  public func download(_ tensor: Tensor, offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
    try tensor.checkTransfer(bytes.count, offset)
    guard bytes.count > 0 else { return }
    let (buffer, size) = (try tensor.openCL("download", pool).buffer, tensor.elementType.byteCount)
    try command(.transfer, "read", KernelWork(bytes: bytes.count)) {
      cl.clEnqueueReadBuffer(
        queue, buffer, cl_bool(CL_TRUE), offset * size, bytes.count, bytes.baseAddress, 0, nil, $0)
    }
    try finished()
  }

  public func synchronize() throws {
    try check(cl.clFinish(queue), "synchronize")
    try finished()
  }

  /// What was enqueued so far is done: what was kept for it is not needed any more.
  private func finished() throws {
    try commands.retire()
    try staging.retire()
    events?.collect()
  }
}

extension Tensor {
  /// The device memory behind the tensor, which is to be the pool's.
  func openCL(_ place: String, _ pool: OpenCLMemoryPool) throws -> OpenCLStorage {
    let storage = try openCLStorage(place, pool)
    storage.prepared.noteAccess()
    return storage
  }

  /// The same for a look at what is known of the memory: nobody reads or writes it.
  func openCLStorage(_ place: String, _ pool: OpenCLMemoryPool) throws -> OpenCLStorage {
    guard let storage = storage as? OpenCLStorage, storage.pool === pool else {
      throw TesseraError.failure(
        place, found: "a tensor of another device", wanted: "one that this OpenCL device allocated")
    }
    return storage
  }
}
