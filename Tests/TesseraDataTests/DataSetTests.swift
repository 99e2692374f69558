// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraData

@Suite struct DataSetTests {
  @Test(.tags(.assets), .enabled(if: Assets.hasReviews)) func realReviewsReadAsAnIndependentReaderReadsThem()
    throws
  {
    let data = try DataSet.read(Assets.reviews)
    #expect(data.texts == (try TestTable.column("review", of: Assets.reviews)))
    #expect(data.classes == ["negative", "positive"] && data.labels.count { $0 == 1 } == 1000)
  }

  @Test func everyFormatGivesTheSameReviews() throws {
    try withTemporaryFolder { folder in
      func write(_ name: String, _ text: String) throws {
        let url = URL(fileURLWithPath: folder + "/" + name)
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
      }
      try write("a.csv", "sentiment,id,review\nneg,1,\"dull, long\"\npos,2,fine\n")
      try write("a.tsv", "review\tsentiment\ndull, long\tneg\nfine\tpos\n")
      try write(
        "a.jsonl", "{\"text\":\"dull, long\",\"label\":\"neg\"}\n\n{\"text\":\"fine\",\"label\":\"pos\"}\n")
      try write("imdb/train/neg/0_1.txt", "dull, long")
      try write("imdb/train/pos/0_9.txt", "fine")
      try write("imdb/train/unsup/0_0.txt", "whatever")
      try write("imdb/test/pos/0_9.txt", "other")
      let pack = Process()
      pack.executableURL = URL(fileURLWithPath: "/usr/bin/gzip")
      pack.arguments = ["-k", folder + "/a.csv"]
      try pack.run()
      pack.waitUntilExit()
      for name in ["a.csv", "a.tsv", "a.jsonl", "imdb", "imdb/train", "a.csv.gz"] {
        let data = try DataSet.read(folder + "/" + name)
        #expect(data.texts == ["dull, long", "fine"] && data.labels == [0, 1], "\(name)")
        #expect(data.classes == ["neg", "pos"])
      }
      let packed = try Data(contentsOf: URL(fileURLWithPath: folder + "/a.csv.gz"))
      try packed.prefix(packed.count - 12).write(to: URL(fileURLWithPath: folder + "/b.csv.gz"))
      #expect(throws: TesseraError.self) { try DataSet.read(folder + "/b.csv.gz") }
      #expect(throws: TesseraError.self) { try DataSet.read(folder + "/imdb/train/neg") }
    }
  }

  @Test func numbersServeAsLabelsAndTextsNeedNone() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.jsonl"
      try Data("{\"review\":\"x\",\"stars\":1}\n{\"review\":\"y\",\"stars\":5}\n".utf8).write(
        to: URL(fileURLWithPath: path))
      #expect(try DataSet.read(path, format: .init(label: "stars")).classes == ["1", "5"])
      #expect(throws: TesseraError.self) { try DataSet.read(path) }
      #expect(try DataSet.read(path, labelled: false).labels == [-1, -1])
      #expect(throws: TesseraError.self) {
        try DataSet.read(path, format: .init(label: "stars"), classes: ["1", "2"])
      }
    }
  }
}
