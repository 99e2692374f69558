// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A WordPiece vocabulary (Schuster and Nakajima 2012, as BERT has it): words are covered from the left by
/// the longest tokens.
struct WordPieceModel: Sendable {
  /// How words are covered.
  struct Settings: Sendable, Equatable {
    /// What stands for a word that cannot be covered.
    var unknown = "[UNK]"
    /// What tokens begin with that go on with a word.
    var continuation = "##"
    /// Characters of a word at most; a longer one is unknown.
    var longestWord = 100
  }

  /// Distinct tokens, and the highest id.
  let count: Int, highest: Int32
  private let trie: VocabularyTrie
  private let unknown: Int32
  private let longestWord: Int

  /// A model over tokens with their ids; of equal tokens the last counts.
  ///
  /// - Throws: `TesseraError` if the unknown token is missing.
  init(_ tokens: [(bytes: [UInt8], id: Int32)], _ settings: Settings, place: String) throws {
    trie = try VocabularyTrie(tokens, continuation: Array(settings.continuation.utf8), place: place)
    longestWord = settings.longestWord
    guard let unknown = Array(settings.unknown.utf8).withUnsafeBufferPointer(trie.exactly) else {
      throw TesseraError.input(place, found: "no \(settings.unknown)", wanted: "it among the tokens")
    }
    self.unknown = unknown
    count = trie.count
    highest = tokens.reduce(0) { max($0, $1.id) }
  }

  /// The id of a token.
  func id(of token: String) -> Int32? { Array(token.utf8).withUnsafeBufferPointer(trie.exactly) }

  /// Appends a word's ids; a word that cannot be covered is the unknown token.
  ///
  /// - Parameter scalars: how many characters the word has.
  func append(_ word: UnsafeBufferPointer<UInt8>, scalars: Int, to ids: inout [Int32]) {
    let first = ids.count
    guard scalars <= longestWord, cover(word, &ids) else {
      ids.removeLast(ids.count - first)
      return ids.append(unknown)
    }
  }

  private func cover(_ word: UnsafeBufferPointer<UInt8>, _ ids: inout [Int32]) -> Bool {
    var begin = 0
    while begin < word.count {
      let root = begin == 0 ? VocabularyTrie.words : VocabularyTrie.continuations
      guard let (id, end) = trie.longest(word, from: begin, root: root) else { return false }
      ids.append(id)
      begin = end
    }
    return true
  }
}
