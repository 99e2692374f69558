// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraCompute

@Suite struct ConvTests {
  private static let shapes: [Convolution] = [
    Convolution(batch: 1, inChannels: 1, size: (1, 1), outChannels: 1, kernel: (1, 1)),
    Convolution(batch: 9, inChannels: 3, size: (7, 5), outChannels: 5, kernel: (3, 3), padding: 1),
    Convolution(batch: 2, inChannels: 4, size: (11, 9), outChannels: 6, kernel: (3, 2), stride: 2),
    Convolution(
      batch: 2, inChannels: 4, size: (9, 9), outChannels: 8, kernel: (3, 3), padding: 2, dilation: 2,
      groups: 2),
    Convolution(
      batch: 3, inChannels: 6, size: (8, 8), outChannels: 6, kernel: (5, 5), stride: 2, padding: 2, groups: 6),
    Convolution(
      batch: 1, inChannels: 1, size: (30, 30), outChannels: 16, kernel: (11, 11), stride: 4, padding: 2),
    Convolution(batch: 2, inChannels: 70, size: (6, 6), outChannels: 33, kernel: (4, 4)),
    // Rows of more than a vector, few channels a group and many; samples of two batch groups.
    Convolution(
      batch: 9, inChannels: 4, size: (5, 45), outChannels: 4, kernel: (3, 3), padding: 1, groups: 4),
    Convolution(
      batch: 2, inChannels: 4, size: (6, 47), outChannels: 6, kernel: (3, 5), stride: 2, padding: 2, groups: 2
    ),
    Convolution(batch: 1, inChannels: 3, size: (6, 50), outChannels: 20, kernel: (3, 5), padding: 2),
    // Many channels, read in place: batch groups and chunks that end within a row, strides, bands of rows.
    Convolution(batch: 9, inChannels: 32, size: (7, 11), outChannels: 32, kernel: (3, 2), padding: 1),
    Convolution(
      batch: 2, inChannels: 8, size: (9, 19), outChannels: 32, kernel: (3, 3), stride: 2, padding: 1),
    Convolution(batch: 1, inChannels: 16, size: (40, 30), outChannels: 32, kernel: (3, 3), padding: 1),
    // By fewer multiplications: every kernel size, cut tiles, chunks of channels and of tiles, batch groups,
    // more padding than the kernel reaches; and the same as the direct sum.
    Convolution(batch: 9, inChannels: 16, size: (10, 13), outChannels: 17, kernel: (2, 2), padding: 1),
    Convolution(batch: 9, inChannels: 17, size: (13, 9), outChannels: 33, kernel: (3, 3), padding: 1),
    cut(Convolution(batch: 1, inChannels: 70, size: (9, 8), outChannels: 16, kernel: (3, 3), padding: 4)),
    Convolution(batch: 2, inChannels: 16, size: (14, 8), outChannels: 20, kernel: (4, 4)),
    Convolution(batch: 1, inChannels: 18, size: (8, 10), outChannels: 16, kernel: (5, 5), padding: 2),
    direct(Convolution(batch: 9, inChannels: 17, size: (13, 9), outChannels: 33, kernel: (3, 3), padding: 1)),
  ]

  /// The same with an output as large as the input.
  private static func cut(_ shape: Convolution) -> Convolution {
    var p = shape
    p.output = Size2D(height: p.height, width: p.width)
    return p
  }

  private static func direct(_ shape: Convolution) -> Convolution {
    var p = shape
    p.algorithm = .direct
    return p
  }

  /// What may be between a sum and the exact one: 2e-5 of such a sum's usual size, however small it is itself.
  private func tolerance(_ sums: [Double]) -> Double {
    2e-5 * max(1, (sums.reduce(0) { $0 + $1 * $1 } / Double(max(1, sums.count))).squareRoot())
  }

