// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What one thread makes ahead of another, in order.
final class Shelf<Item: Sendable>: @unchecked Sendable {
  private let room: Int
  private let changed = NSCondition()
  private var items: [Result<Item, any Error>] = []
  private var isClosed = false

  /// A shelf for so many items.
  init(room: Int) { self.room = room }

  /// Makes items until all are made, one fails, or nobody wants more.
  func fill(_ numbers: Range<Int>, _ make: (Int) throws -> Item) {
    for number in numbers {
      changed.lock()
      while items.count >= room, !isClosed { changed.wait() }
      let isOver = isClosed
      changed.unlock()
      if isOver { return }
      let item = Result { try make(number) }
      changed.withLock {
        items.append(item)
        changed.signal()
      }
      if case .failure = item { return }
    }
  }

  /// The next item; waits for it.
  func take() throws -> Item {
    try changed.withLock {
      while items.isEmpty { changed.wait() }
      changed.signal()
      return items.removeFirst()
    }.get()
  }

  /// Nobody wants more.
  func close() {
    changed.withLock {
      isClosed = true
      changed.signal()
    }
  }
}
