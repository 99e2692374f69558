// SPDX-License-Identifier: Apache-2.0
/// The devices of all OpenCL platforms: `opencl:N`.
struct OpenCLProvider: DeviceProvider {
  let scheme = "opencl"
  let forms = ["opencl", "opencl:N", "opencl:NAME"]
  let title = "OpenCL"

  func survey() -> DeviceSurvey {
    let found = OpenCLSurvey()
    return DeviceSurvey(
      devices: found.devices.map { device in
        FoundDevice(info: device.info) { try Self.open(device, $0) }
      }, problems: found.problems, absences: found.absences, hasIdlePlatform: found.hasIdlePlatform,
      hints: found.unseenDriver.map { [$0] } ?? [])
  }

  private static func open(_ device: OpenCLDevice, _ settings: DeviceSettings) throws -> OpenCLBackend {
    let form = try settings.environment["TESSERA_OPENCL_VARIANT"].map { name in
      guard let form = OpenCLBackend.Variant(name) else {
        throw TesseraError.input("TESSERA_OPENCL_VARIANT", found: name, wanted: "cpu or gpu")
      }
      return form
    }
    let units = try settings.environment["TESSERA_MATRIX_UNITS"].map { name in
      guard let units = MatrixUnits(name) else {
        throw TesseraError.input(
          "TESSERA_MATRIX_UNITS", found: name,
          wanted: "one of \(MatrixUnits.names.joined(separator: ", "))")
      }
      return units
    }
    _ = try ProgramCacheLimit.limit(settings.environment)
    let gpu = OpenCLBackend.isGPUVariant(device, form)
    return try OpenCLBackend(
      device, variant: form, tuning: settings.tuning?.tuning(device, gpu: gpu), sources: settings.sources,
      profiler: settings.profiler, matrixUnits: units ?? .automatic)
  }
}

extension OpenCLDevice {
  /// What is known of it before it is opened.
  var info: DeviceInfo {
    DeviceInfo(
      selection: "opencl:\(index)", name: name, kind: isCPU ? .cpu : .gpu, computeUnits: computeUnits,
      driver: DriverInfo(
        platform: platform, platformVersion: platformVersion, driver: driver, version: version,
        type: type, clock: clock, extensions: extensions, globalMemory: globalMemory,
        localMemory: localMemory, maxAllocation: maxAllocation,
        maxWorkGroup: maxWorkGroup, roundsDivision: roundsDivision, keepsDenormals: keepsDenormals))
  }
}

extension OpenCLBackend {
  public var info: DeviceInfo {
    var info = device.info
    info.buildOptions = buildOptions
    info.kernelFiles = sources.files
    info.kernelSources = sources
    return info
  }
}
