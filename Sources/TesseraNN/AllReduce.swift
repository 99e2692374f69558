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
    offers = [UnsafeBufferPointer<Float>](repeating: .init(start: nil, count: 0), count: parts)
  }

  deinit { for buffer in totals { buffer.deallocate() } }

  /// No sum will come any more: parts that wait for one are told.
  public func cancel() {
    meeting.withLock {
      isCancelled = true
      meeting.broadcast()
    }
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
      if part == 0 { waited += try pass(chain, count: count, by: sums, into: target) }
    } else {
      // Each adds up its share of the numbers.
      addUp(part * count / parts..<(part + 1) * count / parts, of: count, by: sums, into: target)
    }
    waited += try meet {
    } last: {
    }
    return try use(UnsafeBufferPointer(rebasing: target[..<count]))
  }

  /// Adds up numbers of which other ranks have groups too; how long that took.
  private func pass(
    _ chain: RankChain, count: Int, by sums: GroupSums, into target: UnsafeMutableBufferPointer<Float>
  ) throws -> Duration {
    let start = ContinuousClock.now
    var lost = [Float](repeating: 0, count: sums == .compensated ? count : 0)
    try lost.withUnsafeMutableBufferPointer { lost in
      let lost = lost
      try chain.add(UnsafeMutableBufferPointer(rebasing: target[..<count]), lost: lost) { range in
        for block in blocks(of: range) { add(block, of: count, by: sums, into: target, lost, from: 0) }
      } finish: {
        canonicalize($0, of: target)
      }
    }
    return ContinuousClock.now - start
  }

  private func addUp(
    _ range: Range<Int>, of count: Int, by sums: GroupSums, into target: UnsafeMutableBufferPointer<Float>
  ) {
    for block in blocks(of: range) {
      for index in block { target[index] = 0 }
      var lost = [Float](repeating: 0, count: sums == .compensated ? block.count : 0)
      lost.withUnsafeMutableBufferPointer {
        add(block, of: count, by: sums, into: target, $0, from: block.lowerBound)
      }
      canonicalize(block, of: target)
    }
  }

  /// Blocks that stay in the cache while the groups go by.
  private func blocks(of range: Range<Int>) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: 4096).map {
      $0..<min(range.upperBound, $0 + 4096)
    }
  }

  /// Adds this process's groups to a block of the sums.
  ///
  /// - Parameters:
  ///   - lost: what additions round off; of compensated sums alone.
  ///   - first: the number whose loss comes first in it.
  private func add(
    _ block: Range<Int>, of count: Int, by sums: GroupSums, into target: UnsafeMutableBufferPointer<Float>,
    _ lost: UnsafeMutableBufferPointer<Float>, from first: Int
  ) {
    for offer in offers {
      for group in 0..<offer.count / count {
        let base = group * count
        switch sums {
        case .chain: for index in block { target[index] += offer[base + index] }
        case .compensated:
          for index in block {
            GroupSums.add(offer[base + index], to: &target[index], lost: &lost[index - first])
          }
        }
      }
    }
  }

  /// Gives all that is no number one form.
  private func canonicalize(_ range: Range<Int>, of target: UnsafeMutableBufferPointer<Float>) {
    for index in range where target[index].isNaN { target[index] = Float(bitPattern: 0x7fc0_0000) }
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
