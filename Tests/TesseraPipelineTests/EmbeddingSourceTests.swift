// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraText
import TesseraVision
import Testing

@testable import TesseraPipeline

/// A run that takes another's embeddings has the bits of one that embeds, or says why it cannot.
@Suite struct EmbeddingSourceTests {
  /// Makes a run of the tiny encoder; returns its stages' fingerprints.
  @discardableResult
  private func make(
    _ folder: String, _ out: String, from source: String? = nil, embedding wanted: [String]? = nil,
    _ change: (inout RunConfiguration) -> Void
  ) throws -> [String: String] {
    var c = RunConfiguration(data: folder + "/reviews.csv", encoder: folder + "/encoder")
    c.test = folder + "/test.csv"
    (c.layout.pixels, c.layout.perplexity, c.layout.iterations) = (14, 5, 10)
    (c.model.architecture, c.model.network.head, c.model.network.bypass) = (.alexnet, .linear, true)
    (c.model.training.epochs, c.model.training.batch) = (1, 8)
    change(&c)
    var work = EmbeddingWork()
    work.run = source.map { folder + "/" + $0 }
    // What begins is told: a run that takes its embeddings embeds nothing.
    let begun = Locked<[String]>([])
    let summary = try Pipeline(
      c, devices: DeviceGroup(try CPUBackend(threads: 2)), out: folder + "/" + out, embedding: work,
      progress: ProgressLine(quiet: true) { stage in begun.withLock { $0.append(stage) } }
    ).run()
    if let wanted { #expect(begun.withLock { $0 }.filter { $0.hasPrefix("embedding") } == wanted) }
    return Dictionary(uniqueKeysWithValues: summary.fingerprints.map { ($0.stage, $0.digits) })
  }

  private func using(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      for (name, rows, seed) in [("reviews", 32, 1), ("test", 12, 3), ("other", 12, 4)] {
        try Data(TinyEncoder.reviews(rows, seed: UInt64(seed)).utf8).write(
          to: URL(fileURLWithPath: "\(folder)/\(name).csv"))
      }
      try make(folder, "all") {
        ($0.embedding.firstState, $0.embedding.lastState, $0.embedding.pooling) = (0, 2, .both)
      }
      try body(folder)
    }
  }

  @Test func everyPartHasTheBitsOfAnEmbedding() throws {
    try using { folder in
      for (number, (first, last, pooling)) in [
        (0, 2, SentencePooling.both), (0, 2, .mean), (1, 2, .cls), (2, 2, .both), (1, 1, .mean),
      ].enumerated() {
        func change(_ c: inout RunConfiguration) {
          (c.embedding.firstState, c.embedding.lastState, c.embedding.pooling) = (first, last, pooling)
        }
        let wanted = try make(folder, "embedded-\(number)", change)
        #expect(try make(folder, "taken-\(number)", from: "all", embedding: [], change) == wanted)
        let whole = try ProofRun.verify(folder + "/taken-\(number)")
        #expect(whole.isEqual, "\(String(describing: whole.difference))")
      }
    }
  }

  @Test func otherReviewsToTestOnAreEmbedded() throws {
    try using { folder in
      func change(_ c: inout RunConfiguration) { c.test = folder + "/other.csv" }
      let wanted = try make(
        folder, "embedded", embedding: ["embedding 32 reviews", "embedding 12 reviews"], change)
      #expect(try make(folder, "taken", from: "all", embedding: ["embedding 12 reviews"], change) == wanted)
    }
  }

  @Test func whatItLacksIsRefused() throws {
    try using { folder in
      try make(folder, "some") {
        ($0.embedding.firstState, $0.embedding.lastState, $0.embedding.pooling) = (1, 2, .cls)
      }
      func refused(_ source: String, _ words: String, _ change: (inout RunConfiguration) -> Void = { _ in }) {
        let error = #expect(throws: TesseraError.self) { try make(folder, "none", from: source, change) }
        #expect(!FileManager.default.fileExists(atPath: folder + "/none"), "\(words)")
        #expect(error.map { "\($0)" }?.contains(words) == true, "\(words): \(String(describing: error))")
      }
      refused("some", "wanted hidden states 1...2, mean vectors") { $0.embedding.pooling = .mean }
      refused("some", "wanted hidden states 0...2, cls vectors") { $0.embedding.firstState = 0 }
      refused("nowhere", "no record of embeddings")
      refused("some", "embeddings of other reviews") { $0.data = folder + "/other.csv" }
      try TinyEncoder.write(to: folder + "/mpnet", .mpnet)
      refused("some", "embeddings by another encoder") { $0.encoder = folder + "/mpnet" }
      let file = folder + "/some/embeddings.safetensors"
      var data = try Data(contentsOf: URL(fileURLWithPath: file))
      data[data.count - 1] ^= 1
      try data.write(to: URL(fileURLWithPath: file))
      let error = #expect(throws: TesseraError.self) { try make(folder, "none", from: "some") { _ in } }
      #expect(error.map { "\($0)" }?.contains("another file than its record names") == true)
    }
  }
}