  /// Calls `body` with the input's, the weight's and the output's index of every multiply-add.
  private func everyTap(_ p: Convolution, _ body: (Int, Int, Int) -> Void) {
    let (ins, outs, groups) = (p.inChannels, p.outChannels, p.groups)
    let (height, width) = (p.height, p.width)
    for at in 0..<p.outputCount {
      let column = at % p.output.width
      let row = at / p.output.width % p.output.height
      let out = at / (p.output.width * p.output.height) % outs
      let sample = at / (p.output.width * p.output.height) / outs
      for c in 0..<ins / groups {
        for u in 0..<p.kernel.height {
          for v in 0..<p.kernel.width {
            let y = row * p.stride.height + u * p.dilation.height - p.padding.height
            let x = column * p.stride.width + v * p.dilation.width - p.padding.width
            guard (0..<height).contains(y), (0..<width).contains(x) else { continue }
            let channel = out / (outs / groups) * (ins / groups) + c
            body(
              ((sample * ins + channel) * height + y) * width + x,
              ((out * (ins / groups) + c) * p.kernel.height + u) * p.kernel.width + v, at)
          }
        }
      }
    }
  }

  @Test(arguments: shapes.indices) func theConvolutionAndItsGradientsAreTheSums(_ index: Int) throws {
    let p = Self.shapes[index]
    var reference = try Reference()
    let (x, xs) = try reference.input([p.inputCount])
    let (w, ws) = try reference.input([p.weightCount])
    let (dy, dys) = try reference.input([p.outputCount])
    var y = [Double](repeating: 0, count: p.outputCount)
    var dx = [Double](repeating: 0, count: p.inputCount)
    var dw = [Double](repeating: 0, count: p.weightCount)
    everyTap(p) { i, k, o in
      y[o] += xs[i] * ws[k]
      dx[i] += dys[o] * ws[k]
      dw[k] += dys[o] * xs[i]
    }
    let out = try reference.empty(p.outputCount)
    try reference.device.conv2d(p, x, w, bias: nil, into: out)
    try reference.expect(out, y, tolerance(y), "y")
    let data = try reference.empty(p.inputCount)
    try reference.device.conv2dGradData(p, dy, w, into: data)
    try reference.expect(data, dx, tolerance(dx), "dx")
    let weight = try reference.empty(p.weightCount)
    try reference.device.conv2dGradWeight(p, x, dy, into: weight)
    try reference.expect(weight, dw, tolerance(dw), "dw")
  }

  @Test(arguments: [1, shapes.count - 1]) func biasAndActivationAreFused(_ index: Int) throws {
    var p = Self.shapes[index]
    p.activation = .relu
    var reference = try Reference()
    let (x, xs) = try reference.input([p.inputCount])
    let (w, ws) = try reference.input([p.weightCount])
    let (bias, biases) = try reference.input([p.outChannels])
    var y = (0..<p.outputCount).map { biases[$0 / (p.output.height * p.output.width) % p.outChannels] }
    everyTap(p) { i, k, o in y[o] += xs[i] * ws[k] }
    let out = try reference.empty(p.outputCount)
    try reference.device.conv2d(p, x, w, bias: bias, into: out)
    try reference.expect(out, y.map { max(0, $0) }, 2e-5)
  }

  @Test func impossibleConvolutionsAreRefused() throws {
    let device = try CPUBackend(threads: 1)
    let tensor = try device.tensor([Float](repeating: 0, count: 64), [64])
    var wrong = Convolution(
      batch: 1, inChannels: 3, size: (4, 4), outChannels: 2, kernel: (3, 3), groups: 2)
    #expect(throws: TesseraError.self) { try device.conv2d(wrong, tensor, tensor, bias: nil, into: tensor) }
    wrong = Convolution(batch: 9, inChannels: 3, size: (40, 40), outChannels: 2, kernel: (3, 3))
    #expect(throws: TesseraError.self) { try device.conv2d(wrong, tensor, tensor, bias: nil, into: tensor) }
  }
}
