// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraBenchmark
import Testing

@testable import TesseraCompute

/// Kernels of a user's own: both twins, the same bits, and mistakes in them.
@Suite struct OwnKernelTests {
  private static let source = """
    #include "common/math.h"
    __kernel void leaky_relu(const int items, const float slope, __global const float *x, __global float *y) {
      const int i = (int)get_global_id(0);
      if (i < items) y[i] = tsr_canonical(x[i] < 0.0f ? slope * x[i] : tsr_fma(x[i], 3.0f, 0.25f));
    }
    """

  private static func kernel(_ slope: @escaping @Sendable (Float) -> Float = { $0 }) throws -> OwnKernel {
    try OwnKernel(name: "leaky_relu", source: source) { items, arguments in
      let (x, y) = (arguments.inputs[0], arguments.outputs[0])
      for i in items {
        let value = x[i] < 0 ? slope(arguments.numbers[0]) * x[i] : Float(0.25).addingProduct(x[i], 3)
        y[i] = value.isNaN ? Float(bitPattern: 0x7fc0_0000) : value
      }
    }
  }

  @Test(.tags(.opencl)) func bothTwinsGiveTheSameBits() throws {
    var draw = SplitMix64(seed: 3)
    let x = draw.withSpecials(5003)
    var devices: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 3)]
    if TestDevices.hasOpenCL {
      devices.append(try OpenCLBackend(try TestDevices.first()))
      devices.append(ProfiledBackend(try OpenCLBackend(try TestDevices.first()), profiler: Profiler()))
    }
    for device in devices {
      #expect(try Self.kernel().check(on: device, numbers: [0.1], inputs: [x], outputs: [5003]) == 5003)
      let y = try device.allocate([3], .float32)
      try Self.kernel().run(
        on: device, numbers: [0.5], inputs: [try device.tensor([-2, 0, 2])], outputs: [y])
      #expect(try device.floats(y) == [-1, 0.25, 6.25])
      try device.fill(y, with: 9)
      try Self.kernel().run(
        on: device, numbers: [0.5], inputs: [try device.tensor([-2, 0, 2])], outputs: [y], items: 1)
      #expect(try device.floats(y) == [-1, 9, 9])
    }
  }

  @Test(.tags(.opencl), arguments: TestDevices.hasOpenCL ? ["cpu", "opencl"] : ["cpu"])
  func aProfilerSeesIt(_ name: String) throws {
    let profiler = Profiler()
    let device = try DeviceSelection.open(name, profiler: profiler)
    let y = try device.allocate([3], .float32)
    for items in [3, 0, 2] {
      try Self.kernel().run(
        on: device, numbers: [0.5], inputs: [try device.tensor([-2, 0, 2])], outputs: [y], items: items)
    }
    #expect(try device.floats(y) == [-1, 0.25, 6.25])
    let kernels = profiler.summary().devices.flatMap(\.kernels).filter { $0.name == "leaky_relu" }
    #expect(kernels.map(\.calls) == [2] && kernels.map(\.bytes) == [2 * 4 * 6])
  }

  @Test(.tags(.opencl)) func aTwinThatDiffersIsNamed() throws {
    guard TestDevices.hasOpenCL else { return }
    let device = try OpenCLBackend(try TestDevices.first())
    let wrong = try Self.kernel { $0.nextUp }
    let error = #expect(throws: TesseraError.self) {
      try wrong.check(on: device, numbers: [0.125], inputs: [[1, 2, -3]], outputs: [3])
    }
    let text = "\(try #require(error))"
    #expect(
      text.contains("leaky_relu") && text.contains("output 0, element 2") && text.contains("as the twin"))
  }

  @Test(.tags(.opencl)) func mistakesAreRefused() throws {
    for name in ["", "a b", "1a", "other", "leaky_relu()"] {
      #expect(throws: TesseraError.self, "\(name)") {
        try OwnKernel(name: name, source: Self.source) { _, _ in }
      }
    }
    guard TestDevices.hasOpenCL else { return }
    let device = try OpenCLBackend(try TestDevices.first())
    let (x, y) = (try device.tensor([1]), try device.allocate([1], .float32))
    for (what, source) in [
      ("no kernel", "// leaky_relu"), ("no C", Self.source + "}"),
      ("an unknown header", "#include \"leaky_relu.h\"\n" + Self.source),
    ] {
      let kernel = try OwnKernel(name: "leaky_relu", source: source) { _, _ in }
      #expect(throws: TesseraError.self, "\(what)") {
        try kernel.run(on: device, numbers: [1], inputs: [x], outputs: [y])
      }
    }
    let kernel = try Self.kernel()
    #expect(throws: TesseraError.self) { try kernel.run(on: device, inputs: [x], outputs: [y]) }
    #expect(throws: TesseraError.self) { try kernel.run(on: device, numbers: [1], inputs: [x], outputs: [x]) }
    #expect(throws: TesseraError.self) {
      try kernel.run(on: device, numbers: [1], inputs: [x], outputs: [y], items: -1)
    }
    #expect(throws: TesseraError.self) {
      try kernel.run(on: device, numbers: [1], inputs: [try CPUBackend().tensor([1])], outputs: [y])
    }
  }
}
