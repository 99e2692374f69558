// SPDX-License-Identifier: Apache-2.0
import Foundation

/// A last line for whoever ends a run by Ctrl-C or `kill`: how it goes on.
///
/// The signal still ends the process as it would have, so that a shell sees what it is used to (130 or 143). What
/// the handler reads is made before, for a handler may not allocate, and a thread of its own would be one more that
/// a process with little memory has no room for.
enum InterruptNotice {
  /// The file by which a run is known to have begun, and what is said with it and without it.
  nonisolated(unsafe) private static var file: UnsafeMutablePointer<CChar>?
  nonisolated(unsafe) private static var begun: UnsafeMutablePointer<CChar>?
  nonisolated(unsafe) private static var unknown: UnsafeMutablePointer<CChar>?

  /// Says the line for a run in this folder when one of the two signals comes.
  static func prepare(run folder: String) {
    guard file == nil else { return }
    file = strdup(folder + "/run.json")
    begun = strdup("tessera: interrupted: tessera run --resume \(folder) goes on from what is done\n")
    unknown = strdup("tessera: interrupted: the same command goes on from what is done\n")
    for number in [SIGINT, SIGTERM] {
      // Whoever began it under nohup, or in the background of a script, wants the signal ignored.
      let before = signal(number, handler)
      if ignores(before) { signal(number, SIG_IGN) }
    }
  }

  private static let handler: sighandler_t = { number in
    if let file, let line = access(file, F_OK) == 0 ? begun : unknown {
      _ = write(STDERR_FILENO, line, strlen(line))
    }
    // It comes again, and ends the process, as soon as this handler is left.
    signal(number, SIG_DFL)
    raise(number)
  }

  private static func ignores(_ handler: sighandler_t?) -> Bool {
    unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
