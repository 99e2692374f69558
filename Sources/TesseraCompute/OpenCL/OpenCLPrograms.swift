import COpenCL
import Crypto
import Foundation
import Kernels

/// The programs of one device: one per kernel family, built at first use and kept on disk by device, driver,
/// source and options.
final class OpenCLPrograms: @unchecked Sendable {
  private let cl: tsr_opencl
  private let context: cl_context
  private let device: OpenCLDevice
  let options: String
  let sources: KernelSources
  private let profiler: Profiler?
  private var programs: [String: cl_program] = [:]
  private var kernels: [String: cl_kernel] = [:]

  init(
    cl: tsr_opencl, context: cl_context, device: OpenCLDevice, wide: Bool, nativeDivision: Bool,
    sources: KernelSources, profiler: Profiler?
  ) {
    self.cl = cl
    self.context = context
    self.device = device
    (self.sources, self.profiler) = (sources, profiler)
    var options = "-cl-std=CL1.2"
    if nativeDivision { options += " -cl-fp32-correctly-rounded-divide-sqrt -DTSR_NATIVE_DIVIDE" }
    if wide { options += " -DTSR_WIDE" }
    self.options = options
  }

  deinit {
    for kernel in kernels.values { _ = cl.clReleaseKernel(kernel) }
    for program in programs.values { _ = cl.clReleaseProgram(program) }
  }

  /// A kernel, its program built if need be. Callers hold the backend's lock.
  ///
  /// - Parameter options: beyond those of every program, such as a tile's size; each set of them has a program of its own.
  func kernel(_ family: String, _ name: String, options: String = "") throws -> cl_kernel {
    let key = name + options
    if let kernel = kernels[key] { return kernel }
    let program = try self.program(family, options)
    var status: cl_int = 0
    let created = cl.clCreateKernel(program, name, &status)
    try check(status, "kernel \(name)")
    guard let created else {
      throw TesseraError.failure("kernel \(name)", found: "nothing", wanted: "a kernel")
    }
    kernels[key] = created
    return created
  }

  private func program(_ family: String, _ extra: String) throws -> cl_program {
    if let program = programs[family + extra] { return program }
    guard let profiler else { return try newProgram(family, extra) }
    return try profiler.span(.build, "program \(family)") { try newProgram(family, extra) }
  }

  private func newProgram(_ family: String, _ extra: String) throws -> cl_program {
    let source = try sources.program(family)
    let options = options + extra
    let key = [device.platform, device.platformVersion, device.name, device.driver, options, source]
    let digest = SHA256.hash(data: Data(key.joined(separator: "\u{0}").utf8))
    let hex = digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    let file = CacheFolder.programs?.appendingPathComponent(hex)
    let program = (file.flatMap { load($0, options) }) ?? nil
    if let program {
      programs[family + extra] = program
      return program
    }
    let built = try build(source, family, options)
    programs[family + extra] = built
    if let file { save(built, file) }
    return built
  }

  private func build(_ source: String, _ family: String, _ options: String) throws -> cl_program {
    var status: cl_int = 0
    let program = source.withCString { text -> cl_program? in
      var pointer: UnsafePointer<CChar>? = text
      return cl.clCreateProgramWithSource(context, 1, &pointer, nil, &status)
    }
    try check(status, "program \(family)")
    guard let program else { throw TesseraError.failure("program \(family)", found: "nothing") }
    var id: cl_device_id? = device.id
    let built = cl.clBuildProgram(program, 1, &id, options, nil, nil)
    guard built == CL_SUCCESS else {
      var size = 0
      _ = cl.clGetProgramBuildInfo(program, id, cl_program_build_info(CL_PROGRAM_BUILD_LOG), 0, nil, &size)
      var log = [UInt8](repeating: 0, count: max(1, size))
      _ = cl.clGetProgramBuildInfo(
        program, id, cl_program_build_info(CL_PROGRAM_BUILD_LOG), size, &log, nil)
      _ = cl.clReleaseProgram(program)
      throw TesseraError.failure(
        "\(sources.place(family)) on \(device.name)",
        found: String(decoding: log.prefix { $0 != 0 }, as: UTF8.self),
        wanted: "a clean build")
    }
    return program
  }

  private func load(_ file: URL, _ options: String) -> cl_program? {
    guard let data = try? Data(contentsOf: file), !data.isEmpty else { return nil }
    var id: cl_device_id? = device.id
    var (status, built): (cl_int, cl_int) = (0, 0)
    let program = data.withUnsafeBytes { bytes -> cl_program? in
      var pointer = bytes.bindMemory(to: UInt8.self).baseAddress
      var size = data.count
      return cl.clCreateProgramWithBinary(context, 1, &id, &size, &pointer, &status, &built)
    }
    guard let program, status == CL_SUCCESS, built == CL_SUCCESS else { return nil }
    guard cl.clBuildProgram(program, 1, &id, options, nil, nil) == CL_SUCCESS else {
      _ = cl.clReleaseProgram(program)
      return nil
    }
    return program
  }

  /// Keeps a built program; a cache that cannot be written is not an error.
  private func save(_ program: cl_program, _ file: URL) {
    var size = 0
    guard
      cl.clGetProgramInfo(
        program, cl_program_info(CL_PROGRAM_BINARY_SIZES), MemoryLayout<Int>.size, &size, nil) == CL_SUCCESS,
      size > 0
    else { return }
    var bytes = [UInt8](repeating: 0, count: size)
    let status = bytes.withUnsafeMutableBufferPointer { buffer -> cl_int in
      var pointer: UnsafeMutablePointer<UInt8>? = buffer.baseAddress
      return cl.clGetProgramInfo(
        program, cl_program_info(CL_PROGRAM_BINARIES), MemoryLayout.size(ofValue: pointer), &pointer, nil)
    }
    if status == CL_SUCCESS { try? Data(bytes).write(to: file, options: .atomic) }
  }
}

/// Where built programs, probe results and tiles are kept: `$XDG_CACHE_HOME/tessera` or `~/.cache/tessera`.
enum CacheFolder {
  static let base: URL? = {
    let environment = ProcessInfo.processInfo.environment
    let base =
      environment["XDG_CACHE_HOME"].map { URL(fileURLWithPath: $0) }
      ?? environment["HOME"].map { URL(fileURLWithPath: $0).appendingPathComponent(".cache") }
    return base?.appendingPathComponent("tessera")
  }()
  static let programs = folder("programs")
  static let conformance = folder("conformance")

  private static func folder(_ name: String) -> URL? {
    guard let url = base?.appendingPathComponent(name) else { return nil }
    try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
  }
}
