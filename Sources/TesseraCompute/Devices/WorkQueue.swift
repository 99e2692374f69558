// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Parts of some work that threads take as they become free, and their results on the way to the thread
/// that wants them.
final class WorkQueue<Result: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private let parts: Int
  private var upcoming = 0
  /// Threads that have not come to their end.
  private var workers: Int
  private var results: [(part: Int, result: Result)] = []
  private var failure: (any Error)?

  /// Parts 0..<parts for a number of threads, each of which calls `work`.
  init(parts: Int, workers: Int) { (self.parts, self.workers) = (parts, workers) }

  /// A thread's whole task: part after part until none is left, or one has failed anywhere.
  func work(_ body: (Int) throws -> Result) {
    while let part = take() {
      do { give(part, try body(part)) } catch { fail(error) }
    }
    locked { workers -= 1 }
  }

  /// A thread's whole task where several parts may be under way: results until there is none.
  ///
  /// - Parameter next: takes parts by what it is given, which has none after a failure; gives a part's number and
  ///   result, or nil when it has nothing more to wait for.
  func work(_ next: (() -> Int?) throws -> (part: Int, result: Result)?) {
    do {
      while let (part, result) = try next(take) { give(part, result) }
    } catch { fail(error) }
    locked { workers -= 1 }
  }

  /// The end of a thread that could not even begin, and so of the work.
  func cancel(_ error: any Error) {
    fail(error)
    locked { workers -= 1 }
  }

  /// Hands results over as they come, in any order; returns when all threads have come to their end.
  ///
  /// - Throws: the first error of a part or of the body: no further part was begun then.
  func collect(_ body: (Int, Result) throws -> Void) throws {
    while true {
      let (ready, isOver) = next()
      for (part, result) in ready where locked({ failure == nil }) {
        do { try body(part, result) } catch { fail(error) }
      }
      if isOver { break }
    }
    if let failure { throw failure }
  }

  /// What has come since the last call, and whether that is the end; waits for either.
  private func next() -> ([(part: Int, result: Result)], isOver: Bool) {
    locked {
      while results.isEmpty, workers > 0 { condition.wait() }
      defer { results = [] }
      return (results, workers == 0)
    }
  }

  private func take() -> Int? {
    locked {
      guard failure == nil, upcoming < parts else { return nil }
      defer { upcoming += 1 }
      return upcoming
    }
  }

  private func give(_ part: Int, _ result: Result) { locked { results.append((part, result)) } }

  private func fail(_ error: any Error) { locked { failure = failure ?? error } }

  /// A look at the state or a change of it, which whoever waits is told of.
  private func locked<R>(_ body: () -> R) -> R {
    condition.lock()
    defer {
      condition.broadcast()
      condition.unlock()
    }
    return body()
  }
}
