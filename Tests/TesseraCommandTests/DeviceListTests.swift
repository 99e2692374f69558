// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

/// `--device` with several devices: the same bytes, one line if one of them fails, refusal where one is used.
@Suite struct DeviceListTests {
  private struct Trace: Decodable {
    struct Event: Decodable {
      struct Arguments: Decodable { let name: String? }
      let name: String, ph: String, cat: String?, tid: Int, args: Arguments
    }
    let traceEvents: [Event]
  }

  private func withData(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      for (name, count) in [("reviews", 200), ("test", 120)] {
        let text = TinyEncoder.reviews(count, seed: UInt64(count))
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).csv"))
      }
      try body(folder)
    }
  }

  private func run(
    _ folder: String, _ out: String, _ more: [String], batch: Int = 3, environment: [String: String] = [:]
  ) throws -> Command.Result {
    try Command.run(
      [
        "run", "--data", folder + "/reviews.csv", "--test", folder + "/test.csv", "--encoder",
        folder + "/encoder", "--out", folder + "/" + out, "--model", "alexnet", "--pixels", "20",
        "--perplexity", "5", "--iterations", "50", "--epochs", "2", "--embedding-batch", "\(batch)",
        "--quiet",
        "--device",
      ] + more, environment: environment)
  }

  @Test(.tags(.slow, .opencl), .enabled(if: TestDevices.hasOpenCL)) func aListGivesTheBytesOfOneDevice()
    throws
  {
    try withData { folder in
      let one = try run(folder, "a", ["cpu"])
      try #require(one.code == 0 && one.fingerprints.count == 6, "\(one.errors)")
      for (number, list) in ["cpu,opencl:0", "opencl,cpu"].enumerated() {
        let several = try run(folder, "b\(number)", [list, "--repeats", "2"])
        #expect(several.fingerprints == one.fingerprints, "\(list) \(several.errors)")
      }
      // Without the linear path, which epochs like these would not replace.
      let options = ["--slice", "trainable", "--bypass", "none"]
      let trained = try run(folder, "c", ["cpu"] + options)
      let shared = try run(folder, "d", ["cpu,opencl:0", "--split-batches", "always"] + options)
      #expect(shared.code == 0 && shared.fingerprints == trained.fingerprints, "\(shared.errors)")
      #expect(shared.fingerprints != one.fingerprints)
      func answers(_ device: String) throws -> [String] {
        let at = ["--run", folder + "/a", "--data", folder + "/test.csv", "--quiet", "--device", device]
        let results = try [["predict", "--json", "--words"], ["predict"], ["evaluate"]].map {
          try Command.run($0 + at)
        }
        #expect(results.allSatisfy { $0.code == 0 && !$0.output.isEmpty }, "\(results.map(\.errors))")
        return results.map(\.output)
      }
      #expect(try answers("cpu,opencl:0") == answers("cpu"))
    }
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func eachDeviceHasItsTrackAndItsTable() throws {
    try withData { folder in
      let path = folder + "/t.json"
      let result = try Command.run([
        "embed", "--data", folder + "/reviews.csv", "--encoder", folder + "/encoder", "--out",
        folder + "/e", "--embedding-batch", "1", "--device", "cpu,opencl:0", "--trace", path, "--profile",
      ])
      #expect(result.code == 0)
      #expect(result.errors.matches(of: /: its queue was busy for/).count == 2, "\(result.errors)")
      #expect(
        result.errors.matches(of: /most memory in tensors: [0-9.]*[1-9][0-9]* MB/).count == 2,
        "\(result.errors)")
      let data = try #require(FileManager.default.contents(atPath: path))
      let events = try JSONDecoder().decode(Trace.self, from: data).traceEvents
      let names = events.filter { $0.name == "thread_name" }.compactMap(\.args.name)
      #expect(Set(names).count == names.count)
      for device in ["cpu (", "opencl:0 ("] {
        // The device's own, with kernels, and its host thread's.
        for (name, category) in [(device, "kernel"), ("host for " + device, "download")] {
          let track = try #require(
            events.first { $0.name == "thread_name" && $0.args.name?.hasPrefix(name) == true }, "\(name)")
          #expect(events.contains { $0.tid == track.tid && $0.cat == category }, "\(name)")
        }
      }
    }
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func aDeviceThatFailsIsNamedInOneLine() throws {
    try withData { folder in
      let library = try Faults.build(in: folder)
      var environment = ["TESSERA_OPENCL_LIBRARY": library, "TESSERA_OPENCL_VARIANT": "narrow"]
      let wanted = try run(folder, "a", ["cpu"]).fingerprints
      try #require(wanted.count == 6)
      // After the conformance probe's, the second or third batch that it embeds; of many, for a busy
      // machine may give it few.
      environment["TESSERA_FAULT"] = "clEnqueueReadBuffer:16:-36:on"
      let failed = try run(folder, "b", ["cpu,opencl:0"], batch: 1, environment: environment)
      let lines = failed.errors.split(separator: "\n", omittingEmptySubsequences: false)
      #expect(failed.code == 1 && lines.count == 2, "\(failed)")
      #expect(failed.errors.hasPrefix("tessera: opencl:0 ("), "\(failed.errors)")
      let going = try run(folder, "c", ["cpu,opencl:0", "--fallback"], batch: 1, environment: environment)
      #expect(going.code == 0 && going.fingerprints == wanted, "\(going.errors)")
      #expect(going.errors.hasSuffix("; the CPU goes on\n"), "\(going.errors)")
    }
  }

  /// Whichever read of a helper fails: that of the slice's outputs, which the main device keeps, as well.
  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func aHelperThatFailsInTrainingIsNamed() throws {
    try withData { folder in
      var environment = [
        "TESSERA_OPENCL_LIBRARY": try Faults.build(in: folder), "TESSERA_OPENCL_VARIANT": "narrow",
        "TESSERA_FAULT_REPORT": folder + "/report",
      ]
      try #require(try run(folder, "a", ["cpu"]).code == 0)
      func train(_ device: String, _ more: [String]) throws -> (result: Command.Result, reads: Int) {
        let result = try Command.run(
          [
            "train", "--images", folder + "/a/images.safetensors", "--out", folder + "/t", "--model",
            "alexnet",
            "--epochs", "1", "--quiet", "--device", device,
          ] + more, environment: environment)
        // The CPU alone opens no library, which would write one.
        let report = (try? String(contentsOfFile: folder + "/report", encoding: .utf8)) ?? ""
        let line = report.split(separator: "\n").first { $0.hasPrefix("calls clEnqueueReadBuffer ") }
        return (result, line.flatMap { Int($0.split(separator: " ")[2]) } ?? 0)
      }
      let alone = try train("cpu", [])
      // With features that are kept, and with batches that are shared.
      for more in [[], ["--slice", "trainable", "--split-batches", "always"]] {
        environment["TESSERA_FAULT"] = nil
        let whole = try train("cpu,opencl:0", more)
        try #require(whole.result.code == 0 && alone.result.code == 0, "\(whole.result)")
        if more.isEmpty { #expect(whole.result.output == alone.result.output) }
        // The conformance probe's come first; how many there are of the rest may hang on how fast the
        // device is.
        for read in max(1, whole.reads - 3)...whole.reads + 1 {
          environment["TESSERA_FAULT"] = "clEnqueueReadBuffer:\(read):-36:on"
          let failed = try train("cpu,opencl:0", more).result
          let named = failed.code == 1 && failed.errors.hasPrefix("tessera: opencl:0 (")
          #expect(named || failed.code == 0 && failed.errors.isEmpty, "read \(read): \(failed)")
        }
      }
    }
  }

  @Test func listsAreRefusedWhereTheyMakeNoSense() throws {
    func expect(_ arguments: [String], _ text: String) throws {
      let result = try Command.run(arguments)
      #expect(result.code == 2 && result.output.isEmpty, "\(arguments) \(result)")
      #expect(result.errors.hasPrefix("tessera: device: found \(text)"), "\(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1)
    }
    for command in [["verify"], ["bench", "softmax"], ["tune"]] {
      try expect(command + ["--device", "cpu,opencl"], "several (cpu,opencl), wanted one")
    }
    try withData { folder in
      let embed = [
        "embed", "--data", folder + "/test.csv", "--encoder", folder + "/encoder", "--out", folder + "/e",
        "--device",
      ]
      try expect(embed + ["cpu,cpu"], "cpu twice in cpu,cpu")
      try expect(embed + ["cpu,gpu"], "gpu, wanted cpu, opencl")
      try expect(embed + ["auto,cpu"], "auto in a list")
      try expect(embed + ["cpu,opencl:99"], "no device opencl:99")
    }
  }
}
