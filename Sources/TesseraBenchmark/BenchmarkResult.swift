// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Benchmark {
  /// A measured item. Times are seconds of one launch, one transfer or one run of a kernel.
  public struct Result: Sendable, Codable {
    /// The primitive.
    public let kernel: String
    /// Its shape.
    public let label: String
    /// How many times were measured; nil if the device cannot run it, and in what an older Tessera wrote, as are the
    /// next three.
    public let samples: Int?
    /// The shortest of the times.
    public let least: Double?
    /// Their mean.
    public let mean: Double?
    /// Their standard deviation, of the sample (n - 1); nil of a single time.
    public let deviation: Double?
    /// The median of the times; nil if the device cannot run it.
    public let p50: Double?
    /// Their 95th percentile.
    public let p95: Double?
    /// GFLOP/s at the median; nil of what computes nothing.
    public let gflops: Double?
    /// GB/s at the median; nil of what moves nothing.
    public let gigabytes: Double?
    /// Per cent of the device's measured FMA or bandwidth peak, whichever is the tighter bound; nil of launches and of
    /// transfers between host and device, which neither bounds.
    public let percentOfPeak: Double?
    /// Floating-point operations for each byte that has to be moved.
    public let intensity: Double?
    /// Which of the two bounds the time (the roofline of Williams et al. 2009): `compute` or `memory`.
    public let bound: String?
    /// Of exact products what the result is wrong by against float64: the root of the mean square over that of the
    /// result; nil of what is not made by them, and in what an older Tessera wrote.
    public let relativeError: Double?
    /// Whether the bits equal the CPU's; nil on the CPU itself.
    public let bitsMatch: Bool?
    /// Why it could not be run.
    public let failure: String?

    /// What was measured of an item.
    ///
    /// - Parameters:
    ///   - item: the item.
    ///   - times: seconds of at least one run, sorted.
    ///   - peaks: what the device can do at most.
    ///   - error: of exact products their error.
    ///   - bitsMatch: whether the bits equal the CPU's.
    init(_ item: Item, times: [Double], peaks: Peaks, error: Double?, bitsMatch: Bool?) {
      (kernel, label, samples, least) = (item.kernel, item.label, times.count, times.first)
      let (middle, count) = (times[times.count / 2], Double(times.count))
      let mean = times.reduce(0, +) / count
      let squares = times.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      (self.mean, deviation) = (mean, times.count > 1 ? (squares / (count - 1)).squareRoot() : nil)
      (p50, p95) = (middle, times[min(times.count - 1, times.count * 95 / 100)])
      gigabytes = item.measure == .latency ? nil : item.bytes / middle / 1e9
      (relativeError, self.bitsMatch, failure) = (error, bitsMatch, nil)
      guard item.measure == .peaks else {
        (gflops, percentOfPeak, intensity, bound) = (nil, nil, nil, nil)
        return
      }
      let (compute, memory) = (item.operations / peaks.gflops / 1e9, item.bytes / peaks.gigabytes / 1e9)
      (gflops, intensity) = (item.operations / middle / 1e9, item.operations / item.bytes)
      (percentOfPeak, bound) = (max(compute, memory) / middle * 100, compute > memory ? "compute" : "memory")
    }

    /// An item that could not be run.
    ///
    /// - Parameters:
    ///   - item: the item.
    ///   - failure: why.
    init(_ item: Item, failure: String) {
      (kernel, label, self.failure) = (item.kernel, item.label, failure)
      (samples, least, mean, deviation, p50, p95) = (nil, nil, nil, nil, nil, nil)
      (gflops, gigabytes, percentOfPeak, intensity, bound) = (nil, nil, nil, nil, nil)
      (relativeError, bitsMatch) = (nil, nil)
    }
  }
}
