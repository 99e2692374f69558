// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Context {
  /// The transposed convolution of x (batch, in, h, w) with w (in, out / groups, kh, kw), b (out): the
  /// gradient for the data of a convolution, as PyTorch's `conv_transpose2d`.
  ///
  /// - Parameters:
  ///   - x: (batch, in, h, w).
  ///   - weight: (in, out / groups, kh, kw).
  ///   - bias: (out), or none.
  ///   - attributes: those of the convolution; "same" padding is refused.
  ///   - outputPadding: rows and columns more at the bottom and right, fewer than the stride.
  /// - Returns: (batch, out, (h - 1) stride - 2 padding + dilation (kh - 1) + 1 + outputPadding, ...).
  /// - Throws: `TesseraError` for shapes that do not fit.
  public func convTranspose2d(
    _ x: Variable, weight: Variable, bias: Variable? = nil, _ attributes: ConvolutionAttributes = .init(),
    outputPadding: Int = 0
  ) throws -> Variable {
    var convolution = try transposed(x, weight, bias, attributes, outputPadding)
    convolution.products = products
    let p = convolution
    let y = try device.allocate([p.batch, p.inChannels, p.height, p.width], .float32)
    try device.conv2dGradData(p, x.value, weight.value, into: y)
    let (device, batch) = (device, batchSums(over: x))
    let product = output(y, of: [x, weight]) { tape, dy in
      if x.requiresGradient {
        let dx = try device.allocate(x.shape, .float32)
        try device.conv2d(p, dy, weight.value, bias: nil, into: dx)
        try tape.accumulate(dx, to: x)
      }
      guard weight.requiresGradient else { return }
      try batch.pass(tape, to: [weight], [dy, x.value], by: .chain) { inputs, rows in
        let dw = try device.allocate(weight.shape, .float32)
        var part = p
        part.batch = rows
        try device.conv2dGradWeight(part, inputs[0], inputs[1], into: dw)
        return [dw]
      }
    }
    guard let bias else { return product }
    return try combine(.add, product, try reshape(bias, [p.inChannels, 1, 1]))
  }

  /// The convolution whose gradient for the data it is: from the output's images to x.
  private func transposed(
    _ x: Variable, _ weight: Variable, _ bias: Variable?, _ a: ConvolutionAttributes, _ more: Int
  ) throws -> Convolution {
    try a.check()
    guard x.shape.count == 4, weight.shape.count == 4, x.shape[1] == weight.shape[0],
      x.shape[1] % a.groups == 0, !a.same, more >= 0, more < a.stride,
      (x.shape + weight.shape).allSatisfy({ $0 >= 1 }), a.padding <= 1 << 24, a.dilation <= 1 << 24
    else {
      throw TesseraError.failure(
        "convTranspose2d",
        found: "\(x.shape), weights \(weight.shape), \(a.groups) groups, output padding \(more)",
        wanted: "(batch, in, h, w), (in, out / groups, kh, kw), an output padding below the stride")
    }
    let channels = weight.shape[1] * a.groups
    guard bias == nil || bias?.shape == [channels] else {
      throw TesseraError.failure(
        "convTranspose2d", found: "a bias \(bias?.shape ?? [])", wanted: "[\(channels)]")
    }
    func extent(_ input: Int, _ kernel: Int) -> Int {
      (input - 1) * a.stride - 2 * a.padding + a.dilation * (kernel - 1) + 1 + more
    }
    let size = (extent(x.shape[2], weight.shape[2]), extent(x.shape[3], weight.shape[3]))
    _ = try Tensor.elementCount([x.shape[0], channels, size.0, size.1], "convTranspose2d")
    let p = Convolution(
      batch: x.shape[0], inChannels: channels, size: size, outChannels: x.shape[1],
      kernel: (weight.shape[2], weight.shape[3]), stride: a.stride, padding: a.padding, dilation: a.dilation,
      groups: a.groups)
    guard size.0 > 0, size.1 > 0, p.output.height == x.shape[2], p.output.width == x.shape[3] else {
      throw TesseraError.failure(
        "convTranspose2d", found: "images of \(size.0) x \(size.1)",
        wanted: "one pixel or more, of which x is made")
    }
    return p
  }
}

/// A transposed convolution (`nn.ConvTranspose2d`). Weights: Xavier-normal; bias: PyTorch's default.
public final class ConvTranspose2d: Module {
  private let weight: Parameter, bias: Parameter?
  private let attributes: Context.ConvolutionAttributes, outputPadding: Int

  /// A layer with square kernels.
  ///
  /// - Parameters:
  ///   - inChannels: of the input.
  ///   - outChannels: of the output.
  ///   - kernel: taps a side.
  ///   - stride: how far apart the input's pixels are in the output.
  ///   - padding: pixels that the output has less around it.
  ///   - outputPadding: rows and columns more at the bottom and right, fewer than the stride.
  ///   - bias: whether there is one.
  ///   - initializer: draws the weights.
  /// - Throws: `TesseraError` for numbers that make no layer.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
    outputPadding: Int = 0,
    bias: Bool = true, _ initializer: Initializer
  ) throws {
    attributes = .init(stride: stride, padding: padding)
    try attributes.check()
    guard inChannels >= 1, outChannels >= 1, kernel >= 1, (0..<stride).contains(outputPadding) else {
      throw TesseraError.failure(
        "ConvTranspose2d",
        found: "\(inChannels) to \(outChannels) channels, kernel \(kernel), output padding \(outputPadding)",
        wanted: "1 or more each, an output padding below the stride")
    }
    weight = try initializer.xavierNormal([inChannels, outChannels, kernel, kernel])
    self.bias = bias ? try initializer.bias(outChannels, fanIn: outChannels * kernel * kernel) : nil
    self.outputPadding = outputPadding
  }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try context.convTranspose2d(
      x, weight: weight.leaf(), bias: bias?.leaf(), attributes, outputPadding: outputPadding)
  }

  public var state: [(name: String, state: ModuleState)] {
    [("weight", .parameter(weight))] + (bias.map { [("bias", .parameter($0))] } ?? [])
  }
}
