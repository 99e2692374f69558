// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Catalogue {
  /// What operands of exact products are like.
  private enum Operands: String, CaseIterable {
    /// Uniform in -1...1.
    case uniform
    /// Every magnitude from 2^-12 to 2^7.
    case wide
    /// The greatest digits, of either sign.
    case extreme
    /// The greatest of all, whose sums are the greatest that there are.
    case alike
    /// Every bit pattern but those of infinities and NaNs: sums overflow and underflow.
    case finite
    /// Columns of A and rows of B that are far apart; some rows of B and some of A are zero.
    case unbalanced
    /// Zeros, denormals, infinities and NaNs strewn in.
    case specials
    /// The first numbers that are rounded beyond the greatest digits, and none above them.
    case halves
    /// Rows of B at the far ends of the range, of zeros and of denormals among them, and columns of A that make up
    /// for all but the zeros.
    case ends

    func a(_ inputs: inout CaseInputs, _ count: Int, line: Int) -> [Float] {
      values(&inputs, count, isB: false) { $0 % max(1, line) }
    }
    func b(_ inputs: inout CaseInputs, _ count: Int, line: Int) -> [Float] {
      values(&inputs, count, isB: true) { $0 / max(1, line) }
    }

    /// - Parameter place: an element's k.
    private func values(
      _ inputs: inout CaseInputs, _ count: Int, isB: Bool, place: (Int) -> Int
    ) -> [Float] {
      switch self {
      case .uniform: return inputs.floats(count)
      case .wide: return inputs.ordinary(count)
      case .extreme:
        // With halves that are still rounded to the greatest digits, and the first that are not.
        let greatest: [Float] = [
          8_355_711, -8_355_711, 8_355_711.5, 8_322_815, 8_355_584, -8_355_712, 8_355_710.5, 128,
        ]
        return (0..<count).map { _ in inputs.element(greatest) }
      case .alike: return [Float](repeating: 8_355_711, count: count)
      case .finite:
        return (0..<count).map { _ in
          let bits = UInt32(truncatingIfNeeded: inputs.next())
          return Float(bitPattern: bits & 0x7f80_0000 == 0x7f80_0000 ? bits ^ 0x4000_0000 : bits)
        }
      case .unbalanced:
        return inputs.floats(count).enumerated().map { index, value in
          let k = place(index), exponent = k * 37 % 120 - 60
          if k % 5 == (isB ? 3 : 4) { return 0 }
          return value * Float(sign: .plus, exponent: isB && k > 0 ? -exponent : exponent, significand: 1)
        }
      case .specials: return inputs.withSpecials(count)
      case .halves:
        let greatest: [Float] = [8_355_711.5, -8_355_711.5, 8_355_711, 32_639.5, -0.5]
        return (0..<count).map { _ in inputs.element(greatest) }
      case .ends:
        // A's exponent, and B's.
        let exponents: [(Int?, Int?)] = [(-100, 0), (127, nil), (25, -125), (40, -140), (-30, -70)]
        return inputs.floats(count).enumerated().map { index, value in
          let (a, b) = exponents[place(index) % exponents.count]
          return (isB ? b : a).map { value * Float(sign: .plus, exponent: $0, significand: 1) } ?? 0
        }
      }
    }
  }

  /// Matrix products as exact integers: all transpositions, epilogues and kinds of operands.
  @_optimize(none)
  static var integerProductCases: [CatalogueCase] {
    var cases: [CatalogueCase] = []
    for products in [Products.s3, .s2] {
      for (m, n, k) in [
        (0, 3, 4), (3, 0, 4), (1, 1, 0), (1, 1, 1), (2, 7, 5), (7, 2, 63), (15, 17, 64), (16, 16, 65),
        (17, 15, 31), (31, 33, 32), (33, 31, 33), (65, 63, 7), (1, 40, 129), (40, 1, 129),
      ] { cases.append(integerProduct(m, n, k, products)) }
      for kind in Operands.allCases.dropFirst() {
        for (m, n, k) in [(5, 6, 40), (9, 33, 70)] { cases.append(integerProduct(m, n, k, products, kind)) }
      }
      for kind in [Operands.uniform, .extreme] {
        for k in [255, 256, 257, 1025] { cases.append(integerProduct(3, 5, k, products, kind)) }
      }
      // Sums of 32 bits are added up on the way: every 16,384 or 32,768 of k on some devices.
      cases.append(integerProduct(2, 1, 45_000, products, .alike))
      for (transposeA, transposeB) in [(false, true), (true, false), (true, true)] {
        for (m, n, k) in [(13, 21, 35), (48, 80, 192)] {
          cases.append(integerProduct(m, n, k, products, transposeA: transposeA, transposeB: transposeB))
        }
      }
      for activation in FusedActivation.allCases {
        for bias in BiasKind.allCases {
          cases.append(integerProduct(9, 35, 21, products, bias: bias, activation: activation))
        }
      }
      for batch in [0, 3] {
        cases.append(integerProduct(10, 12, 14, products, batch: batch, transposeB: true))
      }
      cases.append(integerProduct(10, 12, 14, products, batch: 3, isShared: true))
      cases.append(integerProduct(18, 20, 30, products, bias: .column, activation: .relu, accumulate: true))
      cases.append(
        integerProduct(150, 130, 200, products, transposeB: true, bias: .column, activation: .gelu))
    }
    return cases
  }

  // Not inlined, as the other products.
  @inline(never)
  private static func integerProduct(
    _ m: Int, _ n: Int, _ k: Int, _ products: Products, _ kind: Operands = .uniform, batch: Int = 1,
    transposeA: Bool = false, transposeB: Bool = false, bias: BiasKind = .none,
    activation: FusedActivation = .none, isShared: Bool = false, accumulate: Bool = false
  ) -> CatalogueCase {
    let label =
      "\(products.rawValue) \(batch)x\(m)x\(n)x\(k)\(transposeA ? " A'" : "")\(transposeB ? " B'" : "") "
      + "\(kind.rawValue) bias \(bias.rawValue) activation \(activation.rawValue)\(isShared ? " one B" : "")"
      + "\(accumulate ? " +=" : "")"
    return CatalogueCase("matmul", label, work: batch * m * n * k) { device in
      var inputs = CaseInputs(seed: UInt64(m * 7919 + n * 104_729 + k))
      // In the order of (m, k) and (k, n), or transposed.
      let a = kind.a(&inputs, batch * m * k, line: k), b = kind.b(&inputs, batch * k * n, line: n)
      let c = try device.tensor(inputs.floats(batch * m * n), [batch, m, n])
      var p = Matmul(m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB)
      (p.batch, p.products) = (batch, products)
      (p.a.batchStride, p.b.batchStride, p.c.batchStride) = (m * k, isShared ? 0 : k * n, m * n)
      (p.bias, p.activation, p.accumulates) = (bias, activation, accumulate)
      let biasCount = bias == .column ? n : m
      let biasTensor = bias == .none ? nil : try device.tensor(inputs.floats(biasCount), [biasCount])
      let left = try device.tensor(a, [batch, m, k]), right = try device.tensor(b, [batch, k, n])
      try device.matmul(p, left, right, bias: biasTensor, into: c)
      let first = try device.output("c", c)
      // Again and again with the digits of B that were kept: the same, unless C grows.
      guard !accumulate, batch * m * n * k < 20_000 else { return [first] }
      try device.matmul(p, left, right, bias: biasTensor, into: c)
      try device.matmul(p, left, right, bias: biasTensor, into: c)
      return [first, try device.output("c with kept digits", c)]
    }
  }
}
