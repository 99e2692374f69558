// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraData
import TesseraVision
import Testing

@testable import TesseraPipeline

/// Finished runs with something changed and their records edited to fit: recomputing finds it and names it.
@Suite struct RunVerificationTests {
  private let files = FileManager.default

  @Test(.tags(.slow)) func anHonestRunHasItsBits() throws {
    try ProofRun.withRun { folder in
      let whole = try ProofRun.verify(folder + "/honest")
      #expect(whole.isEqual && whole.stages.allSatisfy { $0.extent == .whole })
      #expect(
        whole.stages.map(\.stage) == [
          "encoder", "embeddings", "test-embeddings", "layout", "images", "model", "evaluation", "repeat-1",
        ])
      #expect(whole.fingerprints.count == whole.stages.count && whole.files > 20)
      let rows = try ProofRun.verify(folder + "/honest", .rows(.share(0.5), seed: 7))
      #expect(rows.isEqual)
      let counts = rows.stages.filter { $0.extent == .rows }.map { [$0.rows, $0.total] }
      #expect(counts == [[16, 32], [6, 12], [16, 32], [6, 12], [6, 12]])
      #expect(rows.stages.filter { $0.extent == .nothing }.map(\.stage) == ["encoder", "repeat-1"])
      let trained = try ProofRun.verify(folder + "/honest", .rows(.count(1), seed: 7, stretches: .count(1)))
      let model = try #require(trained.stages.first { $0.stage == "model" })
      #expect(trained.isEqual && model.extent == .stretches && model.total == 3 && model.rows == 1)
      let untrained = try ProofRun.verify(folder + "/honest", .rows(.count(1), seed: 7, stretches: .count(0)))
      #expect(
        untrained.isEqual
          && untrained.stages.filter { $0.extent == .nothing }.map(\.stage) == [
            "encoder", "layout", "model", "repeat-1",
          ])
      // What is written is read again, and is of the same run.
      let path = folder + "/certificate.json"
      try whole.encoded().write(to: URL(fileURLWithPath: path))
      try rows.requireSameRun(as: RunCertificate.read(path), path)
      try ProofRun.make(folder, "other", seed: 2)
      #expect(throws: TesseraError.self) {
        try ProofRun.verify(folder + "/other", .rows(.count(1), seed: 1)).requireSameRun(
          as: RunCertificate.read(path), path)
      }
      #expect(try files.contentsOfDirectory(atPath: folder).count == 6, "nothing is left behind")
    }
  }

  @Test(.enabled(if: TestDevices.hasOpenCL), .tags(.opencl, .slow)) func devicesProveEachOther() throws {
    try ProofRun.withRun { folder in
      let device = try OpenCLBackend(TestDevices.first())
      #expect(try ProofRun.verify(folder + "/honest", .rows(.share(1), seed: 1), on: device).isEqual)
    }
  }

  /// A change, and the stage that it is found in; with all rows drawn, whether they find it too.
  private struct Fraud {
    let name: String, stage: String
    var named = "", inRows = false, inStretches = false
    let make: (String) throws -> Void
  }

  private var frauds: [Fraud] {
    func flip(_ file: String, _ tensor: String, _ element: Int, _ stage: String, rows: Bool, bit: Int = 0)
      -> Fraud
    {
      Fraud(name: "bit \(bit) of \(tensor)", stage: stage, named: tensor, inRows: rows) {
        try TensorEdit.flip(tensor, element: element, bit: bit, in: "\($0)/\(file)")
        try ProofRun.fit($0, stage)
      }
    }
    return [
      flip("embeddings.safetensors", "features", 77, "embeddings", rows: true),
      flip("embeddings.safetensors", "features", 3, "embeddings", rows: true, bit: 31),
      flip("test.embeddings.safetensors", "features", 5, "test-embeddings", rows: true),
      flip("images.safetensors", "images", 1000, "images", rows: true),
      flip("test.images.safetensors", "images", 1000, "images", rows: true, bit: 22),
      flip("model.safetensors", "pixel.mean", 3, "model", rows: true),
      Fraud(name: "bit 7 of bypass.weight", stage: "model", named: "bypass.weight", inRows: true) {
        try TensorEdit.flip("bypass.weight", element: 3, bit: 7, in: $0 + "/model.safetensors")
        try ProofRun.fit($0, "model")
      },
      Fraud(name: "two labels exchanged", stage: "embeddings", named: "labels", inRows: true) {
        let data = try Embeddings.read($0 + "/embeddings.safetensors")
        let other = try #require(data.labels.firstIndex { $0 != data.labels[0] })
        try TensorEdit.swap("labels", 0, other, in: $0 + "/embeddings.safetensors")
        try ProofRun.fit($0, "embeddings")
      },
      Fraud(name: "a row of validation trained on", stage: "images", named: "rows.training", inRows: true) {
        let images = try ImageSet.read($0 + "/images.safetensors")
        let other = Split(
          training: (images.split.training + images.split.validation.prefix(1)).sorted(),
          validation: Array(images.split.validation.dropFirst()), test: images.split.test)
        _ = try ImageSet(
          images: images.images, pixels: images.pixels, channels: images.channels, labels: images.labels,
          classes: images.classes, split: other
        ).write(to: $0 + "/images.safetensors")
        try ProofRun.fit($0, "images")
      },
      Fraud(name: "history edited", stage: "model", named: "history.json", inRows: true) {
        try ProofRun.replace($0 + "/history.json", "\"epoch\":1", "\"epoch\":9")
        try ProofRun.fit($0, "model")
      },
      Fraud(
        name: "the digest of an epoch's state edited", stage: "model", named: "its entry[1]", inRows: true
      ) {
        let path = $0 + "/history.json"
        var history = try JSONDecoder().decode(
          [EpochRecord].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        history[1].state = history[0].state
        try JSONEncoder().encode(history).write(to: URL(fileURLWithPath: path))
        try ProofRun.fit($0, "model")
      },
      Fraud(name: "an accuracy edited", stage: "evaluation", named: "result.json", inRows: true) {
        try ProofRun.replace($0 + "/result.json", "\"total\" : 12", "\"total\" : 13")
        try ProofRun.fit($0, "evaluation")
      },
      Fraud(name: "an interval edited", stage: "evaluation", named: "result.json", inRows: true) {
        try ProofRun.editResult($0) { result in
          var measures = result["measures"] as? [String: Any] ?? [:]
          measures["matthews"] = ["value": 0.5, "low": 0.4, "high": 0.6]
          result["measures"] = measures
        }
      },
      Fraud(name: "the probe's measures taken away", stage: "evaluation", named: "result.json", inRows: true)
      {
        try ProofRun.editResult($0) { $0["probeMeasures"] = nil }
      },
      Fraud(name: "another kept epoch told", stage: "model", inRows: true) {
        try ProofRun.fit($0, "model") { $0.facts = ["kept epoch": "7"] }
      },
      Fraud(name: "another fingerprint told", stage: "repeat-1", named: "its fingerprint") {
        try ProofRun.fit($0, "repeat-1") { $0.fingerprint = String(repeating: "0", count: 64) }
      },
      Fraud(name: "another seed's model", stage: "model", named: "history.json", inRows: true) {
        let other = URL(fileURLWithPath: $0).deletingLastPathComponent().path + "/other"
        for name in ["model.safetensors", "history.json"] {
          try files.removeItem(atPath: "\($0)/\(name)")
          try files.copyItem(atPath: "\(other)/\(name)", toPath: "\($0)/\(name)")
        }
        try ProofRun.fit($0, "model")
      },
    ]
  }

  @Test(.tags(.slow)) func everyFraudIsFoundAndNamed() throws {
    try ProofRun.withRun { folder in
      try ProofRun.make(folder, "other", seed: 2)
      for fraud in frauds {
        let copy = folder + "/copy"
        try? files.removeItem(atPath: copy)
        try files.copyItem(atPath: folder + "/honest", toPath: copy)
        try fraud.make(copy)
        let certificate = try ProofRun.verify(copy)
        let found = try #require(certificate.difference, "\(fraud.name)")
        #expect(certificate.stages.last?.stage == fraud.stage, "nothing is made after the first difference")
        #expect(found.stage == fraud.stage, "\(fraud.name): \(found.text)")
        #expect(fraud.named.isEmpty || found.text.contains(fraud.named), "\(fraud.name): \(found.text)")
        #expect(found.recorded != found.recomputed)
        let rows = try ProofRun.verify(copy, .rows(.share(1), seed: 1, stretches: .count(0)))
        #expect(rows.isEqual != fraud.inRows, "\(fraud.name) in rows: \(rows.difference?.text ?? "equal")")
        let all = try ProofRun.verify(copy, .rows(.share(1), seed: 1))
        #expect(all.isEqual != (fraud.inRows || fraud.inStretches), "\(fraud.name) in rows and stretches")
      }
    }
  }

  /// What no stage depends on is compared too.
  @Test(.tags(.slow)) func recordsThatSayOtherThingsAreFound() throws {
    try ProofRun.withRun { folder in
      let changes: [(file: String, named: String, change: (String) throws -> Void)] = [
        (
          "data.json", "duplicates",
          { try ProofRun.replace($0 + "/data.json", "\"judged\" : ", "\"judged\" : 9") }
        ),
        ("data.json", "data", { try ProofRun.replace($0 + "/data.json", "\"rows\" : 32", "\"rows\" : 33") }),
        ("model.json", "its version", { try ProofRun.fit($0, "model") { $0.version = 1 } }),
        ("embeddings.json", "its version", { try ProofRun.fit($0, "embeddings") { $0.version = 0 } }),
      ]
      for (file, named, change) in changes {
        let copy = folder + "/copy"
        try? files.removeItem(atPath: copy)
        try files.copyItem(atPath: folder + "/honest", toPath: copy)
        try change(copy)
        try ProofRun.fit(copy, "layout")
        for extent in [RunVerification.Extent.whole, .rows(.count(1), seed: 1, stretches: .count(0))] {
          let found = try #require(try ProofRun.verify(copy, extent).difference, "\(file)")
          #expect(found.file == file && found.tensor == named, "\(found.text)")
        }
      }
    }
  }

  /// Older programs wrote no digests of the states, and no predictions.
  @Test func anOlderRunIsComparedWithoutWhatItLacks() throws {
    try ProofRun.withRun { folder in
      let path = folder + "/honest/history.json"
      var history = try JSONDecoder().decode(
        [EpochRecord].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
      let states = history.compactMap(\.state)
      #expect(states.count == 3 && Set(states).count == 3 && states.allSatisfy { $0.count == 64 })
      for place in history.indices { (history[place].state, history[place].stretches) = (nil, nil) }
      try JSONEncoder().encode(history).write(to: URL(fileURLWithPath: path))
      try ProofRun.fit(folder + "/honest", "model") { $0.version = 2 }
      for (stage, file) in [
        ("layout", "layout.history.json"), ("evaluation", "predictions.safetensors"),
      ] {
        try ProofRun.fit(folder + "/honest", stage) { ($0.version, $0.outputs[file]) = (nil, nil) }
        try files.removeItem(atPath: folder + "/honest/" + file)
      }
      let whole = try ProofRun.verify(folder + "/honest")
      #expect(whole.isEqual, "\(whole.difference?.text ?? "")")
      let some = try ProofRun.verify(folder + "/honest", .rows(.share(1), seed: 1))
      #expect(some.isEqual, "\(some.difference?.text ?? "")")
      #expect(
        some.stages.filter { $0.extent == .nothing }.map(\.stage) == [
          "encoder", "layout", "model", "evaluation", "repeat-1",
        ])
    }
  }

  /// The program before measured no classes; what else it found is compared.
  @Test(.tags(.slow)) func aResultWithoutMeasuresIsComparedWithoutThem() throws {
    try ProofRun.withRun { folder in
      let honest = folder + "/honest"
      try ProofRun.editResult(honest) { ($0["measures"], $0["probeMeasures"]) = (nil, nil) }
      for extent in [RunVerification.Extent.whole, .rows(.share(1), seed: 1, stretches: .count(0))] {
        let found = try ProofRun.verify(honest, extent)
        #expect(found.difference?.file == "result.json", "a result of this program has them")
      }
      try ProofRun.fit(honest, "evaluation") { $0.version = 4 }
      for extent in [RunVerification.Extent.whole, .rows(.share(1), seed: 1, stretches: .count(0))] {
        let found = try ProofRun.verify(honest, extent)
        #expect(found.isEqual, "\(found.difference?.text ?? "")")
      }
      try ProofRun.editResult(honest) { $0["model"] = ["correct": 0, "total": 12] }
      for extent in [RunVerification.Extent.whole, .rows(.share(1), seed: 1, stretches: .count(0))] {
        #expect(try ProofRun.verify(honest, extent).difference?.file == "result.json")
      }
    }
  }

  @Test func filesThatAreNotAsRecordedAreAFailure() throws {
    try ProofRun.withRun { folder in
      try TensorEdit.flip("features", element: 0, in: folder + "/honest/embeddings.safetensors")
      do {
        _ = try ProofRun.verify(folder + "/honest", .rows(.count(1), seed: 1))
        Issue.record("a changed file was taken")
      } catch let error as TesseraError {
        #expect(error.kind == .failure && error.place.hasSuffix("embeddings.safetensors"))
      }
    }
  }

  @Test func otherReviewsAreRefused() throws {
    try ProofRun.withRun { folder in
      try Data(TinyEncoder.reviews(32, seed: 5).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      do {
        _ = try ProofRun.verify(folder + "/honest")
        Issue.record("other reviews were taken")
      } catch let error as TesseraError {
        #expect(
          error.kind == .input && error.found.contains("other reviews") && error.wanted.contains("--data"))
      }
    }
  }

  /// Weights that are not the run's would make another training; they are asked for where one is made again.
  @Test func otherWeightsAreRefusedWhereTheyAreRead() throws {
    try ProofRun.withRun { folder in
      var configuration = try RunConfiguration.read(folder + "/honest/run.json")
      configuration.model.weights = folder + "/weights.safetensors"
      try configuration.write(to: folder + "/honest/run.json")
      try ProofRun.fit(folder + "/honest", "model") { $0.parameters = configuration.model.parameters }
      try Data("other".utf8).write(to: URL(fileURLWithPath: folder + "/weights.safetensors"))
      #expect(
        try ProofRun.verify(folder + "/honest", .rows(.count(1), seed: 1, stretches: .count(0))).isEqual)
      for extent in [RunVerification.Extent.whole, .rows(.count(1), seed: 1, stretches: .count(1))] {
        do {
          _ = try ProofRun.verify(folder + "/honest", extent)
          Issue.record("other weights were taken")
        } catch let error as TesseraError {
          #expect(error.kind == .input && error.found.contains("other weights"), "\(error)")
        }
      }
    }
  }
}
