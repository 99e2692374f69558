// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// Byte-level BPE against Hugging Face's tokenizers (tools/golden/byte_pairs.py).
@Suite struct BytePairTests {
  private struct Wanted: Decodable {
    let texts: [String], classes: [String], pieces: [[Int]], ids: [[Int32]]
    let folders: [Folder], digests: [Vocabulary]
  }

  private struct Folder: Decodable {
    let name: String, files: [String: String?], digest: Digest
  }

  private struct Vocabulary: Decodable {
    let vocabulary: String, prefix: Bool, texts: Digest, reviews: Digest
  }

  private struct Digest: Decodable, Equatable {
    let texts: Int, tokens: Int, sha256: String

    init(_ ids: [[Int32]]) {
      var print = Fingerprint()
      for text in ids { text.withUnsafeBytes { print.add($0) } }
      (texts, tokens, sha256) = (ids.count, ids.reduce(0) { $0 + $1.count }, print.digits())
    }
  }

  private let golden = Golden(.module)
  private static let config = """
    {"model_type": "roberta", "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2,
    "intermediate_size": 16, "vocab_size": 60000, "max_position_embeddings": 514}
    """

  private func trained() throws -> ByteLevelVocabulary {
    try ByteLevelVocabulary(mergesFile: golden.path("merges.txt"))
  }

  /// A tokenizer of a folder with these files beside a vocabulary's; null takes a file out.
  private func tokenizer(
    _ vocabulary: ByteLevelVocabulary, _ files: [String: String?] = [:]
  ) throws -> SubwordTokenizer {
    let common = [
      "config.json": Self.config, "vocab.json": vocabulary.vocabularyJSON,
      "merges.txt": vocabulary.mergesText,
    ]
    let all = common.filter { files[$0.key] == nil }.merging(files.compactMapValues { $0 }) { $1 }
    return try FolderTests.tokenizer(
      all.mapValues {
        $0.replacingOccurrences(of: "\"@VOCAB\"", with: vocabulary.vocabularyJSON)
          .replacingOccurrences(of: "\"@MERGES\"", with: vocabulary.mergesJSON)
      })
  }

  @Test func everyCodePointIsOfTheReferencesClass() throws {
    let wanted = try golden.json("byte_pairs.json", as: Wanted.self).classes
    #expect(wanted.count == 0x110)
    for (block, digits) in wanted.enumerated() {
      let first = UInt32(block) << 12
      let letters = (first..<first + 0x1000).map { value -> UInt8 in
        guard let scalar = Unicode.Scalar(value) else { return UInt8(ascii: "-") }
        switch ByteLevelClass.of(scalar) {
        case .letter: return UInt8(ascii: "L")
        case .number: return UInt8(ascii: "N")
        case .space: return UInt8(ascii: "S")
        case .other: return UInt8(ascii: "O")
        }
      }
      var print = Fingerprint()
      letters.withUnsafeBytes { print.add($0) }
      if !print.digits().hasPrefix(digits) {
        Issue.record("code points from \(String(first, radix: 16))")
      }
    }
  }

  @Test func piecesAreThoseOfTheRegularExpression() throws {
    let wanted = try golden.json("byte_pairs.json", as: Wanted.self)
    #expect(wanted.texts.count > 100)
    for (text, lengths) in zip(wanted.texts, wanted.pieces) {
      let found = Array(text.utf8).withUnsafeBufferPointer { bytes in
        var (at, found) = (0, [Int]())
        while at < bytes.count {
          let end = ByteLevelSplitter.endOfPiece(bytes, at)
          found.append(end - at)
          at = end
        }
        return found
      }
      #expect(found == lengths, "\(text.prefix(80).debugDescription)")
    }
  }

  @Test func hostileTextsHaveTheReferencesIDs() throws {
    let wanted = try golden.json("byte_pairs.json", as: Wanted.self)
    let tokenizer = try tokenizer(try trained())
    for (text, ids) in zip(wanted.texts, wanted.ids) {
      #expect(tokenizer.encode(text) == ids, "\(text.prefix(80).debugDescription)")
    }
  }

  @Test func everySettingHasTheReferencesIDs() throws {
    let wanted = try golden.json("byte_pairs.json", as: Wanted.self)
    let vocabulary = try trained()
    #expect(wanted.folders.count > 20)
    for folder in wanted.folders {
      do {
        let tokenizer = try tokenizer(vocabulary, folder.files)
        #expect(Digest(wanted.texts.map { tokenizer.encode($0) }) == folder.digest, "\(folder.name)")
      } catch {
        Issue.record("\(folder.name): \(error)")
      }
    }
  }

