// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

extension SumCheck {
  static var channelReductions: [Reduction] {
    let shapes = [(8, 67_500), (1_000_000, 1), (300, 1111)]
    return shapes.map { outer, inner in
      Reduction(primitive: "channelSum", shape: "\(outer) x \(inner)") { device, kind in
        let values = kind.floats(outer * inner)
        let (x, y) = (try device.tensor(values, [values.count]), try device.empty(1))
        try device.channelSum(ChannelLayout(outer: outer, channels: 1, inner: inner), x, into: y)
        return sums(try device.floats(y), of: [values])
      }
    }
      + shapes.flatMap { outer, inner in
        [true, false].map { isMean in
          Reduction(primitive: "moments", shape: "\(outer) x \(inner), \(isMean ? "mean" : "variance")") {
            try batchMoments($0, outer, inner, $1, mean: isMean)
          }
        }
      }
      + [(8, 67_500), (100_000, 3)].flatMap { outer, inner in
        [true, false].map { isGamma in
          Reduction(
            primitive: "batchNormGradParameters",
            shape: "\(outer) x \(inner), \(isGamma ? "gamma" : "beta")"
          ) { try batchNormGrad($0, outer, inner, $1, gamma: isGamma) }
        }
      }
      + [true, false].map { isGamma in
        Reduction(
          primitive: "layerNormGradParameters", shape: "1,000,000 x 1, \(isGamma ? "gamma" : "beta")"
        ) { try layerNormGrad($0, 1_000_000, $1, gamma: isGamma) }
      }
  }

  private static func batchMoments(
    _ device: any Backend, _ outer: Int, _ inner: Int, _ kind: StructuredInputs, mean isMean: Bool
  ) throws -> Measured {
    let values = kind.floats(outer * inner)
    let x = try device.tensor(values, [outer, inner])
    let (mean, variance) = (try device.empty(1), try device.empty(1))
    try device.moments(x, samples: outer, inner: inner, mean: mean, variance: variance)
    let both = moments(values)
    return isMean
      ? Measured(
        found: try device.floats(mean), exact: [both.exact.mean], pairwise: [both.pairwise.mean],
        scale: [abs(both.exact.mean)])
      : Measured(
        found: try device.floats(variance), exact: [both.exact.variance],
        pairwise: [both.pairwise.variance],
        // A constant's variance is 0: what is left is measured by its square.
        scale: [both.exact.variance + 0x1p-24 * both.exact.mean * both.exact.mean])
  }

  /// Sums of dy and of dy (x - mean), with a deviation of 1.
  private static func batchNormGrad(
    _ device: any Backend, _ outer: Int, _ inner: Int, _ kind: StructuredInputs, gamma isGamma: Bool
  ) throws -> Measured {
    let values = kind.floats(outer * inner)
    let (gamma, beta) = (try device.empty(1), try device.empty(1))
    let x = try device.tensor(values, [values.count])
    try device.batchNormGradParameters(
      ChannelLayout(outer: outer, channels: 1, inner: inner, eps: 0), x,
      mean: device.tensor([Float(0.25)], [1]), variance: device.tensor([Float(1)], [1]), x, gamma: gamma,
      beta: beta)
    let terms = isGamma ? values.map { $0 * ($0 - 0.25) } : values
    return sums(try device.floats(isGamma ? gamma : beta), of: [terms])
  }

  private static func layerNormGrad(
    _ device: any Backend, _ rows: Int, _ kind: StructuredInputs, gamma isGamma: Bool
  ) throws -> Measured {
    let values = kind.floats(rows)
    let (gamma, beta) = (try device.empty(1), try device.empty(1))
    let x = try device.tensor(values, [rows])
    let mean = try device.tensor([Float](repeating: 0.25, count: rows), [rows])
    let rstd = try device.tensor([Float](repeating: 1, count: rows), [rows])
    try device.layerNormGradParameters(
      LayerNormalization(rows: rows, columns: 1), x, mean: mean, rstd: rstd, x, gamma: gamma, beta: beta)
    let terms = isGamma ? values.map { $0 * ($0 - 0.25) } : values
    return sums(try device.floats(isGamma ? gamma : beta), of: [terms])
  }
}
