// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Where devices that each have a part of a batch add up what goes over the whole of it: results of groups
/// of samples, in ascending order, the first to +0 (NUMERICS.md rule 6). The sums have the bits of one
/// device that has the whole batch.
public final class AllReduce: @unchecked Sendable {
  /// Thrown at parts whose work is in vain because another's has failed.
  public struct Cancelled: Error {}

  /// How many parts meet here.
  let parts: Int
  private let chain: RankChain?
  /// Where gradients are added up while the parts go on; nil where no other rank has any.
  let buckets: GradientBuckets?
  private let meeting = NSCondition()
  private var arrived = 0, round = 0, isCancelled = false
  private var offers: [UnsafeBufferPointer<Float>]
  /// By turns: a part may be in the next exchange while another still reads this one's sums.
  private var totals = [UnsafeMutableBufferPointer<Float>](repeating: .init(start: nil, count: 0), count: 2)

  /// A place for so many parts, each on a thread of its own.
  ///
  /// - Throws: `TesseraError` for less than one part.
  public convenience init(parts: Int) throws { try self.init(parts: parts, chain: nil) }

  /// The same.
  ///
  /// - Parameter chain: the ranks that have parts of the batch too; nil: all of it is here.
  package init(parts: Int, chain: RankChain?) throws {
    guard (1...4096).contains(parts) else {
      throw TesseraError.failure("AllReduce", found: "\(parts) parts", wanted: "1 to 4096")
    }
    (self.parts, self.chain) = (parts, chain)
    buckets = chain.map { GradientBuckets(parts: parts, chain: $0.beside) }
    offers = [UnsafeBufferPointer<Float>](repeating: .init(start: nil, count: 0), count: parts)
  }

  deinit { for buffer in totals { buffer.deallocate() } }

  /// No sum will come any more: parts that wait for one are told.
  public func cancel() {
    meeting.withLock {
      isCancelled = true
      meeting.broadcast()
    }
    buckets?.cancel()
  }

  /// The sums of all parts' groups; waits for every part.
  ///
  /// - Parameters:
  ///   - groups: this part's results, (groups, count); they stay until it returns.
  ///   - count: numbers a group has; the same for all parts.
  ///   - sums: how they are added up; the same for all parts.
  ///   - part: which part this is, from 0 on in the order of its samples.
  ///   - turn: how many exchanges there were before.
  ///   - waited: the time spent waiting for other parts is added to it.
  ///   - use: gets the sums, which last until it returns.
  /// - Throws: `Cancelled`, and what `use` does.
  func add<R>(
    _ groups: UnsafeBufferPointer<Float>, count: Int, by sums: GroupSums, part: Int, turn: Int,
    waited: inout Duration,
    _ use: (UnsafeBufferPointer<Float>) throws -> R
  ) throws -> R {
    let at = turn % 2
    waited += try meet {
      offers[part] = groups
    } last: {
      guard totals[at].count < count else { return }
      totals[at].deallocate()
      totals[at] = .allocate(capacity: count)
    }
    // Nobody resizes while they add up.
    let target = meeting.withLock { totals[at] }
    if let chain {
      if part == 0 {
        let start = ContinuousClock.now
        let place = UnsafeMutableBufferPointer(rebasing: target[..<count])
        try chain.add(place, by: sums, GroupOffers(offers, count: count))
        waited += ContinuousClock.now - start
      }
    } else {
      // Each adds up its share of the numbers.
      addUp(part * count / parts..<(part + 1) * count / parts, of: count, by: sums, into: target)
    }
    waited += try meet {
    } last: {
    }
    return try use(UnsafeBufferPointer(rebasing: target[..<count]))
  }

  /// Adds up a range of numbers, by blocks that stay in the cache while the groups go by.
  private func addUp(
    _ range: Range<Int>, of count: Int, by sums: GroupSums, into target: UnsafeMutableBufferPointer<Float>
  ) {
    let groups = GroupOffers(offers, count: count)
    var lost = [Float](repeating: 0, count: sums == .compensated ? min(GroupOffers.block, range.count) : 0)
    lost.withUnsafeMutableBufferPointer { lost in
      for begin in stride(from: range.lowerBound, to: range.upperBound, by: GroupOffers.block) {
        let block = begin..<min(range.upperBound, begin + GroupOffers.block)
        let place = UnsafeMutableBufferPointer(rebasing: target[block])
        place.update(repeating: 0)
        lost.update(repeating: 0)
        groups.add(block, by: sums, to: place, lost: lost)
        GroupOffers.canonicalize(place)
      }
    }
  }

  /// Waits for all parts, and says how long; the last to come does something before they go on.
  private func meet(_ each: () -> Void, last: () -> Void) throws -> Duration {
    let start = ContinuousClock.now
    meeting.lock()
    defer { meeting.unlock() }
    guard !isCancelled else { throw Cancelled() }
    each()
    arrived += 1
    guard arrived < parts else {
      last()
      (arrived, round) = (0, round + 1)
      meeting.broadcast()
      return .zero
    }
    let mine = round
    while round == mine, !isCancelled { meeting.wait() }
    if round == mine { throw Cancelled() }
    return ContinuousClock.now - start
  }
}
