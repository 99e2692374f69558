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
  @Flag(help: "Also products and convolutions with every candidate of tessera tune.")
  var everyTile = false
  @Option(help: "Only primitives of this name.")
  var only: [String] = []
  @Flag(help: "JSON instead of text.")
  var json = false

  private struct Result: Codable {
    let verification: Verification
    let functions: [FunctionCheck.Result]
    /// Products with every candidate's tiles.
    let tiles: [Verification]
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
    let tiles = everyTile ? try verifyTiles(device, cpu) : []
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
            Result(
              verification: verification, functions: functions, tiles: tiles,
              kernels: kernels.isEmpty ? nil : kernels)),
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
    let mismatches = (tiles + [verification]).reduce(0) { $0 + $1.mismatches.count }
    guard mismatches == 0, wrong.isEmpty else {
      throw TesseraError.failure(
        "verify",
        found: "\(mismatches) mismatches, \(wrong.count) functions outside their bounds",
        wanted: "none")
    }
  }

  /// Products and convolutions with the tiles of every candidate that the device can run.
  private func verifyTiles(_ device: any Backend, _ cpu: CPUBackend) throws -> [Verification] {
    guard let device = device.unprofiled as? OpenCLBackend else {
      throw TesseraError.input("every-tile", found: "the CPU as the device", wanted: "an OpenCL device")
    }
    let cases = Catalogue.productCases.filter {
      (!small || $0.isSmall) && (only.isEmpty || only.contains($0.primitive))
    }
    return try device.candidates().map { name, backend in
      options.progress.begin("verifying tiles \(name)", quietly: true)
      let result = try Verification.run(cases, reference: cpu, device: backend)
      if !json {
        print("tiles \(name): \(result.cases) cases, \(result.mismatches.count) mismatches")
        for mismatch in result.mismatches.prefix(3) {
          print("  \(mismatch.primitive) \(mismatch.label): \(mismatch.what)")
        }
      }
      return result
    }
  }
}
