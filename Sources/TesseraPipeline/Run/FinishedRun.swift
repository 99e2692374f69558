// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraText

/// A finished run's folder. It is trusted as far as it checks: the manifest vouches for the configuration
/// and the stages' records, these for each other's results and for all other files, which are compared with
/// them before they are used.
public struct FinishedRun {
  /// The folder.
  public let folder: String
  /// What the run was asked for.
  public let configuration: RunConfiguration
  /// The stages' records by name.
  let records: [String: StageRecord]
  /// What was found out about its data; nil of a run of an older version.
  ///
  /// - Throws: `TesseraError` if the file is not as the run left it.
  var data: DataRecord? {
    get throws {
      guard let digits = manifest.files[Pipeline.Files.data] else { return nil }
      let path = URL(fileURLWithPath: folder).appendingPathComponent(Pipeline.Files.data).path
      try Self.compare(path, digits, RunManifest.name)
      return DataRecord.read(path)
    }
  }
  /// The command that made it; nil where nobody told.
  ///
  /// - Throws: `TesseraError` if the file is not as the run left it.
  var command: RunCommand? {
    get throws {
      guard let digits = manifest.files[Pipeline.Files.command] else { return nil }
      let path = URL(fileURLWithPath: folder).appendingPathComponent(Pipeline.Files.command).path
      try Self.compare(path, digits, RunManifest.name)
      return RunCommand.read(path)
    }
  }
  private let manifest: RunManifest
  /// Where the encoder is, if neither in the folder nor where the run was made.
  var encoder: String?

  /// Opens a folder.
  ///
  /// - Throws: `TesseraError` if there is no run, naming the stage at which one is that is not finished, or
  ///   the file that is not as the run left it.
  @_optimize(none)
  public init(_ folder: String) throws {
    self.folder = folder
    let root = URL(fileURLWithPath: folder)
    func path(_ name: String) -> String { root.appendingPathComponent(name).path }
    let configuration = try RunConfiguration.read(path(Pipeline.Files.configuration))
    guard let manifest = try RunManifest.read(in: folder) else {
      throw RunStages.unfinished(folder, configuration)
    }
    let stages = RunStages.names(configuration)
    for name in [Pipeline.Files.configuration] + stages.map({ "\($0).json" }) {
      try Self.compare(path(name), manifest.files[name], RunManifest.name)
    }
    var records: [String: StageRecord] = [:]
    for stage in stages {
      guard let record = StageRecord.read(root.appendingPathComponent("\(stage).json")) else {
        throw TesseraError.input(
          path("\(stage).json"), found: "no record of a finished stage", wanted: "tessera run to its end")
      }
      guard record.numerics == Int(numericsVersion) else { throw RunStages.other(folder, record.numerics) }
      records[stage] = record
    }
    (self.configuration, self.records, self.manifest) = (configuration, records, manifest)
    try checkLinks()
  }

  /// The path of one of the run's files, once its bytes are those that its stage wrote.
  ///
  /// - Throws: `TesseraError` naming a file that is missing, has other bytes, or is none of the run's.
  public func checked(_ name: String) throws -> String {
    let path = URL(fileURLWithPath: folder).appendingPathComponent(name).path
    guard let (record, digits) = output(name) else {
      throw TesseraError.input(path, found: "a file of no stage", wanted: "one that tessera run made")
    }
    try Self.compare(path, digits, "\(record.stage).json")
    return path
  }

  private func output(_ name: String) -> (record: StageRecord, digits: String)? {
    for record in records.values {
      if let digits = record.outputs[name] { return (record, digits) }
    }
    return nil
  }

  private static func compare(_ path: String, _ digits: String?, _ record: String) throws {
    let remedy = "the run's own file, or tessera run to its end, which makes it again"
    let found: String
    do { found = try Fingerprint.ofFile(path) } catch let error as TesseraError where error.kind == .input {
      throw TesseraError.input(path, found: error.found, wanted: remedy)
    }
    guard found != digits else { return }
    throw TesseraError.input(
      path, found: "other bytes than the run wrote (\(record) has another SHA-256)", wanted: remedy)
  }

