// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraCompute

/// Against formulas in float64; gradients against central differences of those formulas.
@Suite struct NormalizationTests {
  /// (v - mean) / sqrt(variance + eps) over some numbers.
  private func standardized(_ v: [Double], _ eps: Double) -> [Double] {
    let mean = v.reduce(0, +) / Double(v.count)
    let variance = v.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(v.count)
    return v.map { ($0 - mean) / (variance + eps).squareRoot() }
  }

  @Test(arguments: [(1, 5), (9, 7), (3, 65), (17, 64)]) func layerNorm(_ rows: Int, _ columns: Int) throws {
    var reference = try Reference()
    let p = LayerNormalization(rows: rows, columns: columns, eps: 1e-3)
    let (x, xs) = try reference.input([rows, columns], -2, 5)
    let (gamma, gammas) = try reference.input([columns], 0.5, 2)
    let (beta, betas) = try reference.input([columns])
    let (dy, dys) = try reference.input([rows, columns])
    let (y, dx) = (try reference.empty(rows, columns), try reference.empty(rows, columns))
    let (mean, rstd) = (try reference.empty(rows), try reference.empty(rows))
    try reference.device.layerNorm(p, x, gamma: gamma, beta: beta, into: y, mean: mean, rstd: rstd)
    func part(_ v: [Double], _ row: Int) -> [Double] { Array(v[row * columns..<(row + 1) * columns]) }
    func exact(_ v: [Double]) -> [Double] {
      standardized(v, Double(p.eps)).enumerated().map { $1 * gammas[$0] + betas[$0] }
    }
    try reference.expect(y, (0..<rows).flatMap { exact(part(xs, $0)) }, 1e-5, "y")
    try reference.device.layerNormGradData(p, x, gamma: gamma, mean: mean, rstd: rstd, dy, into: dx)
    try reference.expect(dx, (0..<rows).flatMap { slope(part(xs, $0), part(dys, $0), exact) }, 1e-5, "dx")
    let (dgamma, dbeta) = (try reference.empty(columns), try reference.empty(columns))
    try reference.device.layerNormGradParameters(p, x, mean: mean, rstd: rstd, dy, gamma: dgamma, beta: dbeta)
    let unit = (0..<rows).map { standardized(part(xs, $0), Double(p.eps)) }
    try reference.expect(
      dgamma, (0..<columns).map { c in sum(0..<rows) { dys[$0 * columns + c] * unit[$0][c] } }, 1e-5, "dgamma"
    )
    try reference.expect(
      dbeta, (0..<columns).map { c in sum(0..<rows) { dys[$0 * columns + c] } }, 1e-5, "dbeta")
  }

  @Test(arguments: [(1, 2, 5), (9, 3, 4), (5, 2, 65), (17, 1, 3)])
  func batchNorm(_ outer: Int, _ channels: Int, _ inner: Int) throws {
    var reference = try Reference()
    let p = ChannelLayout(outer: outer, channels: channels, inner: inner, eps: 1e-3)
    let (x, xs) = try reference.input([p.count], -2, 5)
    let (gamma, gammas) = try reference.input([channels], 0.5, 2)
    let (beta, betas) = try reference.input([channels])
    let (dy, dys) = try reference.input([p.count])
    let (y, dx) = (try reference.empty(p.count), try reference.empty(p.count))
    let (mean, variance) = (try reference.empty(channels), try reference.empty(channels))
    let (dgamma, dbeta) = (try reference.empty(channels), try reference.empty(channels))
    let device = reference.device
    try device.batchNormStatistics(p, x, mean: mean, variance: variance)
    try device.batchNorm(p, x, mean: mean, variance: variance, gamma: gamma, beta: beta, into: y)
    try device.batchNormGradParameters(
      p, x, mean: mean, variance: variance, dy, gamma: dgamma, beta: dbeta)
    for c in 0..<channels {
      // The channel's elements, in both directions.
      let places = (0..<outer * inner).map { ($0 / inner * channels + c) * inner + $0 % inner }
      let (v, slopes) = (places.map { xs[$0] }, places.map { dys[$0] })
      let exact = { (v: [Double]) in self.standardized(v, Double(p.eps)).map { $0 * gammas[c] + betas[c] } }
      let found = try device.floats(y)
      #expect(zip(places, exact(v)).allSatisfy { abs(Double(found[$0]) - $1) < 2e-5 })
      for training in [true, false] {
        try device.batchNormGradData(
          p, x, mean: mean, variance: variance, gamma: gamma, gradGamma: dgamma, gradBeta: dbeta, dy,
          training: training, into: dx)
        let average = v.reduce(0, +) / Double(v.count)
        let spread = v.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(v.count)
        let wanted =
          training
          ? slope(v, slopes, exact) : slopes.map { $0 * gammas[c] / (spread + Double(p.eps)).squareRoot() }
        let gradient = try device.floats(dx)
        #expect(zip(places, wanted).allSatisfy { abs(Double(gradient[$0]) - $1) < 5e-5 * max(1, abs($1)) })
      }
      let unit = standardized(v, Double(p.eps))
      #expect(abs(Double(try device.floats(dgamma)[c]) - sum(0..<v.count) { unit[$0] * slopes[$0] }) < 1e-4)
      #expect(abs(Double(try device.floats(dbeta)[c]) - slopes.reduce(0, +)) < 1e-4)
    }
  }

