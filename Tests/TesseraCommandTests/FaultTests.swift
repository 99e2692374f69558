// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// Some faults of an OpenCL driver; `tools/check/faults` has all of them.
@Suite(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) struct FaultTests {
  /// A folder with data and the library that fails calls.
  private func withLibrary(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(32).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      _ = try Faults.build(in: folder)
      try body(folder)
    }
  }

  private func run(
    _ folder: String, _ out: String, _ device: [String], fault: String? = nil, gpu: Bool = false
  )
    throws -> Command.Result
  {
    var environment = ["TESSERA_OPENCL_LIBRARY": folder + "/faults.so", "TESSERA_OPENCL_VARIANT": "narrow"]
    environment["TESSERA_FAULT"] = fault
    if gpu { environment["TESSERA_FAULT_GPU"] = "1" }
    return try Command.run(
      [
        "run", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out",
        folder + "/" + out,
        "--model", "alexnet", "--pixels", "12", "--perplexity", "5", "--iterations", "10", "--epochs", "1",
        "--batch", "8", "--quiet", "--device",
      ] + device, environment: environment)
  }

  @Test func aFailureIsOneLineAndTheRunGoesOnAfterwards() throws {
    try withLibrary { folder in
      let wanted = try run(folder, "cpu", ["cpu"]).fingerprints
      try #require(wanted.count == 5)
      // Called: a device that cannot be asked, no memory at all, and a device that is lost; and a command
      // that fails without a word, so that only its event tells.
      for fault in ["clGetDeviceInfo:3:-5", "clCreateBuffer:5:-4:on", "any:6000:-36:on", "command:900:-5"] {
        let failed = try run(folder, "a", ["opencl"], fault: fault)
        let lines = failed.errors.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(
          failed.code == 1 && lines.count == 2 && failed.errors.hasPrefix("tessera: "), "\(fault): \(failed)")
      }
      let after = try run(folder, "a", ["opencl"])
      #expect(after.code == 0 && after.fingerprints == wanted, "\(after.errors)")
    }
  }

  @Test func theCPUTakesOverWhereItIsAskedTo() throws {
    try withLibrary { folder in
      let wanted = try run(folder, "cpu", ["cpu"]).fingerprints
      let opened = try run(folder, "a", ["auto"], fault: "clCreateContext:1:-2", gpu: true)
      #expect(opened.code == 0 && opened.fingerprints == wanted, "\(opened.errors)")
      #expect(opened.errors.hasSuffix("; the CPU computes\n"), "\(opened.errors)")
      let lost = try run(folder, "b", ["auto"], fault: "any:6000:-36:on", gpu: true)
      #expect(lost.code == 1, "\(lost.output)")
      let going = try run(folder, "c", ["auto", "--fallback"], fault: "any:6000:-36:on", gpu: true)
      #expect(going.code == 0 && going.fingerprints == wanted, "\(going.errors)")
      #expect(going.errors.hasSuffix("; the CPU goes on\n"), "\(going.errors)")
    }
  }
}
