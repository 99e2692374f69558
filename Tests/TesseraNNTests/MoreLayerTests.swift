// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import TesseraNN

/// Recurrent layers, transposed convolutions, and functions of one's own.
@Suite struct MoreLayerTests {
  @Test func aGRUIsPyTorchs() throws {
    let golden = try Golden(.module).tensors("layers.safetensors")
    let device = try CPUBackend()
    let gru = try GRU(3, 5, Initializer(device: device, seed: 1))
    try drawState(gru.state.map { ($0.name, $0.state.tensor) }, from: 600, on: device)
    let context = Context(device: device, training: true, differentiable: true)
    let x = try context.variable(drawn(1, 9 * 4 * 3), [9, 4, 3], requiresGradient: true)
    let y = try gru(x, context)
    try context.tape?.backward(from: y, gradient: try device.tensor(drawn(2, y.value.count), y.shape))
    #expect(largestDifference(try y.values(), try golden.floats("gru.y")).value < 1e-6)
    let gradients = [("x", x.gradient)] + gru.parameters.map { ($0.name, $0.parameter.gradient) }
    for (name, gradient) in gradients {
      let found = try device.floats(try #require(gradient, "\(name)"))
      #expect(largestDifference(found, try golden.floats("gru.\(name)")).value < 1e-5, "\(name)")
    }
  }

  @Test func aTransposedConvolutionHasItsOutputsSize() throws {
    let device = try CPUBackend()
    let layer = try ConvTranspose2d(
      2, 3, kernel: 3, stride: 2, padding: 1, outputPadding: 1, Initializer(device: device, seed: 1))
    let context = Context(device: device)
    #expect(try layer(try context.variable(drawn(1, 2 * 16), [1, 2, 4, 4]), context).shape == [1, 3, 8, 8])
    #expect(layer.parameters.map(\.name) == ["weight", "bias"])
  }

  /// A leaky ReLU as OpenCL C and Swift, with its gradient as a second kernel.
  @Test(.tags(.opencl)) func aKernelOfOnesOwnIsDifferentiable() throws {
    func kernel(_ name: String, _ c: String, _ swift: @escaping @Sendable (Float, Float) -> Float) throws
      -> OwnKernel
    {
      let source = """
        #include "common/math.h"
        __kernel void \(name)(const int items, __global const float *x, __global const float *g, __global float *y) {
          const int i = (int)get_global_id(0);
          if (i < items) y[i] = \(c);
        }
        """
      return try OwnKernel(name: name, source: source) { items, arguments in
        for i in items {
          arguments.outputs[0][i] = swift(arguments.inputs[0][i], arguments.inputs[1][i])
        }
      }
    }
    let forward = try kernel("leaky", "x[i] < 0.0f ? 0.125f * x[i] : x[i]") { x, _ in x < 0 ? 0.125 * x : x }
    let backward = try kernel("leaky_grad", "x[i] < 0.0f ? 0.125f * g[i] : g[i]") { x, g in
      x < 0 ? 0.125 * g : g
    }
    func leaky(_ x: Variable, _ context: Context) throws -> Variable {
      let (device, value) = (context.device, x.value)
      let y = try device.allocate(x.shape, .float32)
      try forward.run(on: device, inputs: [value, value], outputs: [y])
      return context.function(y, of: [x]) { dy in
        let dx = try device.allocate(value.shape, .float32)
        try backward.run(on: device, inputs: [value, dy], outputs: [dx])
        return [dx]
      }
    }
    let values = drawn(5, 40, -2, 2)
    #expect(try GradientCheck.run([(values, [40])]) { try leaky($0[0] * $0[0] - 1, $1) }.error < 1e-2)
    guard TestDevices.hasOpenCL else { return }
    let device = try OpenCLBackend(try TestDevices.first())
    for kernel in [forward, backward] {
      #expect(try kernel.check(on: device, inputs: [values, values.reversed()], outputs: [40]) == 40)
    }
  }

  @Test func asManyGradientsAsInputsAreWanted() throws {
    let context = Context(device: try CPUBackend(), differentiable: true)
    let x = try context.variable([1, 2], requiresGradient: true)
    let y = context.function(x.value, of: [x]) { _ in [] }
    #expect(throws: TesseraError.self) { try y.sum().backward() }
  }
}
