// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TesseraCompute

/// Division without a divide instruction: q = a r, then one step of Newton, where r is the correctly
/// rounded 1 / b (a softmax's shares, and every division of a device that has none of its own).
///
/// The step's remainder is exact, so it misses a / b by at most 1.5 ulp times 2^-24, the error of r. It can
/// round otherwise than a / b only where the quotient is that near to the middle of two neighbours, and for
/// significands a and b of 24 bits those cases can be listed: `(2 Q + 1) b + c = 2^(t + 1) a`, where Q is
/// the lower neighbour, t 23 (a >= b) or 24, and |c| < 3. All of them, and as many again beyond:
@Suite struct SharesTests {
  @Test func oneStepOfNewtonRoundsAsTheDivision() {
    var (cases, wrong, without) = (0, 0, 0)
    Self.eachCase { dividend, divisor in
      let reciprocal = 1 / divisor
      let q = dividend * reciprocal
      let remainder = dividend.addingProduct(-q, divisor)
      cases += 1
      without += q == dividend / divisor ? 0 : 1
      wrong += q.addingProduct(remainder, reciprocal) == dividend / divisor ? 0 : 1
    }
    #expect(wrong == 0)
    // The cases are what they are meant to be: of two neighbours the first guess takes the wrong one half
    // of the time.
    #expect(cases > 10_000_000 && without > cases / 3, "\(cases) cases, \(without) wrong without the step")
  }

  /// The software division's own reciprocal, and the whole of it, over the same cases.
  @Test func softwareDivisionRoundsAsTheDivision() throws {
    let backend = try CPUBackend()
    let block = 1 << 20
    var (dividends, divisors, cases, wrong) = ([Float](), [Float](), 0, 0)
    func divide() throws {
      let quotients = try backend.allocate([dividends.count], .float32)
      try backend.softwareDivide(
        try backend.tensor(dividends, [dividends.count]), try backend.tensor(divisors, [divisors.count]),
        into: quotients)
      for (i, quotient) in try backend.floats(quotients).enumerated() {
        wrong += quotient == dividends[i] / divisors[i] ? 0 : 1
      }
      cases += dividends.count
      dividends.removeAll(keepingCapacity: true)
      divisors.removeAll(keepingCapacity: true)
    }
    func add(_ dividend: Float, _ divisor: Float) throws {
      dividends.append(dividend)
      divisors.append(divisor)
      if dividends.count == block { try divide() }
    }
    try Self.eachCase(add)
    // Reciprocals of all significands.
    for b in UInt32(1) << 23..<1 << 24 { try add(0x1p23, Float(b)) }
    try divide()
    #expect(wrong == 0, "of \(cases)")
    #expect(cases > 30_000_000)
  }

  /// All square roots of two binades; the others have the same significands.
  @Test func softwareSquareRootRoundsAsTheRoot() throws {
    let backend = try CPUBackend()
    for first in stride(from: Float(1).bitPattern, to: Float(4).bitPattern, by: 1 << 20) {
      let inputs = (first..<first + 1 << 20).map { Float(bitPattern: $0) }
      let roots = try backend.allocate([inputs.count], .float32)
      try backend.softwareSquareRoot(try backend.tensor(inputs, [inputs.count]), into: roots)
      let wrong = zip(try backend.floats(roots), inputs).count { $0 != $1.squareRoot() }
      #expect(wrong == 0, "from \(inputs[0])")
    }
  }

  private static func eachCase(_ body: (_ dividend: Float, _ divisor: Float) throws -> Void) rethrows {
    for b in UInt32(1) << 23..<1 << 24 {
      let twos = UInt32(b.trailingZeroBitCount)
      guard twos <= 2 else { continue }
      let odd = b >> twos
      // Newton's inverse of an odd number modulo 2^32: the bits that are right double each time, from 3.
      var inverse = odd
      for _ in 0..<4 { inverse &*= 2 &- odd &* inverse }
      for (t, c) in middles where c & ((1 << Int32(twos)) - 1) == 0 {
        let modulus = t + 1 - twos
        let first = (0 &- UInt32(bitPattern: c >> Int32(twos))) &* inverse & (1 << modulus - 1)
        for s in stride(from: UInt64(first), to: 1 << 25, by: 1 << Int(modulus))
        where s >= 1 << 24 && s & 1 == 1 {
          let a = (Int64(s) * Int64(b) + Int64(c)) >> Int64(t + 1)
          guard a >= 1 << 23, a < 1 << 24, (t == 23) == (a >= Int64(b)) else { continue }
          try body(Float(a), Float(b))
        }
      }
    }
  }

  private static let middles: [(t: UInt32, c: Int32)] = [23, 24].flatMap { t in
    [-5, -4, -3, -2, -1, 1, 2, 3, 4, 5].map { (t, $0) }
  }
}
