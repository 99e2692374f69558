// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraCompute

@Suite struct RowsTests {
  private static let shapes = [(1, 1), (3, 2), (5, 63), (4, 64), (3, 65), (2, 1000)]

  private func softmax(_ x: ArraySlice<Double>, _ scale: Double) -> [Double] {
    let top = x.max() ?? 0
    let e = x.map { exp(scale * ($0 - top)) }
    let total = e.reduce(0, +)
    return e.map { $0 / total }
  }

  private func rows(_ x: [Double], _ columns: Int) -> [ArraySlice<Double>] {
    stride(from: 0, to: x.count, by: columns).map { x[$0..<$0 + columns] }
  }

  @Test(arguments: shapes) func softmaxAndItsGradient(_ count: Int, _ columns: Int) throws {
    var reference = try Reference()
    let (x, xs) = try reference.input([count, columns], -9, 9)
    let (dy, dys) = try reference.input([count, columns])
    let (y, dx) = (try reference.empty(count, columns), try reference.empty(count, columns))
    try reference.device.softmax(x, rows: count, columns: columns, scale: 0.5, into: y)
    let exact = rows(xs, columns).map { softmax($0, 0.5) }
    try reference.expect(y, exact.flatMap { $0 }, 1e-6, "y")
    try reference.device.softmaxGrad(y, dy, rows: count, columns: columns, scale: 0.5, into: dx)
    let gradient = zip(rows(xs, columns), rows(dys, columns)).flatMap { x, dy in
      slope(Array(x), Array(dy)) { softmax($0[...], 0.5) }
    }
    try reference.expect(dx, gradient, 1e-6, "dx")
  }

  @Test(arguments: [(1, 1, 1), (2, 3, 3), (3, 65, 70), (1, 64, 512)])
  func softmaxWithABiasByDistance(_ heads: Int, _ length: Int, _ span: Int) throws {
    var reference = try Reference()
    let (x, xs) = try reference.input([heads, length, length], -9, 9)
    let (bias, biases) = try reference.input([heads, 2 * span - 1], -4, 4)
    let y = try reference.empty(heads, length, length)
    let p = AttentionScores(heads: heads, length: length, span: span, scale: 0.5)
    let exact = rows(xs, length).enumerated().flatMap { row, scores in
      let (head, query) = (row / length, row % length)
      let sums = scores.enumerated().map { key, score in
        0.5 * score + biases[head * (2 * span - 1) + span - 1 + key - query]
      }
      return softmax(sums[...], 1)
    }
    try reference.device.distanceSoftmax(p, x, bias: bias, into: y)
    try reference.expect(y, exact, 1e-6, "y")
    try reference.device.distanceSoftmax(p, x, bias: bias, into: x)
    try reference.expect(x, exact, 1e-6, "in place")
  }

  @Test func aBiasThatIsTooNarrowIsRefused() throws {
    let device = try CPUBackend(threads: 1)
    let x = try device.allocate([2, 5, 5], .float32)
    func run(_ span: Int, _ bias: Tensor) throws {
      try device.distanceSoftmax(
        AttentionScores(heads: 2, length: 5, span: span, scale: 1), x, bias: bias, into: x)
    }
    let narrow = try device.allocate([2, 7], .float32)
    #expect(throws: TesseraError.self) { try run(4, narrow) }
    #expect(throws: TesseraError.self) { try run(5, narrow) }
  }

  @Test(arguments: shapes) func logSoftmaxAndItsGradient(_ count: Int, _ columns: Int) throws {
    var reference = try Reference()
    let (x, xs) = try reference.input([count, columns], -30, 30)
    let (dy, dys) = try reference.input([count, columns])
    let (y, dx) = (try reference.empty(count, columns), try reference.empty(count, columns))
    try reference.device.logSoftmax(x, rows: count, columns: columns, into: y)
    func exact(_ row: [Double]) -> [Double] {
      let top = row.max() ?? 0
      let total = log(row.reduce(0) { $0 + exp($1 - top) })
      return row.map { $0 - top - total }
    }
    try reference.expect(y, rows(xs, columns).flatMap { exact(Array($0)) }, 2e-6, "y")
    try reference.device.logSoftmaxGrad(y, dy, rows: count, columns: columns, into: dx)
    let gradient = zip(rows(xs, columns), rows(dys, columns)).flatMap { x, dy in
      slope(Array(x), Array(dy), exact)
    }
    try reference.expect(dx, gradient, 1e-5, "dx")
  }

