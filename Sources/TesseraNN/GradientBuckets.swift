// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation

/// Gradients that several ranks add up while their parts still go backward, some parameters (a bucket) at a
/// time. Every part of every rank has the same buckets in the same order.
///
///     part      backward of layers 9, 8 | 7, 6 | 5 ... 1 | wait for the buckets | optimiser
///     queue                             bucket 0  bucket 1   bucket 2
final class GradientBuckets: @unchecked Sendable {
  /// Numbers from which on a bucket is sent on its way.
  static let size = 1 << 18

  /// A step's bucket; the next step's has the same memory.
  private final class Bucket {
    var groups: [UnsafeMutableBufferPointer<Float>]
    var sums = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
    var arrived = 0, done = 0

    init(parts: Int) { groups = .init(repeating: .init(start: nil, count: 0), count: parts) }

    deinit { for buffer in groups + [sums] { buffer.deallocate() } }
  }

  private let parts: Int
  private let chain: RankChain
  private let state = NSCondition()
  private var buckets: [Bucket] = []
  private var isCancelled = false
  private var failure: (any Error)?
  private let queue = DispatchQueue(label: "gradients of ranks")

  /// Buckets of so many parts of this rank.
  init(parts: Int, chain: RankChain) { (self.parts, self.chain) = (parts, chain) }

  /// No sum will come any more: parts that wait for one are told.
  func cancel() {
    state.withLock {
      isCancelled = true
      state.broadcast()
    }
  }

  /// Puts a part's groups into a bucket; the last part's sends it on its way. It does not wait.
  ///
  /// - Parameters:
  ///   - number: the bucket's, from 0 on in each step.
  ///   - part: the part's.
  ///   - groups: how many the part has.
  ///   - count: numbers of a group.
  ///   - fill: writes them, (groups, count).
  func offer(
    _ number: Int, part: Int, groups: Int, count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows {
    // What was here in the last step has been added up: this part has its sums. Other parts come here too.
    let (bucket, place) = state.withLock {
      while buckets.count <= number { buckets.append(Bucket(parts: parts)) }
      Self.resize(&buckets[number].groups[part], groups * count)
      return (buckets[number], UnsafeMutableRawBufferPointer(buckets[number].groups[part]))
    }
    try fill(place)
    let isComplete = state.withLock { () -> Bool in
      bucket.arrived += 1
      guard bucket.arrived == parts else { return false }
      bucket.arrived = 0
      return true
    }
    if isComplete { queue.async { self.addUp(number, count: count) } }
  }

  /// The sums of a bucket; waits for them.
  ///
  /// - Parameters:
  ///   - number: the bucket's.
  ///   - step: how many steps there were before.
  ///   - waited: the time spent waiting is added to it.
  ///   - use: gets them; they last until it returns.
  /// - Throws: `AllReduce.Cancelled`, an error of a rank, and what `use` does.
  func take<R>(
    _ number: Int, step: Int, waited: inout Duration, _ use: (UnsafeBufferPointer<Float>) throws -> R
  ) throws -> R {
    let start = ContinuousClock.now
    let sums = try state.withLock {
      while buckets[number].done <= step {
        if let failure { throw failure }
        if isCancelled { throw AllReduce.Cancelled() }
        state.wait()
      }
      return UnsafeBufferPointer(buckets[number].sums)
    }
    waited += ContinuousClock.now - start
    return try use(sums)
  }

  private func addUp(_ number: Int, count: Int) {
    let (bucket, groups) = state.withLock { (buckets[number], buckets[number].groups) }
    do {
      Self.resize(&bucket.sums, count)
      let offers = GroupOffers(groups.map { UnsafeBufferPointer($0) }, count: count)
      try chain.add(bucket.sums, by: .chain, offers)
      state.withLock {
        bucket.done += 1
        state.broadcast()
      }
    } catch {
      state.withLock {
        failure = failure ?? error
        state.broadcast()
      }
    }
  }

  private static func resize(_ buffer: inout UnsafeMutableBufferPointer<Float>, _ count: Int) {
    guard buffer.count != count else { return }
    buffer.deallocate()
    buffer = .allocate(capacity: count)
  }
}
