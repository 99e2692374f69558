// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Convolutions and gradients for weights as exact integers (NUMERICS.md rule 13).
extension Catalogue {
  @_optimize(none)
  static var exactConvolutionCases: [CatalogueCase] {
    let modes = [Products.s3, .s2]
    let enumerated = modes.flatMap { products in
      exactShapes.flatMap { p in
        [
          exact(p, products, bias: true, activation: .relu), exactGradData(p, products),
          exactGradWeight(p, products),
        ]
      }
    }
    let structured = modes.flatMap { products in
      StructuredInputs.allCases.map { kind in
        exactAll(structuredShape, products, kind.rawValue) { kind.floats($0) }
      } + [
        exactAll(structuredShape, products, "wide") { count in
          var inputs = CaseInputs(seed: 31)
          return inputs.ordinary(count)
        },
        // A value that is not finite makes all of its sample, channel or group one that is not: few of them.
        exactAll(structuredShape, products, "specials") { count in
          var inputs = CaseInputs(seed: 33)
          return inputs.floats(count).enumerated().map { index, value in
            index % 997 == 3 ? CaseInputs.specials[index / 997 % CaseInputs.specials.count] : value
          }
        },
      ]
    }
    let activations = FusedActivation.allCases.flatMap { activation in
      [false, true].map { exact(structuredShape, .s3, bias: $0, activation: activation) }
    }
    return enumerated + structured + activations + modes.flatMap(groupCases)
  }

  private static let structuredShape = Convolution(
    batch: 10, inChannels: 18, size: (7, 6), outChannels: 19, kernel: (3, 3), padding: 1)

  /// Images and kernels of all borders: of a vector and of a strip of channels, of a panel of pixels, of a block of
  /// terms; strides, dilations, groups, phases without taps, taps that meet no pixel.
  private static var exactShapes: [Convolution] {
    var same = Convolution(batch: 1, inChannels: 9, size: (6, 5), outChannels: 8, kernel: (4, 4), padding: 1)
    same.output = Size2D(height: 6, width: 5)
    var along = Convolution(
      batch: 2, inChannels: 5, size: (9, 11), outChannels: 6, kernel: (3, 2), padding: 0)
    (along.stride, along.padding) = (Size2D(height: 2, width: 1), Size2D(height: 0, width: 2))
    along.dilation = Size2D(height: 1, width: 3)
    along.output = Size2D(height: 4, width: 12)
    return [
      .init(batch: 0, inChannels: 3, size: (4, 4), outChannels: 2, kernel: (3, 3), padding: 1),
      .init(batch: 1, inChannels: 1, size: (1, 1), outChannels: 1, kernel: (1, 1)),
      .init(batch: 2, inChannels: 3, size: (5, 7), outChannels: 17, kernel: (1, 1)),
      .init(batch: 9, inChannels: 16, size: (4, 8), outChannels: 16, kernel: (3, 3), padding: 1),
      .init(batch: 17, inChannels: 15, size: (3, 11), outChannels: 33, kernel: (3, 3), padding: 1),
      .init(batch: 2, inChannels: 33, size: (6, 17), outChannels: 31, kernel: (2, 2)),
      .init(batch: 1, inChannels: 64, size: (5, 5), outChannels: 48, kernel: (3, 3), padding: 1),
      .init(
        batch: 3, inChannels: 3, size: (23, 21), outChannels: 20, kernel: (11, 11), stride: 4, padding: 2),
      .init(batch: 2, inChannels: 16, size: (9, 8), outChannels: 24, kernel: (3, 3), stride: 2, padding: 1),
      .init(batch: 8, inChannels: 20, size: (8, 7), outChannels: 12, kernel: (1, 1), stride: 2),
      .init(batch: 2, inChannels: 7, size: (8, 8), outChannels: 5, kernel: (2, 2), stride: 3),
      .init(batch: 1, inChannels: 6, size: (2, 2), outChannels: 4, kernel: (5, 5), stride: 3, padding: 2),
      .init(batch: 2, inChannels: 8, size: (9, 10), outChannels: 9, kernel: (3, 3), padding: 2, dilation: 2),
      .init(
        batch: 1, inChannels: 4, size: (11, 13), outChannels: 8, kernel: (3, 3), stride: 2, padding: 3,
        dilation: 3),
      .init(
        batch: 2, inChannels: 16, size: (5, 6), outChannels: 24, kernel: (3, 3), padding: 1, groups: 2),
      .init(
        batch: 9, inChannels: 24, size: (6, 6), outChannels: 24, kernel: (3, 3), stride: 2, padding: 1,
        groups: 3),
      // Small enough for a simulator: strips of pixels of two images, zeros on all sides, a stride with a dilation,
      // groups of channels, more samples than a group of them has.
      .init(batch: 2, inChannels: 3, size: (5, 4), outChannels: 5, kernel: (3, 3), padding: 1),
      .init(batch: 3, inChannels: 2, size: (7, 5), outChannels: 4, kernel: (3, 2), stride: 2, padding: 1),
      .init(batch: 1, inChannels: 2, size: (6, 9), outChannels: 3, kernel: (2, 2), padding: 1, dilation: 2),
      .init(batch: 1, inChannels: 16, size: (3, 3), outChannels: 16, kernel: (3, 3), padding: 1, groups: 2),
      .init(batch: 9, inChannels: 1, size: (4, 5), outChannels: 2, kernel: (2, 2)),
      // So many digits of pixels that they are made in parts.
      .init(batch: 2, inChannels: 64, size: (60, 100), outChannels: 1, kernel: (3, 3), padding: 1),
      // Groups of 7 channels, whose sums are fp32's.
      .init(batch: 1, inChannels: 14, size: (5, 5), outChannels: 28, kernel: (3, 3), padding: 1, groups: 2),
      same, along,
    ]
  }

