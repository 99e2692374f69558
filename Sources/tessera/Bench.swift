// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraBenchmark
import TesseraCompute

/// Times primitives.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Times kernels: p50, p95, GFLOP/s, per cent of the measured peak, bits against the CPU's.",
    subcommands: [BenchRun.self, BenchText.self, BenchCompare.self], defaultSubcommand: BenchRun.self)

  static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  static func fixed(_ value: Double) -> String { String((value * 100).rounded() / 100) }
}

/// Times primitives and says how near they come to the device's measured peaks.
struct BenchRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Times kernels (what bench does without a subcommand).")

  @Argument(help: "Kernels to time, such as matmul conv2d softmax affinities (default: all).")
  var kernels: [String] = []

  @Option(
    help:
      "A shape for the one kernel named, such as 8192x384x384t, 4096x512 or 'b32 64->192 5x5 p2 on 17x17'; may be repeated."
  )
  var shape: [String] = []

  @Flag(help: "Use inputs and outputs of 256 MiB in turn, so that no cache holds what the last run left.")
  var cold = false

  @OptionGroup var options: DeviceOptions

  @Flag(help: "JSON instead of a table.")
  var json = false

  /// Runs the benchmark.
  @_optimize(none)
  func run() throws {
    let known = Set(Benchmark.items.map(\.kernel))
    for name in kernels where !known.contains(name) {
      throw TesseraError.input("bench", found: name, wanted: known.ordered().joined(separator: ", "))
    }
    guard shape.isEmpty || kernels.count == 1 else {
      throw TesseraError.input("bench", found: "a shape for \(kernels.count) kernels", wanted: "one kernel")
    }
    let items =
      shape.isEmpty
      ? Benchmark.items.filter { kernels.isEmpty || kernels.contains($0.kernel) }
      : try shape.map { try Benchmark.item(kernels[0], shape: $0) }
    try options.use(for: "bench") { try measure(items, on: $0) }
  }

  private func measure(_ items: [Benchmark.Item], on device: any Backend) throws {
    let reference = device.info.isReference ? nil : try CPUBackend(threads: options.threads)
    let peaks = try Benchmark.peaks(of: device)
    if !json {
      print("\(device.name): \(round(peaks.gflops)) GFLOP/s and \(round(peaks.gigabytes)) GB/s measured")
    }
    var results: [Benchmark.Result] = []
    for item in items {
      let result = device.span("\(item.kernel) \(item.label)") {
        Benchmark.run(item, on: device, peaks: peaks, reference: reference, cold: cold ? 0x1p28 : 0)
      }
      results.append(result)
      if !json { print(line(result)) }
    }
    if json {
      var report = Benchmark.Report(device, peaks: peaks, results: results)
      report.provenance = Provenance(
        try reference ?? CPUBackend(threads: options.threads), kernels: DeviceGroup(device).kernelSources)
      try printJSON(report)
    }
  }

  private func line(_ r: Benchmark.Result) -> String {
    let head = Bench.pad(r.kernel, 18) + Bench.pad(r.label, 32)
    guard let p50 = r.p50, let p95 = r.p95, let gflops = r.gflops, let percent = r.percentOfPeak else {
      return head + "cannot run: \(r.failure ?? "unknown")"
    }
    let bits = r.bitsMatch.map { $0 ? "  bits equal" : "  BITS DIFFER" } ?? ""
    return head
      + "p50 \(Bench.fixed(p50 * 1e3)) ms  p95 \(Bench.fixed(p95 * 1e3)) ms  \(Bench.fixed(gflops)) GFLOP/s  "
      + "\(Bench.fixed(percent))% of peak (\(r.bound ?? ""))" + bits
  }
}
