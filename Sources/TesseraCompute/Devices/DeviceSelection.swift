// SPDX-License-Identifier: Apache-2.0
/// Opens devices by the names that users give.
public enum DeviceSelection {
  /// A backend for `cpu`, `opencl`, `opencl:N`, `opencl:NAME` or `auto`.
  ///
  /// `auto` is the first device that is not a CPU and passes the conformance probe, else the CPU. That
  /// choice is made here, once: a device that fails later is an error, never a silent change to another.
  ///
  /// - Parameters:
  ///   - name: the selection.
  ///   - threads: CPU threads; all cores if nil.
  ///   - allowNonconforming: use a device even if it fails the probe.
  ///   - sources: the OpenCL kernels' text; the CPU has none of it.
  ///   - tuning: tiles by device; the user's own file if nil.
  ///   - profiler: what measures the device's work; nothing does if nil.
  ///   - warn: called with a line for every platform or device that was passed over because it cannot be
  ///     used.
  /// - Throws: `TesseraError` for an unknown selection, an absent device or one that fails the probe, for a
  ///   list of devices, and for the CPU with other sources than the binary's.
  public static func open(
    _ name: String = "auto", threads: Int? = nil, allowNonconforming: Bool = false,
    sources: KernelSources = .embedded,
    tuning: TuningFile? = nil, profiler: Profiler? = nil, warn: (String) -> Void = { _ in }
  ) throws -> any Backend {
    guard !isList(name) else {
      throw TesseraError.input("device", found: "several (\(name))", wanted: "one: only one is used here")
    }
    let opener = try DeviceOpener(
      threads, allowNonconforming: allowNonconforming && name != "auto", sources, tuning, profiler)
    guard name != "auto" else { return try first(of: survey(), opener, warn) }
    return try opener.open(try find(name, warn))
  }

  /// Whether a selection is of several devices, for `openAll`.
  static func isList(_ selection: String) -> Bool { selection == "all" || selection.contains(",") }

  /// The first device that is no CPU and can be used; the CPU, if none can.
  private static func first(
    of survey: DeviceSurvey, _ opener: DeviceOpener, _ warn: (String) -> Void
  ) throws -> any Backend {
    var problems = survey.problems
    var backend: (any Backend)?
    for device in survey.devices where device.info.kind != .cpu && backend == nil {
      do { backend = try opener.open(device) } catch { problems.append("\(error)") }
    }
    if backend == nil { problems += survey.hints }
    for problem in problems { warn("\(problem); \(backend?.name ?? "the CPU") computes") }
    return try backend ?? opener.openReference()
  }

  /// Runs the conformance probe on a device.
  ///
  /// - Parameters:
  ///   - backend: the device; a profiler around it sees nothing of the probe.
  ///   - cpu: the CPU path, whose bits are wanted.
  public static func conformance(of backend: any Backend, against cpu: CPUBackend) throws -> Conformance {
    try Conformance.probe(try backend.unprofiled.requireLauncher("conformance probe"), against: cpu)
  }
}
