// SPDX-License-Identifier: Apache-2.0
/// One primitive on one shape, with inputs of its own: what tests and `tessera verify` run on two backends
/// and compare bit for bit.
public struct CatalogueCase: Sendable {
  /// The backend's method, such as `matmul`.
  public let primitive: String
  /// Shape and attributes, such as `5x7x13 A' B`.
  public let label: String
  /// Whether it is small enough for a simulator such as Oclgrind.
  public let isSmall: Bool
  /// Runs the primitive and reads every output back.
  public let run: @Sendable (any Backend) throws -> [CaseOutput]

  /// A case; `work` is a rough number of multiply-adds. `small`: a simulator takes it all the same.
  init(
    _ primitive: String, _ label: String, work: Int = 0, small: Bool = false,
    run: @escaping @Sendable (any Backend) throws -> [CaseOutput]
  ) {
    self.primitive = primitive
    self.label = label
    self.isSmall = small || work < 20_000
    self.run = run
  }
}

/// A named output as bit patterns.
public struct CaseOutput: Sendable, Equatable {
  /// The output's name, such as `y` or `mean`.
  public let name: String
  /// The elements' bits in row-major order.
  public let bits: [UInt32]
}

/// Every primitive over enumerated shapes.
public enum Catalogue {
  /// All cases, in a fixed order.
  public static var cases: [CatalogueCase] {
    productCases + mapCases + reductionCases + softmaxCases
      + distanceSoftmaxCases + attentionCases + normalizationCases + poolingCases + lossCases + randomCases
      + memoryCases + layoutCases + neighbourCases
  }

  /// The cases of matrix products, convolutions and distances, whose tiles may be tuned.
  public static var productCases: [CatalogueCase] { matmulCases + convolutionCases + distanceCases }

  /// The first difference between two runs of a case, as one line; nil if the bits are equal.
  public static func difference(_ a: [CaseOutput], _ b: [CaseOutput]) -> String? {
    guard a.map(\.name) == b.map(\.name) else { return "other outputs" }
    for (x, y) in zip(a, b) where x.bits != y.bits {
      guard x.bits.count == y.bits.count else {
        return "\(x.name): \(x.bits.count) and \(y.bits.count) elements"
      }
      let wrong = x.bits.indices.filter { x.bits[$0] != y.bits[$0] }
      let at = wrong[0]
      func show(_ bits: UInt32) -> String {
        "0x\(String(bits, radix: 16)) (\(Float(bitPattern: bits)))"
      }
      return
        "\(x.name)[\(at)]: \(show(x.bits[at])) and \(show(y.bits[at])), \(wrong.count) of \(x.bits.count) differ"
    }
    return nil
  }
}

/// Inputs of cases: the same numbers everywhere, from a 64-bit mixing function (SplitMix64) of a counter.
struct CaseInputs {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in [low, high).
  mutating func floats(_ count: Int, _ low: Float = -1, _ high: Float = 1) -> [Float] {
    (0..<count).map { _ in low + (high - low) * (Float(next() >> 40) * 0x1p-24) }
  }

  /// Zeros, denormals, the ends of the range, infinities, NaNs (one with a payload), and numbers at which functions bend.
  static let specials: [Float] = [
    0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude,
    .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .infinity, -.infinity, .nan,
    Float(bitPattern: 0xffc0_1234), 1, -1, 6,
  ]

  /// Uniform with every special value of binary32 strewn in: zeros, denormals, infinities, NaNs.
  mutating func withSpecials(_ count: Int) -> [Float] {
    floats(count, -20, 20).enumerated().map { index, value in
      index % 5 == 3 ? Self.specials[Int(next() % UInt64(Self.specials.count))] : value
    }
  }

  /// Any bit pattern; every eleventh a NaN with a payload, which copies must leave as it is.
  mutating func anyBits(_ count: Int) -> [Float] {
    (0..<count).map { index in
      let bits = UInt32(truncatingIfNeeded: next())
      return Float(bitPattern: index % 11 == 4 ? bits | 0x7fa0_0001 : bits)
    }
  }

  /// Of either sign, from 2^-12 to 2^7, as many of each power of two.
  mutating func ordinary(_ count: Int) -> [Float] {
    (0..<count).map { _ in
      let bits = next()
      let exponent = 115 + UInt32((bits >> 40) % 19)
      return Float(bitPattern: UInt32(truncatingIfNeeded: bits) & 0x807f_ffff | exponent << 23)
    }
  }

  /// Integers in 0..<bound.
  mutating func ints(_ count: Int, below bound: Int) -> [Int32] {
    (0..<count).map { _ in Int32(next() % UInt64(max(1, bound))) }
  }
}

extension Backend {
  /// A float output's bits.
  func output(_ name: String, _ tensor: Tensor) throws -> CaseOutput {
    CaseOutput(name: name, bits: try floats(tensor).map(\.bitPattern))
  }

  /// An integer output's bits.
  func outputInts(_ name: String, _ tensor: Tensor) throws -> CaseOutput {
    CaseOutput(name: name, bits: try ints(tensor).map { UInt32(bitPattern: $0) })
  }

  /// An uninitialised float tensor.
  func empty(_ shape: Int...) throws -> Tensor { try allocate(shape, .float32) }
}
