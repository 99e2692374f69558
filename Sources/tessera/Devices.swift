// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraBenchmark
import TesseraCompute

/// What there is to compute on.
struct Devices: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists devices: type, limits, extensions, conformance; with --measure peaks.")

  @Flag(help: "JSON instead of text.")
  var json = false
  @Flag(help: "Measure each device's peaks, which takes some seconds.")
  var measure = false
  @Flag(help: .hidden)
  var quick = false

  private struct Entry: Codable {
    var selection: String, name: String
    var type: String, platform: String?, driver: String?, version: String?, computeUnits: Int?
    var clockMHz: Int?, globalMemory: Int?, extensions: [String]?
    var localMemory: Int?, maxAllocation: Int?, maxWorkGroup: Int?, roundsDivision: Bool?,
      keepsDenormals: Bool?
    var conforms: Bool?, failure: String?, peakGFLOPS: Double?, peakGBs: Double?
    var exactProductUnits: String?
    /// The program and the machine, the same in every entry.
    var provenance: Provenance?

    init(_ info: DeviceInfo) {
      (selection, name, computeUnits) = (info.selection, info.name, info.computeUnits)
      type = info.driver?.type ?? "CPU"
      guard let told = info.driver else { return }
      platform = "\(told.platform), \(told.platformVersion)"
      driver = told.driver
      version = told.version
      clockMHz = told.clock
      extensions = told.extensions
      globalMemory = told.globalMemory
      localMemory = told.localMemory
      maxAllocation = told.maxAllocation
      maxWorkGroup = told.maxWorkGroup
      roundsDivision = told.roundsDivision
      keepsDenormals = told.keepsDenormals
    }
  }

  /// Lists the CPU and every other device.
  @_optimize(none)
  func run() throws {
    guard !(measure && quick) else {
      throw TesseraError.input("quick", found: "--measure beside it", wanted: "one of them")
    }
    let cpu = try CPUBackend()
    let survey = DeviceSelection.survey()
    for problem in survey.problems { DeviceOptions.warn(problem) }
    // Standard output is JSON alone.
    if json { for absence in survey.absences { DeviceOptions.warn(absence) } }
    var entries = try survey.devices.map { try entry($0, cpu) }
    if json {
      let provenance = Provenance(cpu)
      for index in entries.indices { entries[index].provenance = provenance }
      try printJSON(entries)
    } else {
      for entry in entries { show(entry) }
      let others = DeviceSelection.providers.map(\.title).filter { $0 != "CPU" }.joined(separator: " or ")
      if entries.count == 1 { print("no \(others) device\(survey.absences.isEmpty ? "" : ":")") }
      for absence in survey.absences { print("  \(absence)") }
    }
  }

  /// What is known of a device; of one that cannot be opened too.
  private func entry(_ device: FoundDevice, _ cpu: CPUBackend) throws -> Entry {
    var entry = Entry(device.info)
    do {
      var settings = DeviceSettings(reference: cpu)
      if measure { settings.environment = ProcessInfo.processInfo.environment }
      let backend = try device.open(settings)
      (entry.name, entry.computeUnits) = (backend.info.name, backend.info.computeUnits)
      entry.conforms = true
      if !device.info.isReference {
        let conformance = try DeviceSelection.conformance(of: backend, against: cpu)
        (entry.conforms, entry.failure) = (conformance.passes, conformance.failure)
      }
      if measure { try measurePeaks(of: backend, &entry) }
    } catch  where !device.info.isReference {
      (entry.conforms, entry.failure) = (false, "\(error)")
    }
    return entry
  }

  private func measurePeaks(of backend: any Backend, _ entry: inout Entry) throws {
    let peaks = try Benchmark.peaks(of: backend)
    (entry.peakGFLOPS, entry.peakGBs) = (peaks.gflops.rounded(), peaks.gigabytes.rounded())
    entry.exactProductUnits = (backend as? OpenCLBackend)?.exactProductUnits
  }

  @_optimize(none)
  private func show(_ e: Entry) {
    print("\(e.selection)  \(e.name)")
    if let platform = e.platform {
      print("  \(platform); driver \(e.driver ?? ""); \(e.version ?? "")")
      print(
        "  \(e.type), \(e.computeUnits ?? 0) compute units at \(e.clockMHz ?? 0) MHz, \((e.globalMemory ?? 0) >> 20) MiB memory, \((e.localMemory ?? 0) >> 10) KiB local, "
          + "largest allocation \((e.maxAllocation ?? 0) >> 20) MiB, work-group \(e.maxWorkGroup ?? 0)")
      print(
        "  division and square root \(e.roundsDivision == true ? "correctly rounded" : "by software"), denormals "
          + (e.keepsDenormals == true ? "kept" : "not reported as kept"))
      print("  extensions: \((e.extensions ?? []).joined(separator: " "))")
    }
    print("  conformance: \(e.conforms == true ? "passes" : "FAILS \(e.failure ?? "")")")
    if let flops = e.peakGFLOPS, let bytes = e.peakGBs {
      print("  measured: \(Int(flops)) GFLOP/s, \(Int(bytes)) GB/s")
    }
    if let units = e.exactProductUnits { print("  products as exact integers: \(units)") }
  }
}
