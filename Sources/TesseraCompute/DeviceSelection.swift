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
  /// - Throws: `TesseraError` for an unknown selection, an absent device or one that fails the probe, and for the CPU with
  ///   other sources than the binary's.
  public static func open(
    _ name: String, threads: Int? = nil, insist: Bool = false, sources: KernelSources = .embedded,
    tuning: TuningFile? = nil, profiler: Profiler? = nil, warn: (String) -> Void = { _ in }
  ) throws -> any Backend {
    let cpu = try CPUBackend(threads: threads)
    let device = try find(name, warn) {
      try checked($0, cpu, insist: insist && name != "auto", sources, tuning ?? .own, profiler)
    }
    if let device { return ProfiledBackend(device) ?? device }
    guard sources.files.isEmpty else {
      throw TesseraError.input(
        "kernels from files", found: "the CPU as the device",
        wanted: "--device opencl, opencl:N or opencl:NAME")
    }
    return profiler.map { ProfiledBackend(cpu, profiler: $0) } ?? cpu
  }

  /// Finds and opens the OpenCL device of a name; nil where the CPU is meant.
  private static func find(
    _ name: String, _ warn: (String) -> Void, _ open: (OpenCLDevice) throws -> OpenCLBackend
  ) throws -> OpenCLBackend? {
    if name == "cpu" { return nil }
    let survey = OpenCLSurvey()
    let devices = survey.devices
    if name == "auto" { return first(of: survey, warn, open) }
    guard name == "opencl" || name.hasPrefix("opencl:") else {
      throw TesseraError.input("device", found: name, wanted: "cpu, opencl, opencl:N, opencl:NAME or auto")
    }
    let there = devices.map { "opencl:\($0.index) (\($0.name))" }.joined(separator: ", ")
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
      throw TesseraError.input(
        "device", found: "no device \(name)",
        wanted: there.isEmpty ? "an OpenCL device (none is installed)" : there)
    }
    let backend = try open(found)
    for problem in survey.problems { warn("\(problem); \(backend.name) computes") }
    return backend
  }

  /// The first device that is no CPU and can be used; nil, the CPU, if none can.
  private static func first(
    of survey: OpenCLSurvey, _ warn: (String) -> Void, _ open: (OpenCLDevice) throws -> OpenCLBackend
  ) -> OpenCLBackend? {
    var problems = survey.problems
    var backend: OpenCLBackend?
    for device in survey.devices where !device.isCPU && backend == nil {
      do { backend = try open(device) } catch { problems.append("\(error)") }
    }
    for problem in problems { warn("\(problem); \(backend?.name ?? "the CPU") computes") }
    return backend
  }

  /// Opens a device and refuses it if it fails the probe, unless the user insists.
  private static func checked(
    _ device: OpenCLDevice, _ cpu: CPUBackend, insist: Bool, _ sources: KernelSources, _ tuning: TuningFile?,
    _ profiler: Profiler?
  ) throws -> OpenCLBackend {
    let variant = ProcessInfo.processInfo.environment["TESSERA_OPENCL_VARIANT"]
    let form: OpenCLBackend.Variant? = variant == "wide" ? .wide : variant == "narrow" ? .narrow : nil
    let wide = OpenCLBackend.isWide(device, form)
    let backend = try OpenCLBackend(
      device, variant: form, tuning: tuning?.tuning(device, wide: wide), sources: sources, profiler: profiler)
    let result = try backend.span("conformance probe") { try conformance(of: backend, against: cpu) }
    if let failure = result.failure, !insist {
      throw TesseraError.failure(
        "device opencl:\(device.index) (\(device.name))", found: "it breaks \(failure)",
        wanted: "a conforming device, or --insist")
    }
    return backend
  }

  /// Runs the conformance probe on an OpenCL device.
  public static func conformance(of backend: OpenCLBackend, against cpu: CPUBackend) throws -> Conformance {
    try Conformance.probe(backend, against: cpu)
  }
}
