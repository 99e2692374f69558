// SPDX-License-Identifier: Apache-2.0
import COpenCL
import Foundation

/// What OpenCL devices there are, and what kept others from being found.
public struct OpenCLSurvey: Sendable {
  /// Every device of every platform that answered.
  public private(set) var devices: [OpenCLDevice] = []
  /// A line for each platform or device that did not.
  public private(set) var problems: [String] = []
  /// Why there may be fewer devices than there ought to be, a line each: no loader, no driver's ICD file, a
  /// platform that answers that it has none. On machines without such hardware all of that is as it should
  /// be.
  public private(set) var absences: [String] = []
  /// Whether a platform answered that it has no device.
  public private(set) var hasIdlePlatform = false
  /// What to do where NVIDIA's driver is installed and no loader knows of it.
  public private(set) var unseenDriver: String?
  /// Devices so far, with those that did not answer: these keep their numbers.
  private var seen = 0
  private var platforms: [String] = []

  /// The status of the loader where no driver is installed.
  private static let noPlatform: cl_int = -1001

  private static let firstCall = NSLock()

  /// Asks the loader; finds nothing where there is none.
  public init() {
    // Runtimes set themselves up at the first call, and not all of them (PoCL 3.1) expect two threads then.
    Self.firstCall.lock()
    defer { Self.firstCall.unlock() }
    look()
    // The driver may have been asked without a loader.
    let source = tsr_opencl_source().map { String(cString: $0) } ?? ""
    let isInstalled = !source.contains("nvidia") && tsr_opencl_nvidia_is_installed() != 0
    if isInstalled, !platforms.contains(where: { $0.contains("NVIDIA") }) {
      let hint = Self.icdHint(ProcessInfo.processInfo.environment)
      unseenDriver = hint
      absences.append(hint)
    }
  }

  private mutating func look() {
    let cl: tsr_opencl
    do { cl = try openCL().pointee } catch {
      let why = (error as? TesseraError)?.found ?? "\(error)"
      absences.append("there is no OpenCL loader: \(why); Debian's package is ocl-icd-libopencl1")
      return
    }
    var count: cl_uint = 0
    let status = cl.clGetPlatformIDs(0, nil, &count)
    guard status != Self.noPlatform, status != CL_SUCCESS || count > 0 else {
      let folder = Self.vendors(ProcessInfo.processInfo.environment)
      absences.append("the OpenCL loader knows no driver: no .icd file in \(folder) names one that loads")
      return
    }
    guard succeeds(status, "OpenCL platforms") else { return }
    var ids = [cl_platform_id?](repeating: nil, count: Int(count))
    guard succeeds(cl.clGetPlatformIDs(count, &ids, nil), "OpenCL platforms") else { return }
    for (number, platform) in ids.enumerated() {
      guard let platform else { continue }
      add(cl, platform, number)
    }
  }

  private mutating func add(_ cl: tsr_opencl, _ platform: cl_platform_id, _ number: Int) {
    let place = "devices of OpenCL platform \(number)"
    let all = cl_device_type(CL_DEVICE_TYPE_ALL)
    var count: cl_uint = 0
    let status = cl.clGetDeviceIDs(platform, all, 0, nil, &count)
    // A driver without hardware, or one that cannot start.
    guard status != CL_DEVICE_NOT_FOUND, status != CL_SUCCESS || count > 0 else {
      let name = Self.name(cl, platform, number)
      platforms.append(name)
      hasIdlePlatform = true
      absences.append("\(name) has no device: \(openCLError(CL_DEVICE_NOT_FOUND))" + Self.hint(for: name))
      return
    }
    guard succeeds(status, place) else { return }
    var ids = [cl_device_id?](repeating: nil, count: Int(count))
    guard succeeds(cl.clGetDeviceIDs(platform, all, count, &ids, nil), place) else { return }
    for case let id? in ids {
      do {
        let device = try OpenCLDevice(cl, platform, id, index: seen)
        devices.append(device)
        platforms.append(device.platform)
      } catch {
        problems.append("\(error)")
      }
      seen += 1
    }
  }

  private mutating func succeeds(_ status: cl_int, _ place: String) -> Bool {
    if status != CL_SUCCESS { problems.append("\(place): \(openCLError(status))") }
    return status == CL_SUCCESS
  }
}

/// What is told of platforms and drivers that give no device.
extension OpenCLSurvey {
  /// A platform by name and version; by its number if it does not tell.
  private static func name(_ cl: tsr_opencl, _ platform: cl_platform_id, _ number: Int) -> String {
    func text(_ key: Int32) -> String? {
      var bytes = [UInt8](repeating: 0, count: 256)
      let status = cl.clGetPlatformInfo(platform, cl_platform_info(key), bytes.count, &bytes, nil)
      return status == CL_SUCCESS ? String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) : nil
    }
    let (name, version) = (text(CL_PLATFORM_NAME), text(CL_PLATFORM_VERSION))
    return "OpenCL platform " + (name.map { "\($0)\(version.map { " (\($0))" } ?? "")" } ?? "\(number)")
  }

  /// What helps a platform that has no device.
  static func hint(for platform: String) -> String {
    guard platform.contains("Portable Computing Language") else { return "" }
    return
      "; PoCL has none where it cannot make its cache: set POCL_CACHE_DIR (or HOME) to a folder that can be written"
  }

  /// Where a loader looks for drivers' files.
  static func vendors(_ environment: [String: String]) -> String {
    let named = environment["OCL_ICD_VENDORS"] ?? ""
    return named.isEmpty ? "/etc/OpenCL/vendors" : named
  }

  /// What makes a loader find NVIDIA's driver.
  static func icdHint(_ environment: [String: String]) -> String {
    let folder = vendors(environment)
    let file = folder.hasSuffix(".icd") ? folder : "\(folder)/nvidia.icd"
    return "NVIDIA's driver is installed, but no ICD file names its OpenCL library: write the line "
      + "libnvidia-opencl.so.1 into \(file) (or into a file of a folder that OCL_ICD_VENDORS names)"
  }
}
