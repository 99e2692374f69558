// SPDX-License-Identifier: Apache-2.0
import Foundation

extension RankAssistant {
  /// The thread of one device of a rank: does the parts that come for it, and sends the answers.
  final class Hand: @unchecked Sendable {
    private let condition = NSCondition()
    private var parts: [(work: any AssistedWork, content: Payload)] = []
    private var isOver = false
    private var thread: HostThread?

    /// Starts the thread.
    init(_ number: Int, _ device: any Backend, _ communicator: any Communicator) throws {
      thread = try HostThread { [unowned self] in
        device.profiler?.nameThread("host for \(device.name)")
        while let (work, content) = self.next() {
          do {
            let answer = try work.part(content, device: number)
            try communicator.send(answer, to: 0, .answer(number))
          } catch {
            let named = (error as? TesseraError)?.on(device.name) ?? error
            try? communicator.send(RankFailure.message(named, on: communicator.host), to: 0, .failure)
          }
        }
      }
    }

    /// Adds a part.
    func give(_ work: any AssistedWork, _ content: Payload) {
      condition.withLock {
        parts.append((work, content))
        condition.signal()
      }
    }

    /// Ends the thread after what it is at.
    func end() {
      condition.withLock {
        isOver = true
        parts = []
        condition.signal()
      }
      thread?.join()
      thread = nil
    }

    private func next() -> (work: any AssistedWork, content: Payload)? {
      condition.lock()
      defer { condition.unlock() }
      while parts.isEmpty, !isOver { condition.wait() }
      return isOver ? nil : parts.removeFirst()
    }
  }
}
