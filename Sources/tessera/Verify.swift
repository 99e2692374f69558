import ArgumentParser
import Foundation
import TesseraCompute

/// Every primitive, CPU bits against device bits.
struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compares every primitive on a device with the CPU, bit for bit.")

  @OptionGroup var options: DeviceOptions
  @Flag(help: "Also each elementary function over all 2^32 inputs, against float64 too.")
  var exhaustive = false
  @Option(help: "With --exhaustive, only every N-th input.")
  var stride = 1
  @Flag(help: "Small cases only, for simulators.")
  var small = false
  @Option(help: "Only primitives of this name.")
  var only: [String] = []
  @Flag(help: "JSON instead of text.")
  var json = false

  private struct Result: Codable {
    let verification: Verification
    let functions: [FunctionCheck.Result]
    /// Files that kernels were read from, in place of the binary's text; nil if none.
    let kernels: [String]?
  }

  /// Verifies; a mismatch is a failure.
  func run() throws {
    guard (1...1 << 20).contains(stride) else {
      throw TesseraError.input("stride", found: "\(stride)", wanted: "1 to \(1 << 20)")
    }
    let name = options.device == "auto" && !OpenCLDevice.all().isEmpty ? "opencl" : options.device
    try options.use(for: "verify", selection: name, insist: true) { try verify($0) }
  }

  private func verify(_ device: any Backend) throws {
    let cpu = try CPUBackend(threads: options.threads)
    let progress = options.progress
    var cases = small ? Catalogue.cases.filter(\.isSmall) : Catalogue.cases
    if !only.isEmpty {
      let known = Set(cases.map(\.primitive))
      for name in only where !known.contains(name) {
        throw TesseraError.input("only", found: name, wanted: known.sorted().joined(separator: ", "))
      }
      cases = cases.filter { only.contains($0.primitive) }
    }
    progress.begin("verifying \(cases.count) cases on \(device.name)")
    let verification = try Verification.run(cases, reference: cpu, device: device) { done, all, item in
      progress.update(item.primitive, done: done, of: all, unit: "cases")
    }
    var functions: [FunctionCheck.Result] = []
    if exhaustive {
      for function in FunctionCheck.functions {
        progress.begin("\(function.name) over all inputs", quietly: true)
        functions.append(
          try FunctionCheck.run(function, stride: stride, cpu: cpu, device: device) { done, all in
            progress.update(function.name, done: done, of: all, unit: "inputs")
          })
        if !json { print(functions[functions.count - 1].line) }
      }
    }
    let kernels = (device.unprofiled as? OpenCLBackend)?.sources.files ?? []
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      print(
        String(
          decoding: try encoder.encode(
            Result(verification: verification, functions: functions, kernels: kernels.isEmpty ? nil : kernels)
          ),
          as: UTF8.self))
    } else {
      for (primitive, count) in verification.casesByPrimitive.sorted(by: { $0.key < $1.key }) {
        let wrong = verification.mismatches.filter { $0.primitive == primitive }
        print("\(primitive): \(count) cases, \(wrong.count) mismatches")
        for mismatch in wrong.prefix(3) { print("  \(mismatch.label): \(mismatch.what)") }
      }
      print(
        "\(verification.cases) cases, \(verification.values) values, \(verification.mismatches.count) mismatches: "
          + "\(verification.device) against \(verification.reference)")
    }
    let wrong = functions.filter { $0.mismatches > 0 || $0.worstUlp > $0.bound }
    guard verification.mismatches.isEmpty, wrong.isEmpty else {
      throw TesseraError.failure(
        "verify",
        found: "\(verification.mismatches.count) mismatches, \(wrong.count) functions outside their bounds",
        wanted: "none")
    }
  }
}
