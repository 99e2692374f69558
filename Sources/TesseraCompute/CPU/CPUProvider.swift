// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The CPU path as a device: `cpu`.
struct CPUProvider: DeviceProvider {
  let scheme = "cpu"
  let forms = ["cpu"]
  let title = "CPU"

  func survey() -> DeviceSurvey { DeviceSurvey(devices: [Self.device]) }

  /// The one device, which the settings have already.
  static let device = FoundDevice(
    info: DeviceInfo(
      selection: "cpu", name: "cpu", kind: .cpu, isReference: true,
      computeUnits: ProcessInfo.processInfo.activeProcessorCount)
  ) { settings in
    guard settings.sources.files.isEmpty else {
      throw TesseraError.input(
        "kernels from files", found: "the CPU as the device",
        wanted: "--device opencl, opencl:N or opencl:NAME")
    }
    return settings.reference
  }
}

extension CPUBackend {
  public var info: DeviceInfo {
    DeviceInfo(
      selection: "cpu", name: name, kind: .cpu, isReference: true, computeUnits: threads,
      instructionSet: instructionSet)
  }
}
