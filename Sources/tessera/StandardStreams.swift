// SPDX-License-Identifier: Apache-2.0
// stdout is a variable to C.
@preconcurrency import Foundation
import TesseraCompute

/// The three streams that a process starts with, whatever state they are in.
enum StandardStreams {
  /// Makes the first three descriptors taken, lest a file be opened as one of them and what is printed be
  /// written into it; those that were closed refuse what is written to them. A limit on the size of files
  /// is an error of `write`, not a signal.
  static func prepare() {
    for descriptor in 0...2 as ClosedRange<Int32> where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
      // The lowest that is free: this one.
      _ = open("/dev/null", O_RDONLY)
    }
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Writes out what was printed.
  ///
  /// - Throws: `TesseraError` if not all of the results could be written.
  static func finish() throws {
    let flushed = fflush(stdout) == 0
    let reason = errno
    guard flushed, ferror(stdout) == 0 else {
      let why = flushed ? "an error" : String(cString: strerror(reason))
      throw TesseraError.failure("standard output", found: why, wanted: "all results written")
    }
  }

  /// The arguments as the system gave them: Swift mends what is no UTF-8, and another file would be taken.
  ///
  /// - Throws: `TesseraError` naming the first argument that is no UTF-8.
  static func checkArguments() throws {
    for number in 1..<max(1, Int(CommandLine.argc)) {
      guard let argument = CommandLine.unsafeArgv[number], String(validatingCString: argument) == nil else {
        continue
      }
      throw TesseraError.input(
        "argument \(number)", found: "bytes that are not UTF-8: \(CommandLine.arguments[number])",
        wanted: "UTF-8")
    }
  }
}
