// SPDX-License-Identifier: Apache-2.0
import Testing

/// What a test costs or needs; a suite's tag is that of all its tests.
extension Tag {
  /// Takes about 10 seconds or more when nothing else runs.
  @Tag public static var slow: Self
  /// Computes on an OpenCL device, where one is installed.
  @Tag public static var opencl: Self
  /// Reads real data or weights: those that `tools/fetch` brings, or those of the folder `TESSERA_ASSETS`.
  @Tag public static var assets: Self
}
