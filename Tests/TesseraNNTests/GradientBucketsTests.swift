// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraNN

/// Gradients that ranks add up bucket by bucket while their parts go on.
@Suite struct GradientBucketsTests {
  /// Three ranks, one of them of two parts; samples' groups in their order, one part without any.
  private static let shares = [[0..<2, 2..<3], [3..<3], [3..<7]]
  private static let counts = [5, 4097, 1]

  private func numbers(step: Int, bucket: Int) -> [[Float]] {
    let count = Self.counts[bucket]
    let drawn = drawn(UInt64(step * 10 + bucket), 7 * count)
    return (0..<7).map { Array(drawn[$0 * count..<($0 + 1) * count]) }
  }

  /// Of each step and bucket the sums in ascending order.
  private func wanted(steps: Int) -> [[UInt32]] {
    (0..<steps).flatMap { step in
      Self.counts.indices.map { bucket in
        numbers(step: step, bucket: bucket).reduce([Float](repeating: 0, count: Self.counts[bucket])) {
          zip($0, $1).map(+)
        }.map(\.bitPattern)
      }
    }
  }

  /// What a part of a rank gets: it puts all of a step's buckets on their way before it waits for the first.
  private func sums(
    _ buckets: GradientBuckets, part: Int, _ share: Range<Int>, steps: Int
  ) throws -> [[UInt32]] {
    var found: [[UInt32]] = []
    var waited = Duration.zero
    for step in 0..<steps {
      for bucket in Self.counts.indices {
        let groups = numbers(step: step, bucket: bucket)[share].joined()
        buckets.offer(bucket, part: part, groups: share.count, count: Self.counts[bucket]) { bytes in
          Array(groups).withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
      }
      for bucket in Self.counts.indices {
        found.append(try buckets.take(bucket, step: step, waited: &waited) { $0.map(\.bitPattern) })
      }
    }
    return found
  }

  @Test func everyPartGetsTheSumsOfEveryStep() throws {
    let ranks = ThreadCommunicator.group(of: Self.shares.count)
    let lock = NSLock(), done = DispatchGroup()
    nonisolated(unsafe) var all: [[[UInt32]]] = []
    for (rank, parts) in Self.shares.enumerated() {
      let buckets = GradientBuckets(
        parts: parts.count, chain: try RankChain(Array(Self.shares.indices), ranks[rank]))
      for (part, share) in parts.enumerated() {
        DispatchQueue(label: "part").async(group: done) {
          let found = (try? sums(buckets, part: part, share, steps: 3)) ?? []
          lock.withLock { all.append(found) }
        }
      }
    }
    done.wait()
    #expect(all.count == 4)
    #expect(all.allSatisfy { $0 == wanted(steps: 3) })
  }

  @Test func whoeverWaitsIsToldOfCancelling() throws {
    let ranks = ThreadCommunicator.group(of: 2)
    let buckets = GradientBuckets(parts: 1, chain: try RankChain([0, 1], ranks[0]))
    buckets.offer(0, part: 0, groups: 0, count: 1) { _ in }
    DispatchQueue.global().asyncAfter(deadline: .now() + 0.01) { buckets.cancel() }
    var waited = Duration.zero
    #expect(throws: AllReduce.Cancelled.self) { try buckets.take(0, step: 0, waited: &waited) { _ in } }
  }

  @Test func anErrorOfARankReachesWhoeverWaits() throws {
    let ranks = ThreadCommunicator.group(of: 2)
    let short = [Float](repeating: 1, count: 2).withUnsafeBytes { Payload(copying: $0) }
    let chain = try RankChain([0, 1], ranks[1])
    try ranks[0].send(short, to: 1, .sum)
    let buckets = GradientBuckets(parts: 1, chain: chain)
    buckets.offer(0, part: 0, groups: 0, count: 3) { _ in }
    var waited = Duration.zero
    let error = #expect(throws: TesseraError.self) {
      try buckets.take(0, step: 0, waited: &waited) { _ in }
    }
    #expect(error?.found == "8 bytes")
  }
}
