// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Lines of a descriptor as they come, with the knowledge whether more can be had without waiting: a
/// program that sends one line and waits for its answer gets it, and one that sends many has them answered
/// together.
///
/// Lines end by LF or CRLF; the last may end with the input.
package struct LineReader {
  /// One line of the input.
  package enum Line: Equatable {
    /// Its text.
    case text(String)
    /// Bytes that are none in the encoding: what they are.
    case broken(String)
  }

  private let descriptor: Int32
  private let encoding: TextEncoding
  private let longest: Int
  private var buffer: [UInt8] = []
  /// What of the buffer was taken, and how far no line end was found.
  private var begin = 0, searched = 0
  private var isEnded = false
  /// Whether the rest of a line that was too long is still to come.
  private var skips = false
  /// Lines taken so far.
  package private(set) var count = 0

  /// A reader.
  ///
  /// - Parameters:
  ///   - longest: bytes of the longest line that is taken.
  /// - Throws: `TesseraError` for an encoding whose lines do not end with one byte.
  package init(
    _ descriptor: Int32, encoding: TextEncoding = .auto, longest: Int = InputFile.Limit.text
  ) throws {
    guard ![.utf16, .utf16le, .utf16be].contains(encoding) else {
      throw TesseraError.input(
        "encoding", found: "\(encoding.rawValue) for lines on standard input",
        wanted: "utf8, windows-1252 or latin1 (iconv converts)")
    }
    (self.descriptor, self.encoding, self.longest) = (descriptor, encoding, longest)
  }

  /// Up to so many lines: the first is waited for, others are taken while they are at hand. Empty at the end.
  package mutating func next(atMost most: Int) throws -> [Line] {
    var lines: [Line] = []
    while lines.count < most {
      if let line = take() {
        lines.append(line)
      } else if isEnded {
        break
      } else if lines.isEmpty || isReady(wait: false) {
        try fill()
      } else {
        break
      }
    }
    return lines
  }

  /// A whole line of the buffer.
  private mutating func take() -> Line? {
    while true {
      let end = lineEnd()
      guard end != nil || isEnded && (begin < buffer.count || skips) else {
        shortenOverlong()
        return nil
      }
      let line = buffer[begin..<(end ?? buffer.count)]
      let wasSkipped = skips
      begin = min(buffer.count, (end ?? buffer.count) + 1)
      (searched, skips) = (begin, false)
      defer { compact() }
      count += 1
      if wasSkipped || line.count > longest { return .broken("a line of more than \(longest) bytes") }
      return decoded(line)
    }
  }

  private mutating func lineEnd() -> Int? {
    let found = buffer.withUnsafeBytes { all -> Int? in
      guard let base = all.baseAddress, searched < all.count,
        let place = memchr(base + searched, 10, all.count - searched)
      else { return nil }
      return base.distance(to: UnsafeRawPointer(place))
    }
    searched = found ?? buffer.count
    return found
  }

  /// Of a line that is too long nothing need be kept.
  private mutating func shortenOverlong() {
    guard buffer.count - begin > longest else { return }
    skips = true
    buffer.removeAll(keepingCapacity: false)
    (begin, searched) = (0, 0)
  }

  private mutating func compact() {
    guard begin > 1 << 16 || begin == buffer.count else { return }
    buffer.removeFirst(begin)
    (begin, searched) = (0, max(0, searched - begin))
  }

  private func decoded(_ bytes: ArraySlice<UInt8>) -> Line {
    var bytes = bytes.last == 13 ? bytes.dropLast() : bytes
    // A byte order mark is no part of the first text.
    if count == 1, encoding == .auto || encoding == .utf8, bytes.starts(with: [0xef, 0xbb, 0xbf]) {
      bytes = bytes.dropFirst(3)
    }
    if let text = encoding.line(bytes) { return .text(text) }
    let own = Array(bytes)
    let name = encoding == .windows1252 ? "windows-1252" : "UTF-8"
    let bad =
      encoding == .windows1252
      ? own.firstIndex { [0x81, 0x8d, 0x8f, 0x90, 0x9d].contains($0) } : UTF8Check.firstInvalid(own)
    let place = bad.map { ": 0x\(TextEncoding.hexadecimal(own[$0])) at byte \($0 + 1)" } ?? ""
    return .broken("bytes that are not \(name)\(place)")
  }

  /// Whether a read would not wait.
  private func isReady(wait: Bool) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    while true {
      let ready = poll(&request, 1, wait ? -1 : 0)
      if ready < 0 && errno == EINTR { continue }
      return ready > 0
    }
  }

  private mutating func fill() throws {
    var block = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let got = block.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if got < 0 && errno == EINTR { continue }
      if got < 0 && errno == EAGAIN {
        _ = isReady(wait: true)
        continue
      }
      guard got >= 0 else {
        throw TesseraError.input(
          "standard input", found: "nothing that can be read (\(String(cString: strerror(errno))))",
          wanted: "texts, one a line")
      }
      if got == 0 { isEnded = true }
      buffer += block[..<got]
      return
    }
  }
}