  /// The folder of the encoder, the run's own (a run that was copied to another machine has it with it) or
  /// the one that it was made with, once each of its files is as it was and no other stands among them.
  func checkedEncoder() throws -> String {
    let own = URL(fileURLWithPath: folder).appendingPathComponent(Pipeline.Files.encoder).path
    let place =
      try FileManager.default.fileExists(atPath: own)
      ? own : EncoderFolder(encoder ?? configuration.encoder).path
    let outputs = records["encoder"]?.outputs ?? [:]
    for (name, digits) in outputs.ordered(by: { $0.key < $1.key }) {
      let file = name.dropFirst(Pipeline.Files.encoder.count + 1)
      try Self.compare(
        URL(fileURLWithPath: place).appendingPathComponent(String(file)).path, digits, "encoder.json")
    }
    guard place == own else { return place }
    for name in try FileManager.default.subpathsOfDirectory(atPath: own).ordered()
    where !name.hasPrefix(".") {
      var isFolder: ObjCBool = false
      let path = URL(fileURLWithPath: own).appendingPathComponent(name).path
      guard outputs["\(Pipeline.Files.encoder)/\(name)"] == nil,
        !FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) || !isFolder.boolValue
      else { continue }
      throw TesseraError.input(path, found: "a file that the run did not put there", wanted: "it gone")
    }
    return own
  }

  /// Throws unless every stage was made from what those before it made, under the run's configuration.
  private func checkLinks() throws {
    func require(_ stage: String, _ input: String, of source: String) throws {
      guard let record = records[stage], record.inputs[input] == records[source]?.fingerprint else {
        throw mixed(stage, source)
      }
    }
    let isTested = records["test-embeddings"] != nil
    let isTable = configuration.table != nil
    if !isTable { try require("embeddings", "encoder", of: "encoder") }
    if isTested {
      try require(
        "test-embeddings", isTable ? "embeddings" : "encoder", of: isTable ? "embeddings" : "encoder")
    }
    try require("layout", "embeddings", of: "embeddings")
    try require("images", "layout", of: "layout")
    if isTested { try require("images", "test", of: "test-embeddings") }
    for stage in records.keys.ordered() where stage == "model" || stage.hasPrefix("repeat-") {
      try require(stage, "images", of: "images")
    }
    // Older programs did not name the embeddings.
    for stage in ["images", "evaluation"] where records[stage]?.inputs["embeddings"] != nil {
      try require(stage, "embeddings", of: "embeddings")
    }
    try require("evaluation", "model", of: "model")
    try require("evaluation", "images", of: "images")
    let embedded = records["embeddings"]?.parameters
    guard
      isTable
        ? embedded == configuration.tableParameters
        : embedded?["pooling"] == configuration.embedding.pooling.rawValue
          && Products.name(in: embedded) == configuration.embedding.products.rawValue,
      records["model"]?.parameters == configuration.model.parameters
    else { throw mixed("model", Pipeline.Files.configuration) }
    guard records["evaluation"]?.parameters == configuration.evaluationParameters else {
      throw mixed("evaluation", Pipeline.Files.configuration)
    }
  }

  /// Throws unless the hidden states are those that the configuration takes of an encoder of so many layers.
  func check(layers: Int) throws {
    guard
      records["embeddings"]?.parameters["layers"] == "\(try configuration.embedding.states(layers: layers))"
    else {
      throw mixed("embeddings", Pipeline.Files.configuration)
    }
  }

  private func mixed(_ stage: String, _ source: String) -> TesseraError {
    TesseraError.input(
      folder, found: "\(stage) and \(source) of different runs", wanted: "tessera run to its end")
  }
}
