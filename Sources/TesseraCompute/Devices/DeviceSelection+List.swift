// SPDX-License-Identifier: Apache-2.0
import Foundation

extension DeviceSelection {
  /// The devices of a comma-separated list of names, the first being the main one; `all` for every device
  /// that is not a CPU and passes the conformance probe, in their order, and then the CPU. A single name is
  /// opened as `open` does.
  ///
  /// - Throws: what `open` does, and `TesseraError` for a device that is named twice.
  public static func openAll(
    _ list: String, threads: Int? = nil, allowNonconforming: Bool = false, sources: KernelSources = .embedded,
    tuning: TuningFile? = nil, profiler: Profiler? = nil, warn: (String) -> Void = { _ in }
  ) throws -> DeviceGroup {
    guard isList(list) else {
      return DeviceGroup(
        try open(
          list, threads: threads, allowNonconforming: allowNonconforming, sources: sources, tuning: tuning,
          profiler: profiler,
          warn: warn))
    }
    let opener = try DeviceOpener(
      threads, allowNonconforming: allowNonconforming && list != "all", sources, tuning, profiler)
    if list == "all" { return try all(opener, warn) }
    var seen: Set<String> = []
    let devices = try list.split(separator: ",", omittingEmptySubsequences: false).map { part in
      let name = part.trimmingCharacters(in: .whitespaces)
      guard name != "auto", name != "all" else {
        throw TesseraError.input(
          "device", found: "\(name) in a list", wanted: "names of devices, or it alone")
      }
      let device = try find(name, warn)
      guard seen.insert(device.info.selection).inserted else {
        throw TesseraError.input(
          "device", found: "\(device.info.title) twice in \(list)", wanted: "each device once")
      }
      return device
    }
    // All names are looked at before any device is opened, which takes a while.
    let backends = try devices.map { device in
      do { return try opener.open(device) } catch let error as TesseraError {
        throw error.on(device.info.title)
      }
    }
    return DeviceGroup(backends[0], helpers: Array(backends.dropFirst()))
  }

  private static func all(_ opener: DeviceOpener, _ warn: (String) -> Void) throws -> DeviceGroup {
    let survey = survey()
    var problems = survey.problems
    var backends: [any Backend] = []
    for device in survey.devices where device.info.kind != .cpu {
      do { backends.append(try opener.open(device)) } catch { problems.append("\(error)") }
    }
    for problem in problems { warn("\(problem); it takes no part") }
    backends.append(try opener.openReference())
    return DeviceGroup(backends[0], helpers: Array(backends.dropFirst()))
  }
}
