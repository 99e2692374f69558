// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// A run's folder: stages' outputs with their records, one run at a time.
public final class RunDirectory {
  /// The folder.
  public let path: String
  /// Where stages compute, for their records.
  public var device: String?
  /// The text that those build their kernels from, for the same.
  var kernels = KernelSources.embedded
  /// What measures them; nil where nothing does.
  public var profiler: Profiler?
  /// What the stage at work has found out, for its record.
  public var facts: [String: String] = [:]
  /// Whether a stage has been run, and not found as it was.
  private(set) var hasRun = false
  /// Called with the record of each stage that has been run.
  var stageDone: ((StageRecord) throws -> Void)?
  private var lock: Int32 = -1
  /// Whether the folder was made by this.
  private let isNew: Bool

  /// Opens or makes a folder and locks it; leftovers of killed runs are removed.
  ///
  /// - Throws: `TesseraError` if it cannot be made or another run holds it.
  public init(_ path: String) throws {
    self.path = path
    isNew = !FileManager.default.fileExists(atPath: path)
    try OutputFolder.make(path)
    lock = open(file(".lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard lock >= 0 else {
      throw TesseraError.input(
        path, found: "a folder that cannot be written to (\(String(cString: strerror(errno))))",
        wanted: "a writable folder")
    }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      throw TesseraError.input(path, found: "another run at work in it", wanted: "a folder of its own")
    }
    let names = Self.names(in: path)
    removeLeftovers(in: path, names)
    for name in names where name == "pictures" || name == Pipeline.Files.states || name.hasPrefix("repeat-") {
      removeLeftovers(in: file(name), Self.names(in: file(name)))
    }
  }

  /// Removes what killed runs were writing: names such as `model.safetensors.4711.tmp` and no others, for a
  /// folder may hold other people's files.
  private func removeLeftovers(in folder: String, _ names: [String]) {
    for name in names where name.wholeMatch(of: /.+\.[0-9]+\.tmp/) != nil {
      try? FileManager.default.removeItem(
        atPath: URL(fileURLWithPath: folder).appendingPathComponent(name).path)
    }
  }

  private static func names(in folder: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }

  deinit { if lock >= 0 { close(lock) } }

  /// Removes the folder again if it was made by this and nothing has come into it: for what is refused
  /// before it begins.
  public func discardIfEmpty() {
    guard isNew, Self.names(in: path).allSatisfy({ $0 == ".lock" }) else { return }
    unlink(file(".lock"))
    rmdir(path)
  }

  /// Makes the folder that of a finished run, whose stages' records these are.
  func finish(stages: [String]) throws {
    let others = [Pipeline.Files.data, Pipeline.Files.command].filter {
      FileManager.default.fileExists(atPath: file($0))
    }
    let names = [Pipeline.Files.configuration] + stages.map { "\($0).json" } + others
    let manifest = try RunManifest(of: names, in: path)
    if (try? RunManifest.read(in: path)) == manifest { return }
    try AtomicFile.write(try manifest.encoded(), to: file(RunManifest.name))
  }

  /// Makes the folder that of an unfinished run, before anything of it changes.
  func unfinish() { unlink(file(RunManifest.name)) }

  /// The path of a file in the folder.
  @inline(never)
  public func file(_ name: String) -> String { URL(fileURLWithPath: path).appendingPathComponent(name).path }

  /// Runs a stage unless its record says that it ran on the same inputs with the same parameters and its
  /// outputs are intact.
  ///
  /// - Parameters:
  ///   - stage: its name.
  ///   - inputs: fingerprints of what the stage reads, by name.
  ///   - parameters: settings that decide the outputs, by name.
  ///   - outputs: names of the files that it writes.
  ///   - body: writes them and returns the stage's fingerprint.
  /// - Returns: the fingerprint and whether the stage was run.
  /// - Throws: what `body` throws, and `TesseraError` for the record of a later Tessera, whose work would
  ///   be lost.
  public func stage(
    _ stage: String, inputs: [String: String], parameters: [String: String], outputs: [String],
    body: () throws -> String
  ) throws -> (fingerprint: String, ran: Bool) {
    var record = StageRecord(
      stage: stage, numerics: Int(numericsVersion), version: StageRecord.versions[stage], inputs: inputs,
      parameters: parameters, outputs: [:],
      fingerprint: "")
    if let fingerprint = try begin(record, outputs) { return (fingerprint, false) }
    hasRun = true
    let start = ContinuousClock.now
    record.fingerprint = try profiler?.span(.stage, stage, body) ?? body()
    try write(&record, outputs, began: start)
    try stageDone?(record)
    return (record.fingerprint, true)
  }

  /// The fingerprint of the stage's record if that is of the same work and its outputs are intact; otherwise
  /// takes the record away, for the stage to run.
  ///
  /// `stage` is copied for every body, this is not.
  @inline(never)
  private func begin(_ record: StageRecord, _ outputs: [String]) throws -> String? {
    let url = URL(fileURLWithPath: file("\(record.stage).json"))
    if let old = StageRecord.read(url) {
      try old.requireNotNewer(than: record, url.path)
      if old.matches(record), Set(old.outputs.keys) == Set(outputs),
        outputs.allSatisfy({ (try? Fingerprint.ofFile(file($0))) == old.outputs[$0] })
      {
        return old.fingerprint
      }
    }
    // Outputs that are being replaced have no record: were this to be stopped, the old one would vouch for
    // new files.
    unfinish()
    try? FileManager.default.removeItem(at: url)
    facts = [:]
    return nil
  }

  /// Writes the record of a stage that has run.
  @inline(never)
  private func write(
    _ record: inout StageRecord, _ outputs: [String], began start: ContinuousClock.Instant
  ) throws {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    (record.seconds, record.device) = (Double(seconds) + Double(attoseconds) * 1e-18, device)
    record.maker = StageMaker(kernels: kernels)
    record.facts = facts.isEmpty ? nil : facts
    for name in outputs { record.outputs[name] = try Fingerprint.ofFile(file(name)) }
    try AtomicFile.write(try record.encoded(), to: file("\(record.stage).json"))
  }
}
