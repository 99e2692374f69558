// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Messages on their way to the MPI thread.
final class Outbox: @unchecked Sendable {
  /// A message with its address.
  struct Letter: Sendable {
    let message: Payload, rank: Int, tag: RankTag
  }

  private let condition = NSCondition()
  private var letters: [Letter] = []
  private var code: Int32?

  /// Adds a message.
  func put(_ letter: Letter) {
    condition.withLock {
      letters.append(letter)
      condition.signal()
    }
  }

  /// No message follows; the exit code, should the end not be orderly.
  func close(code: Int32) {
    condition.withLock {
      self.code = code
      condition.signal()
    }
  }

  /// Waits until there is a letter, or the time is over.
  func wait(atMost seconds: Double) {
    condition.withLock {
      guard letters.isEmpty else { return }
      _ = condition.wait(until: Date(timeIntervalSinceNow: seconds))
    }
  }

  /// What was added since the last call, and the exit code if nothing follows.
  func take() -> (letters: [Letter], code: Int32?) {
    condition.withLock {
      defer { letters = [] }
      return (letters, code)
    }
  }
}
