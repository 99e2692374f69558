// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import TesseraCompute

/// A last line for whoever ends a long command by Ctrl-C or `kill`: how it goes on.
///
/// The signal still ends the process as it would have, so that a shell sees what it is used to (130 or 143).
final class InterruptNotice {
  private let sources: [any DispatchSourceSignal]

  /// Says a line when one of the two signals comes.
  ///
  /// - Parameter line: the line; nil where there is nothing to say. It is called on another thread.
  init(_ line: @escaping @Sendable () -> String?) {
    sources = [SIGINT, SIGTERM].compactMap { number in
      // Whoever began it under nohup or in the background of a script wants the signal ignored.
      let before = signal(number, SIG_IGN)
      if Self.ignores(before) { return nil }
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if let line = line() { StandardError.write("tessera: \(line)\n") }
        signal(number, SIG_DFL)
        kill(getpid(), number)
      }
      source.resume()
      return source
    }
  }

  deinit {
    for source in sources {
      source.cancel()
      signal(Int32(source.handle), SIG_DFL)
    }
  }

  private static func ignores(_ handler: sighandler_t?) -> Bool {
    unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
