// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Convolutions by fewer multiplications (NUMERICS.md rule 11) with their gradients: every kernel size;
  /// one tile, tiles that the output's edge cuts, runs of more tiles than a block; channels and outputs one
  /// off a vector, a panel and a chunk; more tiles and more batch groups than a chunk has; the same as direct
  /// sums.
  static var winogradCases: [CatalogueCase] {
    let shapes: [Convolution] = [
      winogradShape(2, 16, (8, 8), 40, 2, padding: 1), winogradShape(9, 16, (16, 16), 48, 2),
      winogradShape(10, 65, (10, 10), 17, 2), winogradShape(9, 17, (13, 9), 33, 3, padding: 1),
      winogradShape(2, 64, (8, 40), 64, 3, padding: 1), winogradShape(1, 65, (16, 17), 16, 3, padding: 1),
      winogradShape(1, 130, (9, 21), 70, 3, padding: 1), winogradShape(17, 16, (22, 22), 16, 3),
      winogradShape(1, 16, (5, 260), 31, 3, padding: 1), winogradShape(3, 24, (9, 10), 31, 4, padding: 2),
      winogradShape(9, 31, (14, 8), 100, 4), winogradShape(2, 33, (8, 8), 20, 5, padding: 2),
      winogradShape(1, 16, (6, 7), 64, 5, padding: 4), winogradShape(0, 16, (8, 8), 16, 3, padding: 1),
      // More padding than the kernel reaches: the gradient for the data leaves pixels out.
      same(winogradShape(2, 16, (12, 12), 16, 3, padding: 4)),
      same(winogradShape(1, 18, (9, 9), 16, 2, padding: 3)),
      // The odd zeros at the bottom and right (TensorFlow's "same").
      same(winogradShape(2, 16, (9, 11), 24, 4, padding: 1)), same(winogradShape(1, 20, (9, 9), 16, 2)),
      // More transformed kernels, and more sums of batch groups, than are held at once.
      winogradShape(9, 512, (4, 4), 300, 3, padding: 1),
      // One channel too few, and too few outputs of a tile.
      winogradShape(1, 15, (12, 12), 16, 3, padding: 1), winogradShape(1, 16, (12, 12), 15, 3, padding: 1),
      winogradShape(1, 16, (3, 5), 16, 5),
    ]
    let direct = shapes.prefix(5).map { shape in
      var p = shape
      p.algorithm = .direct
      return p
    }
    return (shapes + direct).flatMap { p in
      [
        convolution(p, bias: false, activation: .none), convolution(p, bias: true, activation: .relu),
        gradData(p), gradWeight(p),
      ]
    } + smallWinogradCases + structuredWinogradCases
  }

  /// Small enough for a simulator: one tile or a few of every kernel size, a second chunk of channels, a
  /// second chunk of tiles, a second batch group.
  private static var smallWinogradCases: [CatalogueCase] {
    let shapes: [Convolution] = [
      winogradShape(1, 16, (6, 8), 17, 2, padding: 1), winogradShape(1, 16, (4, 4), 17, 3, padding: 1),
      winogradShape(1, 66, (4, 5), 16, 3, padding: 1), winogradShape(1, 16, (6, 6), 16, 4),
      winogradShape(1, 16, (4, 4), 16, 5, padding: 2), winogradShape(9, 16, (12, 12), 16, 3, padding: 1),
    ]
    return shapes.flatMap { p in
      [
        convolution(p, bias: true, activation: .relu, small: true), gradData(p, small: true),
        gradWeight(p, small: true),
      ]
    }
  }

  /// Every activation, data as it comes, and data without a sum.
  private static var structuredWinogradCases: [CatalogueCase] {
    let p = winogradShape(2, 18, (9, 11), 19, 3, padding: 1)
    let activations = FusedActivation.allCases.map { convolution(p, bias: true, activation: $0) }
    let kinds = StructuredInputs.allCases.map { kind in
      winograd(p, kind.rawValue) { count in kind.floats(count) }
    }
    return activations + kinds
      + [
        // A special value meets a whole tile of outputs: few of them.
        winograd(p, "specials") { count in
          var inputs = CaseInputs(seed: 19)
          return inputs.floats(count).enumerated().map { index, value in
            index % 397 == 3 ? CaseInputs.specials[index / 397 % CaseInputs.specials.count] : value
          }
        }
      ]
  }

  /// A convolution with its gradients, all of whose operands `data` makes.
  @inline(never)
  private static func winograd(
    _ p: Convolution, _ name: String, _ data: @escaping @Sendable (Int) -> [Float]
  ) -> CatalogueCase {
    CatalogueCase("conv2d", label(p) + " \(name)", work: 3 * p.multiplyAdds) { device in
      let x = try device.tensor(data(p.inputCount), [p.inputCount])
      let w = try device.tensor(data(p.weightCount), [p.weightCount])
      let dy = try device.tensor(data(p.outputCount), [p.outputCount])
      let (y, dx) = (try device.empty(p.outputCount), try device.empty(p.inputCount))
      let dw = try device.empty(p.weightCount)
      try device.conv2d(p, x, w, bias: nil, into: y)
      try device.conv2dGradData(p, dy, w, into: dx)
      try device.conv2dGradWeight(p, x, dy, into: dw)
      return [try device.output("y", y), try device.output("dx", dx), try device.output("dw", dw)]
    }
  }

  static func winogradShape(
    _ batch: Int, _ channels: Int, _ size: (Int, Int), _ outputs: Int, _ kernel: Int, padding: Int = 0
  ) -> Convolution {
    Convolution(
      batch: batch, inChannels: channels, size: size, outChannels: outputs, kernel: (kernel, kernel),
      padding: padding)
  }

  /// The same with an output as large as the input.
  private static func same(_ shape: Convolution) -> Convolution {
    var p = shape
    p.output = Size2D(height: p.height, width: p.width)
    return p
  }
}
