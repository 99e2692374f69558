// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A thread that can be waited for to its very end, when it holds nothing any more.
package final class HostThread {
  private var id = pthread_t()

  private final class Body {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Starts a thread.
  ///
  /// - Throws: `TesseraError` if the system has none to give.
  package init(_ run: @escaping @Sendable () -> Void) throws {
    let body = Unmanaged.passRetained(Body(run))
    let status = pthread_create(
      &id, nil,
      { argument in
        if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, body.toOpaque())
    guard status == 0 else {
      body.release()
      throw TesseraError.failure("threads", found: String(cString: strerror(status)), wanted: "one a device")
    }
  }

  /// Waits for its end; to be called once.
  package func join() { pthread_join(id, nil) }
}
