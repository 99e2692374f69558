// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraBenchmark
import TesseraCompute

/// Times primitives.
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Times kernels, launches and transfers: p50, p95, GFLOP/s, per cent of the measured peak, bits against the CPU's.",
    subcommands: [BenchRun.self, BenchText.self, BenchExchange.self, BenchCompare.self],
    defaultSubcommand: BenchRun.self)

  static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  static func fixed(_ value: Double) -> String { Benchmark.rounded(value) }
}

/// Times primitives and says how near they come to the device's measured peaks.
struct BenchRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Times kernels (what bench does without a subcommand).")

  @Argument(
    help: """
      Kernels to time, such as matmul conv2d softmax affinities (default: all); launch: a launch and its wait; upload and \
      download: transfers between host and device.
      """)
  var kernels: [String] = []

  @Option(
    help:
      "A shape for the one kernel named, such as 8192x384x384t, 4096x512 or 'b32 64->192 5x5 p2 on 17x17'; may be repeated."
  )
  var shape: [String] = []

  @Flag(help: "Use inputs and outputs of 256 MiB in turn, so that no cache holds what the last run left.")
  var cold = false

  @OptionGroup var options: DeviceOptions

  /// What is printed in place of a line an item.
  enum Form: String, EnumerableFlag {
    /// Everything, for `bench compare` and other programs.
    case json
    /// A line an item, for spreadsheets.
    case csv
    /// A table for people.
    case markdown

    /// What stands beside the flag.
    static func help(for value: Form) -> ArgumentHelp? {
      switch value {
      case .json: "JSON instead of lines."
      case .csv: "CSV instead of lines: a line an item, with device, program and machine in each."
      case .markdown: "A Markdown table instead of lines."
      }
    }
  }

  @Flag(exclusivity: .exclusive)
  var form: Form?

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
    if form == nil {
      print("\(device.name): \(round(peaks.gflops)) GFLOP/s and \(round(peaks.gigabytes)) GB/s measured")
    }
    var results: [Benchmark.Result] = []
    for item in items {
      let result = device.span("\(item.kernel) \(item.label)") {
        Benchmark.run(item, on: device, peaks: peaks, reference: reference, cold: cold ? 0x1p28 : 0)
      }
      results.append(result)
      if form == nil { print(line(result)) }
    }
    guard let form else { return }
    var report = Benchmark.Report(device, peaks: peaks, results: results)
    report.provenance = Provenance(
      try reference ?? CPUBackend(threads: options.threads), kernels: DeviceGroup(device).kernelSources)
    switch form {
    case .json: try printJSON(report)
    case .csv: print(report.csv, terminator: "")
    case .markdown: print(report.markdown, terminator: "")
    }
  }

  private func line(_ r: Benchmark.Result) -> String {
    let head = Bench.pad(r.kernel, 18) + Bench.pad(r.label, 32)
    guard let p50 = r.p50, let p95 = r.p95 else {
      return head + "cannot run: \(r.failure ?? "unknown")"
    }
    var parts = ["p50 \(Benchmark.text(seconds: p50))", "p95 \(Benchmark.text(seconds: p95))"]
    if let gflops = r.gflops, let percent = r.percentOfPeak {
      parts += ["\(Bench.fixed(gflops)) GFLOP/s", "\(Bench.fixed(percent))% of peak (\(r.bound ?? ""))"]
    } else if let rate = r.gigabytes {
      parts.append("\(Bench.fixed(rate)) GB/s")
    }
    if let error = r.relativeError { parts.append("error \(Benchmark.text(error: error))") }
    if let match = r.bitsMatch { parts.append(match ? "bits equal" : "BITS DIFFER") }
    return head + parts.joined(separator: "  ")
  }
}
