// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Finds added tokens in a text: from the left, at each place the longest.
struct AddedTokenMatcher: Sendable {
  /// A place of a text that is a token's, white space included that belongs to it.
  struct Match {
    let range: Range<Int>
    let id: Int32
  }

  private let trie: VocabularyTrie
  private let tokens: [(id: Int32, token: AddedToken)]
  /// Whether a token begins with a byte.
  private let begins: [Bool]

  /// A matcher of tokens by what they look like in the text.
  ///
  /// - Throws: `TesseraError` for tokens that look alike or like nothing.
  init(_ tokens: [(id: Int32, token: AddedToken, pattern: [UInt8])], place: String) throws {
    var begins = [Bool](repeating: false, count: 256)
    var seen: [[UInt8]: AddedToken] = [:]
    for (_, token, pattern) in tokens {
      guard let first = pattern.first else {
        throw TesseraError.input(
          place, found: "the added token \(token.content), of which the normalizer leaves nothing",
          wanted: "normalized: false for it")
      }
      begins[Int(first)] = true
      if let other = seen.updateValue(token, forKey: pattern) {
        throw TesseraError.input(
          place,
          found: "the added tokens \(other.content) and \(token.content), which the normalizer makes one",
          wanted: "normalized: false for one of them")
      }
    }
    self.tokens = tokens.map { ($0.id, $0.token) }
    self.begins = begins
    trie = try VocabularyTrie(
      tokens.enumerated().map { (bytes: $1.pattern, id: Int32($0)) }, continuation: nil, place: place)
  }

  /// Whether there is nothing to find.
  var isEmpty: Bool { tokens.isEmpty }

  /// Where tokens are, in order. Places do not overlap unless white space belongs to two.
  ///
  /// - Parameter splitsSpecial: whether special tokens are text like any other.
  func matches(in text: UnsafeBufferPointer<UInt8>, splitsSpecial: Bool) -> [Match] {
    guard !isEmpty else { return [] }
    var found: [Match] = []
    var at = 0
    while let (index, range) = next(in: text, from: at) {
      at = range.upperBound
      let (id, token) = tokens[index]
      if splitsSpecial && token.special { continue }
      if token.singleWord,
        Self.isWord(before: range.lowerBound, text) || Self.isWord(after: range.upperBound, text)
      {
        continue
      }
      var (begin, end) = (range.lowerBound, range.upperBound)
      if token.stripsLeft {
        while begin > 0, let (scalar, length) = UTF8Text.scalar(before: begin, text),
          scalar.properties.isWhitespace
        {
          begin -= length
        }
        begin = max(begin, found.last?.range.upperBound ?? 0)
      }
      if token.stripsRight {
        while end < text.count {
          let (scalar, length) = UTF8Text.scalar(text, end)
          guard scalar.properties.isWhitespace else { break }
          end += length
        }
      }
      found.append(Match(range: min(begin, end)..<end, id: id))
    }
    return found
  }

  private func next(in text: UnsafeBufferPointer<UInt8>, from begin: Int) -> (index: Int, range: Range<Int>)?
  {
    begins.withUnsafeBufferPointer { begins in
      var at = begin
      while at < text.count {
        if begins[Int(text[at])],
          let (index, end) = trie.longest(text, from: at, root: VocabularyTrie.words)
        {
          return (Int(index), at..<end)
        }
        at += 1
      }
      return nil
    }
  }

  private static func isWord(before place: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    UTF8Text.scalar(before: place, text).map { CharacterClass.isWord($0.scalar) } ?? false
  }

  private static func isWord(after place: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    place < text.count && CharacterClass.isWord(UTF8Text.scalar(text, place).scalar)
  }
}

/// Scalars of valid UTF-8, as a `String` holds it.
enum UTF8Text {
  /// The scalar that begins at a place, and its bytes.
  static func scalar(_ text: UnsafeBufferPointer<UInt8>, _ at: Int) -> (scalar: Unicode.Scalar, length: Int) {
    let first = text[at]
    guard first >= 0x80 else { return (Unicode.Scalar(first), 1) }
    let length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    var value = UInt32(first) & (0xff >> UInt32(length + 1))
    for next in 1..<length { value = value << 6 | UInt32(text[at + next]) & 0x3f }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
  }

  /// The scalar that ends at a place, and its bytes; nil at the beginning.
  static func scalar(
    before place: Int, _ text: UnsafeBufferPointer<UInt8>
  ) -> (scalar: Unicode.Scalar, length: Int)? {
    guard place > 0 else { return nil }
    var at = place - 1
    while at > 0, text[at] & 0xc0 == 0x80 { at -= 1 }
    return scalar(text, at)
  }
}
