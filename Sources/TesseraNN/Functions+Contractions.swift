// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Context {
  /// y = x w^T + b for x (rows, ..., in), w (out, in), b (out).
  public func linear(_ x: Variable, weight: Variable, bias: Variable?) throws -> Variable {
    guard x.shape.count != 2 else { return try linearOfRows(x, weight: weight, bias: bias) }
    guard x.shape.count > 2, weight.shape.count == 2, x.shape.last == weight.shape[1],
      bias == nil || bias?.shape == [weight.shape[0]]
    else {
      throw TesseraError.failure(
        "linear", found: "\(x.shape), weights \(weight.shape) and a bias \(bias?.shape ?? [])",
        wanted: "(rows, ..., in), (out, in) and (out)")
    }
    guard let bias else { return try product(x, with: weight, transposed: true) }
    return try product(x, with: weight, transposed: true, bias: bias)
  }

  private func linearOfRows(_ x: Variable, weight: Variable, bias: Variable?) throws -> Variable {
    guard x.shape.count == 2, weight.shape.count == 2, x.shape[1] == weight.shape[1] else {
      throw TesseraError.failure(
        "linear", found: "\(x.shape) and weights \(weight.shape)", wanted: "(rows, in) and (out, in)")
    }
    let (rows, ins, outs) = (x.shape[0], x.shape[1], weight.shape[0])
    guard bias == nil || bias?.value.count == outs else {
      throw TesseraError.failure("linear", found: "a bias \(bias?.shape ?? [])", wanted: "[\(outs)]")
    }
    let y = try device.empty([rows, outs])
    var p = Matmul(m: rows, n: outs, k: ins, transposeB: true)
    p.products = products
    try device.matmul(p, x.value, weight.value, bias: bias?.value, into: y)
    let (device, batch, products) = (device, batchSums(over: x), products)
    return output(y, of: [x, weight] + (bias.map { [$0] } ?? [])) { tape, dy in
      if x.requiresGradient {
        let dx = try device.allocate([rows, ins], .float32)
        var g = Matmul(m: rows, n: ins, k: outs)
        g.products = products
        try device.matmul(g, dy, weight.value, bias: nil, into: dx)
        try tape.accumulate(dx, to: x)
      }
      if weight.requiresGradient {
        try batch.pass(tape, to: [weight], [dy, x.value], by: .chain) { inputs, rows in
          let dw = try device.allocate([outs, ins], .float32)
          var g = Matmul(m: outs, n: ins, k: rows, transposeA: true)
          g.sum(groupsOf: BatchShard.group, by: products)
          try device.matmul(g, inputs[0], inputs[1], bias: nil, into: dw)
          return [dw]
        }
      }
      if let bias, bias.requiresGradient {
        try batch.pass(tape, to: [bias], [dy], by: .compensated) { inputs, rows in
          let db = try device.allocate([outs], .float32)
          let c = ChannelLayout(outer: rows, channels: outs, inner: 1)
          try device.channelSum(c, inputs[0], into: db)
          return [db]
        }
      }
    }
  }

  /// Attributes of a convolution with square stride, padding and dilation.
  public struct ConvolutionAttributes: Sendable {
    /// Steps between windows.
    public var stride = 1
    /// Zeros around the input.
    public var padding = 0
    /// Steps between taps.
    public var dilation = 1
    /// Parts of the channels, each of which makes its own.
    public var groups = 1
    /// TensorFlow's "same" padding instead: output = ceil(input / stride), the odd zero at bottom and right.
    public var same = false

    /// A convolution.
    public init(stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1, same: Bool = false) {
      (self.stride, self.padding, self.dilation, self.groups) = (stride, padding, dilation, groups)
      self.same = same
    }

    /// Throws unless the attributes make sense.
    func check() throws {
      guard stride >= 1, padding >= 0, dilation >= 1, groups >= 1,
        [stride, padding, dilation, groups].allSatisfy({ $0 <= Int(Int32.max) })
      else {
        throw TesseraError.failure(
          "conv2d", found: "stride \(stride), padding \(padding), dilation \(dilation), \(groups) groups",
          wanted: "stride, dilation and groups of 1 or more, padding of 0 or more")
      }
    }

    func parameters(_ x: [Int], _ w: [Int]) throws -> Convolution {
      try check()
      var p = Convolution(
        batch: x[0], inChannels: x[1], size: (x[2], x[3]), outChannels: w[0], kernel: (w[2], w[3]),
        stride: stride, padding: padding, dilation: dilation, groups: groups)
      if same {
        func total(_ input: Int, _ kernel: Int) -> (out: Int, first: Int) {
          let out = (input + stride - 1) / stride
          return (out, max(0, (out - 1) * stride + dilation * (kernel - 1) + 1 - input) / 2)
        }
        guard padding == 0 else {
          throw TesseraError.failure(
            "conv2d", found: "padding \(padding) beside same padding", wanted: "one of the two")
        }
        let (rows, columns) = (total(x[2], w[2]), total(x[3], w[3]))
        p.output = Size2D(height: rows.out, width: columns.out)
        p.padding = Size2D(height: rows.first, width: columns.first)
      }
      guard p.output.height > 0, p.output.width > 0 else {
        throw TesseraError.failure(
          "conv2d", found: "images of \(x[2]) x \(x[3])",
          wanted: "room for one window of \(w[2]) x \(w[3]) with padding \(padding), dilation \(dilation)")
      }
      return p
    }
  }

  /// y = x * w + b for x (batch, in, h, w), w (out, in / groups, kh, kw), b (out).
  public func conv2d(
    _ x: Variable, weight: Variable, bias: Variable?, _ attributes: ConvolutionAttributes
  ) throws -> Variable {
    guard x.shape.count == 4, weight.shape.count == 4, attributes.groups > 0,
      weight.shape[1] <= x.shape[1], attributes.groups <= Int(Int32.max),
      x.shape[1] == weight.shape[1] * attributes.groups
    else {
      throw TesseraError.failure(
        "conv2d", found: "\(x.shape) and weights \(weight.shape)",
        wanted: "(batch, in, h, w) and (out, in / groups, kh, kw)")
    }
    var convolution = try attributes.parameters(x.shape, weight.shape)
    convolution.products = products
    let p = convolution
    let y = try device.empty([p.batch, p.outChannels, p.output.height, p.output.width])
    try device.conv2d(p, x.value, weight.value, bias: bias?.value, into: y)
    let (device, batch) = (device, batchSums(over: x))
    return output(y, of: [x, weight] + (bias.map { [$0] } ?? [])) { tape, dy in
      if x.requiresGradient {
        let dx = try device.allocate(x.shape, .float32)
        try device.conv2dGradData(p, dy, weight.value, into: dx)
        try tape.accumulate(dx, to: x)
      }
      if weight.requiresGradient {
        try batch.pass(tape, to: [weight], [x.value, dy], by: .chain) { inputs, rows in
          let dw = try device.allocate(weight.shape, .float32)
          var part = p
          part.batch = rows
          try device.conv2dGradWeight(part, inputs[0], inputs[1], into: dw)
          return [dw]
        }
      }
      if let bias, bias.requiresGradient {
        try batch.pass(tape, to: [bias], [dy], by: .compensated) { inputs, rows in
          let db = try device.allocate(bias.shape, .float32)
          let c = ChannelLayout(
            outer: rows, channels: p.outChannels, inner: p.output.height * p.output.width)
          try device.channelSum(c, inputs[0], into: db)
          return [db]
        }
      }
    }
  }
}
