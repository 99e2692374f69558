// SPDX-License-Identifier: Apache-2.0
import TesseraNN

/// softsign(x) = x / (1 + |x|) and its slope 1 / (1 + |x|)^2, as kernels.
struct Softsign {
  private let forward: OwnKernel, backward: OwnKernel

  init() throws {
    forward = try OwnKernel(
      name: "softsign",
      source: """
        #include "common/math.h"
        __kernel void softsign(const int items, __global const float *x, __global float *y) {
          const int i = (int)get_global_id(0);
          if (i < items) y[i] = tsr_canonical(tsr_div(x[i], 1.0f + tsr_max(x[i], -x[i])));
        }
        """
    ) { items, arguments in
      let (x, y) = (arguments.inputs[0], arguments.outputs[0])
      for i in items { y[i] = canonical(x[i] / (1 + size(x[i]))) }
    }
    backward = try OwnKernel(
      name: "softsign_gradient",
      source: """
        #include "common/math.h"
        __kernel void softsign_gradient(const int items, __global const float *x, __global const float *dy,
                                        __global float *dx) {
          const int i = (int)get_global_id(0);
          if (i < items) {
            const float size = 1.0f + tsr_max(x[i], -x[i]);
            dx[i] = tsr_canonical(tsr_div(tsr_div(dy[i], size), size));
          }
        }
        """
    ) { items, arguments in
      let (x, dy, dx) = (arguments.inputs[0], arguments.inputs[1], arguments.outputs[0])
      for i in items {
        let size = 1 + size(x[i])
        dx[i] = canonical(dy[i] / size / size)
      }
    }
  }

  func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    let (device, backward) = (context.device, backward)
    let y = try device.allocate(x.shape, .float32)
    try forward.run(on: device, inputs: [x.value], outputs: [y])
    return context.function(y, of: [x]) { dy in
      let dx = try device.allocate(x.shape, .float32)
      try backward.run(on: device, inputs: [x.value, dy], outputs: [dx])
      return [dx]
    }
  }

  /// Compares kernels and twins on a device; how many numbers.
  func check(on device: any Backend, _ x: [Float]) throws -> Int {
    try forward.check(on: device, inputs: [x], outputs: [x.count])
      + backward.check(on: device, inputs: [x, x.reversed()], outputs: [x.count])
  }
}

/// The magnitude, as `tsr_max(x, -x)` has it.
private func size(_ x: Float) -> Float { x > -x ? x : -x }

/// The one NaN of the numerics contract.
private func canonical(_ x: Float) -> Float { x.isNaN ? Float(bitPattern: 0x7fc0_0000) : x }
