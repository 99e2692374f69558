// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Benchmark {
  /// What `tessera bench` measures.
  public static var items: [Item] {
    products + convolutions + attentions + rows + layers + layouts + neighbourLayouts + hosts
  }

  private static var products: [Item] {
    [(512, 512, 512, false), (1024, 1024, 1024, false), (1024, 1024, 1024, true), (2048, 384, 1536, true)]
      .map { product($0, $1, $2, transposed: $3) }
      + [.s3, .s2].map { product(2048, 384, 1536, transposed: true, $0) }
  }

  /// C (m, n) = A (m, k) B (k, n), or B (n, k) transposed. Of exact products B's digits are kept, as weights'
  /// are, and A's are made.
  static func product(
    _ m: Int, _ n: Int, _ k: Int, transposed: Bool, _ products: Products = .fp32
  ) -> Item {
    let mode = products == .fp32 ? "" : " \(products.rawValue)"
    var p = Matmul(m: m, n: n, k: k, transposeB: transposed)
    p.products = products
    let shape = p, exact = ProductError(p)
    var error: (@Sendable ([Float]) -> Double)?
    if products != .fp32 { error = { exact.of($0) } }
    return Item(
      kernel: "matmul", label: "\(m)x\(n)x\(k)\(transposed ? " B'" : "")\(mode)",
      operations: 2 * Double(m) * Double(n) * Double(k), bytes: 4 * Double(m * k + k * n + m * n),
      error: error
    ) { device in
      let (left, right) = ProductError.operands(shape)
      let (a, b) = (try device.tensor(left, [m, k]), try device.tensor(right, [k, n]))
      let c = try device.empty(m, n)
      return ({ try device.matmul(shape, a, b, bias: nil, into: c) }, c)
    }
  }

  private static var convolutions: [Item] {
    let shapes: [(String, Convolution)] = [
      (
        "64->64 3x3 56x56 batch 8",
        .init(batch: 8, inChannels: 64, size: (56, 56), outChannels: 64, kernel: (3, 3), padding: 1)
      ),
      (
        "192->192 2x2 18x18 batch 32",
        .init(batch: 32, inChannels: 192, size: (18, 18), outChannels: 192, kernel: (2, 2))
      ),
    ]
    return shapes.flatMap { label, p in
      ["conv2d", "conv2dGradData", "conv2dGradWeight"].map { convolution($0, label: label, p) }
    }
  }

  /// A convolution, or one of its gradients.
  static func convolution(_ kernel: String, label: String, _ p: Convolution) -> Item {
    let exact = ConvolutionError(p, kernel)
    var error: (@Sendable ([Float]) -> Double)?
    if p.products != .fp32 { error = { exact.of($0) } }
    return Item(
      kernel: kernel, label: label, operations: 2 * Double(p.multiplyAdds),
      bytes: 4 * Double(p.inputCount + p.outputCount + p.weightCount),
      error: error
    ) { device in
      let operands = ConvolutionError.operands(p)
      let x = try device.tensor(operands.x, [p.inputCount])
      let w = try device.tensor(operands.w, [p.weightCount])
      let y = try device.tensor(operands.y, [p.outputCount])
      switch kernel {
      case "conv2d": return ({ try device.conv2d(p, x, w, bias: nil, into: y) }, y)
      case "conv2dGradData": return ({ try device.conv2dGradData(p, y, w, into: x) }, x)
      default: return ({ try device.conv2dGradWeight(p, x, y, into: w) }, w)
      }
    }
  }

  private static var rows: [Item] { ["softmax", "layerNorm", "gelu", "copy"].map { row($0, 4096, 512) } }

  /// What reads and writes a matrix once: softmax, layerNorm or gelu; anything else is a copy.
  static func row(_ kernel: String, _ rows: Int, _ columns: Int) -> Item {
    let work: [String: Double] = ["softmax": 25, "layerNorm": 8, "gelu": 40]
    let count = Double(rows * columns)
    return Item(
      kernel: kernel, label: "\(rows)x\(columns)", operations: (work[kernel] ?? 0) * count, bytes: 8 * count
    ) {
      device in
      var inputs = SplitMix64(seed: 3)
      let x = try device.tensor(inputs.floats(rows * columns), [rows, columns])
      let y = try device.empty(rows, columns)
      switch kernel {
      case "softmax": return ({ try device.softmax(x, rows: rows, columns: columns, scale: 1, into: y) }, y)
      case "layerNorm":
        let gamma = try device.tensor(inputs.floats(columns), [columns])
        let (mean, rstd) = (try device.empty(rows), try device.empty(rows))
        let p = LayerNormalization(rows: rows, columns: columns)
        return (
          { try device.layerNorm(p, x, gamma: gamma, beta: gamma, into: y, mean: mean, rstd: rstd) }, y
        )
      case "gelu": return ({ try device.unary(.gelu, x, alpha: 0, beta: 0, into: y) }, y)
      default: return ({ try device.copy(x, to: y) }, y)
      }
    }
  }

  private static var layouts: [Item] { [distances(2304, 1024), affinities(2304), forces(2304)] }

  /// All pairs of points.
  static func distances(_ points: Int, _ dims: Int) -> Item {
    let pairs = Double(points * points)
    return Item(
      kernel: "squaredDistances", label: "\(points) points x \(dims)", operations: 3 * pairs * Double(dims),
      bytes: 4 * pairs
    ) { device in
      var inputs = SplitMix64(seed: 6)
      let x = try device.tensor(inputs.floats(points * dims), [points, dims])
      let d = try device.empty(points, points)
      return ({ try device.squaredDistances(x, points: points, dims: dims, into: d) }, d)
    }
  }

  /// t-SNE's P given the distances: the search for every point's bandwidth, and both directions joined.
  static func affinities(_ points: Int) -> Item {
    let pairs = Double(points * points)
    return Item(
      kernel: "affinities", label: "\(points) points", operations: 20 * 20 * pairs, bytes: 16 * pairs
    ) { device in
      var inputs = SplitMix64(seed: 7)
      let x = try device.tensor(inputs.floats(points * 16), [points, 16])
      let d = try device.empty(points, points)
      let (p, joint) = (try device.empty(points, points), try device.empty(points, points))
      try device.squaredDistances(x, points: points, dims: 16, into: d)
      return (
        {
          try device.conditionalAffinities(d, points: points, perplexity: 30, into: p)
          try device.jointAffinities(p, points: points, into: joint)
        }, joint
      )
    }
  }

  /// The forces of one t-SNE iteration, exact.
  static func forces(_ points: Int) -> Item {
    let pairs = Double(points * points)
    return Item(
      kernel: "tsneForces", label: "\(points) points", operations: 19 * pairs, bytes: 4 * pairs
    ) { device in
      var inputs = SplitMix64(seed: 8)
      let joint = try device.tensor(inputs.floats(points * points, 0, 1), [points, points])
      let layout = try device.tensor(inputs.floats(2 * points), [2, points])
      let forces = try device.empty(5, points)
      let p = TSNEStep(points: points)
      return ({ try device.tsneForces(p, joint: joint, layout: layout, into: forces) }, forces)
    }
  }
}
