// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// Matrix products: all transpositions, batches, epilogues, chunks and accumulation.
  @_optimize(none)
  static var matmulCases: [CatalogueCase] {
    var cases: [CatalogueCase] = []
    let extents = [0, 1, 2, 7, 8, 9, 31, 33, 65]
    for m in extents {
      for n in extents {
        for k in [0, 1, 5, 17] { cases.append(matmul(m, n, k)) }
      }
    }
    for k in [511, 512, 513, 1024, 1025] { cases.append(matmul(15, 33, k)) }
    for (m, n, k) in [(13, 47, 33), (64, 64, 64), (129, 130, 67)] {
      for transposeA in [false, true] {
        for transposeB in [false, true] {
          cases.append(matmul(m, n, k, transposeA: transposeA, transposeB: transposeB))
        }
      }
    }
    for activation in FusedActivation.allCases.prefix(5) {
      for bias in BiasKind.allCases { cases.append(matmul(9, 35, 21, bias: bias, activation: activation)) }
    }
    for chunk in [1, 8, 16] { cases.append(matmul(18, 34, 43, transposeA: true, chunk: chunk)) }
    for batch in [0, 1, 3] {
      cases.append(matmul(10, 12, 14, batch: batch, transposeB: true))
    }
    cases.append(matmul(10, 40, 520, accumulate: true))
    cases.append(matmul(28, 64, 9, chunk: 8, accumulate: true))
    for n in [21, 32] { cases.append(matmul(14, n, 6, specials: true)) }
    // Products that underflow to -0, which ReLU keeps.
    for activation in FusedActivation.allCases[1...4] {
      cases.append(matmul(200, 64, 1, activation: activation, specials: true))
    }
    // Bias and activation after the last of several chunks.
    let biases = [BiasKind.column, .row]
    for bias in biases { cases.append(matmul(9, 35, 43, bias: bias, activation: .relu6, chunk: 16)) }
    for bias in biases { cases.append(matmul(7, 48, 43, bias: bias, activation: .relu, chunk: 16)) }
    // Products enough that a GPU takes tiles of more than one block of rows and columns: its smaller ones
    // would go two rounds.
    cases.append(matmul(33, 65, 1, batch: 17, small: true))
    // A packed operand that ends with its second block of k.
    cases.append(matmul(5, 3, 1024, transposeA: true))
    // Chunks in one piece and as slices of a GPU, small enough for a simulator.
    cases.append(matmul(3, 5, 40, batch: 32, bias: .column, activation: .relu, chunk: 16))
    cases.append(matmul(3, 5, 40, batch: 32, chunk: 16, accumulate: true))
    // The same with rows on borders of 16 bytes, which a GPU adds to C straight from registers.
    for accumulate in [false, true] {
      cases.append(matmul(3, 4, 40, batch: 32, chunk: 16, accumulate: accumulate))
    }
    cases.append(matmul(12, 33, 40, chunk: 8))
    // What came after those above, which keep their order: full tiles and edges, with and without bias, and
    // specials.
    for activation in FusedActivation.allCases.dropFirst(5) {
      for bias in BiasKind.allCases { cases.append(matmul(9, 35, 21, bias: bias, activation: activation)) }
      cases.append(matmul(200, 64, 1, activation: activation, specials: true))
    }
    return cases + matmulScheduleCases
  }

  /// What the CPU's schedules tell apart: few columns, which become rows; one row, which takes B as it comes;
  /// a shared B with A in place, or packed by its task; rows that would share sets of the cache.
  private static var matmulScheduleCases: [CatalogueCase] {
    var cases: [CatalogueCase] = []
    for (m, n, k) in [(100, 1, 523), (100, 5, 9), (67, 17, 523), (300, 3, 1), (31, 2, 0)] {
      for bias in BiasKind.allCases {
        cases.append(matmul(m, n, k, transposeB: true, bias: bias, activation: .gelu))
      }
      cases.append(matmul(m, n, k, accumulate: true))
    }
    for k in [7, 8, 9, 523] {
      cases.append(matmul(1, 77, k, bias: .column, activation: .relu))
      cases.append(matmul(1, 77, k, transposeB: true, bias: .row, activation: .relu))
      cases.append(matmul(1, 33, k, transposeA: true, accumulate: true))
    }
    for (transposeA, transposeB) in [(false, false), (false, true), (true, false), (true, true)] {
      cases.append(matmul(150, 49, 523, transposeA: transposeA, transposeB: transposeB, bias: .column))
      cases.append(matmul(49, 150, 523, transposeA: transposeA, transposeB: transposeB, activation: .tanh))
    }
    return cases + [matmul(43, 40, 1024, transposeB: true), matmul(400, 300, 6, accumulate: true)]
  }

  // Not inlined, as the cases of convolutions and attention: hundreds of copies take seconds to compile.
  @inline(never)
  static func matmul(
    _ m: Int, _ n: Int, _ k: Int, batch: Int = 1, transposeA: Bool = false, transposeB: Bool = false,
    bias: BiasKind = .none, activation: FusedActivation = .none, chunk: Int = 512, accumulate: Bool = false,
    specials: Bool = false, small: Bool = false
  ) -> CatalogueCase {
    let label =
      "\(batch)x\(m)x\(n)x\(k)\(transposeA ? " A'" : "")\(transposeB ? " B'" : "") bias \(bias.rawValue) "
      + "activation \(activation.rawValue) chunk \(chunk)\(accumulate ? " +=" : "")\(specials ? " specials" : "")"
    return CatalogueCase("matmul", label, work: batch * m * n * k, small: small) { device in
      var inputs = CaseInputs(seed: UInt64(m * 7919 + n * 104_729 + k))
      let a = specials ? inputs.withSpecials(batch * m * k) : inputs.floats(batch * m * k)
      let b = specials ? inputs.withSpecials(batch * k * n) : inputs.floats(batch * k * n)
      let c = try device.tensor(inputs.floats(batch * m * n), [batch, m, n])
      var p = Matmul(m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB)
      p.batch = batch
      (p.a.batchStride, p.b.batchStride, p.c.batchStride) = (m * k, k * n, m * n)
      (p.bias, p.activation, p.chunk, p.accumulates) = (bias, activation, chunk, accumulate)
      let biasCount = bias == .column ? n : m
      let biasTensor = bias == .none ? nil : try device.tensor(inputs.floats(biasCount), [biasCount])
      try device.matmul(
        p, device.tensor(a, [batch, m, k]), device.tensor(b, [batch, k, n]), bias: biasTensor, into: c)
      return [try device.output("c", c)]
    }
  }
}
