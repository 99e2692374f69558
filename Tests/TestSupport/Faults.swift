// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// The OpenCL library that fails calls (`tools/check/faults.d/opencl.c`).
public enum Faults {
  /// Builds it in a folder; its path.
  public static func build(in folder: String) throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    let path = folder + "/faults.so"
    let built = try Command.shell(
      "$(command -v clang || echo cc) -shared -fPIC -O1 -o '\(path)' '\(root)/tools/check/faults.d/opencl.c' -l:libOpenCL.so.1"
    )
    guard built.code == 0 else {
      throw TesseraError.failure("tools/check/faults.d/opencl.c", found: built.errors, wanted: "a library")
    }
    return path
  }
}
