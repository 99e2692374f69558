// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraText

/// ELECTRA against Hugging Face's ElectraModel in float64 (tools/golden/electra_roberta.py): its embeddings
/// are narrower than its layers.
@Suite struct ELECTRATests {
  private static let texts = EncoderFixture.texts("a [PAD] film [PAD] [PAD] the plot [MASK] .")

  @Test(arguments: [SentencePooling.cls, .mean]) func everyHiddenStateIsWithin1e5(_ pooling: SentencePooling)
    throws
  {
    let found = try EncoderFixture.with(.electra) {
      try $0.embed(Self.texts, on: try CPUBackend(), pooling: pooling)
    }
    let wanted = try Golden(.module).tensors("electra.safetensors").floats(
      pooling.rawValue, shape: [Self.texts.count, 3, 32])
    #expect(largestDifference(found, wanted).value < 1e-5)
  }

  @Test func aTextHasTheSameBitsInAnyBatchOnAnyNumberOfThreads() throws {
    let bits = try EncoderFixture.with(.electra) { encoder in
      try Set(
        [(1, 1), (2, 64), (3, 2)].map { threads, batch in
          try encoder.embed(Self.texts, on: try CPUBackend(threads: threads), batch: batch).map(\.bitPattern)
        })
    }
    #expect(bits.count == 1)
  }

  @Test(.tags(.opencl), .enabled(if: TestDevices.hasOpenCL)) func openCLGivesTheBitsOfTheCPU() throws {
    let devices: [any Backend] = [try CPUBackend(), try OpenCLBackend(try TestDevices.first())]
    let rows = try EncoderFixture.with(.electra) { encoder in
      try devices.map { try encoder.embed(Self.texts, on: $0).map(\.bitPattern) }
    }
    #expect(rows[0] == rows[1])
  }

  /// ElectraForPreTraining, the discriminator as it is published, has the encoder under a prefix.
  @Test func theDiscriminatorGivesTheSame() throws {
    try EncoderFixture.with(.electra) { encoder in
      let plain = try encoder.bits(Self.texts)
      try encoder.rewrite(
        adding: [
          "discriminator_predictions.dense.weight", "discriminator_predictions.dense_prediction.bias",
        ], name: { "electra." + $0 })
      try encoder.configure(["architectures": ["ElectraForPreTraining"]])
      #expect(try encoder.bits(Self.texts) == plain)
    }
  }

  /// Where the widths are equal, as in ELECTRA-base, there is no layer between: the tensors are a BERT's.
  @Test func embeddingsAsWideAsTheLayersAreABERTs() throws {
    let texts = ["a good film", "the plot was dull , very dull !", ""]
    try EncoderFixture.with(.bert) { encoder in
      let plain = try encoder.bits(texts)
      try encoder.configure(["model_type": "electra", "embedding_size": 32])
      #expect(try encoder.bits(texts) == plain)
      try encoder.rewrite(adding: ["embeddings_project.weight"], name: { $0 })
      #expect(
        encoder.refusal().contains("found embeddings_project.weight, which a electra does not have"),
        "\(encoder.refusal())")
    }
  }

  @Test(arguments: ["embeddings_project.weight", "embeddings_project.bias"])
  func theLayerBetweenIsNamedWhereItIsMissing(_ name: String) throws {
    try EncoderFixture.with(.electra) { encoder in
      try encoder.rewrite(name: { $0 == name ? nil : $0 })
      #expect(encoder.refusal().contains(name), "\(encoder.refusal())")
    }
  }

  @Test(
    arguments: [
      ("embedding_size", NSNull(), "embedding_size: found nothing, wanted 1 to 1048576"),
      ("embedding_size", 0, "embedding_size: found 0, wanted 1 to 1048576"),
      ("embedding_size", 8, "embeddings.word_embeddings.weight"),
      ("generator_size", 0.25, "generator_size: found 0.25, wanted no key that is not known"),
      ("position_embedding_type", "relative_key", "wanted absolute"),
    ] as [(String, any Sendable, String)])
  func keysThatDoNotFitAreRefusedByName(_ key: String, _ value: any Sendable, _ message: String) throws {
    try EncoderFixture.with(.electra) { encoder in
      try encoder.configure([key: value])
      #expect(encoder.refusal().contains(message), "\(encoder.refusal())")
    }
  }
}
