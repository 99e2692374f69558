// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Progress on standard error: one line that is redrawn on a terminal, plain lines now and then otherwise.
public final class ProgressLine: @unchecked Sendable {
  private let lock = NSLock()
  private let quiet: Bool
  private let terminal: Bool
  private var start = DispatchTime.now().uptimeNanoseconds
  private var last: UInt64 = 0
  /// What the first update of the stage told: a stage that goes on begins with what was done before.
  private var first: (done: Int, at: UInt64)?
  private var drawn = false
  private let began: (@Sendable (String) -> Void)?

  /// A progress line; a quiet one says nothing.
  ///
  /// - Parameters:
  ///   - quiet: whether nothing is written.
  ///   - began: called with every stage that begins, quiet or not.
  public init(quiet: Bool = false, began: (@Sendable (String) -> Void)? = nil) {
    (self.quiet, self.began) = (quiet, began)
    terminal = isatty(2) == 1
  }

  /// Starts a new stage: rate and time left are counted from its first update.
  public func begin(_ what: String, quietly: Bool = false) {
    began?(what)
    lock.withLock {
      start = DispatchTime.now().uptimeNanoseconds
      last = start
      first = nil
      guard !quiet else { return }
      clear()
      if !terminal, !quietly, !quiet { write(what + "\n") }
    }
  }

  /// Says how far the stage is: at most ten times a second on a terminal, every ten seconds otherwise.
  public func update(_ what: String, done: Int, of total: Int, unit: String) {
    lock.withLock {
      guard !quiet else { return }
      let now = DispatchTime.now().uptimeNanoseconds
      let isFirst = first == nil
      let begin = first ?? (done, now)
      first = begin
      guard now - last >= (terminal ? 100_000_000 : 10_000_000_000) else { return }
      last = now
      let (count, since) = isFirst ? (done, start) : (done - begin.done, begin.at)
      let rate = Double(count) / max(Double(now - since) / 1e9, 1e-9)
      let left = rate > 0 ? (Double(total) - Double(done)) / rate : 0
      let line =
        "\(what): \(done)/\(total) \(unit), \(Self.short(rate)) \(unit)/s, \(Self.clock(left)) left"
      write(terminal ? "\r\u{1b}[K" + line : line + "\n")
      drawn = terminal
    }
  }

  /// A line that stays.
  @inline(never)
  public func note(_ line: String) {
    lock.withLock {
      guard !quiet else { return }
      clear()
      write(line + "\n")
    }
  }

  /// A warning, which a quiet line tells too.
  @inline(never)
  package func warn(_ line: String) {
    lock.withLock {
      clear()
      write("tessera: warning: \(line)\n")
    }
  }

  private func clear() {
    if drawn { write("\r\u{1b}[K") }
    drawn = false
  }

  private func write(_ text: String) { StandardError.write(text) }

  /// Three significant digits.
  static func short(_ value: Double) -> String {
    if value >= 100 { return String(Int(min(value, 1e15).rounded())) }
    return String((value * 10).rounded() / 10)
  }

  private static func clock(_ seconds: Double) -> String {
    let s = Int(max(0, min(seconds, 359_999)).rounded())
    let minutes = s / 60 % 60
    return s >= 3600 ? "\(s / 3600) h \(minutes) min" : s >= 60 ? "\(minutes) min \(s % 60) s" : "\(s) s"
  }
}
