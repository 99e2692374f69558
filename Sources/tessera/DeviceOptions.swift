// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import CAllocation
import Foundation
import TesseraBenchmark
import TesseraCompute
import TesseraPipeline

/// The device, what is measured on it and how much to say; shared by the commands that compute.
struct DeviceOptions: ParsableArguments {
  @Option(
    help:
      "\(DeviceSelection.forms); run, embed, layout, train, evaluate and predict also take a list (cpu,opencl:0), or all."
  )
  var device = "auto"

  @Option(help: "CPU threads (default: all cores). Changes no bit.")
  var threads: Int?

  @Flag(
    name: [.customLong("allow-nonconforming"), .customLong("insist")],
    help: "Use a device even if it fails the conformance probe; --insist is its old name.")
  var allowNonconforming = false

  @Option(
    name: .customLong("kernels"),
    help: "Folder of OpenCL kernels (NAME.cl, shared headers) that are used in place of the built-in ones.")
  var kernelFolder: String?

  @Option(
    name: .customLong("tiles"),
    help: "Tiles by device, from tessera tune (default: the user's own, if there are any). Changes no bit.")
  var tilesFile: String?

  @Option(help: "Write when which kernel and stage ran to this file (JSON for Perfetto). Changes no bit.")
  var trace: String?

  @Flag(help: "At the end, tell which kernels took longest and how busy the device was. Changes no bit.")
  var profile = false

  @Flag(help: "Say nothing but results and warnings.")
  var quiet = false

  @Flag(help: "Say more.")
  var verbose = false

  /// The chosen device; with `auto` the first one beside the CPU path, whatever kind it is, for commands
  /// that are about such a device.
  var firstBesideCPU: String {
    guard device == "auto" else { return device }
    return DeviceSelection.survey().devices.first { !$0.info.isReference }?.info.selection ?? device
  }

  /// Opens the chosen device for a body, a command's work, and writes the trace and the profile of it if
  /// they are wanted.
  ///
  /// - Parameters:
  ///   - name: the command's, for the trace.
  ///   - selection: another device than the chosen one; `allowNonconforming` as well.
  @_semantics("optimize.sil.specialize.generic.never")
  @inline(never)
  func use<R>(
    for name: String, selection: String? = nil, allowNonconforming: Bool? = nil,
    _ body: (any Backend) throws -> R
  ) throws -> R {
    let (sources, profiler) = try prepare()
    let backend = try DeviceSelection.open(
      selection ?? device, threads: threads,
      allowNonconforming: allowNonconforming ?? self.allowNonconforming, sources: sources,
      tuning: try tuning(), profiler: profiler, warn: Self.warn)
    return try work(name, DeviceGroup(backend), profiler) { try body($0.main) }
  }

  /// The same with all devices of a list.
  ///
  /// - Parameter fallback: let the CPU do the body again if an OpenCL device fails at it.
  @_semantics("optimize.sil.specialize.generic.never")
  @inline(never)
  func useAll<R>(for name: String, fallback: Bool = false, _ body: (DeviceGroup) throws -> R) throws -> R {
    if fallback { try RankSession.refuseFallback() }
    let (sources, profiler) = try prepare()
    guard let session = try RankSession.start() else {
      let devices = try openAll(device, threads, sources, profiler)
      return try useAll(devices, name, fallback && sources.files.isEmpty, profiler, body)
    }
    let open = {
      try openAll(
        session.communicator.device(device), threads ?? session.communicator.threads, sources, profiler)
    }
    return try session.lead(open) { try work(name, $0, profiler, body) }
  }

  /// Assists the leader of several ranks until it ends, and ends this process.
  func assist() throws {
    guard let session = try RankSession.start() else { return }
    session.assist {
      let sources = try kernelFolder.map { try KernelSources(folder: $0) } ?? .embedded
      // What it collects the leader writes.
      let profiler = trace != nil || profile ? Profiler() : nil
      return try openAll(
        session.communicator.device(device), threads ?? session.communicator.threads, sources, profiler)
    }
  }

  private func openAll(
    _ device: String, _ threads: Int?, _ sources: KernelSources, _ profiler: Profiler?
  ) throws -> DeviceGroup {
    try DeviceSelection.openAll(
      device, threads: threads, allowNonconforming: allowNonconforming, sources: sources,
      tuning: try tuning(), profiler: profiler,
      warn: Self.warn)
  }

  @_semantics("optimize.sil.specialize.generic.never")
  @inline(never)
  private func useAll<R>(
    _ devices: DeviceGroup, _ name: String, _ fallsBack: Bool, _ profiler: Profiler?,
    _ body: (DeviceGroup) throws -> R
  ) throws -> R {
    do {
      return try work(name, devices, profiler, body)
    } catch let error as TesseraError where error.kind == .device && fallsBack {
      Self.warn("\(error); the CPU goes on")
    }
    let cpu = try DeviceSelection.open("cpu", threads: threads, profiler: profiler)
    return try work(name, DeviceGroup(cpu), profiler, body)
  }

  /// What devices are opened with; mistakes in it are found before they are.
  private func prepare() throws -> (sources: KernelSources, profiler: Profiler?) {
    let sources = try kernelFolder.map { try KernelSources(folder: $0) } ?? .embedded
    if let trace { try AtomicFile.requireWritable(trace) }
    if !sources.files.isEmpty {
      progress.note("kernels from files: \(sources.files.joined(separator: ", "))")
    }
    return (sources, trace != nil || profile ? Profiler() : nil)
  }

  private func tuning() throws -> TuningFile? { try tilesFile.map { try TuningFile($0) } }

  @_semantics("optimize.sil.specialize.generic.never")
  @inline(never)
  private func work<R>(
    _ name: String, _ devices: DeviceGroup, _ profiler: Profiler?, _ body: (DeviceGroup) throws -> R
  ) throws -> R {
    let result = try devices.main.span(name) {
      // What helpers fail at names them already.
      let result = try devices.naming(devices.main) { try body(devices) }
      try devices.synchronize()
      return result
    }
    if let profiler {
      try devices.ranks?.collect(into: profiler)
      try tell(profiler, devices)
    }
    return result
  }

  /// A line on standard error about what a result does not show.
  static func warn(_ line: String) {
    StandardError.write("tessera: warning: \(line)\n")
  }

  /// Where progress goes: the terminal, plain lines, or nowhere.
  var progress: ProgressLine { ProgressLine(quiet: quiet) { tsr_allocation_purpose($0) } }

  /// Standard output is the results': the profile goes to standard error.
  @_optimize(none)
  private func tell(_ profiler: Profiler, _ devices: DeviceGroup) throws {
    let summary = profiler.summary()
    if let trace {
      let (events, dropped) = try profiler.writeTrace(to: trace)
      progress.note("trace \(trace): \(events) events" + (dropped > 0 ? ", \(dropped) dropped" : ""))
    }
    guard profile else { return }
    var peaks: [String: Benchmark.Peaks] = [:]
    // Read before the peaks are measured, which takes some itself.
    let memory = Dictionary(devices.all.map { ($0.name, $0.highWaterMark) }) { max($0, $1) }
    // Shares of the peak are left out where there is no memory left to measure it.
    for device in devices.all { peaks[device.name] = try? Benchmark.peaks(of: device.unprofiled) }
    StandardError.write(summary.text(peaks: peaks, memory: memory) + "\n")
  }
}
