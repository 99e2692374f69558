import COpenCL
import Foundation

/// What OpenCL devices there are, and what kept others from being found.
public struct OpenCLSurvey: Sendable {
  /// Every device of every platform that answered.
  public private(set) var devices: [OpenCLDevice] = []
  /// A line for each platform or device that did not.
  public private(set) var problems: [String] = []
  /// Devices so far, with those that did not answer: these keep their numbers.
  private var seen = 0

  /// The status of the loader where no driver is installed.
  private static let noPlatform: cl_int = -1001

  private static let firstCall = NSLock()

  /// Asks the loader; finds nothing where there is none.
  public init() {
    // Runtimes set themselves up at the first call, and not all of them (PoCL 3.1) expect two threads then.
    Self.firstCall.lock()
    defer { Self.firstCall.unlock() }
    guard let cl = try? openCL().pointee else { return }
    var count: cl_uint = 0
    let status = cl.clGetPlatformIDs(0, nil, &count)
    guard status != Self.noPlatform else { return }
    guard succeeds(status, "OpenCL platforms"), count > 0 else { return }
    var platforms = [cl_platform_id?](repeating: nil, count: Int(count))
    guard succeeds(cl.clGetPlatformIDs(count, &platforms, nil), "OpenCL platforms") else { return }
    for (number, platform) in platforms.enumerated() {
      guard let platform else { continue }
      add(cl, platform, "devices of OpenCL platform \(number)")
    }
  }

  private mutating func add(_ cl: tsr_opencl, _ platform: cl_platform_id, _ place: String) {
    let all = cl_device_type(CL_DEVICE_TYPE_ALL)
    var count: cl_uint = 0
    let status = cl.clGetDeviceIDs(platform, all, 0, nil, &count)
    // A driver without hardware.
    guard status != CL_DEVICE_NOT_FOUND else { return }
    guard succeeds(status, place), count > 0 else { return }
    var ids = [cl_device_id?](repeating: nil, count: Int(count))
    guard succeeds(cl.clGetDeviceIDs(platform, all, count, &ids, nil), place) else { return }
    for case let id? in ids {
      do { devices.append(try OpenCLDevice(cl, platform, id, index: seen)) } catch {
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
