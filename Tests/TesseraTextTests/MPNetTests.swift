// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// MPNet against Hugging Face's MPNetModel in float64 and its MPNetTokenizer (tools/golden/mpnet.py).
@Suite struct MPNetTests {
  private struct Item: Decodable {
    let text: String, ids: [Int32]
  }

  private struct Wanted: Decodable {
    let buckets: [Int], texts: [Item], sha256: String
  }

  private let golden = Golden(.module)

  /// The script's texts: nothing, near distances alone, all buckets, more than the longest text; padding
  /// within a text.
  private static let texts =
    [0, 5, 21, 150, 600].map { count in
      let words = TinyEncoder.words
      return (0..<count).map { words[($0 * 7 + $0 / 5) % words.count] }.joined(separator: " ")
    } + ["a <pad> film <pad> <pad> the plot <mask> ."]

  private func embed(
    _ texts: [String], on device: any Backend, pooling: SentencePooling = .cls, batch: Int = 64
  ) throws -> [Float] {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder, .mpnet)
      let encoder = try TransformerEncoder(folder: folder, device: device)
      return try Embedder(encoder, states: 0...2, pooling: pooling, batch: batch).embed(texts)
    }
  }

  @Test func everyDistanceHasTheReferencesBucket() throws {
    let wanted = try golden.json("mpnet.json", as: Wanted.self).buckets
    #expect((-600...600).map(DistanceBuckets.bucket) == wanted)
  }

  @Test func theTableHoldsEveryDistance() {
    let weights = (0..<64).map { Float($0) }
    let table = DistanceBuckets.table(weights, heads: 2, span: 3)
    #expect(table == [4, 2, 0, 34, 36, 5, 3, 1, 35, 37])
  }

  @Test(arguments: [SentencePooling.cls, .mean]) func everyHiddenStateIsWithin1e5(_ pooling: SentencePooling)
    throws
  {
    let found = try embed(Self.texts, on: try CPUBackend(), pooling: pooling)
    let wanted = try golden.tensors("mpnet.safetensors").floats(
      pooling.rawValue, shape: [Self.texts.count, 3, 32])
    #expect(largestDifference(found, wanted).value < 1e-5)
  }

  @Test func aTextHasTheSameBitsInAnyBatchOnAnyNumberOfThreads() throws {
    let bits = try Set(
      [(1, 1), (2, 64), (3, 2)].map { threads, batch in
        try embed(Self.texts, on: try CPUBackend(threads: threads), batch: batch).map(\.bitPattern)
      })
    #expect(bits.count == 1)
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func openCLGivesTheBitsOfTheCPU() throws {
    let devices: [any Backend] = [try CPUBackend(), try OpenCLBackend(try TestDevices.first())]
    let rows = try devices.map { try embed(Self.texts, on: $0).map(\.bitPattern) }
    #expect(rows[0] == rows[1])
  }

  @Test func itsSpecialTokensAreFoundInTexts() throws {
    let tokens = ["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "[CLS]", "<mask>", "a", "s", "<", ">", "[", "]"]
    let tokenizer = try SubwordTokenizer(tokens: tokens, family: .mpnet)
    #expect(tokenizer.encode("") == [0, 2])
    #expect(tokenizer.encode("a b") == [0, 7, 4, 2])
    #expect(tokenizer.encode("<s>a</s><mask> <pad>[UNK]") == [0, 0, 7, 2, 6, 1, 4, 2])
    #expect(tokenizer.encode("<S> <<s> [a]") == [0, 9, 8, 10, 9, 0, 11, 7, 12, 2])
    #expect(tokenizer.encode("a a a", limit: 3) == [0, 7, 2])
    #expect(throws: TesseraError.self) { try SubwordTokenizer(tokens: ["[UNK]", "a"], family: .mpnet) }
  }

  @Test(.tags(.assets), .enabled(if: Assets.hasMPNet)) func hostileTextsHaveTheReferencesIDs() throws {
    let tokenizer = try SubwordTokenizer(vocabularyFile: Assets.mpnet + "/vocab.txt", family: .mpnet)
    let wanted = try golden.json("mpnet.json", as: Wanted.self)
    for item in wanted.texts {
      #expect(tokenizer.encode(item.text) == item.ids, "\(item.text.debugDescription)")
    }
    var digest = Fingerprint()
    for item in try golden.json("tokenizer.json", as: [Item].self) {
      tokenizer.encode(item.text).withUnsafeBytes { digest.add($0) }
    }
    #expect(digest.digits() == wanted.sha256)
  }
}
