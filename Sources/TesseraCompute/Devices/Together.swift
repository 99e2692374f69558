// SPDX-License-Identifier: Apache-2.0
import Foundation

extension DeviceGroup {
  /// Does something on several devices at the same time: the first on the caller's thread, the others on a host's thread each;
  /// returns when all are done.
  ///
  /// - Parameters:
  ///   - hands: devices of the group with what each works with, which no other thread touches meanwhile.
  ///   - body: gets the number among the hands, and the hand.
  ///   - failed: called, on any thread, as soon as one has thrown: for others that wait for it.
  /// - Returns: the results in the order of the hands.
  /// - Throws: the first error in time.
  public func together<Hand, Result: Sendable>(
    _ hands: [(device: any Backend, hand: Hand)], _ body: @escaping @Sendable (Int, Hand) throws -> Result,
    failed: @escaping @Sendable () -> Void
  ) throws -> [Result] {
    let outcome = Outcome<Result>(count: hands.count)
    let group = self
    let tasks = hands.enumerated().map { number, hand in
      Task(device: hand.device) {
        do {
          let result = try group.naming(hand.device) { try body(number, hand.hand) }
          outcome.take(number, result)
        } catch {
          outcome.fail(error)
          failed()
        }
      }
    }
    var threads: [HostThread] = []
    for task in tasks.dropFirst() {
      do {
        threads.append(
          try HostThread {
            task.device.profiler?.nameThread("host for \(task.device.name)")
            task.run()
          })
      } catch {
        outcome.fail(error)
        failed()
      }
    }
    tasks.first?.run()
    for thread in threads { thread.join() }
    return try outcome.results()
  }

  /// Goes to one thread alone.
  private struct Task: @unchecked Sendable {
    let device: any Backend
    let run: () -> Void
  }

  private final class Outcome<Result: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var values: [Result?]
    private var failure: (any Error)?

    init(count: Int) { values = Array(repeating: nil, count: count) }

    func take(_ number: Int, _ result: Result) { lock.withLock { values[number] = result } }

    func fail(_ error: any Error) { lock.withLock { failure = failure ?? error } }

    func results() throws -> [Result] {
      try lock.withLock {
        if let failure { throw failure }
        return values.compactMap { $0 }
      }
    }
  }
}
