// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Messages that have come in and were not asked for yet, by who sent them and what they are about.
final class Mailbox: @unchecked Sendable {
  private struct Key: Hashable {
    let source: Int, tag: RankTag
  }

  private let condition = NSCondition()
  private var queues: [Key: [Payload]] = [:]
  private var failure: (any Error)?
  private var isLost = false
  private var waiting = 0

  /// Takes in a message.
  func put(_ message: Payload, from source: Int, _ tag: RankTag) {
    condition.withLock {
      queues[Key(source: source, tag: tag), default: []].append(message)
      condition.broadcast()
    }
  }

  /// The next message of a key; waits for it.
  ///
  /// - Throws: what `fail` was told.
  func take(from source: Int, _ tag: RankTag) throws -> Payload {
    let key = Key(source: source, tag: tag)
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let failure { throw failure }
      if let first = queues[key]?.first {
        queues[key]?.removeFirst()
        return first
      }
      waiting += 1
      condition.wait()
      waiting -= 1
    }
  }

  /// Whether somebody waits for a message.
  var isWaitedFor: Bool { condition.withLock { waiting > 0 } }

  /// Throws an error at all who wait and will wait; the first one told stays.
  ///
  /// - Parameter isLost: whether a rank is out of reach, so that not all can come to an orderly end.
  func fail(_ error: any Error, isLost: Bool = false) {
    condition.withLock {
      failure = failure ?? error
      self.isLost = self.isLost || isLost
      condition.broadcast()
    }
  }

  /// Whether a rank is out of reach.
  var isCutOff: Bool { condition.withLock { isLost } }

  /// What `fail` was told.
  var error: (any Error)? { condition.withLock { failure } }
}
