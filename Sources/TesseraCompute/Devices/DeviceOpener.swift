// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Opens devices under the same settings, and refuses those whose bits are not the contract's.
struct DeviceOpener {
  private let settings: DeviceSettings
  private let allowNonconforming: Bool

  /// Settings as of `DeviceSelection.open`.
  init(
    _ threads: Int?, allowNonconforming: Bool, _ sources: KernelSources, _ tuning: TuningFile?,
    _ profiler: Profiler?
  ) throws {
    var settings = DeviceSettings(reference: try CPUBackend(threads: threads))
    settings.sources = sources
    settings.tuning = tuning ?? .own
    settings.profiler = profiler
    settings.environment = ProcessInfo.processInfo.environment
    (self.settings, self.allowNonconforming) = (settings, allowNonconforming)
  }

  /// Opens a device, under the profiler if there is one.
  ///
  /// - Throws: what opening it throws, and `TesseraError` if it fails the probe, unless the user insists.
  func open(_ device: FoundDevice) throws -> any Backend {
    let backend = try device.open(settings)
    if !device.info.isReference {
      let result = try backend.span("conformance probe") {
        try Conformance.probe(backend, against: settings.reference)
      }
      if let failure = result.failure, !allowNonconforming {
        throw TesseraError.failure(
          "device \(device.info.title)", found: "it breaks \(failure)",
          wanted: "a conforming device, or --allow-nonconforming")
      }
    }
    return settings.profiler.map { ProfiledBackend(backend, profiler: $0) } ?? backend
  }

  /// Opens the CPU path.
  func openReference() throws -> any Backend { try open(CPUProvider.device) }
}
