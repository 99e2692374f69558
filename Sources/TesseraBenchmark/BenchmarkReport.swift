// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

extension Benchmark {
  /// What `tessera bench --json` writes: the device and what was measured on it.
  public struct Report: Sendable, Codable {
    /// The device.
    public let device: String
    /// Of an OpenCL device its driver.
    public let driver: String?
    /// Of an OpenCL device the options that its programs are built with.
    public let buildOptions: String?
    /// Files that its kernels were read from, in place of the binary's text; nil if none.
    public let kernels: [String]?
    /// Of an OpenCL device the tiles of its products; nil in what an older Tessera wrote.
    public let tiles: GemmTuning?
    /// What the device was measured to do at most.
    public let peaks: Peaks
    /// The items.
    public let results: [Result]
    /// The program and the machine; nil in what an older Tessera wrote.
    public package(set) var provenance: Provenance?

    /// A report of a device.
    public init(_ device: any Backend, peaks: Peaks, results: [Result]) {
      let info = device.info
      self.device = device.name
      driver = info.driver?.text
      buildOptions = info.buildOptions
      kernels = info.kernelFiles.isEmpty ? nil : info.kernelFiles
      tiles = (try? device.unprofiled.requireTunable("bench"))?.tuning
      (self.peaks, self.results) = (peaks, results)
    }

    /// Reads a report.
    ///
    /// - Throws: `TesseraError` for a file that is none.
    public static func read(_ path: String) throws -> Report {
      let data = try InputFile.read(
        path, wanted: "what tessera bench --json writes", atMost: InputFile.Limit.text)
      guard let report = try? JSONDecoder().decode(Report.self, from: data) else {
        throw TesseraError.input(path, found: "something else", wanted: "what tessera bench --json writes")
      }
      return report
    }
  }

  /// An item in two reports.
  public struct Change: Sendable {
    /// The kernel.
    public let kernel: String
    /// Its shape.
    public let label: String
    /// The median in seconds of the first report; nil where it does not have the item, or could not run it.
    public let before: Double?
    /// The same of the second report.
    public let after: Double?
    /// after / before: above 1 if it became slower.
    public var ratio: Double? {
      guard let before, let after, before > 0, after > 0 else { return nil }
      return after / before
    }
  }

  /// The items of two reports, in the order of the first, then those of the second alone.
  public static func changes(from before: Report, to after: Report) -> [Change] {
    func key(_ r: Result) -> [String] { [r.kernel, r.label] }
    let (old, new) = (
      Dictionary(before.results.map { (key($0), $0) }) { first, _ in first },
      Dictionary(after.results.map { (key($0), $0) }) { first, _ in first }
    )
    let all = before.results.map(key) + after.results.map(key).filter { old[$0] == nil }
    return all.map { Change(kernel: $0[0], label: $0[1], before: old[$0]?.p50, after: new[$0]?.p50) }
  }
}
