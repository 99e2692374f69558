// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Inputs of cases: the same numbers everywhere, by the seed that a case has.
package typealias CaseInputs = SplitMix64

extension CaseInputs {
  /// Of either sign, from 2^-12 to 2^7, as many of each power of two.
  mutating func ordinary(_ count: Int) -> [Float] {
    (0..<count).map { _ in
      let bits = next()
      let exponent = 115 + UInt32((bits >> 40) % 19)
      return Float(bitPattern: UInt32(truncatingIfNeeded: bits) & 0x807f_ffff | exponent << 23)
    }
  }

  /// In low...high.
  @inline(never)
  mutating func int(_ low: Int, _ high: Int) -> Int { low + Int(next() % UInt64(high - low + 1)) }

  /// One of a list that has some.
  mutating func element<T>(_ list: [T]) -> T { list[int(0, list.count - 1)] }

  /// An activation of products and convolutions.
  mutating func activation() -> FusedActivation { element(FusedActivation.allCases) }

  /// One of two.
  mutating func flag() -> Bool { next() & 1 == 1 }
}
