// SPDX-License-Identifier: Apache-2.0
import Foundation

extension DeviceGroup {
  /// Does something on several devices at the same time: the first on the caller's thread, the others on a
  /// host's thread each; returns when all are done.
  ///
  /// - Parameters:
  ///   - workers: devices of the group with what each works with, which no other thread touches meanwhile.
  ///   - body: gets the number among the workers, and the worker.
  ///   - failed: called, on any thread, as soon as one has thrown: for others that wait for it.
  /// - Returns: the results in the order of the workers.
  /// - Throws: the first error in time.
  public func runConcurrently<Worker, Result: Sendable>(
    _ workers: [(device: any Backend, worker: Worker)],
    _ body: @escaping @Sendable (Int, Worker) throws -> Result,
    failed: @escaping @Sendable () -> Void
  ) throws -> [Result] {
    let outcome = Outcome<Result>(count: workers.count)
    let group = self
    let tasks = workers.enumerated().map { number, worker in
      Task(device: worker.device) {
        do {
          let result = try group.naming(worker.device) { try body(number, worker.worker) }
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
