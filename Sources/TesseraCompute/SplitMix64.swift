// SPDX-License-Identifier: Apache-2.0
/// SplitMix64 (Steele, Lea and Flood 2014): a 64-bit mixing function of a counter, the same numbers
/// everywhere. What probes, cases of the catalogue, benchmarks and tests compute with; what users draw is
/// `RandomStream`'s.
package struct SplitMix64 {
  private var state: UInt64

  /// The numbers of a seed; seeds that follow one another have nothing in common.
  package init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  /// The next 64 bits.
  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in [low, high).
  @inline(never)
  package mutating func floats(_ count: Int, _ low: Float = -1, _ high: Float = 1) -> [Float] {
    (0..<count).map { _ in low + (high - low) * (Float(next() >> 40) * 0x1p-24) }
  }

  /// Zeros, denormals, the ends of the range, infinities, NaNs (one with a payload), and numbers at which
  /// functions bend.
  package static let specials: [Float] = [
    0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude,
    .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .infinity, -.infinity, .nan,
    Float(bitPattern: 0xffc0_1234), 1, -1, 6,
  ]

  /// Uniform with every special value of binary32 strewn in: zeros, denormals, infinities, NaNs.
  @inline(never)
  package mutating func withSpecials(_ count: Int) -> [Float] {
    floats(count, -20, 20).enumerated().map { index, value in
      index % 5 == 3 ? Self.specials[Int(next() % UInt64(Self.specials.count))] : value
    }
  }

  /// Any bit pattern; every eleventh a NaN with a payload, which copies must leave as it is.
  @inline(never)
  package mutating func anyBits(_ count: Int) -> [Float] {
    (0..<count).map { index in
      let bits = UInt32(truncatingIfNeeded: next())
      return Float(bitPattern: index % 11 == 4 ? bits | 0x7fa0_0001 : bits)
    }
  }

  /// Integers in 0..<bound.
  @inline(never)
  package mutating func ints(_ count: Int, below bound: Int) -> [Int32] {
    (0..<count).map { _ in Int32(next() % UInt64(max(1, bound))) }
  }
}
