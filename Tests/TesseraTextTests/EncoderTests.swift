// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// Hidden states against PyTorch in float64 (tools/golden/encoder.py), and batch invariance.
@Suite struct EncoderTests {
  private let golden = Golden(.module)
  private static let usable = Assets.hasEncoder && Assets.hasReviews

  private func reviews(_ count: Int) throws -> [String] {
    Array(try TestTable.column("review", of: Assets.reviews).prefix(count))
  }

  @Test(.tags(.assets), .enabled(if: usable), arguments: SentencePooling.allCases)
  func everyLayerOfTwentyReviewsIsWithin2e5(_ pooling: SentencePooling) throws {
    let encoder = try TransformerEncoder(folder: Assets.encoder, device: try CPUBackend())
    let (layers, hidden) = (encoder.configuration.layers, encoder.configuration.hidden)
    let embedder = try Embedder(encoder, states: 0...layers, pooling: pooling)
    let found = try embedder.embed(try reviews(20))
    let vectors = pooling.vectors
    for (place, vector) in vectors.enumerated() {
      let wanted = try golden.tensors("encoder.safetensors").floats(
        vector.rawValue, shape: [20, layers + 1, hidden])
      for layer in 0...layers {
        /// The vectors of one layer, of `count` for each text.
        func part(_ all: [Float], _ count: Int, _ number: Int) -> [Float] {
          (0..<20).flatMap { text in
            let begin = (text * count + number) * hidden
            return all[begin..<begin + hidden]
          }
        }
        let difference = largestDifference(
          part(found, (layers + 1) * vectors.count, layer * vectors.count + place),
          part(wanted, layers + 1, layer))
        #expect(difference.value < 2e-5, "hidden state \(layer), \(vector)")
      }
    }
  }

  @Test(.tags(.assets), .enabled(if: usable)) func aReviewHasTheSameBitsInAnyBatchOnAnyNumberOfThreads()
    throws
  {
    let texts = try reviews(9) + ["", "one word", String(repeating: "long ", count: 700)]
    var bits: Set<[UInt32]> = []
    for (threads, batch) in [(1, 1), (1, 64), (2, 5), (3, 2)] {
      let encoder = try TransformerEncoder(folder: Assets.encoder, device: try CPUBackend(threads: threads))
      let rows = try Embedder(encoder, states: 5...6, pooling: .mean, batch: batch).embed(texts)
      bits.insert(rows.map(\.bitPattern))
    }
    #expect(bits.count == 1)
  }

  @Test(.tags(.opencl, .assets), .enabled(if: usable && TestDevices.hasOpenCL))
  func openCLGivesTheBitsOfTheCPU() throws {
    let texts = Array(try reviews(20).sorted { $0.utf8.count < $1.utf8.count }.prefix(3)) + [""]
    let devices: [any Backend] = [try CPUBackend(), try OpenCLBackend(try TestDevices.first())]
    let rows = try devices.map { device in
      try Embedder(try TransformerEncoder(folder: Assets.encoder, device: device), states: 0...6).embed(texts)
        .map(\.bitPattern)
    }
    #expect(rows[0] == rows[1])
  }

  @Test(.tags(.assets), .enabled(if: usable)) func statesThatTheEncoderLacksAreRefused() throws {
    let encoder = try TransformerEncoder(folder: Assets.encoder, device: try CPUBackend())
    #expect(throws: TesseraError.self) { try Embedder(encoder, states: 3...7) }
    #expect(throws: TesseraError.self) { try Embedder(encoder, states: 1...2, batch: 0) }
  }
}
