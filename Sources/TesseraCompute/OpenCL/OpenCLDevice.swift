import COpenCL
import Foundation

/// What an OpenCL device says of itself.
public struct OpenCLDevice: @unchecked Sendable {
  /// Position among all devices of all platforms.
  public let index: Int
  /// Platform and its version, device, driver version.
  public let platform: String, platformVersion: String, name: String, driver: String, version: String
  /// Whether it is a CPU: kernels then come in variants without barriers.
  public let isCPU: Bool
  /// Compute units, clock in MHz, largest work-group.
  public let computeUnits: Int, clock: Int, maxWorkGroup: Int
  /// Bytes of global and local memory, and of the largest allocation.
  public let globalMemory: Int, localMemory: Int, maxAllocation: Int
  /// Floats of the widest vector that the device computes with.
  public let vectorWidth: Int
  /// Whether division and square root are correctly rounded natively, and denormals kept.
  public let roundsDivision: Bool, keepsDenormals: Bool
  let id: cl_device_id

  /// Every device of every platform; empty where there is no loader or no platform.
  public static func all() -> [OpenCLDevice] {
    // Runtimes set themselves up at the first call, and not all of them (PoCL 3.1) expect two threads then.
    firstCall.lock()
    defer { firstCall.unlock() }
    return survey()
  }

  private static let firstCall = NSLock()

  private static func survey() -> [OpenCLDevice] {
    guard let cl = try? openCL().pointee else { return [] }
    var platformCount: cl_uint = 0
    guard cl.clGetPlatformIDs(0, nil, &platformCount) == CL_SUCCESS, platformCount > 0 else { return [] }
    var platforms = [cl_platform_id?](repeating: nil, count: Int(platformCount))
    guard cl.clGetPlatformIDs(platformCount, &platforms, nil) == CL_SUCCESS else { return [] }
    var devices: [OpenCLDevice] = []
    for case let platform? in platforms {
      var count: cl_uint = 0
      guard cl.clGetDeviceIDs(platform, cl_device_type(CL_DEVICE_TYPE_ALL), 0, nil, &count) == CL_SUCCESS
      else {
        continue
      }
      var ids = [cl_device_id?](repeating: nil, count: Int(count))
      guard cl.clGetDeviceIDs(platform, cl_device_type(CL_DEVICE_TYPE_ALL), count, &ids, nil) == CL_SUCCESS
      else {
        continue
      }
      for case let id? in ids { devices.append(OpenCLDevice(cl, platform, id, index: devices.count)) }
    }
    return devices
  }

  private init(_ cl: tsr_opencl, _ platform: cl_platform_id, _ id: cl_device_id, index: Int) {
    func text(_ read: (Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> cl_int) -> String {
      var size = 0
      guard read(0, nil, &size) == CL_SUCCESS, size > 0 else { return "" }
      var bytes = [UInt8](repeating: 0, count: size)
      guard read(size, &bytes, nil) == CL_SUCCESS else { return "" }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    func device(_ key: Int32) -> String {
      text { cl.clGetDeviceInfo(id, cl_device_info(key), $0, $1, $2) }
    }
    func number<T: BinaryInteger & BitwiseCopyable>(_ key: Int32, _ type: T.Type) -> Int {
      var value: T = 0
      _ = withUnsafeMutableBytes(of: &value) {
        cl.clGetDeviceInfo(id, cl_device_info(key), $0.count, $0.baseAddress, nil)
      }
      return Int(clamping: value)
    }
    self.index = index
    self.id = id
    self.platform = text { cl.clGetPlatformInfo(platform, cl_platform_info(CL_PLATFORM_NAME), $0, $1, $2) }
    platformVersion = text {
      cl.clGetPlatformInfo(platform, cl_platform_info(CL_PLATFORM_VERSION), $0, $1, $2)
    }
    name = device(CL_DEVICE_NAME)
    driver = device(CL_DRIVER_VERSION)
    version = device(CL_DEVICE_VERSION)
    isCPU = number(CL_DEVICE_TYPE, UInt64.self) & 2 != 0
    computeUnits = number(CL_DEVICE_MAX_COMPUTE_UNITS, UInt32.self)
    clock = number(CL_DEVICE_MAX_CLOCK_FREQUENCY, UInt32.self)
    maxWorkGroup = number(CL_DEVICE_MAX_WORK_GROUP_SIZE, UInt.self)
    globalMemory = number(CL_DEVICE_GLOBAL_MEM_SIZE, UInt64.self)
    localMemory = number(CL_DEVICE_LOCAL_MEM_SIZE, UInt64.self)
    maxAllocation = number(CL_DEVICE_MAX_MEM_ALLOC_SIZE, UInt64.self)
    vectorWidth = number(CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, UInt32.self)
    let single = number(CL_DEVICE_SINGLE_FP_CONFIG, UInt64.self)
    roundsDivision = single & 128 != 0
    keepsDenormals = single & 1 != 0
  }
}
