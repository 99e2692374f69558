// SPDX-License-Identifier: Apache-2.0
import COpenCL
import Foundation

/// What an OpenCL device says of itself.
public struct OpenCLDevice: @unchecked Sendable {
  /// Position among all devices of all platforms.
  public let index: Int
  /// The platform's name.
  public let platform: String
  /// The platform's version.
  public let platformVersion: String
  /// The device's name.
  public let name: String
  /// The driver's version.
  public let driver: String
  /// The version of OpenCL that the device has.
  public let version: String
  /// Whether it is a CPU: kernels then come in variants without barriers.
  public let isCPU: Bool
  /// What it is: `CPU`, `GPU`, `accelerator`, `custom`, or more than one of them.
  public let type: String
  /// The names of its extensions.
  public let extensions: [String]
  /// Compute units.
  public let computeUnits: Int
  /// The clock in MHz.
  public let clock: Int
  /// Work-items of the largest work-group.
  public let maxWorkGroup: Int
  /// Bytes of global memory.
  public let globalMemory: Int
  /// Bytes of local memory, which a work-group shares.
  public let localMemory: Int
  /// Bytes of the largest allocation.
  public let maxAllocation: Int
  /// Floats of the widest vector that the device computes with.
  public let vectorWidth: Int
  /// Whether division and square root are correctly rounded natively.
  public let roundsDivision: Bool
  /// Whether denormals are kept.
  public let keepsDenormals: Bool
  let id: cl_device_id

  /// The bits of `CL_DEVICE_TYPE`.
  private static let types: [(bit: Int, name: String)] = [
    (2, "CPU"), (4, "GPU"), (8, "accelerator"), (16, "custom"),
  ]

  /// Every device of every platform that answers; empty where there is no loader or no platform.
  public static func all() -> [OpenCLDevice] { OpenCLSurvey().devices }

  /// Asks a device for what it is.
  ///
  /// - Throws: `TesseraError` if it does not answer: a device that is not known would be used wrongly.
  init(_ cl: tsr_opencl, _ platform: cl_platform_id, _ id: cl_device_id, index: Int) throws {
    let place = "opencl:\(index)"
    func text(_ read: (Int, UnsafeMutableRawPointer?, UnsafeMutablePointer<Int>?) -> cl_int) throws -> String
    {
      var size = 0
      try check(read(0, nil, &size), place)
      guard size > 0 else { return "" }
      var bytes = [UInt8](repeating: 0, count: size)
      try check(read(size, &bytes, nil), place)
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    func device(_ key: Int32) throws -> String {
      try text { cl.clGetDeviceInfo(id, cl_device_info(key), $0, $1, $2) }
    }
    func number<T: BinaryInteger & BitwiseCopyable>(_ key: Int32, _ type: T.Type) throws -> Int {
      var value: T = 0
      try check(
        withUnsafeMutableBytes(of: &value) {
          cl.clGetDeviceInfo(id, cl_device_info(key), $0.count, $0.baseAddress, nil)
        }, place)
      return Int(clamping: value)
    }
    self.index = index
    self.id = id
    self.platform = try text {
      cl.clGetPlatformInfo(platform, cl_platform_info(CL_PLATFORM_NAME), $0, $1, $2)
    }
    platformVersion = try text {
      cl.clGetPlatformInfo(platform, cl_platform_info(CL_PLATFORM_VERSION), $0, $1, $2)
    }
    name = try device(CL_DEVICE_NAME)
    driver = try device(CL_DRIVER_VERSION)
    version = try device(CL_DEVICE_VERSION)
    let bits = try number(CL_DEVICE_TYPE, UInt64.self)
    isCPU = bits & 2 != 0
    type = Self.types.filter { bits & $0.bit != 0 }.map(\.name).joined(separator: ", ")
    extensions = try device(CL_DEVICE_EXTENSIONS).split(separator: " ").map(String.init)
    computeUnits = try number(CL_DEVICE_MAX_COMPUTE_UNITS, UInt32.self)
    clock = try number(CL_DEVICE_MAX_CLOCK_FREQUENCY, UInt32.self)
    maxWorkGroup = try number(CL_DEVICE_MAX_WORK_GROUP_SIZE, UInt.self)
    globalMemory = try number(CL_DEVICE_GLOBAL_MEM_SIZE, UInt64.self)
    localMemory = try number(CL_DEVICE_LOCAL_MEM_SIZE, UInt64.self)
    maxAllocation = try number(CL_DEVICE_MAX_MEM_ALLOC_SIZE, UInt64.self)
    vectorWidth = try number(CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, UInt32.self)
    let single = try number(CL_DEVICE_SINGLE_FP_CONFIG, UInt64.self)
    roundsDivision = single & 128 != 0
    keepsDenormals = single & 1 != 0
  }
}
