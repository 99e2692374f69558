// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraVision
import Testing

@testable import TesseraPipeline

/// A small finished run that is verified, and what makes a changed one look whole.
enum ProofRun {
  static func make(
    _ folder: String, _ out: String, seed: UInt64 = 1, keptStates: KeptStates = .none,
    _ change: (inout RunConfiguration) -> Void = { _ in }
  ) throws {
    var c = RunConfiguration(data: folder + "/reviews.csv", encoder: folder + "/encoder")
    (c.test, c.repeats, c.seed) = (folder + "/test.csv", 2, seed)
    (c.layout.pixels, c.layout.perplexity, c.layout.iterations) = (12, 5, 10)
    (c.model.architecture, c.model.network.head, c.model.network.bypass) = (.alexnet, .linear, true)
    (c.model.training.epochs, c.model.training.batch) = (2, 8)
    change(&c)
    _ = try Pipeline(
      c, devices: DeviceGroup(try CPUBackend(threads: 2)), out: folder + "/" + out, keptStates: keptStates,
      progress: ProgressLine(quiet: true)
    ).run()
  }

  static func withRun(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try TinyEncoder.write(to: folder + "/encoder")
      try Data(TinyEncoder.reviews(32).utf8).write(to: URL(fileURLWithPath: folder + "/reviews.csv"))
      try Data(TinyEncoder.reviews(12, seed: 3).utf8).write(to: URL(fileURLWithPath: folder + "/test.csv"))
      try make(folder, "honest")
      try body(folder)
    }
  }

  static func cpu() throws -> CPUBackend { try CPUBackend(threads: 2) }

  static func verify(
    _ folder: String, _ extent: RunVerification.Extent = .whole, on device: (any Backend)? = nil
  ) throws -> RunCertificate {
    let devices = try DeviceGroup(device ?? CPUBackend(threads: 1))
    return try RunVerification(
      folder, devices: devices, extent: extent, progress: ProgressLine(quiet: true)
    ).certify()
  }

  /// Makes the stage's record and the manifest say what the files are now.
  static func fit(_ folder: String, _ stage: String, _ change: (inout StageRecord) -> Void = { _ in }) throws
  {
    let url = URL(fileURLWithPath: "\(folder)/\(stage).json")
    var record = try #require(StageRecord.read(url))
    for name in record.outputs.keys { record.outputs[name] = try Fingerprint.ofFile("\(folder)/\(name)") }
    change(&record)
    try record.encoded().write(to: url)
    let configuration = try RunConfiguration.read(folder + "/run.json")
    let names = ["run.json"] + RunStages.names(configuration).map { $0 + ".json" } + ["data.json"]
    try RunManifest(of: names, in: folder).encoded().write(
      to: URL(fileURLWithPath: folder + "/manifest.json"))
  }

  /// Changes the run's result, and its record with it.
  static func editResult(_ folder: String, _ change: (inout [String: Any]) -> Void) throws {
    let url = URL(fileURLWithPath: folder + "/result.json")
    var result = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
    change(&result)
    try JSONSerialization.data(withJSONObject: result, options: [.prettyPrinted, .sortedKeys]).write(to: url)
    try fit(folder, "evaluation")
  }

  static func replace(_ path: String, _ old: String, _ new: String) throws {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.contains(old), "\(old) in \(path)")
    try Data(text.replacing(old, with: new, maxReplacements: 1).utf8).write(to: URL(fileURLWithPath: path))
  }
}
