// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A value that one thread at a time looks at or changes.
///
/// A pthread mutex and not `Synchronization.Mutex`, whose futex ThreadSanitizer does not see: it would take
/// every guarded value for a race (`tools/check/suite thread`).
package final class Locked<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var value: Value

  package init(_ value: sending Value) {
    self.value = value
  }

  /// Runs a body with the value to itself. Not reentrant.
  package func withLock<Result>(_ body: (inout Value) throws -> sending Result) rethrows -> sending Result {
    lock.lock()
    defer { lock.unlock() }
    return try body(&value)
  }
}
