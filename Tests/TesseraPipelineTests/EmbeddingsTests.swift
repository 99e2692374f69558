// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import Testing

@testable import TesseraPipeline

@Suite struct EmbeddingsTests {
  @Test func constantFeaturesAreCounted() throws {
    let set = Embeddings(
      features: [1, 5, .nan, 1, 5, 2, 2, 5, 2], columns: 3, labels: [0, 1, 0], classes: ["a", "b"],
      source: [:])
    #expect(try set.constantFeatures(rows: [0, 1]) == 2 && set.constantFeatures(rows: [0, 1, 2]) == 1)
    #expect(throws: TesseraError.self) { try set.constantFeatures(rows: [3]) }
    #expect(try set.constantFeatures(rows: [1, 2]) == 2 && set.constantFeatures(rows: []) == 0)
  }
}
