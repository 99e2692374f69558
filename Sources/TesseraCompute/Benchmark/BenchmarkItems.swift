extension Benchmark {
  /// What `tessera bench` measures.
  public static var items: [Item] { products + convolutions + rows + layouts }

  private static var products: [Item] {
    let shapes = [
      (512, 512, 512, false), (1024, 1024, 1024, false), (1024, 1024, 1024, true), (2048, 384, 1536, true),
    ]
    return shapes.map { m, n, k, transposed in
      Item(
        kernel: "matmul", label: "\(m)x\(n)x\(k)\(transposed ? " B'" : "")",
        operations: 2 * Double(m) * Double(n) * Double(k), bytes: 4 * Double(m * k + k * n + m * n)
      ) { device in
        var inputs = CaseInputs(seed: 1)
        let a = try device.tensor(inputs.floats(m * k), [m, k])
        let b = try device.tensor(inputs.floats(k * n), [k, n])
        let c = try device.empty(m, n)
        let p = MatmulParameters(m: m, n: n, k: k, transposeB: transposed)
        return ({ try device.matmul(p, a, b, bias: nil, into: c) }, c)
      }
    }
  }

  private static var convolutions: [Item] {
    let shapes: [(String, ConvParameters)] = [
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
      ["conv2d", "conv2dGradData", "conv2dGradWeight"].map { kernel in
        Item(
          kernel: kernel, label: label, operations: 2 * Double(p.multiplyAdds),
          bytes: 4 * Double(p.inputCount + p.outputCount + p.weightCount)
        ) { device in
          var inputs = CaseInputs(seed: 2)
          let x = try device.tensor(inputs.floats(p.inputCount), [p.inputCount])
          let w = try device.tensor(inputs.floats(p.weightCount), [p.weightCount])
          let y = try device.tensor(inputs.floats(p.outputCount), [p.outputCount])
          switch kernel {
          case "conv2d": return ({ try device.conv2d(p, x, w, bias: nil, into: y) }, y)
          case "conv2dGradData": return ({ try device.conv2dGradData(p, y, w, into: x) }, x)
          default: return ({ try device.conv2dGradWeight(p, x, y, into: w) }, w)
          }
        }
      }
    }
  }

  private static var rows: [Item] {
    let (rows, columns) = (4096, 512)
    let count = Double(rows * columns)
    return [
      Item(kernel: "softmax", label: "\(rows)x\(columns)", operations: 25 * count, bytes: 8 * count) {
        device in
        var inputs = CaseInputs(seed: 3)
        let x = try device.tensor(inputs.floats(rows * columns), [rows, columns])
        let y = try device.empty(rows, columns)
        return ({ try device.softmax(x, rows: rows, columns: columns, scale: 1, into: y) }, y)
      },
      Item(kernel: "layerNorm", label: "\(rows)x\(columns)", operations: 8 * count, bytes: 8 * count) {
        device in
        var inputs = CaseInputs(seed: 4)
        let x = try device.tensor(inputs.floats(rows * columns), [rows, columns])
        let gamma = try device.tensor(inputs.floats(columns), [columns])
        let y = try device.empty(rows, columns)
        let mean = try device.empty(rows)
        let rstd = try device.empty(rows)
        let p = RowsParameters(rows: rows, columns: columns)
        return (
          { try device.layerNorm(p, x, gamma: gamma, beta: gamma, into: y, mean: mean, rstd: rstd) }, y
        )
      },
      Item(kernel: "gelu", label: "\(rows * columns)", operations: 40 * count, bytes: 8 * count) { device in
        var inputs = CaseInputs(seed: 5)
        let x = try device.tensor(inputs.floats(rows * columns), [rows * columns])
        let y = try device.empty(rows * columns)
        return ({ try device.unary(.gelu, x, alpha: 0, beta: 0, into: y) }, y)
      },
    ]
  }

  private static var layouts: [Item] {
    let (points, dims) = (2304, 1024)
    let pairs = Double(points * points)
    return [
      Item(
        kernel: "squaredDistances", label: "\(points) points x \(dims)", operations: 3 * pairs * Double(dims),
        bytes: 4 * pairs
      ) { device in
        var inputs = CaseInputs(seed: 6)
        let x = try device.tensor(inputs.floats(points * dims), [points, dims])
        let d = try device.empty(points, points)
        return ({ try device.squaredDistances(x, points: points, dims: dims, into: d) }, d)
      },
      Item(kernel: "affinities", label: "\(points) points", operations: 20 * 20 * pairs, bytes: 8 * pairs) {
        device in
        var inputs = CaseInputs(seed: 7)
        let x = try device.tensor(inputs.floats(points * 16), [points, 16])
        let d = try device.empty(points, points)
        let p = try device.empty(points, points)
        try device.squaredDistances(x, points: points, dims: 16, into: d)
        return ({ try device.conditionalAffinities(d, points: points, perplexity: 30, into: p) }, p)
      },
      Item(kernel: "tsneForces", label: "\(points) points", operations: 19 * pairs, bytes: 4 * pairs) {
        device in
        var inputs = CaseInputs(seed: 8)
        let joint = try device.tensor(inputs.floats(points * points, 0, 1), [points, points])
        let layout = try device.tensor(inputs.floats(2 * points), [2, points])
        let forces = try device.empty(5, points)
        var p = TSNEParameters()
        p.points = Int32(points)
        return ({ try device.tsneForces(p, joint: joint, layout: layout, into: forces) }, forces)
      },
    ]
  }
}
