// SPDX-License-Identifier: Apache-2.0

/// A message of Protocol Buffers as it is written: fields one after the other, each with its number and its kind
/// (protobuf.dev, "Encoding"). What is needed of it is small enough to write by hand.
struct ProtobufMessage {
  /// The bytes so far.
  private(set) var bytes: [UInt8] = []

  private enum Kind: UInt64 {
    case varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func key(_ field: UInt64, _ kind: Kind) { varint(field << 3 | kind.rawValue) }

  private mutating func fixed<T: FixedWidthInteger>(_ bits: T) {
    withUnsafeBytes(of: bits.littleEndian) { bytes += $0 }
  }

  /// Adds an integer; negative ones take ten bytes, as `int64` does.
  mutating func add(_ field: UInt64, _ value: Int64) {
    key(field, .varint)
    varint(UInt64(bitPattern: value))
  }

  /// Adds a number of 64 bits.
  mutating func add(_ field: UInt64, _ value: Double) {
    key(field, .fixed64)
    fixed(value.bitPattern)
  }

  /// Adds a number of 32 bits.
  mutating func add(_ field: UInt64, _ value: Float) {
    key(field, .fixed32)
    fixed(value.bitPattern)
  }

  /// Adds a text.
  mutating func add(_ field: UInt64, _ text: String) { add(field, Array(text.utf8)) }

  /// Adds bytes.
  mutating func add(_ field: UInt64, _ data: [UInt8]) {
    key(field, .bytes)
    varint(UInt64(data.count))
    bytes += data
  }

  /// Adds a message within this one.
  mutating func add(_ field: UInt64, _ message: ProtobufMessage) { add(field, message.bytes) }
}
