// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// Every setting over ten thousand reviews, over hostile texts and over every character, against Hugging
/// Face's `AutoTokenizer` (tools/golden/folders.py).
@Suite(.tags(.assets)) struct TokenizerSettingsTests {
  private struct Wanted: Decodable {
    let nasty: [String], characters: [String: String], digests: [Setting]
  }

  private struct Setting: Decodable {
    let vocabulary: String, setting: String, config: String, reviews: Digest, nasty: Digest
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
    {"model_type": "bert", "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16,
    "vocab_size": 40000, "max_position_embeddings": 512}
    """

  private func tokenizer(_ setting: Setting) throws -> SubwordTokenizer {
    let path = setting.vocabulary == "cased" ? golden.path("cased.txt") : Assets.encoder + "/vocab.txt"
    return try FolderTests.tokenizer([
      "config.json": Self.config, "tokenizer_config.json": setting.config,
      "vocab.txt": try String(contentsOfFile: path, encoding: .utf8),
    ])
  }

  private func settings(_ all: Wanted) -> [Setting] {
    all.digests.filter { $0.vocabulary == "cased" || Assets.hasEncoder }
  }

  @Test func hostileTextsHaveTheReferencesIDs() throws {
    let wanted = try golden.json("settings.json", as: Wanted.self)
    #expect(settings(wanted).count >= 7)
    for setting in settings(wanted) {
      let tokenizer = try tokenizer(setting)
      #expect(
        Digest(wanted.nasty.map { tokenizer.encode($0) }) == setting.nasty,
        "\(setting.vocabulary) vocabulary, \(setting.setting)")
    }
  }

  @Test(.enabled(if: Assets.hasReviews)) func tenThousandReviewsHaveTheReferencesIDs() throws {
    let wanted = try golden.json("settings.json", as: Wanted.self)
    let reviews = try TestTable.tenThousandReviews()
    for setting in settings(wanted) {
      let tokenizer = try tokenizer(setting)
      #expect(
        Digest(reviews.map { tokenizer.encode($0) }) == setting.reviews,
        "\(setting.vocabulary) vocabulary, \(setting.setting)")
    }
  }

  @Test(
    .tags(.slow),
    arguments: [
      ("default", BertNormalization()), ("cased", BertNormalization(lowercases: false)),
      ("accents", BertNormalization(stripsAccents: false)),
      ("strip", BertNormalization(stripsAccents: true, lowercases: false)),
      ("ideographs", BertNormalization(separatesIdeographs: false)),
      ("nothing", BertNormalization(separatesIdeographs: false, stripsAccents: false, lowercases: false)),
    ]) func everyCharacterIsNormalizedAndSplitAsTheReferenceDoes(_ name: String, _ rules: BertNormalization)
    throws
  {
    let wanted = try golden.json("settings.json", as: Wanted.self)
    let found = WordPieceTests.digestsOfCharacters(BertNormalizer(rules)).joined()
    var print = Fingerprint()
    Array(found.utf8).withUnsafeBytes { print.add($0) }
    #expect(print.digits() == wanted.characters[name])
  }
}
