// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Convolutions with their gradients: stride, padding, dilation, groups, and the shapes of real models.
  @_optimize(none)
  static var convolutionCases: [CatalogueCase] {
    let shapes: [Convolution] = [
      .init(batch: 1, inChannels: 1, size: (1, 1), outChannels: 1, kernel: (1, 1)),
      .init(batch: 0, inChannels: 2, size: (5, 5), outChannels: 3, kernel: (3, 3)),
      .init(batch: 2, inChannels: 3, size: (7, 5), outChannels: 5, kernel: (3, 3), padding: 1),
      .init(batch: 9, inChannels: 3, size: (6, 6), outChannels: 4, kernel: (2, 2)),
      .init(batch: 2, inChannels: 3, size: (23, 19), outChannels: 7, kernel: (11, 11), stride: 4, padding: 2),
      .init(batch: 1, inChannels: 8, size: (9, 9), outChannels: 6, kernel: (5, 5), padding: 2),
      .init(batch: 3, inChannels: 4, size: (9, 8), outChannels: 6, kernel: (3, 2), stride: 2, padding: 1),
      .init(
        batch: 2, inChannels: 4, size: (11, 11), outChannels: 4, kernel: (3, 3), padding: 2, dilation: 2),
      .init(batch: 2, inChannels: 6, size: (8, 8), outChannels: 9, kernel: (3, 3), padding: 1, groups: 3),
      .init(
        batch: 2, inChannels: 5, size: (9, 7), outChannels: 5, kernel: (3, 3), stride: 2, padding: 1,
        groups: 5),
      // Few channels a group: one, two and more rows of sums, bands, phases, ends of vectors; one too many
      // for it.
      .init(batch: 1, inChannels: 3, size: (47, 53), outChannels: 3, kernel: (3, 3), padding: 1, groups: 3),
      .init(
        batch: 2, inChannels: 2, size: (17, 16), outChannels: 4, kernel: (5, 4), stride: 2, padding: 3,
        groups: 2),
      .init(
        batch: 1, inChannels: 6, size: (13, 15), outChannels: 6, kernel: (2, 3), padding: 2, dilation: 3,
        groups: 2),
      .init(
        batch: 2, inChannels: 4, size: (16, 33), outChannels: 14, kernel: (3, 3), stride: 3, padding: 1,
        groups: 2),
      .init(batch: 1, inChannels: 8, size: (7, 9), outChannels: 34, kernel: (3, 3), padding: 1, groups: 2),
      .init(batch: 3, inChannels: 5, size: (1, 1), outChannels: 5, kernel: (2, 2), padding: 1, groups: 5),
      // Phases of the gradient for the data: without taps, without elements, with negative padding, by
      // dilation.
      .init(batch: 2, inChannels: 3, size: (9, 10), outChannels: 4, kernel: (1, 2), stride: 3),
      .init(batch: 1, inChannels: 2, size: (2, 11), outChannels: 2, kernel: (2, 5), stride: 4, padding: 1),
      .init(
        batch: 2, inChannels: 3, size: (14, 13), outChannels: 5, kernel: (3, 3), stride: 2, dilation: 2),
      .init(
        batch: 1, inChannels: 4, size: (15, 16), outChannels: 4, kernel: (3, 2), stride: 6, padding: 1,
        dilation: 4, groups: 2),
      .init(
        batch: 2, inChannels: 9, size: (12, 11), outChannels: 9, kernel: (3, 3), stride: 2, padding: 1,
        groups: 9),
      // Weight gradients by vectors of groups: more groups than a vector, 4 outputs and 1, samples of
      // several batch groups.
      .init(batch: 17, inChannels: 17, size: (8, 7), outChannels: 17, kernel: (3, 3), padding: 1, groups: 17),
      .init(batch: 9, inChannels: 20, size: (9, 9), outChannels: 50, kernel: (5, 3), padding: 2, groups: 10),
      .init(batch: 1, inChannels: 3, size: (30, 29), outChannels: 70, kernel: (3, 3), padding: 1),
      .init(batch: 17, inChannels: 5, size: (4, 4), outChannels: 33, kernel: (1, 1)),
      .init(batch: 2, inChannels: 130, size: (6, 6), outChannels: 15, kernel: (2, 2)),
      .init(batch: 9, inChannels: 2, size: (24, 24), outChannels: 3, kernel: (3, 3), padding: 1),
      // Grouped sums of more than a chunk, forward and back: as products; three chunks in direct sums.
      .init(
        batch: 1, inChannels: 120, size: (3, 4), outChannels: 122, kernel: (3, 3), padding: 1, groups: 2),
      .init(
        batch: 1, inChannels: 240, size: (3, 4), outChannels: 6, kernel: (3, 3), padding: 1, groups: 2),
      .init(
        batch: 1, inChannels: 6, size: (3, 4), outChannels: 240, kernel: (3, 3), padding: 1, groups: 2),
      .init(
        batch: 1, inChannels: 240, size: (2, 3), outChannels: 2, kernel: (3, 3), padding: 1, groups: 2),
      .init(
        batch: 1, inChannels: 2, size: (2, 3), outChannels: 240, kernel: (3, 3), padding: 1, groups: 2),
      // Outputs that leave a third of a panel empty, on CPU devices products of packed taps: a row's last
      // sixteen, a stride.
      .init(batch: 1, inChannels: 9, size: (4, 32), outChannels: 20, kernel: (3, 3), padding: 1),
      .init(batch: 2, inChannels: 9, size: (5, 41), outChannels: 20, kernel: (3, 3), stride: 2),
      // A chunk that ends within a row of a kernel with other sides.
      .init(batch: 1, inChannels: 20, size: (9, 7), outChannels: 20, kernel: (9, 3), padding: 1),
      // Groups and batch groups in a small one, groups of several samples in small products.
      .init(batch: 9, inChannels: 4, size: (3, 3), outChannels: 4, kernel: (2, 2), groups: 2),
      .init(batch: 2, inChannels: 18, size: (3, 3), outChannels: 18, kernel: (2, 2), groups: 2),
      // Small enough for a simulator, where the others are direct sums: products with taps of two images,
      // of several pieces of k, of two images and more than a chunk, with strides, padding and dilation of
      // their own; weight gradients whose slices have several chunks, as products and, five of them, as
      // direct sums.
      .init(batch: 2, inChannels: 10, size: (2, 3), outChannels: 9, kernel: (3, 3), padding: 1),
      .init(batch: 2, inChannels: 58, size: (1, 2), outChannels: 9, kernel: (3, 3), padding: 1),
      .init(batch: 1, inChannels: 10, size: (5, 4), outChannels: 9, kernel: (3, 2))
        .along(stride: (2, 1), padding: (0, 2), dilation: (1, 2)),
      .init(batch: 9, inChannels: 1, size: (5, 14), outChannels: 9, kernel: (1, 2)),
      .init(batch: 10, inChannels: 2, size: (15, 20), outChannels: 2, kernel: (1, 3), groups: 2),
      // Weight gradients of many channels in three batch groups.
      .init(batch: 17, inChannels: 2, size: (2, 5), outChannels: 26, kernel: (1, 2)),
      // The CPU devices' kernels in small ones: panels of channels forward and back, with a stride and
      // padding; weights of many groups in lanes that stay empty, of several chunks and batch groups.
      .init(batch: 1, inChannels: 26, size: (2, 5), outChannels: 32, kernel: (2, 2)),
      .init(batch: 2, inChannels: 16, size: (1, 6), outChannels: 26, kernel: (2, 2), stride: 2, padding: 1),
      .init(batch: 2, inChannels: 17, size: (5, 9), outChannels: 17, kernel: (2, 2), padding: 1, groups: 17),
      .init(batch: 9, inChannels: 4, size: (6, 14), outChannels: 8, kernel: (1, 4), groups: 4),
      // Many channels, read in place by the CPU: phases, lanes that stay empty, more than a chunk, parts
      // and bands of rows, kernel rows of 6 to 8 taps, dilation, batch groups.
      .init(batch: 2, inChannels: 3, size: (23, 19), outChannels: 32, kernel: (7, 7), stride: 2, padding: 3),
      .init(batch: 9, inChannels: 17, size: (5, 31), outChannels: 29, kernel: (3, 3), padding: 1),
      .init(batch: 1, inChannels: 40, size: (9, 8), outChannels: 32, kernel: (4, 4)),
      .init(batch: 9, inChannels: 19, size: (7, 9), outChannels: 64, kernel: (1, 1)),
      .init(batch: 2, inChannels: 16, size: (11, 10), outChannels: 64, kernel: (3, 3), padding: 1, groups: 2),
      .init(batch: 1, inChannels: 9, size: (12, 33), outChannels: 64, kernel: (3, 3), padding: 1),
      .init(
        batch: 1, inChannels: 7, size: (17, 16), outChannels: 32, kernel: (3, 3), stride: 3, padding: 2,
        dilation: 2),
      .init(batch: 1, inChannels: 5, size: (8, 21), outChannels: 16, kernel: (3, 6), padding: 2),
      .init(batch: 1, inChannels: 160, size: (20, 60), outChannels: 32, kernel: (3, 3), padding: 1),
      .init(batch: 1, inChannels: 4, size: (13, 27), outChannels: 32, kernel: (5, 8), stride: 1, padding: 1)
        .along(stride: (3, 5), padding: (1, 4), dilation: (1, 1)),
      // CPU devices' ways: a small one with panels of channels; planes of a few channels at once and by
      // remainder; parts of a row; sums of few channels that go on with the next ones; many groups of
      // several outputs, kernel rows of 3 taps and 1.
      .init(batch: 2, inChannels: 8, size: (3, 6), outChannels: 14, kernel: (3, 3), padding: 1),
      .init(batch: 9, inChannels: 40, size: (9, 60), outChannels: 58, kernel: (3, 3), stride: 2, padding: 1),
      .init(batch: 1, inChannels: 60, size: (6, 150), outChannels: 26, kernel: (3, 3), padding: 1),
      .init(batch: 1, inChannels: 3, size: (26, 90), outChannels: 70, kernel: (3, 3), padding: 1),
      .init(batch: 9, inChannels: 10, size: (11, 40), outChannels: 20, kernel: (3, 4), groups: 5)
        .along(stride: (2, 2), padding: (1, 2), dilation: (1, 2)),
      // Weights of single taps: places in two chunks that follow each other in the image, and that do not;
      // a small one.
      .init(batch: 2, inChannels: 15, size: (17, 19), outChannels: 32, kernel: (1, 1)),
      .init(batch: 2, inChannels: 10, size: (6, 7), outChannels: 32, kernel: (1, 1))
        .along(stride: (2, 1), padding: (0, 0), dilation: (1, 1)),
      .init(batch: 1, inChannels: 3, size: (4, 5), outChannels: 26, kernel: (1, 1)),
      // Weights of many groups: rows of more than a vector; more inputs than a work-item's sums have room
      // for.
      .init(batch: 1, inChannels: 4, size: (3, 19), outChannels: 4, kernel: (3, 3), groups: 4),
      .init(batch: 2, inChannels: 32, size: (12, 12), outChannels: 32, kernel: (3, 3), padding: 1, groups: 4),
      // A row of every fourth, as vectors.
      .init(batch: 1, inChannels: 3, size: (30, 70), outChannels: 5, kernel: (3, 3), stride: 4),
      // Height and width with strides, padding and dilation of their own; as products and as direct sums.
      .init(batch: 2, inChannels: 4, size: (9, 11), outChannels: 5, kernel: (3, 2))
        .along(stride: (2, 1), padding: (0, 2), dilation: (1, 2)),
      .init(batch: 2, inChannels: 4, size: (12, 19), outChannels: 6, kernel: (2, 3), groups: 2)
        .along(stride: (1, 3), padding: (2, 1), dilation: (2, 1)),
      .init(batch: 1, inChannels: 3, size: (11, 21), outChannels: 3, kernel: (3, 4))
        .along(stride: (1, 1), padding: (1, 3), dilation: (3, 2)),
      .init(batch: 1, inChannels: 4, size: (12, 19), outChannels: 6, kernel: (3, 2), groups: 2)
        .along(stride: (1, 1), padding: (3, 0), dilation: (2, 3)),
    ]
    // More sums of slices than fit into one piece of scratch memory.
    let pieces = gradWeight(
      .init(batch: 17, inChannels: 2366, size: (1, 1), outChannels: 2367, kernel: (1, 1)))
    // Panels of channels with more than a chunk of k, forward and for the weights, for a simulator too.
    let chunks = convolution(
      .init(batch: 1, inChannels: 130, size: (2, 5), outChannels: 26, kernel: (2, 2)), bias: true,
      activation: .relu, small: true)
    let places = gradWeight(
      .init(batch: 9, inChannels: 1, size: (8, 10), outChannels: 26, kernel: (1, 2)), small: true)
    return [pieces, chunks, places]
      + shapes.flatMap { p in
        [
          convolution(p, bias: false, activation: .none), convolution(p, bias: true, activation: .relu),
          gradData(p),
          gradWeight(p),
        ]
      } + laterActivations
  }

  /// Activations that came after `convolutionCases`' own: as products, as blocks of channels and by groups.
  private static var laterActivations: [CatalogueCase] {
    let shapes: [Convolution] = [
      .init(batch: 2, inChannels: 5, size: (9, 11), outChannels: 19, kernel: (3, 3), padding: 1),
      .init(batch: 1, inChannels: 130, size: (2, 5), outChannels: 26, kernel: (2, 2)),
      .init(batch: 1, inChannels: 9, size: (12, 33), outChannels: 64, kernel: (3, 3), padding: 1),
      .init(batch: 1, inChannels: 4, size: (3, 19), outChannels: 4, kernel: (3, 3), groups: 4),
    ]
    return FusedActivation.allCases.dropFirst(5).flatMap { activation in
      shapes.map { convolution($0, bias: true, activation: activation) }
    }
  }

  static func label(_ p: Convolution) -> String {
    func both(_ size: Size2D) -> String {
      size.height == size.width ? "\(size.height)" : "\(size.height):\(size.width)"
    }
    return
      "\(p.batch)x\(p.inChannels)x\(p.height)x\(p.width) -> \(p.outChannels) \(p.kernel) "
      + "s\(both(p.stride)) p\(both(p.padding)) d\(both(p.dilation)) g\(p.groups)"
      + (p.algorithm == .automatic ? "" : " \(p.algorithm)")
  }

  @inline(never)
  static func convolution(
    _ base: Convolution, bias: Bool, activation: FusedActivation, small: Bool = false
  ) -> CatalogueCase {
    CatalogueCase(
      "conv2d", label(base) + " bias \(bias ? 1 : 0) activation \(activation.rawValue)",
      work: base.multiplyAdds,
      small: small
    ) { device in
      var p = base
      p.activation = activation
      var inputs = CaseInputs(seed: 11)
      let x = try device.tensor(inputs.floats(p.inputCount), [p.inputCount])
      let w = try device.tensor(inputs.floats(p.weightCount), [p.weightCount])
      let b = try device.tensor(inputs.floats(p.outChannels), [p.outChannels])
      let y = try device.empty(p.outputCount)
      try device.conv2d(p, x, w, bias: bias ? b : nil, into: y)
      return [try device.output("y", y)]
    }
  }

  @inline(never)
  static func gradData(_ p: Convolution, small: Bool = false) -> CatalogueCase {
    CatalogueCase("conv2dGradData", label(p), work: p.multiplyAdds, small: small) { device in
      var inputs = CaseInputs(seed: 12)
      let dy = try device.tensor(inputs.floats(p.outputCount), [p.outputCount])
      let w = try device.tensor(inputs.floats(p.weightCount), [p.weightCount])
      let dx = try device.empty(p.inputCount)
      try device.conv2dGradData(p, dy, w, into: dx)
      return [try device.output("dx", dx)]
    }
  }

  @inline(never)
  static func gradWeight(_ p: Convolution, small: Bool = false) -> CatalogueCase {
    CatalogueCase("conv2dGradWeight", label(p), work: p.multiplyAdds, small: small) { device in
      var inputs = CaseInputs(seed: 13)
      let x = try device.tensor(inputs.floats(p.inputCount), [p.inputCount])
      let dy = try device.tensor(inputs.floats(p.outputCount), [p.outputCount])
      let dw = try device.empty(p.weightCount)
      try device.conv2dGradWeight(p, x, dy, into: dw)
      return [try device.output("dw", dw)]
    }
  }

  /// Pairwise squared distances.
  static var distanceCases: [CatalogueCase] {
    [(0, 3), (1, 1), (2, 0), (7, 5), (14, 16), (33, 63), (65, 511), (47, 513), (97, 40)].map {
      distances($0, $1)
    }
  }

  @inline(never)
  static func distances(_ points: Int, _ dims: Int) -> CatalogueCase {
    CatalogueCase("squaredDistances", "\(points) points x \(dims)", work: points * points * dims) { device in
      var inputs = CaseInputs(seed: 14)
      let x = try device.tensor(inputs.floats(points * dims), [points, dims])
      let d = try device.empty(points, points)
      try device.squaredDistances(x, points: points, dims: dims, into: d)
      return [try device.output("d", d)]
    }
  }
}

extension Convolution {
  /// The same with strides, padding and dilation of their own along height and width.
  fileprivate func along(stride: (Int, Int), padding: (Int, Int), dilation: (Int, Int)) -> Self {
    var p = self
    p.stride = Size2D(height: stride.0, width: stride.1)
    p.padding = Size2D(height: padding.0, width: padding.1)
    p.dilation = Size2D(height: dilation.0, width: dilation.1)
    p.output = Size2D(
      height: (height + 2 * padding.0 - dilation.0 * (kernel.height - 1) - 1) / stride.0 + 1,
      width: (width + 2 * padding.1 - dilation.1 * (kernel.width - 1) - 1) / stride.1 + 1)
    return p
  }
}
