// SPDX-License-Identifier: Apache-2.0
import CMPI
import Foundation

/// Ranks of MPI. One thread of its own does everything that MPI sees and never waits in it: messages come
/// into a mailbox and go out of a list, and a rank that gives no sign of life is noticed.
package final class MPICommunicator: Communicator, @unchecked Sendable {
  /// This process's number.
  package let rank: Int
  /// How many there are.
  package let size: Int
  /// The place among the ranks of the host.
  package let place: Int
  /// How many ranks the host has.
  package let neighbours: Int
  /// The host's name.
  package let host: String
  private let mailbox = Mailbox()
  private let outbox: Outbox
  private var thread: HostThread?
  private let ended = Promise<Void>()

  /// What the MPI thread found at its start.
  private struct Start: Sendable {
    var rank = 0, size = 1, place = 0, neighbours = 1, host = ""
  }

  /// Begins: every rank calls it, and it returns in each when all have.
  ///
  /// - Parameters:
  ///   - path: the library that `tools/mpi-shim` made.
  ///   - patience: how long a rank may give no sign of life.
  ///   - start: how long all may take to begin.
  /// - Throws: `TesseraError` for a library that cannot be opened, and for an MPI that does not start.
  package init(
    library path: String, patience: Duration = .seconds(20), start limit: Duration = .seconds(18)
  ) throws {
    var reason: UnsafePointer<CChar>?
    guard let table = tsr_mpi_load(path, &reason) else {
      throw TesseraError.input(
        path, found: reason.map { String(cString: $0) } ?? "no library",
        wanted: "a library that tools/mpi-shim made with the MPI that starts the ranks")
    }
    let outbox = Outbox()
    let (mailbox, started, ended) = (mailbox, Promise<Result<Start, TesseraError>>(), ended)
    let calls = MPICalls(table)
    thread = try HostThread {
      do {
        var start = Start()
        (start.rank, start.size, start.place, start.neighbours) = try calls.start()
        start.host = try calls.host()
        var post = MPIPost(
          calls, mailbox, outbox, rank: start.rank, size: start.size, host: start.host, patience: patience)
        started.fulfil(.success(start))
        post.run()
        ended.fulfil(())
      } catch {
        started.fulfil(.failure(error as? TesseraError ?? .failure("MPI", found: "\(error)")))
      }
    }
    // MPI waits without end for a process that never calls it.
    guard let start = try started.wait(atMost: limit)?.get() else {
      throw TesseraError.failure(
        "MPI", found: "not all ranks at the start after \(limit.components.seconds) s",
        wanted: "every process that was started (TESSERA_MPI_START=SECONDS waits longer)")
    }
    (rank, size, place, neighbours) = (start.rank, start.size, start.place, start.neighbours)
    (host, self.outbox) = (start.host, outbox)
  }

  /// Hands a message to the MPI thread.
  package func send(_ message: Payload, to rank: Int, _ tag: RankTag) throws {
    guard (0..<size).contains(rank) else {
      throw TesseraError.failure("ranks", found: "rank \(rank)", wanted: "0..<\(size)")
    }
    outbox.put(.init(message: message, rank: rank, tag: tag))
  }

  /// Waits for a message.
  package func receive(from rank: Int, _ tag: RankTag) throws -> Payload {
    try mailbox.take(from: rank, tag)
  }

  /// Ends all waiting of this rank.
  package func fail(_ error: any Error) { mailbox.fail(error) }

  /// What ended the work, if it is a failure.
  package var failure: (any Error)? { mailbox.error is RankEnd ? nil : mailbox.error }

  /// The orderly end, which all ranks come to; at once if some of them can be reached no more.
  ///
  /// - Parameters:
  ///   - code: the exit code of all, where the end is not orderly.
  ///   - limit: how long to wait for all: MPI itself does without end.
  /// - Returns: whether it is over. If not, a thread still waits in MPI.
  @discardableResult package func close(code: Int32, atMost limit: Duration = .seconds(20)) -> Bool {
    outbox.close(code: code)
    guard ended.wait(atMost: limit) != nil else { return false }
    thread?.join()
    thread = nil
    return true
  }
}

/// A value that one thread waits for and another gives.
final class Promise<Value: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private var value: Value?

  /// Gives the value.
  func fulfil(_ value: Value) {
    condition.withLock {
      self.value = value
      condition.broadcast()
    }
  }

  /// Waits for it; nil if it has not come in time.
  func wait(atMost limit: Duration) -> Value? {
    let end = Date(timeIntervalSinceNow: Double(limit.components.seconds))
    return condition.withLock {
      while value == nil, condition.wait(until: end) {}
      return value
    }
  }
}
