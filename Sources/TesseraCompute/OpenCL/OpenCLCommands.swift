// SPDX-License-Identifier: Apache-2.0
import COpenCL
import Foundation

/// The commands of a queue whose end is not known yet.
///
/// A driver may tell of a command that failed by its event alone, while a read-back after it succeeds with
/// old bytes. So every command has an event, and what is read counts only once all events before it were
/// looked at.
final class OpenCLCommands: @unchecked Sendable {
  /// Commands after which those that are done are looked for, so that a long queue is not kept whole.
  private static let batch = 256

  private let lock = NSLock()
  private let cl: tsr_opencl
  private var waiting: [(event: cl_event, name: String)] = []

  init(cl: tsr_opencl) { self.cl = cl }

  deinit { for command in waiting { _ = cl.clReleaseEvent(command.event) } }

  /// Keeps a command's event, which is released when the command is done.
  ///
  /// - Throws: `TesseraError` if a command failed in the meantime.
  func add(_ event: cl_event, _ name: String) throws {
    try lock.withLock {
      waiting.append((event, name))
      if waiting.count % Self.batch == 0 { try releaseDone() }
    }
  }

  /// Looks at the commands that are done.
  ///
  /// - Throws: `TesseraError` naming the first that failed.
  func retire() throws { try lock.withLock { try releaseDone() } }

  /// The queue is in order: what is done is in front.
  private func releaseDone() throws {
    var count = 0
    var failure: (status: cl_int, name: String)?
    for command in waiting {
      let status = cl.executionStatus(command.event)
      guard status <= CL_COMPLETE else { break }
      if status < 0, failure == nil { failure = (status, command.name) }
      _ = cl.clReleaseEvent(command.event)
      count += 1
    }
    waiting.removeFirst(count)
    if let failure { try check(failure.status, failure.name) }
  }
}
