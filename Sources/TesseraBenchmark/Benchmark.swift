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
    /// What its time is compared with.
    var measure = Measure.peaks
    /// How many of the item one run does: its time is divided by them.
    var parts = 1
    /// Of exact products what the output is wrong by against float64, root mean square over root mean square.
    var error: (@Sendable (_ output: [Float]) -> Double)?
    /// Allocates inputs and returns what to time and what to read back for the comparison of bits.
    let prepare: @Sendable (any Backend) throws -> (run: () throws -> Void, output: Tensor)
  }

  /// What an item's time is compared with.
  enum Measure: Sendable {
    /// What the device can do at most.
    case peaks
    /// Nothing: bytes between the host and the device, of which the device's peaks say nothing.
    case transfer
    /// Nothing: how long the host waits.
    case latency
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
      let error = try item.error.map { $0(try device.floats(output)) }
      var match: Bool?
      if let reference {
        let (again, wanted) = try item.prepare(reference)
        try again()
        match = try reference.floats(wanted).map(\.bitPattern) == device.floats(output).map(\.bitPattern)
      }
      return Result(
        item, times: times.map { $0 / Double(item.parts) }, peaks: peaks, error: error, bitsMatch: match)
    } catch {
      return Result(item, failure: "\(error)")
    }
  }
}
