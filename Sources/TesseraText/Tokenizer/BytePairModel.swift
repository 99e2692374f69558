// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A byte-level BPE vocabulary (Sennrich et al. 2016, over bytes as GPT-2 and RoBERTa have it).
///
/// A piece begins as its bytes, and the pair of neighbours with the lowest rank is merged, of equal ranks the
/// leftmost, until no pair has one.
struct BytePairModel: Sendable {
  /// Two tokens that are merged into the one of their texts.
  struct Merge: Sendable, Equatable {
    let left: [UInt8], right: [UInt8]
  }

  /// How pieces are found and merged.
  struct Settings: Sendable {
    /// The merges in the order of their ranks; of equal ones the last counts.
    var merges: [Merge] = []
    /// Whether a text that does not begin with a blank gets one.
    var addsPrefixSpace = false
  }

  /// Distinct tokens, and the highest id.
  let count: Int, highest: Int32
  /// Whether a text that does not begin with a blank gets one.
  let addsPrefixSpace: Bool
  /// The tokens of the 256 bytes.
  let bytes: [Int32]
  /// What becomes of two tokens.
  let pairs: MergeTable
  private let trie: VocabularyTrie

  /// A model over tokens, in which each byte is written as the letter of `letter(of:)`.
  ///
  /// - Throws: `TesseraError` naming the byte or the merge that has no token.
  init(_ tokens: [(bytes: [UInt8], id: Int32)], _ settings: Settings, place: String) throws {
    let trie = try VocabularyTrie(tokens, continuation: nil, place: place)
    func id(_ token: [UInt8]) -> Int32? { token.withUnsafeBufferPointer(trie.exactly) }
    bytes = try (0...UInt8.max).map { byte in
      let letter = String(Self.letter(of: byte))
      guard let id = id(Array(letter.utf8)) else {
        throw TesseraError.input(
          place, found: "no token \(letter) for the byte \(byte)",
          wanted: "one for each of the 256 bytes, as byte-level BPE has it")
      }
      return id
    }
    var pairs = MergeTable(count: settings.merges.count)
    for (rank, merge) in settings.merges.enumerated() {
      let whole = merge.left + merge.right
      guard let left = id(merge.left), let right = id(merge.right), let merged = id(whole) else {
        let missing = [merge.left, merge.right, whole].first { id($0) == nil } ?? whole
        throw TesseraError.input(
          place,
          found: "the merge \(rank + 1), \(Self.text(merge.left)) \(Self.text(merge.right)), and no token"
            + " \(Self.text(missing))", wanted: "the tokens of all merges")
      }
      pairs.set(left, right, MergeTable.Merged(rank: UInt32(rank), id: merged))
    }
    (self.pairs, self.trie, addsPrefixSpace) = (pairs, trie, settings.addsPrefixSpace)
    count = trie.count
    highest = tokens.reduce(0) { max($0, $1.id) }
  }

  /// The id of a token.
  func id(of token: String) -> Int32? { Array(token.utf8).withUnsafeBufferPointer(trie.exactly) }

  /// The letter that stands for a byte in a vocabulary: the byte's own where it is one that shows, else one
  /// from U+0100 on (GPT-2's `bytes_to_unicode`).
  static func letter(of byte: UInt8) -> Unicode.Scalar { letters[Int(byte)] }

  private static let letters: [Unicode.Scalar] = {
    var hidden: UInt32 = 0x100
    return (0...UInt8.max).map { byte -> Unicode.Scalar in
      switch byte {
      case 0x21...0x7e, 0xa1...0xac, 0xae...0xff: return Unicode.Scalar(byte)
      default:
        defer { hidden += 1 }
        return Unicode.Scalar(hidden) ?? "\u{fffd}"
      }
    }
  }()

  private static func text(_ token: [UInt8]) -> String { String(decoding: token, as: UTF8.self) }
}
