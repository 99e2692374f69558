// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Messages on their way to the MPI thread.
final class Outbox: @unchecked Sendable {
  /// A message with its address.
  struct Letter: Sendable {
    let message: Payload, rank: Int, tag: RankTag
  }

  private let lock = NSLock()
  private var letters: [Letter] = []
  private var code: Int32?

  /// Adds a message.
  func put(_ letter: Letter) { lock.withLock { letters.append(letter) } }

  /// No message follows; the exit code, should the end not be orderly.
  func close(code: Int32) { lock.withLock { self.code = code } }

  /// What was added since the last call, and the exit code if nothing follows.
  func take() -> (letters: [Letter], code: Int32?) {
    lock.withLock {
      defer { letters = [] }
      return (letters, code)
    }
  }
}