  @Test func runningStatisticsUseTheUnbiasedVariance() throws {
    let device = try CPUBackend(threads: 1)
    let p = ChannelLayout(outer: 2, channels: 1, inner: 5)
    let (mean, variance) = (try device.tensor([Float(3)], [1]), try device.tensor([Float(9)], [1]))
    let (running, spread) = (try device.tensor([Float(1)], [1]), try device.tensor([Float(2)], [1]))
    try device.batchNormUpdateRunning(
      p, momentum: 0.25, mean: mean, variance: variance, runningMean: running, runningVariance: spread)
    #expect(try device.floats(running) == [1.5])
    #expect(try device.floats(spread) == [0.75 * 2 + 0.25 * 10])
  }

  @Test func standardizeUsesMeanAndVariance() throws {
    var reference = try Reference()
    let (x, xs) = try reference.input([1001], -3, 3)
    let y = try reference.empty(1001)
    let (mean, variance) = (
      try reference.device.tensor([Float(0.5)], [1]), try reference.device.tensor([Float(4)], [1])
    )
    try reference.device.standardize(x, mean: mean, variance: variance, eps: 1e-8, into: y)
    try reference.expect(y, xs.map { ($0 - 0.5) / 2 }, 1e-6)
  }

  @Test(arguments: [(1, 1, 3, 5), (2, 7, 5, 5), (1, 9, 4, 4), (2, 3, 2, 9)])
  func localResponseNorm(_ outer: Int, _ channels: Int, _ inner: Int, _ size: Int) throws {
    var reference = try Reference()
    let p = LocalResponseNormalization(
      outer: outer, channels: channels, inner: inner, size: size, alpha: 0.5, beta: 0.75, k: 1.5)
    let count = outer * channels * inner
    let (x, xs) = try reference.input([count], -2, 3)
    let (dy, dys) = try reference.input([count])
    let (y, scale, dx) = (
      try reference.empty(count), try reference.empty(count), try reference.empty(count)
    )
    func exact(_ v: [Double]) -> [Double] {
      v.indices.map { at in
        let (plane, c) = (at / inner, at / inner % channels)
        let window = max(0, c - size / 2)...min(channels - 1, c + (size - 1) / 2)
        let squares = window.reduce(0.0) { sum, q in
          let value = v[(plane - c + q) * inner + at % inner]
          return sum + value * value
        }
        return v[at] * pow(1.5 + 0.5 / Double(size) * squares, -0.75)
      }
    }
    try reference.device.localResponseNorm(p, x, into: y, scale: scale)
    try reference.expect(y, exact(xs), 1e-6, "y")
    try reference.device.localResponseNormGrad(p, x, dy, scale: scale, into: dx)
    try reference.expect(dx, slope(xs, dys, exact), 1e-5, "dx")
  }
}