  /// A pair that is listed twice has its last place, as in tokenizers 0.23, whose answers these are.
  @Test func ofEqualMergesTheLastCounts() throws {
    let once = ByteLevelVocabulary(merges: [["a", "b"], ["b", "c"]])
    let twice = ByteLevelVocabulary(tokens: once.tokens, merges: once.merges + [["a", "b"]])
    for (vocabulary, wanted) in [(once, ["ab", "c"]), (twice, ["a", "bc"])] {
      let found = try tokenizer(vocabulary).encode("abc").dropFirst().dropLast()
      #expect(found.map { vocabulary.tokens[Int($0)] } == wanted)
    }
  }

  /// A line of merges.txt that begins with a hash is a merge of hashes, unless it tells the version.
  @Test func hashesAreMergedToo() throws {
    let vocabulary = ByteLevelVocabulary(merges: [["#", "#"], ["##", "#"]])
    let found = try tokenizer(vocabulary).encode("###").dropFirst().dropLast()
    #expect(found.map { vocabulary.tokens[Int($0)] } == ["###"])
  }

  /// GPT-2's vocabulary between RoBERTa's special tokens.
  private func gpt2() throws -> ByteLevelVocabulary {
    let data = try Data(contentsOf: URL(fileURLWithPath: Assets.gpt2Vocabulary + "/encoder.json"))
    // Tokens by their bytes: some are canonically equal to Swift.
    let fields = try JSONFields(try JSONReader.value(of: data, place: "encoder.json"), place: "encoder.json")
    let tokens = try TokenizerJSON.vocabulary(fields).map { String(decoding: $0.bytes, as: UTF8.self) }
    let merges = try ByteLevelVocabulary(mergesFile: Assets.gpt2Vocabulary + "/vocab.bpe").merges
    return ByteLevelVocabulary(
      tokens: ["<s>", "<pad>", "</s>", "<unk>"] + tokens + ["<mask>"], merges: merges)
  }

  @Test(.tags(.assets), .enabled(if: Assets.hasGPT2Vocabulary && Assets.hasReviews))
  func tenThousandReviewsHaveTheReferencesIDs() throws {
    let wanted = try golden.json("byte_pairs.json", as: Wanted.self)
    let reviews = try TestTable.tenThousandReviews()
    for item in wanted.digests {
      let vocabulary = try item.vocabulary == "gpt2" ? gpt2() : trained()
      let settings = ["tokenizer_config.json": "{\"add_prefix_space\": \(item.prefix)}"]
      let tokenizer = try tokenizer(vocabulary, settings)
      #expect(Digest(wanted.texts.map { tokenizer.encode($0) }) == item.texts, "\(item.vocabulary)")
      #expect(Digest(reviews.map { tokenizer.encode($0) }) == item.reviews, "\(item.vocabulary)")
    }
  }

  @Test func aByteHasTheLetterOfGPT2() {
    #expect((0...UInt8.max).map(BytePairModel.letter) == ByteLevelVocabulary.letters)
    #expect(BytePairModel.letter(of: 32) == "\u{120}" && BytePairModel.letter(of: 0xad) == "\u{143}")
  }

  /// A word of a megabyte takes n log n steps; n squared would take hours.
  @Test(.timeLimit(.minutes(1)), arguments: ["a", "the", "aeinorstlhd", "\u{4e2d}\u{6587}", "!"])
  func aLongWordTakesNoLongerThanItsLength(_ part: String) throws {
    let tokenizer = try tokenizer(try trained())
    let word = String(repeating: part, count: 1_000_000 / part.utf8.count)
    #expect(tokenizer.encode(word).count == 512)
    #expect(tokenizer.encode(word, limit: .max).count > 10_000)
  }

  /// Merging by the heap gives what the definition gives: the lowest rank, the leftmost first.
  @Test func mergingIsThatOfTheDefinition() throws {
    let vocabulary = try trained()
    let rank = Dictionary(
      uniqueKeysWithValues: vocabulary.merges.enumerated().map { ($1.joined(separator: " "), $0) })
    let ids = Dictionary(uniqueKeysWithValues: vocabulary.tokens.enumerated().map { ($1, Int32($0)) })
    let tokenizer = try tokenizer(vocabulary)
    for seed in 0..<200 {
      let letters = Array("aeinorstlhdmu")
      let word = drawn(UInt64(seed), 1 + seed, 0, 1).map { letters[Int($0 * Float(letters.count))] }
      var tokens = word.map { String($0) }
      while let best = zip(tokens, tokens.dropFirst()).enumerated().compactMap({ at, pair in
        rank["\(pair.0) \(pair.1)"].map { (rank: $0, at: at) }
      }).min(by: { ($0.rank, $0.at) < ($1.rank, $1.at) }) {
        tokens[best.at] += tokens.remove(at: best.at + 1)
      }
      let found = tokenizer.encode(String(word), limit: 2000)
      #expect(Array(found.dropFirst().dropLast()) == tokens.compactMap { ids[$0] }, "\(String(word))")
    }
  }
}
