// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

extension SumCheck {
  static var softmaxReductions: [Reduction] {
    [10, 1_000_000].flatMap { columns in
      [
        Reduction(primitive: "softmax", shape: "1 x \(columns)") { device, kind in
          let row = SoftmaxRow(kind.floats(columns))
          let (x, y) = (try device.tensor(row.x, [1, columns]), try device.empty(1, columns))
          try device.softmax(x, rows: 1, columns: columns, scale: 1, into: y)
          return Measured(
            found: try device.floats(y), exact: row.powers.map { $0 / row.total },
            pairwise: row.narrowPowers.map { $0 / row.narrowTotal },
            // Denormal shares have few digits; their error is an absolute one.
            scale: row.powers.map { max($0 / row.total, 0x1p-100) })
        },
        Reduction(primitive: "logSoftmax", shape: "1 x \(columns)") { device, kind in
          let row = SoftmaxRow(kind.floats(columns))
          let (x, y) = (try device.tensor(row.x, [1, columns]), try device.empty(1, columns))
          try device.logSoftmax(x, rows: 1, columns: columns, into: y)
          let (wide, narrow) = (log(row.total), log(row.narrowTotal))
          let exact = row.x.map { Double($0) - Double(row.top) - wide }
          return Measured(
            found: try device.floats(y), exact: exact, pairwise: row.x.map { ($0 - row.top) - narrow },
            scale: exact.map { max(1, abs($0)) })
        },
        Reduction(primitive: "crossEntropy", shape: "1 x \(columns), smoothing 0.1") { device, kind in
          let row = SoftmaxRow(kind.floats(columns))
          let (x, losses) = (try device.tensor(row.x, [1, columns]), try device.empty(1))
          let labels = try device.tensor([Int32(0)], [1])
          try device.crossEntropy(
            x, labels: labels, rows: 1, classes: columns, smoothing: 0.1, into: losses)
          let (smoothing, label) = (Double(Float(0.1)), Double(row.x[0]) - Double(row.top))
          let apart = SumCheck.exact(row.x.map { Double($0) - Double(row.top) }) / Double(columns)
          let exact = log(row.total) - (1 - smoothing) * label - smoothing * apart
          let narrowLoss = log(row.narrowTotal) - (row.x[0] - row.top)
          let narrowEven = log(row.narrowTotal) - pairwise(row.x.map { $0 - row.top }) / Float(columns)
          return Measured(
            found: try device.floats(losses), exact: [exact],
            pairwise: [narrowLoss.addingProduct(0.1, narrowEven - narrowLoss)],
            scale: [log(row.total) + abs(label) + abs(apart)])
        },
        Reduction(primitive: "softmaxGrad", shape: "1 x \(columns)") {
          try gradient($0, columns, $1, log: false)
        },
        Reduction(primitive: "logSoftmaxGrad", shape: "1 x \(columns)") {
          try gradient($0, columns, $1, log: true)
        },
      ]
    }
  }

  /// A row, its exponentials and their sum.
  private struct SoftmaxRow {
    let x: [Float], top: Float, powers: [Double], total: Double, narrowPowers: [Float], narrowTotal: Float

    init(_ x: [Float]) {
      self.x = x
      let top = x.max() ?? 0
      self.top = top
      powers = x.map { exp(Double($0) - Double(top)) }
      narrowPowers = x.map { exp($0 - top) }
      (total, narrowTotal) = (SumCheck.exact(powers), pairwise(narrowPowers))
    }
  }

  /// y (dy - sum y dy), or dy - exp(y) sum dy: each element's error beside the terms that it is made of.
  private static func gradient(
    _ device: any Backend, _ columns: Int, _ kind: StructuredInputs, log isLog: Bool
  ) throws -> Measured {
    let dy = kind.floats(columns)
    let y = isLog ? dy.map { -abs($0) * 1e-3 } : dy.map { abs($0) / Float(columns) }
    let dx = try device.empty(1, columns)
    let (yTensor, dyTensor) = (try device.tensor(y, [1, columns]), try device.tensor(dy, [1, columns]))
    if isLog {
      try device.logSoftmaxGrad(yTensor, dyTensor, rows: 1, columns: columns, into: dx)
    } else {
      try device.softmaxGrad(yTensor, dyTensor, rows: 1, columns: columns, scale: 1, into: dx)
    }
    let terms = isLog ? dy : zip(y, dy).map { $0 * $1 }
    let (wide, narrow) = (exact(terms.map { Double($0) }), pairwise(terms))
    let factors = y.map { isLog ? exp(Double($0)) : Double($0) }
    return Measured(
      found: try device.floats(dx),
      exact: dy.indices.map {
        isLog ? Double(dy[$0]) - factors[$0] * wide : factors[$0] * (Double(dy[$0]) - wide)
      },
      pairwise: dy.indices.map { isLog ? dy[$0] - exp(y[$0]) * narrow : y[$0] * (dy[$0] - narrow) },
      scale: dy.indices.map {
        isLog
          ? Double(abs(dy[$0])) + factors[$0] * abs(wide) : factors[$0] * (Double(abs(dy[$0])) + abs(wide))
      })
  }
}
