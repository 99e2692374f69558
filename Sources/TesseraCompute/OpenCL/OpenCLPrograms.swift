// SPDX-License-Identifier: Apache-2.0
import COpenCL
import Foundation
internal import Kernels

/// The programs of one device: one per kernel family, built at first use and kept on disk by device, driver,
/// source and options.
final class OpenCLPrograms: @unchecked Sendable {
  private let cl: tsr_opencl
  private let context: cl_context
  private let device: OpenCLDevice
  /// Nil where programs are not kept.
  private let cache: ProgramCache?
  let options: String
  let sources: KernelSources
  private let profiler: Profiler?
  private var programs: [String: cl_program] = [:]
  private var kernels: [String: cl_kernel] = [:]

  init(
    cl: tsr_opencl, context: cl_context, device: OpenCLDevice, gpu: Bool, nativeDivision: Bool,
    sources: KernelSources, profiler: Profiler?, cache: ProgramCache = .standard
  ) {
    self.cl = cl
    self.context = context
    self.device = device
    self.cache = ProgramCacheLimit.isKept(of: device.platform) ? cache : nil
    (self.sources, self.profiler) = (sources, profiler)
    var options = "-cl-std=CL1.2"
    if nativeDivision { options += " -cl-fp32-correctly-rounded-divide-sqrt -DTSR_NATIVE_DIVIDE" }
    if gpu { options += " -DTSR_GPU" }
    // It interprets the compiler's intermediate code, and knows no instruction that fetches ahead.
    if device.platform == "Oclgrind" { options += " -DTSR_SIMULATED" }
    // To try what a driver's compiler offers, such as -cl-nv-maxrregcount=128; `verify` tells what it does
    // to the bits.
    if let more = ProcessInfo.processInfo.environment["TESSERA_OPENCL_OPTIONS"] { options += " " + more }
    self.options = options
  }

  deinit {
    for kernel in kernels.values { _ = cl.clReleaseKernel(kernel) }
    for program in programs.values { _ = cl.clReleaseProgram(program) }
  }

  /// A kernel, its program built if need be. Callers hold the backend's lock.
  ///
  /// - Parameter options: beyond those of every program, such as a tile's size; each set of them has a
  ///   program of its own.
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

  /// A user's kernel, its program built if need be. Callers hold the backend's lock.
  func kernel(_ own: OwnKernel) throws -> cl_kernel {
    let key = "own " + own.name + "\n" + own.source
    if let kernel = kernels[key] { return kernel }
    let program: cl_program
    if let built = programs[key] {
      program = built
    } else {
      program = try build(try sources.program(of: own.source, name: own.name), own.name, options)
      programs[key] = program
    }
    var status: cl_int = 0
    let created = cl.clCreateKernel(program, own.name, &status)
    guard status == CL_SUCCESS, let created else {
      throw TesseraError.input(
        own.name, found: openCLError(status), wanted: "a kernel of that name in its source")
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
    let key = ProgramCache.key(
      [device.platform, device.platformVersion, device.name, device.driver, device.version, options, source])
    if let program = cache?.binary(key).flatMap({ load($0, options) }) {
      programs[family + extra] = program
      return program
    }
    let built = try build(source, family, options)
    programs[family + extra] = built
    if let cache, let binary = binary(built) { cache.keep(binary, key) }
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
      let log = buildLog(program)
      _ = cl.clReleaseProgram(program)
      throw TesseraError.device(
        "\(sources.place(family)) on \(device.name)",
        found: Self.firstError(log) ?? openCLError(built), wanted: "a clean build")
    }
    return program
  }

  /// What the compiler says; empty if nothing.
  private func buildLog(_ program: cl_program) -> String {
    let key = cl_program_build_info(CL_PROGRAM_BUILD_LOG)
    var size = 0
    guard cl.clGetProgramBuildInfo(program, device.id, key, 0, nil, &size) == CL_SUCCESS, size > 0 else {
      return ""
    }
    var log = [UInt8](repeating: 0, count: size)
    guard cl.clGetProgramBuildInfo(program, device.id, key, size, &log, nil) == CL_SUCCESS else { return "" }
    return String(decoding: log.prefix { $0 != 0 }, as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The first line of a build log that tells of an error, and how many more do: one mistake brings
  /// hundreds after it. A log without such a line, whole; nil for an empty one.
  static func firstError(_ log: String) -> String? {
    let lines = log.split(separator: "\n").filter {
      $0.localizedCaseInsensitiveContains("error") && !$0.hasSuffix("generated.")
    }
    guard let first = lines.first else { return log.isEmpty ? nil : log }
    return lines.count == 1 ? String(first) : "\(first) (and \(lines.count - 1) more)"
  }

  /// A program of a kept binary; nil if the driver does not take it.
  private func load(_ binary: Data, _ options: String) -> cl_program? {
    var id: cl_device_id? = device.id
    var (taken, status): (cl_int, cl_int) = (0, 0)
    let program = binary.withUnsafeBytes { bytes -> cl_program? in
      var pointer = bytes.bindMemory(to: UInt8.self).baseAddress
      var size = bytes.count
      return cl.clCreateProgramWithBinary(context, 1, &id, &size, &pointer, &taken, &status)
    }
    guard let program else { return nil }
    guard status == CL_SUCCESS, taken == CL_SUCCESS,
      cl.clBuildProgram(program, 1, &id, options, nil, nil) == CL_SUCCESS
    else {
      _ = cl.clReleaseProgram(program)
      return nil
    }
    return program
  }

  /// The binary of a built program; nil if the driver does not give it.
  private func binary(_ program: cl_program) -> Data? {
    let sizes = cl_program_info(CL_PROGRAM_BINARY_SIZES)
    var size = 0
    guard cl.clGetProgramInfo(program, sizes, MemoryLayout<Int>.size, &size, nil) == CL_SUCCESS, size > 0
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: size)
    let status = bytes.withUnsafeMutableBufferPointer { buffer -> cl_int in
      var pointer: UnsafeMutablePointer<UInt8>? = buffer.baseAddress
      return cl.clGetProgramInfo(
        program, cl_program_info(CL_PROGRAM_BINARIES), MemoryLayout.size(ofValue: pointer), &pointer, nil)
    }
    return status == CL_SUCCESS ? Data(bytes) : nil
  }
}
