// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraText
import TesseraVision

/// Recomputes a finished run, whole or by rows, on any device, and compares bits.
///
/// First every file of the run is compared with its record. Then `whole` makes the run again from its data, in a
/// folder of its own; `rows` recomputes rows of embeddings and of images, each from the recorded results of
/// the stage before, and stretches of the training between recorded states, each from the last kept state before
/// it or else from the start; nothing of a layout or an evaluation.
public struct RunVerification {
  /// How much is recomputed.
  public enum Extent: Equatable, Sendable {
    /// Every stage.
    case whole
    /// Rows that are drawn by seed, and stretches of the training: as large a share of them, or another sample.
    case rows(RowSample, seed: UInt64, stretches: RowSample? = nil)

    /// Whether the network is trained again.
    var trains: Bool {
      if case .rows(_, _, let stretches?) = self { stretches != .count(0) } else { true }
    }
  }

  /// Where the run's sources are, if not where the run was made.
  public struct Sources: Sendable {
    /// The reviews, those to test on, and the network's pretrained weights.
    public var data: String?, test: String?, weights: String?
    /// The encoder's folder, for a run's folder that does not hold it.
    public var encoder: String?

    /// As the run's configuration says.
    public init() {}
  }

  let run: FinishedRun
  let devices: DeviceGroup
  let extent: Extent
  let configuration: RunConfiguration
  let data: any LabelledRows, test: (any LabelledRows)?
  let progress: ProgressLine
  private let files: Int

  /// Compares the files of a run with their records, and its sources with what it was made from.
  ///
  /// - Parameters:
  ///   - folder: the run's.
  ///   - sources: where its data are, if not where they were.
  ///   - devices: those that recompute.
  ///   - extent: how much is recomputed.
  ///   - progress: the line that shows how far it is.
  /// - Throws: `TesseraError` naming a file that is not as the run left it, or a source that is another.
  public init(
    _ folder: String, sources: Sources = .init(), devices: DeviceGroup, extent: Extent, progress: ProgressLine
  ) throws {
    progress.begin("comparing the files of \(folder) with their records")
    do {
      var run = try FinishedRun(folder)
      run.encoder = sources.encoder
      try Self.requireEncoder(of: run)
      (self.run, files) = (run, try run.checkAll())
    } catch let error as TesseraError
      where error.kind == .input && Self.holdsRun(folder) && error.place != "encoder"
    {
      // A run that is not as it was left is what this looks for: no mistake of who asks.
      throw TesseraError.failure(error.place, found: error.found, wanted: error.wanted)
    }
    var configuration = run.configuration
    if configuration.table == nil { configuration.encoder = try run.checkedEncoder() }
    if let data = sources.data { configuration.data = data }
    if let test = sources.test {
      guard configuration.test != nil else {
        throw TesseraError.input("test", found: test, wanted: "none: the run has no test file of its own")
      }
      configuration.test = test
    }
    if let weights = sources.weights {
      guard configuration.model.weights != nil else {
        throw TesseraError.input("weights", found: weights, wanted: "none: the run drew its weights by seed")
      }
      configuration.model.weights = weights
    }
    let settled = configuration
    let rows = try Self.asking("--data", sources.data) { try settled.rows(settled.data) }
    data = rows
    test = try configuration.test.map { path in
      try Self.asking("--test", sources.test) { try settled.rows(path, as: rows, part: .test) }
    }
    (self.configuration, self.devices) = (configuration, devices)
    (self.extent, self.progress) = (extent, progress)
    if let weights = configuration.model.weights, extent.trains {
      let found = try Self.asking("--weights", sources.weights) { try Fingerprint.ofFile(weights) }
      guard run.records["model"]?.inputs["weights"] == found else {
        throw TesseraError.input(
          weights, found: "other weights than the run was made from", wanted: "the run's own, with --weights")
      }
    }
    for (stage, set, path, option) in [
      ("embeddings", data as (any LabelledRows)?, configuration.data as String?, "--data"),
      ("test-embeddings", test, configuration.test, "--test"),
    ] {
      guard let set, let path, run.records[stage]?.inputs["data"] != set.fingerprint else { continue }
      throw TesseraError.input(
        path, found: "other \(configuration.rowsName) than the run was made from",
        wanted: "the run's own, with \(option)")
    }
  }

