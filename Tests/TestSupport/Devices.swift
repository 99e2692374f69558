// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// OpenCL devices for tests.
public enum TestDevices {
  /// Whether any is installed; `tools/test` sees to it.
  public static let hasOpenCL = !OpenCLDevice.all().isEmpty

  /// The first device.
  public static func first() throws -> OpenCLDevice {
    guard let device = OpenCLDevice.all().first else {
      throw TesseraError.failure("tests", found: "no OpenCL device", wanted: "PoCL")
    }
    return device
  }
}
