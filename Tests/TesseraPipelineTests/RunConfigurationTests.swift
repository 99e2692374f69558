// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraVision
import TestSupport
import Testing

@testable import TesseraPipeline

@Suite struct RunConfigurationTests {
  private func read(_ text: String) throws -> RunConfiguration {
    try withTemporaryFolder { folder in
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/run.json"))
      return try RunConfiguration.read(folder + "/run.json")
    }
  }

  @Test func whatIsWrittenReadsBack() throws {
    var configuration = RunConfiguration(data: "a.csv", encoder: "b")
    configuration.seed = .max
    configuration.model.training.sliceRate = 3e-5
    configuration.layout.metric = .cosine
    try withTemporaryFolder { folder in
      try configuration.write(to: folder + "/run.json")
      #expect(try RunConfiguration.read(folder + "/run.json") == configuration)
    }
  }

  @Test func anOlderVersionsFileGetsDefaults() throws {
    let found = try read(#"{"data": "a.csv", "encoder": "b", "pixels": 32}"#)
    var wanted = RunConfiguration(data: "a.csv", encoder: "b")
    wanted.layout.pixels = 32
    #expect(found == wanted)
    for text in [#"{"data": "a.csv"}"#, "[1]", "{", #"{"data": 1, "encoder": "b"}"#, ""] {
      #expect(throws: TesseraError.self) { try read(text) }
    }
  }

  @Test func whatDecidesTheLayoutIsAmongItsParameters() throws {
    let base = RunConfiguration(data: "a.csv", encoder: "b")
    var changed: [RunConfiguration] = []
    func change(_ body: (inout RunConfiguration) -> Void) {
      changed.append(base)
      body(&changed[changed.count - 1])
    }
    change { $0.layout.layout = .pca }
    change { $0.layout.metric = .cosine }
    change { $0.layout.tsneStart = .pca }
    change { $0.layout.tsneLearningRate = .init(nil) }
    change { $0.layout.discretization = .lsa }
    change { $0.layout.tsneExactLimit = 99 }
    #expect(Set(changed.map { $0.layoutParameters(features: 100) }).count == changed.count)
    #expect(
      !changed.map { $0.layoutParameters(features: 100) }.contains(base.layoutParameters(features: 100)))
    let few = changed.map { $0.layoutParameters(features: 99) }
    #expect(few.filter { $0 == base.layoutParameters() }.count == 1 && few.last == base.layoutParameters())
    for configuration in changed { _ = try configuration.layoutPlan() }
    #expect(
      try changed.map { try $0.layoutPlan().tsne.exactLimit } == [46_340, 46_340, 46_340, 46_340, 46_340, 99])
  }

  @Test func aCheckpointsKeyHoldsAllThatDecidesTheResult() throws {
    let base = RunConfiguration(data: "a.csv", encoder: "b")
    func key(
      _ images: String = "i", _ weights: String = "w", _ change: (inout RunConfiguration) -> Void = { _ in }
    ) -> String {
      var other = base
      change(&other)
      return other.model.checkpointKey(images: images, weights: weights)
    }
    let own = key()
    // What an older procedure began is not gone on with.
    #expect(own.contains("procedure \(try #require(StageRecord.versions["model"]))"))
    #expect(key { $0.model.training.epochs += 1 } == own)
    let others = [
      key("j"), key("i", "v"), key { $0.seed += 1 }, key { $0.model.training.batch = 8 },
      key { ($0.model.training.schedule, $0.model.training.epochs) = (.linear, 9) },
      key { ($0.model.training.schedule, $0.model.training.epochs) = (.linear, 8) },
    ]
    #expect(Set(others + [own]).count == others.count + 1)
  }

  @Test func aFormatIsWrittenAsItWasGiven() throws {
    var c = RunConfiguration(data: "d", encoder: "e")
    c.format = DataFormat(
      quotes: .none, separator: try Separator(named: "tab"), encoding: .latin1, header: false,
      labels: try LabelRules("merge"))
    let written = try JSONDecoder().decode(RunConfiguration.self, from: c.encoded())
    #expect(written == c)
    let format = written.format
    #expect(format.labels.merges && format.quotes == .none && format.separator?.byte == 9 && !format.header)
    let broken = String(decoding: try c.encoded(), as: UTF8.self).replacing("\"merge\"", with: "\"x\"")
    #expect(throws: TesseraError.self) {
      try JSONDecoder().decode(RunConfiguration.self, from: Data(broken.utf8))
    }
  }
}
