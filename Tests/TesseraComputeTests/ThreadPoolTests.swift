// SPDX-License-Identifier: Apache-2.0
import Foundation
import Synchronization
import Testing

@testable import TesseraCompute

@Suite struct ThreadPoolTests {
  @Test(arguments: [1, 2, 7]) func everyItemIsDoneOnceAThousandTimes(threads: Int) throws {
    let backend = try CPUBackend(threads: threads)
    for round in 0..<1000 {
      let count = round % 97 + 1
      let done = (0..<count).map { _ in Counter() }
      backend.parallel(count) { begin, end in
        for item in begin..<end { done[item].add() }
      }
      #expect(done.allSatisfy { $0.value == 1 })
      // Now and then threads fall asleep before the next job.
      if round % 250 == 0 { Thread.sleep(forTimeInterval: 0.01) }
    }
  }

  @Test func aJobWithinAJobAndJobsOfManyThreadsEnd() throws {
    let backend = try CPUBackend(threads: 3)
    let total = Counter()
    backend.parallel(8) { begin, end in
      for _ in begin..<end { backend.parallel(10) { total.add($1 - $0) } }
    }
    DispatchQueue.concurrentPerform(iterations: 16) { _ in backend.parallel(10) { total.add($1 - $0) } }
    #expect(total.value == 8 * 10 + 16 * 10)
  }

  @Test func aWorkerIsTheSameThreadInEveryJob() {
    let pool = ThreadPool(helpers: 2)
    let names = Locked<[Int: Set<UInt>]>([:])
    for _ in 0..<200 {
      #expect(
        pool.run(helpers: 2) { worker in
          let thread = UInt(pthread_self())
          names.withLock { _ = $0[worker, default: []].insert(thread) }
          // Long enough that others join.
          for _ in 0..<2000 { pauseForTest() }
        })
    }
    let seen = names.withLock { $0 }
    #expect(seen.keys.allSatisfy { (0...2).contains($0) })
    #expect(seen.values.allSatisfy { $0.count == 1 })
  }

  @Test func poolsComeAndGo() throws {
    for round in 0..<50 {
      let backend = try CPUBackend(threads: 4)
      let total = Counter()
      if round % 3 > 0 { backend.parallel(40) { total.add($1 - $0) } }
      #expect(total.value == (round % 3 > 0 ? 40 : 0))
    }
  }

  private final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .sequentiallyConsistent) }
    func add(_ amount: Int = 1) { count.wrappingAdd(amount, ordering: .sequentiallyConsistent) }
  }
}

@inline(never) private func pauseForTest() { sched_yield() }
