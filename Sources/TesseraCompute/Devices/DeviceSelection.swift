// SPDX-License-Identifier: Apache-2.0
import Foundation
import Kernels

/// Opens devices by the names that users give.
public enum DeviceSelection {
  /// A backend for `cpu`, `opencl`, `opencl:N`, `opencl:NAME` or `auto`.
  ///
  /// `auto` is the first OpenCL device that is not a CPU and passes the conformance probe, else the CPU. That choice is made
  /// here, once: a device that fails later is an error, never a silent change to another.
  ///
  /// - Parameters:
  ///   - name: the selection.
  ///   - threads: CPU threads; all cores if nil.
  ///   - insist: use an OpenCL device even if it fails the probe.
  ///   - sources: the OpenCL kernels' text; the CPU has none of it.
  ///   - tuning: tiles by device; the user's own file if nil.
  ///   - profiler: what measures the device's work; nothing does if nil.
  ///   - warn: called with a line for every platform or device that was passed over because it cannot be used.
  /// - Throws: `TesseraError` for an unknown selection, an absent device or one that fails the probe, for a list of devices,
  ///   and for the CPU with other sources than the binary's.
  public static func open(
    _ name: String, threads: Int? = nil, insist: Bool = false, sources: KernelSources = .embedded,
    tuning: TuningFile? = nil, profiler: Profiler? = nil, warn: (String) -> Void = { _ in }
  ) throws -> any Backend {
    guard !isList(name) else {
      throw TesseraError.input("device", found: "several (\(name))", wanted: "one: only one is used here")
    }
    let opener = try Opener(threads, insist: insist && name != "auto", sources, tuning, profiler)
    guard name != "auto" else { return try first(of: OpenCLSurvey(), opener, warn) }
    return try opener.open(try find(name, warn))
  }

  /// Whether a selection is of several devices, for `openAll`.
  static func isList(_ selection: String) -> Bool { selection == "all" || selection.contains(",") }

  /// The OpenCL device of a name; nil where the CPU is meant.
  static func find(_ name: String, _ warn: (String) -> Void) throws -> OpenCLDevice? {
    if name == "cpu" { return nil }
    guard name == "opencl" || name.hasPrefix("opencl:") else {
      throw TesseraError.input(
        "device", found: name.isEmpty ? "an empty name" : name,
        wanted: "cpu, opencl, opencl:N, opencl:NAME or auto")
    }
    let survey = OpenCLSurvey()
    let devices = survey.devices
    let there = devices.map(\.selection).joined(separator: ", ")
    let key = String(name.dropFirst(7))
    let found =
      name == "opencl"
      ? devices.first
      : Int(key).map { n in devices.first { $0.index == n } }
        ?? devices.first { $0.name.lowercased().contains(key.lowercased()) && !key.isEmpty }
    guard let found else {
      // It may be the one that did not answer.
      if let problem = survey.problems.first {
        throw TesseraError.failure(
          "device \(name)", found: problem, wanted: there.isEmpty ? "a device that answers" : there)
      }
      // Nothing is installed at all, or something that ought to give devices gives none.
      let why = survey.absences.isEmpty ? "none is installed" : survey.absences.joined(separator: "; ")
      throw TesseraError(
        there.isEmpty && survey.hasIdlePlatform ? .failure : .input, at: "device", found: "no device \(name)",
        wanted: there.isEmpty ? "an OpenCL device (\(why))" : there)
    }
    for problem in survey.problems { warn("\(problem); \(found.selection) computes") }
    return found
  }

  /// The first device that is no CPU and can be used; the CPU, if none can.
  private static func first(
    of survey: OpenCLSurvey, _ opener: Opener, _ warn: (String) -> Void
  ) throws -> any Backend {
    var problems = survey.problems
    var backend: (any Backend)?
    for device in survey.devices where !device.isCPU && backend == nil {
      do { backend = try opener.open(device) } catch { problems.append("\(error)") }
    }
    if backend == nil, let hint = survey.unseenDriver { problems.append(hint) }
    for problem in problems { warn("\(problem); \(backend?.name ?? "the CPU") computes") }
    return try backend ?? opener.open(nil)
  }

  /// Runs the conformance probe on an OpenCL device.
  public static func conformance(of backend: OpenCLBackend, against cpu: CPUBackend) throws -> Conformance {
    try Conformance.probe(backend, against: cpu)
  }

  /// Opens devices under the same settings.
  struct Opener {
    private let cpu: CPUBackend
    private let insist: Bool
    private let sources: KernelSources, tuning: TuningFile?
    private let profiler: Profiler?

    /// Settings as of `open`.
    init(
      _ threads: Int?, insist: Bool, _ sources: KernelSources, _ tuning: TuningFile?, _ profiler: Profiler?
    ) throws {
      cpu = try CPUBackend(threads: threads)
      (self.insist, self.sources, self.profiler) = (insist, sources, profiler)
      self.tuning = tuning ?? .own
    }

    /// Opens an OpenCL device, or the CPU for nil.
    func open(_ device: OpenCLDevice?) throws -> any Backend {
      if let device {
        let backend = try checked(device)
        return ProfiledBackend(backend) ?? backend
      }
      guard sources.files.isEmpty else {
        throw TesseraError.input(
          "kernels from files", found: "the CPU as the device",
          wanted: "--device opencl, opencl:N or opencl:NAME")
      }
      return profiler.map { ProfiledBackend(cpu, profiler: $0) } ?? cpu
    }

    /// Opens a device and refuses it if it fails the probe, unless the user insists.
    private func checked(_ device: OpenCLDevice) throws -> OpenCLBackend {
      let form = ProcessInfo.processInfo.environment["TESSERA_OPENCL_VARIANT"].flatMap(
        OpenCLBackend.Variant.init)
      let gpu = OpenCLBackend.isGPUVariant(device, form)
      let backend = try OpenCLBackend(
        device, variant: form, tuning: tuning?.tuning(device, gpu: gpu), sources: sources,
        profiler: profiler)
      let result = try backend.span("conformance probe") { try conformance(of: backend, against: cpu) }
      if let failure = result.failure, !insist {
        throw TesseraError.failure(
          "device \(device.selection)", found: "it breaks \(failure)",
          wanted: "a conforming device, or --insist")
      }
      return backend
    }
  }
}

extension OpenCLDevice {
  /// How a user selects it, with its name.
  var selection: String { "opencl:\(index) (\(name))" }
}
