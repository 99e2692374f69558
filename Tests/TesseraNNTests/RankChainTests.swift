// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraNN

/// Sums over the groups of several ranks: the bits of one rank that has all of them.
@Suite struct RankChainTests {
  /// Numbers of groups, some of which no sum is exact of, with zeros, large offsets and what is no number.
  private func numbers(_ groups: Int, _ count: Int) -> [[Float]] {
    let drawn = drawn(UInt64(count), groups * count)
    return (0..<groups).map { group in
      (0..<count).map { index in
        let value = drawn[group * count + index]
        switch index % 11 {
        case 0: return -0.0
        case 1: return group % 2 == 0 ? value * 1e8 : value
        case 2: return group == 1 ? .infinity : value
        // A processor passes its sign and digits on.
        case 3: return group == 2 ? Float(bitPattern: 0xffc1_2345) : value
        case 4: return 3e7 + value
        default: return value
        }
      }
    }
  }

  private func sums(
    _ all: [[Float]], _ shares: [Range<Int>], count: Int, by kind: GroupSums
  ) throws -> [[UInt32]] {
    let ranks = ThreadCommunicator.group(of: shares.count)
    let lock = NSLock(), done = DispatchGroup()
    nonisolated(unsafe) var found = [[UInt32]](repeating: [], count: shares.count)
    for (rank, share) in shares.enumerated() {
      let exchange = try AllReduce(parts: 1, chain: try RankChain(Array(shares.indices), ranks[rank]))
      let offer = Array(all[share].joined())
      DispatchQueue.global().async(group: done) {
        var waited = Duration.zero
        let sum = offer.withUnsafeBufferPointer { offer in
          try? exchange.add(offer, count: count, by: kind, part: 0, turn: 0, waited: &waited) {
            $0.map(\.bitPattern)
          }
        }
        lock.withLock { found[rank] = sum ?? [] }
      }
    }
    done.wait()
    return found
  }

  @Test(arguments: [1, 7, 4097, 1 << 16, 1 << 16 + 1, 3 << 16 - 1])
  func sumsHaveTheBitsOfOneRank(_ count: Int) throws {
    let all = numbers(7, count)
    for kind in [GroupSums.chain, .compensated] {
      let alone = try AllReduce(parts: 1)
      var waited = Duration.zero
      let wanted = try Array(all.joined()).withUnsafeBufferPointer {
        try alone.add($0, count: count, by: kind, part: 0, turn: 0, waited: &waited) { $0.map(\.bitPattern) }
      }
      // Ranks without groups at the front, in the middle and at the end among them.
      for shares in [
        [0..<7], [0..<3, 3..<7], [0..<1, 1..<2, 2..<7], [0..<0, 0..<7], [0..<7, 7..<7],
        [0..<2, 2..<2, 2..<5, 5..<7, 7..<7],
      ] {
        let found = try sums(all, shares, count: count, by: kind)
        #expect(found.allSatisfy { $0 == wanted }, "\(shares), \(count) numbers")
      }
    }
  }

  @Test func ofNothingThereIsNoSum() throws {
    let found = try sums([], [0..<0, 0..<0], count: 3, by: .compensated)
    #expect(found == [[0, 0, 0], [0, 0, 0]])
  }

  @Test func chainsHaveEachRankOnce() throws {
    let rank = ThreadCommunicator.group(of: 3)[1]
    #expect(throws: TesseraError.self) { _ = try RankChain([0, 2], rank) }
    #expect(throws: TesseraError.self) { _ = try RankChain([0, 1, 1], rank) }
  }

  @Test func aRankAtAnotherStepIsNoticed() throws {
    let ranks = ThreadCommunicator.group(of: 2)
    let short = [Float](repeating: 1, count: 3).withUnsafeBytes { Payload(copying: $0) }
    try ranks[0].send(short, to: 1, .sum)
    let exchange = try AllReduce(parts: 1, chain: try RankChain([0, 1], ranks[1]))
    var waited = Duration.zero
    let error = #expect(throws: TesseraError.self) {
      try [Float](repeating: 1, count: 4).withUnsafeBufferPointer {
        try exchange.add($0, count: 4, by: .chain, part: 0, turn: 0, waited: &waited) { _ in }
      }
    }
    #expect(error?.found == "12 bytes")
  }
}
