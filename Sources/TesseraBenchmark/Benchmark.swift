// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Kernels
import TesseraCompute

/// Times primitives on a device and says how near they come to what the device can do.
public struct Benchmark: Sendable {
  /// One primitive on one shape.
  public struct Item: Sendable {
    /// The primitive, such as `matmul`.
    public let kernel: String
    /// The shape.
    public let label: String
    /// Floating-point operations of one run (a fused product counts two).
    public let operations: Double
    /// Bytes that one run has to move at least.
    public let bytes: Double
    /// Allocates inputs and returns what to time and what to read back for the comparison of bits.
    let prepare: @Sendable (any Backend) throws -> (run: () throws -> Void, output: Tensor)
  }

  /// A measured item.
  public struct Result: Sendable, Codable {
    /// The primitive.
    public let kernel: String
    /// Its shape.
    public let label: String
    /// The median of the run time in seconds; nil if the device cannot run it.
    public let p50: Double?
    /// The 95th percentile of the run time in seconds.
    public let p95: Double?
    /// GFLOP/s at the median.
    public let gflops: Double?
    /// GB/s at the median.
    public let gigabytes: Double?
    /// Per cent of the device's measured FMA or bandwidth peak, whichever is the tighter bound.
    public let percentOfPeak: Double?
    /// Floating-point operations for each byte that has to be moved.
    public let intensity: Double?
    /// Which of the two bounds the time (the roofline of Williams et al. 2009): `compute` or `memory`.
    public let bound: String?
    /// Whether the bits equal the CPU's; nil on the CPU itself.
    public let bitsMatch: Bool?
    /// Why it could not be run.
    public let failure: String?
  }

  /// What the device was measured to do at most.
  public struct Peaks: Sendable, Codable {
    /// GFLOP/s of fused products in registers.
    public let gflops: Double
    /// GB/s of a large copy, read and written bytes together.
    public let gigabytes: Double
  }

  /// Seconds of each of at least `least` runs within about `budget` seconds, sorted. Short runs are
  /// enqueued several at a time, half a millisecond of them, and share its length: a GPU's launch and wait
  /// would else be most of it.
  static func times(_ device: any Backend, budget: Double, least: Int = 5, _ run: () throws -> Void) throws
    -> [Double]
  {
    func seconds(_ count: Int) throws -> Double {
      let start = DispatchTime.now().uptimeNanoseconds
      for _ in 0..<count { try run() }
      try device.synchronize()
      return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9 / Double(count)
    }
    try run()
    try device.synchronize()
    let together = Int(min(64, max(1, 5e-4 / max(try seconds(1), 1e-9))))
    var times: [Double] = []
    let begin = DispatchTime.now().uptimeNanoseconds
    while times.count < least || Double(DispatchTime.now().uptimeNanoseconds - begin) < budget * 1e9 {
      times.append(try seconds(together))
      if times.count >= 1000 { break }
    }
    return times.sorted()
  }

  /// Measures the device's peaks.
  public static func peaks(of device: any Backend) throws -> Peaks {
    let launcher = try device.requireLauncher("bench")
    let rows = 4096
    let one = try device.tensor([Float(0)], [1])
    let out = try device.allocate([rows], .float32)
    let p = tsr_map_params(count: Int32(rows), alpha: 0.999, beta: 0.001)
    let seconds = try launcher.peakKernels.map { kernel in
      try times(device, budget: 0.5) {
        try launcher.launch(kernel, items: rows, cost: 1 << 20, p, [one, out])
      }[0]
    }
    let count = 64 << 20
    let source = try device.allocate([count], .float32)
    let target = try device.allocate([count], .float32)
    try device.fill(source, with: 1)
    let copies = try times(device, budget: 0.5) { try device.copy(source, to: target) }
    return Peaks(
      gflops: Double(rows) * 2048 * 3 * 64 * 2 / (seconds.min() ?? .infinity) / 1e9,
      gigabytes: Double(count) * 8 / copies[0] / 1e9)
  }

  /// Measures one item; what the device cannot run is said in `failure`.
  ///
  /// - Parameters:
  ///   - item: the primitive and its shape.
  ///   - device: the device that is timed.
  ///   - peaks: what the device can do at most, in GFLOP/s and GB/s.
  ///   - reference: the backend whose bits the device's are compared with; nil: no comparison.
  ///   - cold: bytes of inputs and outputs that are used in turn, so that a run finds no cache filled by the
  ///     last one; 0: one set of them.
  public static func run(
    _ item: Item, on device: any Backend, peaks: Peaks, reference: (any Backend)?, cold: Double = 0
  ) -> Result {
    do {
      let (first, output) = try item.prepare(device)
      var runs = [first]
      while Double(runs.count) < min(64, cold / item.bytes + 1) { runs.append(try item.prepare(device).run) }
      // Every set once before any is timed.
      for run in runs { try run() }
      var turn = 0
      let times = try times(device, budget: 0.5) {
        try runs[turn]()
        turn = (turn + 1) % runs.count
      }
      let p50 = times[times.count / 2]
      var match: Bool?
      if let reference {
        let (again, wanted) = try item.prepare(reference)
        try again()
        match = try reference.floats(wanted).map(\.bitPattern) == device.floats(output).map(\.bitPattern)
      }
      let (compute, memory) = (item.operations / peaks.gflops / 1e9, item.bytes / peaks.gigabytes / 1e9)
      return Result(
        kernel: item.kernel, label: item.label, p50: p50,
        p95: times[min(times.count - 1, times.count * 95 / 100)],
        gflops: item.operations / p50 / 1e9, gigabytes: item.bytes / p50 / 1e9,
        percentOfPeak: max(compute, memory) / p50 * 100, intensity: item.operations / item.bytes,
        bound: compute > memory ? "compute" : "memory",
        bitsMatch: match, failure: nil)
    } catch {
      return Result(
        kernel: item.kernel, label: item.label, p50: nil, p95: nil, gflops: nil, gigabytes: nil,
        percentOfPeak: nil, intensity: nil, bound: nil, bitsMatch: nil, failure: "\(error)")
    }
  }
}
