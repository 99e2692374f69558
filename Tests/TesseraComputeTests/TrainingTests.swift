// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import TesseraCompute

@Suite struct TrainingTests {
  /// Known answers of Random123's Philox4x32-10: uniform numbers show the upper 24 bits of each word.
  @Test func philoxGivesThePublishedWords() throws {
    let device = try CPUBackend(threads: 2)
    let y = try device.allocate([4], .float32)
    try device.randomUniform(RandomStream(seed: 0, stream: 0), low: 0, high: 1, into: y)
    let words: [UInt32] = [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
    #expect(try device.floats(y) == words.map { Float($0 >> 8) * 0x1p-24 })
  }

  @Test func numbersDependOnSeedStreamAndElementAlone() throws {
    let device = try CPUBackend(threads: 2)
    func numbers(_ seed: UInt64, _ stream: UInt64, _ count: Int) throws -> [Float] {
      let y = try device.allocate([count], .float32)
      try device.randomNormal(RandomStream(seed: seed, stream: stream), mean: 0, deviation: 1, into: y)
      return try device.floats(y)
    }
    let long = try numbers(5, 6, 1000)
    #expect(try Array(long.prefix(37)) == numbers(5, 6, 37))
    #expect(try long != numbers(5, 7, 1000) && long != numbers(6, 6, 1000))
  }

  /// Philox once more, in 64-bit arithmetic.
  private func words(_ stream: RandomStream, _ count: Int) -> [UInt32] {
    (0..<(count + 3) / 4).flatMap { block -> [UInt32] in
      var c = [UInt64(block), 0, stream.stream & 0xFFFF_FFFF, stream.stream >> 32]
      var (low, high) = (UInt32(truncatingIfNeeded: stream.seed), UInt32(stream.seed >> 32))
      for _ in 0..<10 {
        let (a, b) = (c[0] * 0xD251_1F53, c[2] * 0xCD9E_8D57)
        c = [
          b >> 32 ^ c[1] ^ UInt64(low), b & 0xFFFF_FFFF, a >> 32 ^ c[3] ^ UInt64(high), a & 0xFFFF_FFFF,
        ]
        (low, high) = (low &+ 0x9E37_79B9, high &+ 0xBB67_AE85)
      }
      return c.map { UInt32($0) }
    }
  }

  @Test func randomNumbersAndDropoutFollowFromTheWords() throws {
    var reference = try Reference()
    let (device, count) = (reference.device, 1003)
    let stream = RandomStream(seed: 0x1234_5678_9ABC_DEF0, stream: 0xFEDC_BA98_7654_3210)
    let units = words(stream, count).prefix(count).map { Double($0 >> 8) * 0x1p-24 }
    let y = try reference.empty(count)
    try device.randomUniform(stream, low: -2, high: 3, into: y)
    try reference.expect(y, units.map { -2 + 5 * $0 }, 3e-7, "uniform")
    // Box and Muller: words 2 n and 2 n + 1 give the cosine and the sine of a turn.
    try device.randomNormal(stream, mean: 0.5, deviation: 2, into: y)
    let all = words(stream, count + 3).map { Double($0 >> 8) * 0x1p-24 }
    let normal = (0..<count).map { i -> Double in
      let (u, turn) = (all[i / 2 * 2], all[i / 2 * 2 + 1])
      let angle = 2 * Double.pi * turn
      return 0.5 + 2 * (-2 * log(1 - u)).squareRoot() * (i % 2 == 0 ? cos(angle) : sin(angle))
    }
    try reference.expect(y, normal, 2e-6, "normal")
    let (x, xs) = try reference.input([count])
    try device.dropout(stream, rate: 0.3, x, into: y)
    let kept = zip(xs, units).map { Float($1) >= 0.3 ? $0 / (1 - 0.3) : 0 }
    try reference.expect(y, kept, 3e-7, "dropout")
    // A part of a larger tensor.
    var later = stream
    later.first = 400
    let part = try reference.empty(count - 400)
    try device.randomUniform(later, low: -2, high: 3, into: part)
    try reference.expect(part, units.dropFirst(400).map { -2 + 5 * $0 }, 3e-7, "from element 400 on")
  }

  @Test func normalAndUniformNumbersHaveTheirMoments() throws {
    let device = try CPUBackend()
    let count = 1_000_000
    let y = try device.allocate([count], .float32)
    try device.randomNormal(RandomStream(seed: 1701, stream: 3), mean: 2, deviation: 0.5, into: y)
    let x = try device.floats(y).map { (Double($0) - 2) / 0.5 }
    func moment(_ power: Double) -> Double { x.reduce(0) { $0 + pow($1, power) } / Double(count) }
    // Five standard errors each.
    #expect(abs(moment(1)) < 5e-3 && abs(moment(2) - 1) < 7e-3 && abs(moment(3)) < 0.02)
    #expect(abs(moment(4) - 3) < 0.05)
    for (bound, share) in [(-2.0, 0.02275), (-1, 0.15866), (0, 0.5), (1, 0.84134), (2, 0.97725)] {
      #expect(abs(Double(x.count { $0 < bound }) / Double(count) - share) < 2.5e-3)
    }
    try device.randomUniform(RandomStream(seed: 1, stream: 1), low: -2, high: 3, into: y)
    let u = try device.floats(y)
    #expect(u.allSatisfy { $0 >= -2 && $0 < 3 })
    for k in 0..<10 {
      #expect(abs(u.count { Int(($0 + 2) * 2) == k } - count / 10) < 1500)
    }
  }

  @Test func aPartOfAStreamIsThatOfTheWhole() throws {
    let device = try CPUBackend()
    func draw(_ stream: RandomStream, _ count: Int) throws -> [[UInt32]] {
      let (uniform, normal) = (try device.allocate([count], .float32), try device.allocate([count], .float32))
      try device.randomUniform(stream, low: 0, high: 1, into: uniform)
      try device.randomNormal(stream, mean: 0, deviation: 1, into: normal)
      return try [uniform, normal].map { try device.floats($0).map(\.bitPattern) }
    }
    var stream = RandomStream(seed: 9, stream: 4)
    let whole = try draw(stream, 2000)
    for first in [4, 256, 1000] {
      stream.first = first
      #expect(try draw(stream, 300) == whole.map { Array($0[first..<first + 300]) })
    }
    for first in [-4, 2, 1 << 34] {
      stream.first = first
      #expect(throws: TesseraError.self) { try draw(stream, 1) }
    }
  }

  @Test func dropoutKeepsTheExpectationAndRepeatsForTheGradient() throws {
    let device = try CPUBackend()
    let count = 200_000
    let ones = try device.tensor([Float](repeating: 1, count: count), [count])
    let stream = RandomStream(seed: 9, stream: 4)
    let (a, b) = (try device.allocate([count], .float32), try device.allocate([count], .float32))
    try device.dropout(stream, rate: 0.3, ones, into: a)
    try device.dropout(stream, rate: 0.3, ones, into: b)
    let values = try device.floats(a)
    #expect(try values == device.floats(b))
    #expect(Set(values) == [0, 1 / (1 - Float(0.3))])
    #expect(abs(values.count { $0 == 0 } - 60_000) < 1100)
  }

  @Test func adamIsKingmaAndBasAlgorithmAsPyTorchComputesIt() throws {
    var reference = try Reference()
    let count = 257
    let (parameter, start) = try reference.input([count])
    let device = reference.device
    let (first, second) = (try reference.empty(count), try reference.empty(count))
    try device.fill(first, with: 0)
    try device.fill(second, with: 0)
    var (x, m, v) = (start, [Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    var p = AdamStep(count: count, learningRate: 1e-2, weightDecay: 0.1)
    for step in 1...20 {
      let (gradient, slopes) = try reference.input([count], -0.1, 0.1)
      (p.correction1, p.correction2) = (
        Float(1 - pow(0.9, Double(step))), Float(1 - pow(0.999, Double(step)))
      )
      try device.adam(p, gradient: gradient, parameter: parameter, firstMoment: first, secondMoment: second)
      for i in 0..<count {
        let g = slopes[i] + Double(p.weightDecay) * x[i]
        m[i] = 0.9 * m[i] + 0.1 * g
        v[i] = 0.999 * v[i] + 0.001 * g * g
        x[i] -=
          Double(p.learningRate) * m[i] / (1 - pow(0.9, Double(step)))
          / ((v[i] / (1 - pow(0.999, Double(step)))).squareRoot() + 1e-8)
      }
    }
    try reference.expect(parameter, x, 2e-5)
  }

  @Test func shuffledIsAPermutationBySeed() throws {
    let items = Array(0..<1000)
    let a = try RandomStream(seed: 3, stream: 1).shuffled(items)
    #expect(a.sorted() == items && a != items)
    #expect(try a == RandomStream(seed: 3, stream: 1).shuffled(items))
    #expect(try a != RandomStream(seed: 3, stream: 2).shuffled(items))
  }

  @Test func gatherCopiesRows() throws {
    var reference = try Reference()
    let (table, values) = try reference.input([11, 3])
    let (ids, rows) = try reference.integers(29, below: 11)
    let y = try reference.empty(29, 3)
    try reference.device.gatherRows(table, ids: ids, columns: 3, into: y)
    try reference.expect(y, rows.flatMap { values[$0 * 3..<$0 * 3 + 3] }, 0)
  }
}
