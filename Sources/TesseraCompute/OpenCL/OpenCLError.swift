// SPDX-License-Identifier: Apache-2.0
import COpenCL

/// The loader's functions; throws where there is no OpenCL loader.
func openCL() throws -> UnsafePointer<tsr_opencl> {
  var why: UnsafePointer<CChar>?
  guard let table = tsr_opencl_load(&why) else {
    throw TesseraError.failure(
      "opencl", found: why.map { String(cString: $0) } ?? "no loader", wanted: "libOpenCL.so.1")
  }
  return table
}

/// Throws unless an OpenCL call succeeded.
func check(_ status: cl_int, _ place: String) throws {
  guard status != CL_SUCCESS else { return }
  // Drivers that make room at first use tell of it there.
  guard status != CL_MEM_OBJECT_ALLOCATION_FAILURE else {
    throw TesseraError.outOfMemory(place, found: openCLError(status), wanted: "memory for its tensors")
  }
  throw TesseraError.device(place, found: openCLError(status))
}

/// A status by number and name.
func openCLError(_ status: cl_int) -> String {
  "OpenCL error \(status)\(openCLErrorNames[status].map { " (\($0))" } ?? "")"
}

private let openCLErrorNames: [cl_int: String] = [
  -1: "device not found", -2: "device not available", -3: "compiler not available",
  -4: "memory object allocation failure", -5: "out of resources", -6: "out of host memory",
  -11: "build program failure", -14: "execution status error", -30: "invalid value", -34: "invalid context",
  -36: "invalid command queue", -38: "invalid memory object", -42: "invalid binary",
  -43: "invalid build options", -46: "invalid kernel name", -48: "invalid kernel",
  -49: "invalid argument index", -50: "invalid argument value", -51: "invalid argument size",
  -52: "invalid kernel arguments", -54: "invalid work-group size", -55: "invalid work-item size",
  -61: "invalid buffer size", -1001: "no platform",
]
