// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TesseraAssets
import TesseraCompute
import TesseraPipeline

/// What `tessera verify --run` recomputes of a finished run.
struct RunProofOptions: ParsableArguments {
  @Option(help: "A finished run's directory: recompute it and compare bits.")
  var run: String?
  @Flag(help: "With --run: recompute every stage, from the data on.")
  var full = false
  @Option(help: "With --run: recompute so many rows of embeddings and images by seed, such as 1% or 200.")
  var sample: String?
  @Option(
    help: """
      With --sample: how many stretches of the training, such as 5% or 2; 0: none (default: the sample's share). \
      Each begins at the last state that the run kept before it, else at the training's start.
      """)
  var stretches: String?
  @Option(help: "With --run: where the run's reviews are (default: where they were).")
  var data: String?
  @Option(help: "With --run: where the reviews that it tests on are (default: where they were).")
  var test: String?
  @Option(help: "With --run: where the network's pretrained weights are (default: where they were).")
  var weights: String?
  @Option(help: "With --run: where the encoder is (default: in the run's directory, else where it was).")
  var encoder: String?
  @Option(help: "With --run: write what was compared to this file (JSON).")
  var certificate: String?
  @Option(help: "With --run: a certificate that has to be of a run with the same results.")
  var expect: String?

  /// Checks that no option is without effect.
  ///
  /// - Parameters:
  ///   - others: whether options of the comparison of primitives are given.
  ///   - seed: the seed of `--sample`.
  ///   - dispute: whether the run is compared with another one.
  func validate(besides others: Bool, seed: UInt64, dispute: Bool) throws {
    guard let run else {
      let given = [
        ("full", full ? "--full" : nil), ("sample", sample),
        ("stretches", stretches), ("data", data), ("test", test),
        ("weights", weights), ("encoder", encoder),
        ("certificate", certificate), ("expect", expect),
      ]
      if let (name, value) = given.first(where: { $0.1 != nil }) {
        throw TesseraError.input(name, found: "\(value ?? "") alone", wanted: "--run with it")
      }
      return
    }
    if others {
      throw TesseraError.input(
        "run", found: "options of the comparison of primitives", wanted: "--run without them")
    }
    if dispute {
      let given = [
        ("full", full ? "--full" : nil), ("sample", sample), ("stretches", stretches),
        ("certificate", certificate), ("expect", expect),
        ("seed", seed == RandomStream.usualSeed ? nil : "\(seed)"),
      ]
      if let (name, value) = given.first(where: { $0.1 != nil }) {
        throw TesseraError.input(name, found: "\(value ?? "") with --against", wanted: "--run without it")
      }
      return
    }
    guard full != (sample != nil) else {
      throw TesseraError.input(
        "run", found: full ? "--full and --sample" : "\(run) alone",
        wanted: "--full, or --sample 1% (how much of it is recomputed), or --against another run")
    }
    if full, seed != RandomStream.usualSeed {
      throw TesseraError.input("seed", found: "\(seed) with --full", wanted: "--sample with it")
    }
    if let sample { _ = try RowSample(sample) }
    if let stretches {
      guard !full else {
        throw TesseraError.input("stretches", found: "\(stretches) with --full", wanted: "--sample with it")
      }
      _ = try Self.stretches(stretches)
    }
  }

  /// Reads a number of stretches, none too.
  private static func stretches(_ text: String) throws -> RowSample {
    if text == "0" { return .count(0) }
    do { return try RowSample(text) } catch let error as TesseraError {
      throw TesseraError.input("stretches", found: error.found, wanted: "a share such as 5%, or a number")
    }
  }

  /// Takes paths as they are and names of fetched assets for their place.
  static func fetched(_ option: String) -> (String) throws -> String {
    { try AssetStore.standard.path(of: $0, option: option) }
  }

  /// What recomputes a run: a proof is the CPU's, unless another device is asked for.
  func devices(_ options: DeviceOptions) -> DeviceOptions {
    guard options.device == "auto" else { return options }
    var options = options
    options.device = "cpu"
    return options
  }

  /// Verifies; a difference is a failure.
  func verify(_ options: DeviceOptions, seed: UInt64, json: Bool) throws {
    guard let run else { return }
    if let certificate { try AtomicFile.requireWritable(certificate) }
    let expected = try expect.map { try RunCertificate.read($0) }
    var sources = RunVerification.Sources()
    (sources.data, sources.test) = (try data.map(Self.fetched("data")), test)
    (sources.weights, sources.encoder) = (
      try weights.map(Self.fetched("weights")), try encoder.map(Self.fetched("encoder"))
    )
    let drawn = try stretches.map { try Self.stretches($0) }
    let extent: RunVerification.Extent =
      try sample.map { .rows(try RowSample($0), seed: seed, stretches: drawn) } ?? .whole
    let found = try devices(options).useAll(for: "verify") { devices in
      try RunVerification(
        run, sources: sources, devices: devices, extent: extent, progress: options.progress
      ).certify()
    }
    if let certificate { try AtomicFile.write(found.encoded(), to: certificate) }
    print(json ? String(decoding: try found.encoded(), as: UTF8.self) : found.text, terminator: "")
    if let difference = found.difference {
      throw TesseraError.failure(run, found: difference.text, wanted: "equal bits")
    }
    if let expected, let expect { try found.requireSameRun(as: expected, expect) }
  }
}
