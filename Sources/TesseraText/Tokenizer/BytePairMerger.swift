// SPDX-License-Identifier: Apache-2.0

/// Merges the bytes of a piece into tokens: a linked list of tokens and a heap of the pairs that may be
/// merged, so n bytes take n log n steps. Its memory is used again for the next piece.
struct BytePairMerger {
  /// A token of the piece: its neighbours by their places, and the merge with the next one.
  private struct Token {
    var id: Int32
    var previous: Int32, next: Int32
    var merge: MergeTable.Merged?
  }

  private let model: BytePairModel
  private var tokens: [Token] = []
  /// A binary heap, the least on top: rank in the upper half, the left token's place in the lower.
  private var heap: [UInt64] = []

  init(_ model: BytePairModel) { self.model = model }

  /// Appends the ids of a piece of fewer than 2^31 bytes.
  mutating func append(_ piece: UnsafeBufferPointer<UInt8>, to ids: inout [Int32]) {
    if piece.count == 1 { return ids.append(model.bytes[Int(piece[0])]) }
    tokens.removeAll(keepingCapacity: true)
    heap.removeAll(keepingCapacity: true)
    for (at, byte) in piece.enumerated() {
      let next = at + 1 < piece.count ? Int32(truncatingIfNeeded: at + 1) : -1
      tokens.append(
        Token(id: model.bytes[Int(byte)], previous: Int32(truncatingIfNeeded: at) - 1, next: next))
    }
    for at in tokens.indices.dropLast() { lookUp(Int32(truncatingIfNeeded: at)) }
    while let entry = pop() { merge(entry) }
    var at: Int32 = 0
    while at >= 0 {
      ids.append(tokens[Int(at)].id)
      at = tokens[Int(at)].next
    }
  }

  /// Merges a token with the next one, if that is still what the entry says.
  private mutating func merge(_ entry: UInt64) {
    let at = Int32(truncatingIfNeeded: entry & 0xffff_ffff)
    let left = tokens[Int(at)]
    guard let merged = left.merge, UInt64(merged.rank) == entry >> 32 else { return }
    let right = tokens[Int(left.next)]
    tokens[Int(left.next)].merge = nil
    tokens[Int(at)] = Token(id: merged.id, previous: left.previous, next: right.next)
    if right.next >= 0 { tokens[Int(right.next)].previous = at }
    lookUp(at)
    if left.previous >= 0 { lookUp(left.previous) }
  }

  /// Finds what becomes of a token and the next one.
  private mutating func lookUp(_ at: Int32) {
    let token = tokens[Int(at)]
    let merge = token.next >= 0 ? model.pairs[token.id, tokens[Int(token.next)].id] : nil
    tokens[Int(at)].merge = merge
    if let merge { push(UInt64(merge.rank) << 32 | UInt64(UInt32(bitPattern: at))) }
  }

  private mutating func push(_ entry: UInt64) {
    var at = heap.count
    heap.append(entry)
    while at > 0, heap[(at - 1) / 2] > entry {
      heap[at] = heap[(at - 1) / 2]
      at = (at - 1) / 2
    }
    heap[at] = entry
  }

  private mutating func pop() -> UInt64? {
    guard let top = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return top }
    var at = 0
    while 2 * at + 1 < heap.count {
      var child = 2 * at + 1
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      guard heap[child] < last else { break }
      heap[at] = heap[child]
      at = child
    }
    heap[at] = last
    return top
  }
}
