// SPDX-License-Identifier: Apache-2.0
internal import Kernels
import Foundation
import Synchronization

/// Threads that wait for the next job awake for some microseconds before they sleep.
///
/// Kernels follow each other so closely that waking a thread for each would take longer than the small ones.
/// Whoever runs a job works
/// on it too, and at its end waits for those alone that have joined, so that a thread that the machine holds
/// up costs nothing.
final class ThreadPool: @unchecked Sendable {
  /// How often a thread looks for a job before it sleeps: some 20 to 50 microseconds.
  private static let patience = 1000

  /// The present job: its number (the high 32 bits), how many threads may join it (16 bits, 0 when it is over),
  /// and how many have (16 bits).
  private let job = Atomic<UInt64>(0)
  private let finished = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  private let stopping = Atomic<Bool>(false)
  private let isBusy = Atomic<Bool>(false)
  /// Written before a job is announced, read by those that have joined it.
  private var body: ((Int) -> Void)?
  private let condition = NSCondition()
  private var threads: [HostThread] = []
  /// Fewer than asked for where the system has no more.
  private var wanted: Int

  /// A pool that starts so many threads beside the caller's with its first job.
  init(helpers: Int) { wanted = min(helpers, 0xffff) }

  deinit { stop() }

  /// Runs a body on the caller's thread, as worker 0, and on as many of workers 1 ... `helpers` as join in time.
  /// A worker is the same thread in every job, so what it finds in its caches is its own.
  ///
  /// - Returns: false, and nothing was run, where the pool has a job already.
  func run(helpers: Int, _ work: @Sendable (Int) -> Void) -> Bool {
    guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
      return false
    }
    defer { isBusy.store(false, ordering: .releasing) }
    start()
    let room = UInt64(min(helpers, threads.count))
    withoutActuallyEscaping(work) { work in
      body = work
      finished.store(0, ordering: .relaxed)
      let number = ((job.load(ordering: .relaxed) >> 32) &+ 1) << 32
      job.store(number | room << 16, ordering: .sequentiallyConsistent)
      wake()
      work(0)
      // Nobody joins any more; those who have are waited for.
      let joined = job.exchange(number, ordering: .acquiringAndReleasing) & 0xffff
      wait(for: Int(joined))
      body = nil
    }
    return true
  }

  private func start() {
    while threads.count < wanted {
      // A thread's hold on the pool would keep it alive: `stop` joins all of them before the pool is gone.
      unowned(unsafe) let pool = self
      let index = threads.count + 1
      guard let thread = try? HostThread({ pool.serve(as: index) }) else { wanted = threads.count; break }
      threads.append(thread)
    }
  }

  private func wake() {
    guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
    condition.lock()
    condition.broadcast()
    condition.unlock()
  }

  private func wait(for count: Int) {
    var turns = 0
    while finished.load(ordering: .acquiring) < count {
      turns += 1
      if turns > Self.patience { sched_yield() } else { tsr_pause() }
    }
  }

  /// A thread's life: one job after another.
  private func serve(as index: Int) {
    var seen: UInt64 = 0
    while let number = next(after: seen) {
      seen = number
      guard join(number, as: index) else { continue }
      runBody(index)
      finished.wrappingAdd(1, ordering: .releasing)
    }
  }

  /// A function of its own, so that its hold on the closure has ended when the job is said to be finished.
  @inline(never)
  private func runBody(_ index: Int) { body?(index) }

  /// Joins a job; false where it is over or has no place for this thread.
  private func join(_ number: UInt64, as index: Int) -> Bool {
    var now = job.load(ordering: .acquiring)
    while now >> 32 == number, Int(now >> 16 & 0xffff) >= index {
      let (joined, found) = job.compareExchange(
        expected: now, desired: now + 1, ordering: .acquiringAndReleasing)
      if joined { return true }
      now = found
    }
    return false
  }

  /// The number of a job that came after another; nil when the pool ends.
  private func next(after seen: UInt64) -> UInt64? {
    for _ in 0..<Self.patience {
      let now = job.load(ordering: .acquiring)
      if now >> 32 != seen { return isStopping ? nil : now >> 32 }
      tsr_pause()
    }
    condition.lock()
    defer { condition.unlock() }
    sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
    defer { sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
    while true {
      let now = job.load(ordering: .sequentiallyConsistent)
      if isStopping { return nil }
      if now >> 32 != seen { return now >> 32 }
      condition.wait()
    }
  }

  private var isStopping: Bool { stopping.load(ordering: .acquiring) }

  private func stop() {
    stopping.store(true, ordering: .releasing)
    condition.lock()
    // A new number for those who do not sleep yet.
    job.wrappingAdd(1 << 32, ordering: .sequentiallyConsistent)
    condition.broadcast()
    condition.unlock()
    for thread in threads { thread.join() }
  }
}
