// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// Token ids are those of Hugging Face's `BertTokenizer` (tools/golden/tokenizer.py).
@Suite struct WordPieceTests {
  private struct Item: Decodable {
    let text: String, ids: [Int32]
  }

  private struct Digest: Decodable {
    let texts: Int, tokens: Int, sha256: String
  }

  private let golden = Golden(.module)

  @Test(.tags(.assets), .enabled(if: Assets.hasEncoder)) func hostileTextsHaveTheReferencesIDs() throws {
    let tokenizer = try SubwordTokenizer(vocabularyFile: Assets.encoder + "/vocab.txt")
    let items = try golden.json("tokenizer.json", as: [Item].self)
    #expect(items.count > 80)
    for item in items { #expect(tokenizer.encode(item.text) == item.ids, "\(item.text.debugDescription)") }
  }

  @Test func everyCodePointIsNormalizedAndSplitAsTheReferenceDoes() throws {
    let wanted = try golden.json("characters.json", as: [String].self)
    let found = Self.digestsOfCharacters(BertNormalizer(BertNormalization()))
    #expect(wanted.count == 0x110)
    for (block, digits) in wanted.enumerated() where digits != found[block] {
      Issue.record("code points from \(String(block << 12, radix: 16))")
    }
  }

  /// What becomes of each character between two letters, a digest for each 4,096 (tools/golden/tokenizer.py).
  static func digestsOfCharacters(_ normalizer: BertNormalizer) -> [String] {
    func hex(_ value: UInt32) -> String { String(value, radix: 16, uppercase: true) }
    return (0..<UInt32(0x110)).map { block in
      var print = Fingerprint()
      for value in block << 12..<(block + 1) << 12 {
        guard let scalar = Unicode.Scalar(value) else { continue }
        var words: [[String]] = [[]]
        for part in ["a"] + normalizer.normalized(scalar) + ["b"] {
          if part == " " {
            words.append([])
          } else if CharacterClass.isPunctuation(part) {
            words += [[hex(part.value)], []]
          } else {
            words[words.count - 1].append(hex(part.value))
          }
        }
        let text = words.filter { !$0.isEmpty }.map { $0.joined(separator: ".") }.joined(separator: "|")
        Array("\(hex(value)) \(text)\n".utf8).withUnsafeBytes { print.add($0) }
      }
      return print.digits()
    }
  }

  @Test(.tags(.assets), .enabled(if: Assets.hasEncoder && Assets.hasReviews))
  func twoThousandReviewsHaveTheReferencesIDs()
    throws
  {
    try check("reviews", csv: Assets.reviews, column: "review")
  }

  @Test(.tags(.assets), .enabled(if: Assets.hasEncoder && Assets.hasSnippets))
  func allSnippetsHaveTheReferencesIDs() throws {
    try check("snippets", csv: Assets.snippets, column: "text")
  }

  private func check(_ name: String, csv: String, column: String) throws {
    let tokenizer = try SubwordTokenizer(vocabularyFile: Assets.encoder + "/vocab.txt")
    let wanted = try #require(try golden.json("digests.json", as: [String: Digest].self)[name])
    let ids = try TestTable.column(column, of: csv).map { tokenizer.encode($0) }
    #expect(ids.count == wanted.texts)
    #expect(ids.reduce(0) { $0 + $1.count } == wanted.tokens)
    var digest = Fingerprint()
    for text in ids { text.withUnsafeBytes { digest.add($0) } }
    #expect(digest.digits() == wanted.sha256)
  }

  private let small = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "##b", "ab", "!", "c"]

  @Test func theLongestMatchWinsAndACoverlessWordIsUnknown() throws {
    let tokenizer = try SubwordTokenizer(tokens: small)
    #expect(tokenizer.encode("ab") == [2, 7, 3])
    #expect(tokenizer.encode("abb!") == [2, 7, 6, 8, 3])
    #expect(tokenizer.encode("abd c") == [2, 1, 9, 3])
    #expect(tokenizer.encode("[MASK]") == [2, 4, 3])
    #expect(tokenizer.encode("") == [2, 3])
  }

  @Test func tokensAreComparedByBytesAndTheLastOfEqualOnesCounts() throws {
    // Hangul decomposes: U+AC00 in the vocabulary is canonically equal to the text's jamo, but other bytes.
    let tokenizer = try SubwordTokenizer(tokens: small + ["\u{AC00}", "d", "d"])
    #expect(tokenizer.encode("\u{AC00} d") == [2, 1, 12, 3])
    #expect(
      try SubwordTokenizer(tokens: small + ["\u{1100}", "##\u{1161}"]).encode("\u{AC00}") == [2, 10, 11, 3])
  }

  @Test func aWordOfMoreThanAHundredCharactersIsUnknown() throws {
    let tokenizer = try SubwordTokenizer(tokens: small + ["\u{431}", "##\u{431}"])
    let word = String(repeating: "\u{431}", count: 100)
    #expect(tokenizer.encode(word) == [2, 10] + Array(repeating: 11, count: 99) + [3])
    #expect(tokenizer.encode(word + "\u{431}!") == [2, 1, 8, 3])
  }

  @Test func truncationKeepsTheSeparator() throws {
    let tokenizer = try SubwordTokenizer(tokens: small)
    for limit in 2...9 {
      let ids = tokenizer.encode("a c a c a", limit: limit)
      #expect(ids.count == min(limit, 7) && ids.first == 2 && ids.last == 3)
    }
  }

  @Test func aVocabularyMayHaveCarriageReturns() throws {
    let file = NSTemporaryDirectory() + "vocab-\(UUID().uuidString).txt"
    defer { try? FileManager.default.removeItem(atPath: file) }
    for end in ["\n", "\r\n"] {
      try Data((small.joined(separator: end) + end).utf8).write(to: URL(fileURLWithPath: file))
      let tokenizer = try SubwordTokenizer(vocabularyFile: file)
      #expect(tokenizer.count == small.count && tokenizer.encode("abb c") == [2, 7, 6, 9, 3])
    }
  }

  @Test func aVocabularyWithoutSpecialTokensIsRefused() throws {
    #expect(throws: TesseraError.self) { try SubwordTokenizer(tokens: ["a", "b"]) }
    #expect(throws: TesseraError.self) { try SubwordTokenizer(vocabularyFile: "/nowhere/vocab.txt") }
  }
}
