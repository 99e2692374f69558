// SPDX-License-Identifier: Apache-2.0
package import Kernels

/// A backend under a profiler: the same primitives, hence the same bits. The host's transfers and waits
/// become spans; kernels are timed by the device's events, on the CPU as spans of its track.
public final class ProfiledBackend: KernelDispatching {
  /// The backend that does the work.
  private let base: any KernelDispatching
  /// Where the measurements go.
  public let profiler: Profiler?
  private let sink: Profiler
  /// The device's track.
  private let deviceTrack: Int32
  /// Whether the host times its kernels: the device does otherwise.
  private let isTimedByHost: Bool

  /// A backend under a profiler. A device that times its own kernels has to be opened with the same one.
  package init(_ device: any KernelDispatching, profiler: Profiler) {
    (base, self.profiler, sink) = (device, profiler, profiler)
    isTimedByHost = device.track == nil
    deviceTrack = device.track ?? profiler.addTrack(device.name)
  }

  package var track: Int32? { deviceTrack }
  package var peakKernels: [Kernel] { base.peakKernels }
  package var tunable: (any TunableBackend)? { base.tunable }
  public var unprofiled: any Backend { base }
  public var info: DeviceInfo { base.info }
  public var name: String { base.name }
  public var memory: Int { base.memory }
  public var highWaterMark: Int { base.highWaterMark }

  package func launch<P: KernelParameters>(
    _ kernel: Kernel, items: Int, cost: Int, _ parameters: P, _ tensors: [Tensor]
  ) throws {
    guard items > 0, isTimedByHost else {
      return try base.launch(kernel, items: items, cost: cost, parameters, tensors)
    }
    let work = withUnsafeBytes(of: parameters) { KernelWork(kernel, $0, tensors) }
    try timed(kernel.name, work) {
      try base.launch(kernel, items: items, cost: cost, parameters, tensors)
    }
  }

  /// A kernel of the CPU; of another device it is timed by itself.
  func timed(_ name: String, _ work: @autoclosure () -> KernelWork, _ body: () throws -> Void)
    rethrows
  {
    guard isTimedByHost else { return try body() }
    let start = Profiler.now
    try body()
    let end = Profiler.now
    sink.add(
      ProfileRecord(.kernel, start: start, end: end, work: work()), name, primitive: Profiler.primitive,
      track: deviceTrack)
  }

  public func allocate(_ shape: [Int], _ type: ElementType) throws -> Tensor {
    try base.allocate(shape, type)
  }

  public func upload(_ bytes: UnsafeRawBufferPointer, to tensor: Tensor, offset: Int) throws {
    try sink.span(.upload, "upload", bytes: bytes.count) {
      try base.upload(bytes, to: tensor, offset: offset)
    }
  }

  public func download(_ tensor: Tensor, offset: Int, into bytes: UnsafeMutableRawBufferPointer) throws {
    try sink.span(.download, "download", bytes: bytes.count) {
      try base.download(tensor, offset: offset, into: bytes)
    }
  }

  public func synchronize() throws { try sink.span(.wait, "synchronize") { try base.synchronize() } }

  public func fill(_ tensor: Tensor, with value: Float) throws {
    try timed("fill", KernelWork(bytes: 4 * tensor.count)) { try base.fill(tensor, with: value) }
  }

  public func copy(_ source: Tensor, to destination: Tensor, region: CopyRegion) throws {
    try timed("copy", KernelWork(bytes: 8 * region.rows * region.columns)) {
      try base.copy(source, to: destination, region: region)
    }
  }

  public func transpose(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    try timed("transpose", KernelWork(bytes: 4 * (x.count + y.count))) {
      try base.transpose(x, rows: rows, columns: columns, into: y)
    }
  }
}

extension ProfiledBackend {
  /// A contraction: a kernel on the CPU, several on other devices.
  private func contraction(
    _ name: String, _ multiplyAdds: Double, _ tensors: [Tensor], _ products: Products = .fp32,
    _ body: () throws -> Void
  ) throws {
    let (name, bytes) = (products.named(name), tensors.reduce(0) { $0 + 4 * $1.count })
    let work = products.work(multiplyAdds, bytes: bytes)
    try sink.within(name, work, track: deviceTrack) { try timed(name, work, body) }
  }

  public func matmul(_ p: Matmul, _ a: Tensor, _ b: Tensor, bias: Tensor?, into c: Tensor) throws {
    try contraction("matmul", p.multiplyAdds, [a, b, c], p.products) {
      try base.matmul(p, a, b, bias: bias, into: c)
    }
  }

  public func attention(
    _ p: PackedAttention, _ x: Tensor, lengths: [Int], bias: Tensor?, into y: Tensor
  ) throws {
    try contraction("attention", Double(p.multiplyAdds(lengths)), [x, y]) {
      try base.attention(p, x, lengths: lengths, bias: bias, into: y)
    }
  }

  public func conv2d(_ p: Convolution, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor) throws {
    try contraction("conv2d", Double(p.multiplyAdds), [x, w, y], p.sums) {
      try base.conv2d(p, x, w, bias: bias, into: y)
    }
  }

  public func conv2dGradData(_ p: Convolution, _ dy: Tensor, _ w: Tensor, into dx: Tensor) throws {
    try contraction("conv2dGradData", Double(p.multiplyAdds), [dy, w, dx], p.sums) {
      try base.conv2dGradData(p, dy, w, into: dx)
    }
  }

  public func conv2dGradWeight(_ p: Convolution, _ x: Tensor, _ dy: Tensor, into dw: Tensor) throws {
    try contraction("conv2dGradWeight", Double(p.multiplyAdds), [x, dy, dw], p.sums) {
      try base.conv2dGradWeight(p, x, dy, into: dw)
    }
  }

  public func squaredDistances(_ x: Tensor, points: Int, dims: Int, into d: Tensor) throws {
    try contraction("squaredDistances", 1.5 * Double(points) * Double(points) * Double(dims), [x, d]) {
      try base.squaredDistances(x, points: points, dims: dims, into: d)
    }
  }

  public func squaredDistances(
    _ x: Tensor, rows: Range<Int>, columns: Range<Int>, points: Int, dims: Int, into d: Tensor
  ) throws {
    try contraction("squaredDistances", 1.5 * Double(d.count) * Double(dims), [d]) {
      try base.squaredDistances(x, rows: rows, columns: columns, points: points, dims: dims, into: d)
    }
  }
}
