// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// The tokens of a vocabulary as a trie over their UTF-8 bytes: the longest token that a word begins with
/// is found in one pass over the word, however long the tokens are.
///
/// All edges stand in one hash table with open addressing, (node, byte) -> node; two roots part the tokens
/// that begin a word from those that go on with it (`##`). Tokens are compared by bytes, as Hugging Face
/// does, not by Swift's canonical equivalence.
struct VocabularyTrie: Sendable {
  /// Where words begin, and where the rest of a word does.
  static let words: UInt32 = 0, continuations: UInt32 = 1

  /// Edges: node in the upper 24 bits, byte in the next 8, target in the lower 32; `empty` where there is
  /// none.
  private var edges: [UInt64]
  private var shift: UInt32
  /// Distinct tokens.
  private(set) var count = 0
  /// The token that ends at a node, or -1.
  private var tokens: [Int32] = [-1, -1]
  private static let empty = UInt64.max
  private static let mostNodes = 1 << 24

  /// A trie of tokens; of equal tokens the last counts.
  ///
  /// - Parameter continuation: what tokens begin with that go on with a word; nil where there are none
  ///   such.
  /// - Throws: `TesseraError` for more than 2^24 nodes (16 MB of distinct beginnings).
  init(_ vocabulary: [(bytes: [UInt8], id: Int32)], continuation: [UInt8]?, place: String) throws {
    let bytes = vocabulary.reduce(2) { $0 + $1.bytes.count }
    guard bytes < Self.mostNodes else {
      throw TesseraError.input(place, found: "\(bytes) bytes of tokens", wanted: "below \(Self.mostNodes)")
    }
    // At most half full.
    shift = 31
    while 1 << (32 - shift) < 2 * bytes { shift -= 1 }
    edges = Array(repeating: Self.empty, count: 1 << (32 - shift))
    for (token, id) in vocabulary {
      add(token[...], from: Self.words, id: id)
      if let continuation, token.starts(with: continuation) {
        add(token.dropFirst(continuation.count), from: Self.continuations, id: id)
      }
    }
  }

  private mutating func add(_ token: ArraySlice<UInt8>, from root: UInt32, id: Int32) {
    var node = root
    for byte in token {
      let key = node << 8 | UInt32(byte)
      let slot = edges.withUnsafeBufferPointer { Self.slot(of: key, in: $0, shift) }
      if edges[slot] == Self.empty {
        edges[slot] = UInt64(key) << 32 | UInt64(tokens.count)
        tokens.append(-1)
      }
      node = UInt32(truncatingIfNeeded: edges[slot])
    }
    if root == Self.words, tokens[Int(node)] < 0 { count += 1 }
    tokens[Int(node)] = id
  }

  /// Where an edge stands, or the empty place where it would.
  private static func slot(of key: UInt32, in edges: UnsafeBufferPointer<UInt64>, _ shift: UInt32) -> Int {
    var at = Int((key &* 0x9E37_79B1) >> shift)
    while edges[at] != empty, UInt32(truncatingIfNeeded: edges[at] >> 32) != key {
      at = (at + 1) & (edges.count - 1)
    }
    return at
  }

  /// The longest token that `word` begins with from `begin` on, and where it ends; nil if there is none.
  func longest(_ word: UnsafeBufferPointer<UInt8>, from begin: Int, root: UInt32) -> (id: Int32, end: Int)? {
    edges.withUnsafeBufferPointer { edges in
      tokens.withUnsafeBufferPointer { tokens in
        var node = root
        var found: (id: Int32, end: Int)?
        for at in begin..<word.count {
          let edge = edges[Self.slot(of: node << 8 | UInt32(word[at]), in: edges, shift)]
          guard edge != Self.empty else { break }
          node = UInt32(truncatingIfNeeded: edge)
          if tokens[Int(node)] >= 0 { found = (tokens[Int(node)], at + 1) }
        }
        return found
      }
    }
  }

  /// The token that is exactly this text.
  func exactly(_ text: UnsafeBufferPointer<UInt8>) -> Int32? {
    guard let (id, end) = longest(text, from: 0, root: Self.words), end == text.count else { return nil }
    return id
  }
}