  /// Reads what may have been moved since the run was made; a refusal tells by which option it is named.
  private static func asking<R>(_ option: String, _ given: String?, _ body: () throws -> R) throws -> R {
    do { return try body() } catch let error as TesseraError where error.kind == .input && given == nil {
      throw TesseraError.input(
        error.place, found: error.found, wanted: "\(error.wanted): \(option) says where it is now")
    }
  }

  /// Throws if a run's encoder is nowhere, or named although the run holds it.
  private static func requireEncoder(of run: FinishedRun) throws {
    guard run.configuration.table == nil else {
      guard let encoder = run.encoder else { return }
      throw TesseraError.input(
        "encoder", found: "\(encoder) for a run of a table", wanted: "none (leave it out)")
    }
    func isThere(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
    let isOwn = isThere(URL(fileURLWithPath: run.folder).appendingPathComponent(Pipeline.Files.encoder).path)
    if let encoder = run.encoder, isOwn {
      throw TesseraError.input(
        "encoder", found: "\(encoder) for a run that holds its encoder", wanted: "--run without it")
    }
    guard run.encoder == nil, !isOwn, !isThere(run.configuration.encoder) else { return }
    throw TesseraError.input(
      "encoder", found: "none in \(run.folder), nor at \(run.configuration.encoder)",
      wanted: "the run's own: --encoder says where it is now")
  }

  private static func holdsRun(_ folder: String) -> Bool {
    FileManager.default.fileExists(
      atPath: URL(fileURLWithPath: folder).appendingPathComponent(RunManifest.name).path)
  }

  /// Recomputes and compares.
  ///
  /// - Returns: what was found; a difference is no error.
  public func certify() throws -> RunCertificate {
    var certificate = try certificate()
    switch extent {
    case .whole: try recomputeAll(&certificate)
    case .rows(let sample, let seed, let stretches):
      try recomputeRows(sample, seed, stretches ?? sample.share(of: data.count), &certificate)
    }
    return certificate
  }

  private func certificate() throws -> RunCertificate {
    let device = devices.main
    let cpu = try device.unprofiled as? CPUBackend ?? CPUBackend()
    let kernels = devices.kernelSources.files
    var seed: UInt64?
    if case .rows(_, let drawn, _) = extent { seed = drawn }
    return RunCertificate(
      verifier: Provenance(cpu, kernels: devices.kernelSources), device: devices.name,
      driver: devices.all.lazy.compactMap(\.info.driver?.text).first,
      products: configuration.embedding.products.parameters["products"],
      networkProducts: configuration.model.network.products.parameters["products"],
      kernels: kernels.isEmpty ? nil : kernels,
      makers: run.records.compactMapValues { StageMaker($0) },
      fingerprints: run.records.mapValues(\.fingerprint), files: files, seed: seed)
  }

  /// Thrown to end a recomputation at the first difference.
  private struct Enough: Error {}

  /// Makes the run again, and compares each stage as soon as it is made.
  private func recomputeAll(_ certificate: inout RunCertificate) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("tessera-verify-\(getpid())-\(UInt32.random(in: 0 ... .max))").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let pipeline = try Pipeline(configuration, devices: devices, out: folder, progress: progress)
    var (stages, difference) = ([RunCertificate.Stage](), RunCertificate.Difference?.none)
    pipeline.folder.stageDone = { record in
      stages.append(.init(stage: record.stage, extent: .whole))
      difference = try run.difference(from: record, in: folder)
      if difference != nil { throw Enough() }
    }
    do { _ = try pipeline.run() } catch is Enough {}
    if difference == nil, let told = try run.data,
      let again = DataRecord.read(pipeline.folder.file(Pipeline.Files.data))
    {
      difference = try self.difference(told, again, cut: true)
    }
    if difference == nil { difference = try keptStateDifference() }
    (certificate.stages, certificate.difference) = (stages, difference)
    let names = RunStages.names(configuration)
    guard difference == nil, stages.map(\.stage) != names else { return }
    throw TesseraError.failure(
      run.folder, found: "stages \(stages.map(\.stage).joined(separator: ", ")) made again",
      wanted: names.joined(separator: ", "))
  }
}
