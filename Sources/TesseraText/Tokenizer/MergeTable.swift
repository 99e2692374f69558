// SPDX-License-Identifier: Apache-2.0

/// What pairs of tokens are merged into: a hash table with open addressing, (left, right) -> (rank, id).
struct MergeTable: Sendable {
  /// What becomes of a pair.
  struct Merged: Sendable, Equatable {
    /// The lower, the earlier.
    let rank: UInt32
    let id: Int32
  }

  /// Left id in the upper half, right id in the lower; `empty` where there is none. Ids are not negative.
  private var keys: [UInt64]
  private var values: [Merged]
  private let shift: UInt64
  private static let empty = UInt64.max

  /// A table with room for pairs, at most half full.
  init(count: Int) {
    var bits: UInt64 = 4
    while 1 << bits < 2 * count { bits += 1 }
    shift = 64 - bits
    keys = Array(repeating: Self.empty, count: 1 << bits)
    values = Array(repeating: Merged(rank: 0, id: 0), count: 1 << bits)
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// Where a pair stands, or the empty place where it would.
  private static func slot(of key: UInt64, in keys: UnsafeBufferPointer<UInt64>, _ shift: UInt64) -> Int {
    var at = Int((key &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while keys[at] != empty, keys[at] != key { at = (at + 1) & (keys.count - 1) }
    return at
  }

  /// Sets what becomes of a pair.
  mutating func set(_ left: Int32, _ right: Int32, _ merged: Merged) {
    let (key, shift) = (Self.key(left, right), shift)
    let slot = keys.withUnsafeBufferPointer { Self.slot(of: key, in: $0, shift) }
    (keys[slot], values[slot]) = (key, merged)
  }

  /// What becomes of a pair; nil where it is not merged.
  subscript(_ left: Int32, _ right: Int32) -> Merged? {
    let key = Self.key(left, right)
    let slot = keys.withUnsafeBufferPointer { Self.slot(of: key, in: $0, shift) }
    return keys[slot] == key ? values[slot] : nil
  }
}
