// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraCompute

@Suite struct MatmulTests {
  @Test(arguments: [
    (1, 1, 1), (5, 7, 13), (14, 32, 512), (15, 33, 513), (29, 65, 1025), (64, 3, 700), (3, 4, 0),
    (100, 1, 77), (1, 100, 77), (150, 49, 90), (49, 150, 90),
  ])
  func everyTranspositionIsTheProduct(_ m: Int, _ n: Int, _ k: Int) throws {
    var reference = try Reference()
    for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
      let (a, xs) = try reference.input([m, k])
      let (b, ys) = try reference.input([k, n])
      let c = try reference.empty(m, n)
      try reference.device.matmul(
        Matmul(m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB), a, b, bias: nil,
        into: c)
      let wanted = (0..<m * n).map { at in
        sum(0..<k) { i in
          xs[transposeA ? i * m + at / n : at / n * k + i] * ys[transposeB ? at % n * k + i : i * n + at % n]
        }
      }
      try reference.expect(
        c, wanted, 1e-5 * max(1, Double(k).squareRoot() / 8), "\(transposeA) \(transposeB)")
    }
  }

  @Test(arguments: [(3, 17, 35, 20), (1, 60, 3, 20)])
  func batchesBiasAndActivationFollowTheFormula(_ batch: Int, _ m: Int, _ n: Int, _ k: Int) throws {
    var reference = try Reference()
    let (a, xs) = try reference.input([batch, m, k])
    let (b, ys) = try reference.input([batch, k, n])
    let (column, columns) = try reference.input([n])
    let (row, rows) = try reference.input([m])
    let epilogues: [(BiasKind, FusedActivation)] = [
      (.none, .none), (.column, .relu), (.row, .relu6), (.column, .gelu), (.row, .tanh), (.column, .geluTanh),
    ]
    for (kind, activation) in epilogues {
      var p = Matmul(m: m, n: n, k: k)
      (p.batch, p.bias, p.activation) = (batch, kind, activation)
      (p.a.batchStride, p.b.batchStride, p.c.batchStride) = (m * k, k * n, m * n)
      let c = try reference.empty(batch, m, n)
      try reference.device.matmul(
        p, a, b, bias: kind == .none ? nil : kind == .column ? column : row, into: c)
      let wanted = (0..<batch * m * n).map { at in
        let (g, i, j) = (at / (m * n), at / n % m, at % n)
        let v =
          sum(0..<k) { xs[(g * m + i) * k + $0] * ys[(g * k + $0) * n + j] }
          + (kind == .column ? columns[j] : kind == .row ? rows[i] : 0)
        switch activation {
        case .relu: return max(0, v)
        case .relu6: return min(6, max(0, v))
        case .gelu: return 0.5 * v * erfc(-v * 0.5.squareRoot())
        case .tanh: return tanh(v)
        case .geluTanh: return 0.5 * v * (1 + tanh((2 / Double.pi).squareRoot() * (v + 0.044715 * v * v * v)))
        case .none: return v
        }
      }
      try reference.expect(c, wanted, 1e-5, "bias \(kind), activation \(activation)")
    }
  }

  @Test func activationsHaveTheKernelsNumbers() {
    #expect(FusedActivation.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5])
    #expect(FusedActivation.allCases.allSatisfy { FusedActivation(rawValue: $0.rawValue) == $0 })
    #expect(FusedActivation(rawValue: 6) == nil && FusedActivation(rawValue: -1) == nil)
  }

  /// The contract itself (rule 4), written down once more: chains of fma in chunks of 512. Few rows, few columns
  /// and few k take other ways through the CPU's kernels than whole tiles do, each with ends of vectors.
  @Test(arguments: [
    (1, 1, 1300), (1, 17, 530), (2, 33, 15), (3, 16, 16), (4, 5, 1), (5, 100, 17), (8, 31, 529), (9, 40, 31),
    (40, 2, 33), (100, 9, 7), (37, 17, 515), (65, 34, 3), (33, 47, 18),
  ])
  func theOrderOfTheSumIsTheContracts(_ m: Int, _ n: Int, _ k: Int) throws {
    var reference = try Reference()
    for transposeB in [false, true] {
      let (a, xs) = try reference.input([m, k])
      let (b, ys) = try reference.input([k, n])
      let (bias, columns) = try reference.input([n])
      let c = try reference.empty(m, n)
      var p = Matmul(m: m, n: n, k: k, transposeB: transposeB)
      p.bias = .column
      try reference.device.matmul(p, a, b, bias: bias, into: c)
      let wanted = (0..<m * n).map { at in
        var total: Float?
        for begin in stride(from: 0, to: k, by: 512) {
          var chain: Float = 0
          for i in begin..<min(k, begin + 512) {
            let y = ys[transposeB ? at % n * k + i : i * n + at % n]
            chain = chain.addingProduct(Float(xs[at / n * k + i]), Float(y))
          }
          total = total.map { $0 + chain } ?? chain
        }
        return ((total ?? 0) + Float(columns[at % n])).bitPattern
      }
      #expect(try reference.device.floats(c).map(\.bitPattern) == wanted, "transposed \(transposeB)")
    }
  }

  @Test func shapesThatDoNotFitAreRefused() throws {
    let device = try CPUBackend(threads: 1)
    let x = try device.tensor([Float](repeating: 0, count: 12), [3, 4])
    let y = try device.allocate([3, 3], .float32)
    for p in [
      Matmul(m: 3, n: 3, k: 5), Matmul(m: 4, n: 3, k: 4),
      Matmul(m: -1, n: 3, k: 4),
    ] {
      #expect(throws: TesseraError.self) { try device.matmul(p, x, x, bias: nil, into: y) }
    }
  }

  @Test func distancesAreThoseBetweenPoints() throws {
    var reference = try Reference()
    for (points, dims) in [(1, 3), (2, 1), (17, 5), (65, 130), (40, 600)] {
      let (x, xs) = try reference.input([points, dims])
      let d = try reference.empty(points, points)
      try reference.device.squaredDistances(x, points: points, dims: dims, into: d)
      let wanted = (0..<points * points).map { at in
        sum(0..<dims) { k in
          let difference = xs[at / points * dims + k] - xs[at % points * dims + k]
          return difference * difference
        }
      }
      try reference.expect(d, wanted, 1e-5, "\(points)x\(dims)")
    }
  }
}
