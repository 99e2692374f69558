// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Ranks as threads of this process, each with devices of its own.
package enum RankThreads {
  /// Leads assistants in some work.
  ///
  /// - Parameters:
  ///   - assistants: the devices of each of them.
  ///   - kinds: what they know.
  ///   - body: gets the team.
  /// - Returns: the body's result, and what the assistants ended with.
  package static func lead<R>(
    _ assistants: [DeviceGroup], _ kinds: [any AssistedWork.Type], _ body: (RankTeam) throws -> R
  ) throws -> (result: Result<R, any Error>, codes: [Int32]) {
    let ranks = ThreadCommunicator.group(of: assistants.count + 1)
    let codes = Codes(count: assistants.count)
    let threads = assistants.enumerated().map { number, devices in
      let work = Work(communicator: ranks[number + 1], devices: devices, kinds: kinds)
      let done = DispatchSemaphore(value: 0)
      Thread.detachNewThread {
        codes.set(number, work.run())
        done.signal()
      }
      return done
    }
    let result = Result {
      let team = try RankTeam(leading: ranks[0], build: "test")
      let result = try body(team)
      team.end(code: 0)
      return result
    }
    if case .failure = result {
      for rank in 1..<ranks.count { try ranks[0].send(RankTeam.endMessage(1), to: rank, .end) }
    }
    threads.forEach { $0.wait() }
    return (result, codes.all)
  }

  private struct Work: @unchecked Sendable {
    let communicator: ThreadCommunicator, devices: DeviceGroup, kinds: [any AssistedWork.Type]

    func run() -> Int32 {
      do {
        return try RankAssistant(communicator, devices: devices, build: "test", kinds: kinds).serve()
      } catch {
        return RankAssistant.report(error, communicator)
      }
    }
  }

  private final class Codes: @unchecked Sendable {
    private let lock = NSLock()
    private var values: [Int32]

    init(count: Int) { values = Array(repeating: -1, count: count) }

    func set(_ number: Int, _ code: Int32) { lock.withLock { values[number] = code } }

    var all: [Int32] { lock.withLock { values } }
  }
}
