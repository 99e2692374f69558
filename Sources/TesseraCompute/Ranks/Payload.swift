// SPDX-License-Identifier: Apache-2.0
/// The bytes of a message between ranks, in memory of their own.
package final class Payload: @unchecked Sendable {
  /// The bytes. They are written before the message is sent, and by whoever receives it; read after that.
  package let bytes: UnsafeMutableRawBufferPointer

  /// Room for so many bytes, which hold anything.
  package init(count: Int) { bytes = .allocate(byteCount: count, alignment: 64) }

  /// So many bytes that are 0.
  package convenience init(zeros count: Int) {
    self.init(count: count)
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// A copy of bytes.
  package convenience init(copying source: UnsafeRawBufferPointer) {
    self.init(count: source.count)
    bytes.copyMemory(from: source)
  }

  deinit { bytes.deallocate() }

  /// Runs a body with the bytes.
  package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try body(UnsafeRawBufferPointer(bytes))
  }

  /// Several in a row as one.
  package static func joined(_ parts: [Payload]) -> Payload {
    let whole = Payload(count: parts.reduce(0) { $0 + $1.bytes.count })
    var begin = 0
    for part in parts {
      UnsafeMutableRawBufferPointer(rebasing: whole.bytes[begin...]).copyMemory(from: .init(part.bytes))
      begin += part.bytes.count
    }
    return whole
  }
}

/// Puts a message together: numbers, texts and arrays, each with its length where that is not fixed.
package struct MessageWriter {
  private var bytes: [UInt8] = []

  /// An empty message.
  package init() {}

  /// The message as it is sent.
  package var payload: Payload { bytes.withUnsafeBytes { Payload(copying: $0) } }

  /// Adds a whole number.
  package mutating func add(_ value: Int) { withUnsafeBytes(of: Int64(value)) { bytes += $0 } }

  /// Adds floats with their number.
  package mutating func add(_ values: [Float]) { add(elements: values) }

  /// Adds whole numbers with their number.
  package mutating func add(_ values: [Int32]) { add(elements: values) }

  /// Adds whole numbers of 64 bits with their number.
  package mutating func add(_ values: [Int64]) { add(elements: values) }

  /// Adds a text.
  package mutating func add(_ text: String) { add(elements: Array(text.utf8)) }

  /// Adds a message within this one.
  package mutating func add(_ message: Payload) {
    message.withBytes {
      add($0.count)
      bytes += $0
    }
  }

  /// Adds what another has put together, without its length.
  package mutating func add(raw other: MessageWriter) { bytes += other.bytes }

  private mutating func add<Element>(elements: [Element]) {
    add(elements.count)
    elements.withUnsafeBytes { bytes += $0 }
  }
}

/// Takes a message apart in the order in which it was put together.
package struct MessageReader {
  private let message: Payload
  private var place = 0

  /// Begins at a message's start.
  package init(_ message: Payload) { self.message = message }

  /// The next whole number.
  package mutating func int() throws -> Int {
    let bytes = try take(8)
    return Int(bytes.loadUnaligned(as: Int64.self))
  }

  /// The next texts, after their number.
  package mutating func texts() throws -> [String] {
    let count = try int()
    guard count >= 0 else {
      throw TesseraError.failure("a message between ranks", found: "\(count) texts", wanted: "0 or more")
    }
    return try (0..<count).map { _ in try text() }
  }

  /// The next floats.
  package mutating func floats() throws -> [Float] { try elements(of: Float.self) }

  /// The next whole numbers.
  package mutating func ints() throws -> [Int32] { try elements(of: Int32.self) }

  /// The next whole numbers of 64 bits.
  package mutating func longs() throws -> [Int64] { try elements(of: Int64.self) }

  /// The next text.
  package mutating func text() throws -> String {
    String(decoding: try elements(of: UInt8.self), as: UTF8.self)
  }

  /// The next message within this one.
  package mutating func nested() throws -> Payload { Payload(copying: try take(try int())) }

  private mutating func elements<Element: BitwiseCopyable>(of type: Element.Type) throws -> [Element] {
    let count = try int()
    let (size, overflows) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.size)
    let bytes = try take(overflows ? -1 : size)
    return [Element](unsafeUninitializedCapacity: count) { buffer, filled in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
      filled = count
    }
  }

  private mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
    let all = UnsafeRawBufferPointer(message.bytes)
    guard count >= 0, count <= all.count - place else {
      throw TesseraError.failure(
        "a message between ranks", found: "\(all.count - place) bytes", wanted: "\(count)")
    }
    defer { place += count }
    return UnsafeRawBufferPointer(rebasing: all[place..<place + count])
  }
}