  /// Gradients for weights of products: groups of few terms, of whole blocks and beyond.
  private static func groupCases(_ products: Products) -> [CatalogueCase] {
    [
      (1, 1, 1, 8), (3, 5, 0, 8), (5, 3, 8, 8), (17, 33, 23, 8), (64, 65, 16, 8), (7, 257, 9, 8),
      (65, 16, 40, 32),
      (5, 19, 100, 33), (33, 17, 200, 64), (4, 6, 7, 8), (20, 18, 300, 136),
    ].flatMap { m, n, k, group in
      [false, true].map { groups(m, n, k, group, products, accumulates: $0) }
    }
  }

  private static func name(_ p: Convolution, _ products: Products) -> String {
    "\(products.rawValue) \(label(p))"
  }

  @inline(never)
  private static func exact(
    _ base: Convolution, _ products: Products, bias: Bool, activation: FusedActivation
  ) -> CatalogueCase {
    let label = name(base, products) + " bias \(bias ? 1 : 0) activation \(activation.rawValue)"
    return CatalogueCase("conv2d", label, work: base.multiplyAdds) { device in
      var p = base
      (p.activation, p.products) = (activation, products)
      var inputs = CaseInputs(seed: 21)
      let x = try device.tensor(inputs.floats(p.inputCount), [p.inputCount])
      let w = try device.tensor(inputs.floats(p.weightCount), [p.weightCount])
      let b = try device.tensor(inputs.floats(p.outChannels), [p.outChannels])
      let y = try device.empty(p.outputCount)
      try device.conv2d(p, x, w, bias: bias ? b : nil, into: y)
      let first = try device.output("y", y)
      guard p.multiplyAdds < 20_000 else { return [first] }
      // Again and again with the digits of the weights that were kept.
      try device.conv2d(p, x, w, bias: bias ? b : nil, into: y)
      try device.conv2d(p, x, w, bias: bias ? b : nil, into: y)
      return [first, try device.output("y with kept digits", y)]
    }
  }

  @inline(never)
  private static func exactGradData(_ base: Convolution, _ products: Products) -> CatalogueCase {
    CatalogueCase("conv2dGradData", name(base, products), work: base.multiplyAdds) { device in
      var p = base
      p.products = products
      var inputs = CaseInputs(seed: 22)
      let dy = try device.tensor(inputs.ordinary(p.outputCount), [p.outputCount])
      let w = try device.tensor(inputs.ordinary(p.weightCount), [p.weightCount])
      let dx = try device.empty(p.inputCount)
      try device.conv2dGradData(p, dy, w, into: dx)
      return [try device.output("dx", dx)]
    }
  }

  @inline(never)
  private static func exactGradWeight(_ base: Convolution, _ products: Products) -> CatalogueCase {
    CatalogueCase("conv2dGradWeight", name(base, products), work: base.multiplyAdds) { device in
      var p = base
      p.products = products
      var inputs = CaseInputs(seed: 23)
      let x = try device.tensor(inputs.ordinary(p.inputCount), [p.inputCount])
      let dy = try device.tensor(inputs.ordinary(p.outputCount), [p.outputCount])
      let dw = try device.empty(p.weightCount)
      try device.conv2dGradWeight(p, x, dy, into: dw)
      return [try device.output("dw", dw)]
    }
  }

  /// A convolution with its gradients, all of whose operands `data` makes.
  @inline(never)
  private static func exactAll(
    _ base: Convolution, _ products: Products, _ kind: String, _ data: @escaping @Sendable (Int) -> [Float]
  ) -> CatalogueCase {
    CatalogueCase("conv2d", name(base, products) + " \(kind)", work: 3 * base.multiplyAdds) { device in
      var p = base
      p.products = products
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

  @inline(never)
  private static func groups(
    _ m: Int, _ n: Int, _ k: Int, _ group: Int, _ products: Products, accumulates: Bool
  ) -> CatalogueCase {
    let label = "\(products.rawValue) \(m)x\(n)x\(k) groups of \(group)\(accumulates ? " +=" : "")"
    return CatalogueCase("matmul", label, work: m * n * k) { device in
      var inputs = CaseInputs(seed: UInt64(m * 7919 + n * 104_729 + k))
      var p = Matmul(m: m, n: n, k: k, transposeA: true)
      (p.products, p.sampleGroup, p.accumulates) = (products, group, accumulates)
      let a = try device.tensor(inputs.ordinary(k * m), [k, m])
      let b = try device.tensor(inputs.withSpecials(k * n), [k, n])
      let c = try device.tensor(inputs.floats(m * n), [m, n])
      try device.matmul(p, a, b, bias: nil, into: c)
      return [try device.output("c", c)]
    }
  }
}
