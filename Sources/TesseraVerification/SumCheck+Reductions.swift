// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

extension SumCheck {
  static let reductions: [Reduction] = rowReductions + channelReductions + softmaxReductions + chains

  private static var rowReductions: [Reduction] {
    [
      Reduction(primitive: "rowSum", shape: "1 x 1,000,000") { try rowSum($0, 1, 1_000_000, $1) },
      Reduction(primitive: "rowSum", shape: "3 x 67,500") { try rowSum($0, 3, 67_500, $1) },
      Reduction(primitive: "layerNorm", shape: "1 x 1,000,000, mean") {
        try layerNorm($0, 1_000_000, $1, mean: true)
      },
      Reduction(primitive: "layerNorm", shape: "1 x 1,000,000, 1 / deviation") {
        try layerNorm($0, 1_000_000, $1, mean: false)
      },
      Reduction(primitive: "averagePool", shape: "150 x 150 to 1") { device, kind in
        try pooled(device, kind) { device, x, y in
          try device.averagePool(
            Pooling(planes: 1, height: 150, width: 150, kernel: 150, stride: 1), x, into: y)
        }
      },
      Reduction(primitive: "adaptiveAveragePool", shape: "150 x 150 to 1") { device, kind in
        try pooled(device, kind) { device, x, y in
          try device.adaptiveAveragePool(
            Pooling(planes: 1, height: 150, width: 150, outHeight: 1, outWidth: 1), x, into: y)
        }
      },
      Reduction(primitive: "tsneForces", shape: "2,500 points, Z") { try norms($0, 2500, $1) },
    ]
  }

  private static func rowSum(
    _ device: any Backend, _ rows: Int, _ columns: Int, _ kind: StructuredInputs
  ) throws -> Measured {
    let values = kind.floats(rows * columns)
    let (x, y) = (try device.tensor(values, [rows, columns]), try device.empty(rows))
    try device.rowSum(x, rows: rows, columns: columns, into: y)
    return sums(
      try device.floats(y), of: (0..<rows).map { Array(values[$0 * columns..<($0 + 1) * columns]) })
  }

  private static func layerNorm(
    _ device: any Backend, _ columns: Int, _ kind: StructuredInputs, mean isMean: Bool
  ) throws -> Measured {
    let values = kind.floats(columns)
    let x = try device.tensor(values, [1, columns])
    let one = try device.tensor([Float](repeating: 1, count: columns), [columns])
    let (y, mean, rstd) = (try device.empty(columns), try device.empty(1), try device.empty(1))
    // Room enough that a constant row has a finite result.
    let eps: Float = 1e-3
    try device.layerNorm(
      LayerNormalization(rows: 1, columns: columns, eps: eps), x, gamma: one, beta: one, into: y, mean: mean,
      rstd: rstd)
    let both = moments(values)
    if isMean {
      return Measured(
        found: try device.floats(mean), exact: [both.exact.mean], pairwise: [both.pairwise.mean],
        scale: [abs(both.exact.mean)])
    }
    let exact = 1 / (both.exact.variance + Double(eps)).squareRoot()
    return Measured(
      found: try device.floats(rstd), exact: [exact],
      pairwise: [1 / (both.pairwise.variance + eps).squareRoot()], scale: [exact])
  }

  /// Mean and variance in float64, and as `numpy.mean` and `numpy.var` have them in float32.
  static func moments(_ x: [Float]) -> (
    exact: (mean: Double, variance: Double), pairwise: (mean: Float, variance: Float)
  ) {
    let wide = x.map { Double($0) }
    let mean = exact(wide) / Double(x.count)
    let narrow = pairwise(x) / Float(x.count)
    return (
      (mean, exact(wide.map { ($0 - mean) * ($0 - mean) }) / Double(x.count)),
      (narrow, pairwise(x.map { ($0 - narrow) * ($0 - narrow) }) / Float(x.count))
    )
  }

  private static func pooled(
    _ device: any Backend, _ kind: StructuredInputs, _ pool: (any Backend, Tensor, Tensor) throws -> Void
  ) throws -> Measured {
    let values = kind.floats(150 * 150)
    let (x, y) = (try device.tensor(values, [values.count]), try device.empty(1))
    try pool(device, x, y)
    let both = moments(values)
    return Measured(
      found: try device.floats(y), exact: [both.exact.mean], pairwise: [both.pairwise.mean],
      scale: [abs(both.exact.mean)])
  }

  /// Sums of 1 / (1 + d^2) over the other points.
  private static func norms(_ device: any Backend, _ points: Int, _ kind: StructuredInputs) throws -> Measured
  {
    let places = kind.floats(2 * points)
    let layout = try device.tensor(places, [2, points])
    let (joint, forces) = (try device.empty(points, points), try device.empty(5, points))
    try device.fill(joint, with: 0)
    try device.tsneForces(TSNEStep(points: points), joint: joint, layout: layout, into: forces)
    let terms = [0, 1, points / 3, points - 1].map { i in
      (0..<points).map { j -> Float in
        let (dx, dy) = (places[i] - places[j], places[points + i] - places[points + j])
        return i == j ? 0 : 1 / dy.squared(plus: dx.squared(plus: 1))
      }
    }
    let all = try device.floats(forces)
    return sums([0, 1, points / 3, points - 1].map { all[$0] }, of: terms)
  }

  private static var chains: [Reduction] {
    [
      Reduction(primitive: "matmul", shape: "1 x 1 over 1,000,000", isChain: true) { device, kind in
        let values = kind.floats(1_000_000)
        let (x, c) = (try device.tensor(values, [values.count]), try device.empty(1))
        try device.matmul(Matmul(m: 1, n: 1, k: values.count), x, x, bias: nil, into: c)
        return sums(try device.floats(c), of: [values.map { $0 * $0 }])
      },
      Reduction(primitive: "squaredDistances", shape: "2 points x 1,000,000", isChain: true) { device, kind in
        let values = kind.floats(1_000_000)
        let x = try device.tensor(values + [Float](repeating: 0, count: values.count), [2, values.count])
        let d = try device.empty(2, 2)
        try device.squaredDistances(x, points: 2, dims: values.count, into: d)
        return sums([try device.floats(d)[1]], of: [values.map { $0 * $0 }])
      },
      Reduction(primitive: "conv2dGradWeight", shape: "32 x 1 x 150 x 150, 1 x 1", isChain: true) {
        device, kind in
        let p = Convolution(batch: 32, inChannels: 1, size: (150, 150), outChannels: 1, kernel: (1, 1))
        let values = kind.floats(p.inputCount)
        let (x, w) = (try device.tensor(values, [values.count]), try device.empty(1))
        try device.conv2dGradWeight(p, x, x, into: w)
        return sums(try device.floats(w), of: [values.map { $0 * $0 }])
      },
    ]
  }
}

extension Float {
  /// self^2 + other in one rounding.
  fileprivate func squared(plus other: Float) -> Float { other.addingProduct(self, self) }
}