  @Test(arguments: shapes) func sumsAndMaxima(_ count: Int, _ columns: Int) throws {
    var reference = try Reference()
    let (x, xs) = try reference.input([count, columns])
    let y = try reference.empty(count)
    try reference.device.rowSum(x, rows: count, columns: columns, into: y)
    try reference.expect(y, rows(xs, columns).map { $0.reduce(0, +) }, 1e-5, "sum")
    try reference.device.rowMax(x, rows: count, columns: columns, into: y)
    try reference.expect(y, rows(xs, columns).map { $0.max() ?? 0 }, 0, "max")
    let at = try reference.device.allocate([count], .int32)
    try reference.device.rowArgmax(x, rows: count, columns: columns, into: at)
    let wanted = rows(xs, columns).map { row in
      Int32((row.firstIndex(of: row.max() ?? 0) ?? 0) - row.startIndex)
    }
    #expect(try reference.device.ints(at) == wanted)
  }

  @Test func channelSumsAndMoments() throws {
    var reference = try Reference()
    let p = ChannelLayout(outer: 19, channels: 3, inner: 70)
    let (x, xs) = try reference.input([p.count], 1, 4)
    let y = try reference.empty(3)
    try reference.device.channelSum(p, x, into: y)
    let sums = (0..<3).map { c in sum(0..<19 * 70) { xs[($0 / 70 * 3 + c) * 70 + $0 % 70] } }
    try reference.expect(y, sums, 1e-5, "sums")
    let (mean, variance) = (try reference.empty(1), try reference.empty(1))
    try reference.device.moments(x, samples: 19, inner: 210, mean: mean, variance: variance)
    let exact = xs.reduce(0, +) / Double(xs.count)
    try reference.expect(mean, [exact], 1e-6, "mean")
    try reference.expect(
      variance, [xs.reduce(0) { $0 + ($1 - exact) * ($1 - exact) } / Double(xs.count)], 1e-5, "variance")
  }

  @Test(arguments: [(1, 2, Float(0)), (9, 2, 0), (5, 65, 0), (9, 2, 0.125), (3, 65, 0.5)])
  func crossEntropyAndItsGradient(_ count: Int, _ classes: Int, _ smoothing: Float) throws {
    var reference = try Reference()
    let (x, xs) = try reference.input([count, classes], -20, 20)
    let (labels, wanted) = try reference.integers(count, below: classes)
    let losses = try reference.empty(count)
    let gradient = try reference.empty(count, classes)
    try reference.device.crossEntropy(
      x, labels: labels, rows: count, classes: classes, smoothing: smoothing, into: losses)
    try reference.device.crossEntropyGrad(
      x, labels: labels, rows: count, classes: classes, smoothing: smoothing, batch: count, into: gradient)
    let exact = rows(xs, classes).map { softmax($0, 1) }
    func target(_ row: Int, _ c: Int) -> Double {
      Double(smoothing) / Double(classes) + (c == wanted[row] ? 1 - Double(smoothing) : 0)
    }
    let sums = exact.enumerated().map { row, y in
      y.enumerated().reduce(0) { $0 - target(row, $1.offset) * log($1.element) }
    }
    try reference.expect(losses, sums, 1e-5, "losses")
    let slopes = exact.enumerated().flatMap { row, y in
      y.enumerated().map { ($1 - target(row, $0)) / Double(count) }
    }
    try reference.expect(gradient, slopes, 1e-6, "gradient")
  }
}
