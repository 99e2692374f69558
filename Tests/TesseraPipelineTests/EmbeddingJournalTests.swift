// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraData
import TesseraText
import Testing

@testable import TesseraPipeline

/// An embedding that was stopped goes on with the rows that it has, to the same bits.
@Suite struct EmbeddingJournalTests {
  private struct Stopped: Error {}

  /// A tiny encoder, 24 texts, and a journal's place, for as long as `body` runs.
  private func using(_ body: (DataSet, Embedder, String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(24).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      let encoder = try TransformerEncoder(folder: folder + "/encoder", device: try CPUBackend())
      try body(
        try DataSet.read(folder + "/reviews.csv"),
        try Embedder(encoder, states: 0...2, pooling: .both, batch: 5), folder + "/rows.partial")
    }
  }

  private func bits(_ embeddings: Embeddings) -> [UInt32] { embeddings.features.array.map(\.bitPattern) }

  /// Embeds until so many rows are there.
  private func stop(_ data: DataSet, _ embedder: Embedder, _ path: String, after rows: Int) throws {
    #expect(throws: Stopped.self) {
      try Embeddings.make(
        data, by: embedder, journal: EmbeddingJournal(path, key: ["a"]),
        progress: { if $0 >= rows { throw Stopped() } })
    }
  }

  @Test func itGoesOnFromEveryBatch() throws {
    try using { data, embedder, path in
      let wanted = bits(try Embeddings.make(data, by: embedder))
      for rows in [5, 10, 20, 24] {
        try? FileManager.default.removeItem(atPath: path)
        try stop(data, embedder, path, after: rows)
        var counts: [Int] = []
        let found = try Embeddings.make(
          data, by: embedder, journal: EmbeddingJournal(path, key: ["a"]), progress: { counts.append($0) })
        #expect(bits(found) == wanted)
        #expect(counts == [5, 10, 15, 20, 24].filter { $0 > rows })
      }
    }
  }

  @Test func rowsOfAnotherKeyAreThrownAway() throws {
    try using { data, embedder, path in
      try stop(data, embedder, path, after: 20)
      var counts: [Int] = []
      _ = try Embeddings.make(
        data, by: embedder, journal: EmbeddingJournal(path, key: ["b"]), progress: { counts.append($0) })
      #expect(counts == [5, 10, 15, 20, 24])
    }
  }

  /// A file that ends anywhere, or with a changed byte anywhere in its second block, loses what is behind
  /// the damage and nothing else.
  @Test func whatIsTornOrDamagedIsEmbeddedAgain() throws {
    try using { data, embedder, path in
      let wanted = bits(try Embeddings.make(data, by: embedder))
      try stop(data, embedder, path, after: 15)
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      let block = (whole.count - 40) / 3
      #expect(block == 4 + 5 * 4 + 5 * embedder.features * 4 + 32)
      func known(_ content: Data) throws -> Int {
        try content.write(to: URL(fileURLWithPath: path))
        var first: Int?
        let found = try Embeddings.make(
          data, by: embedder, journal: EmbeddingJournal(path, key: ["a"]), progress: { first = first ?? $0 })
        #expect(bits(found) == wanted)
        return try #require(first) - 5
      }
      for (length, rows) in [(0, 0), (39, 0), (40, 0), (41, 0), (40 + block - 1, 0), (40 + block, 5)] {
        #expect(try known(whole.prefix(length)) == rows, "\(length) bytes")
      }
      #expect(try known(whole + Data([1, 0, 0])) == 15)
      for place in [0, 8, 39] { #expect(try known(flipped(whole, place)) == 0, "byte \(place)") }
      for place in [0, 3, 4, 23, 24, block - 33, block - 32, block - 1] {
        #expect(try known(flipped(whole, 40 + block + place)) == 5, "byte \(place) of the second block")
      }
    }
  }

  private func flipped(_ data: Data, _ place: Int) -> Data {
    var data = data
    data[place] ^= 0x40
    return data
  }
}
