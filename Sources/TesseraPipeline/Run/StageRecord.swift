// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// What a stage was made from and what it made; kept beside its outputs as JSON. A stage whose inputs and
/// parameters are unchanged and whose outputs are intact is not run again.
public struct StageRecord: Codable, Sendable, Equatable {
  /// The stage: embed, layout, render, train, evaluate.
  public var stage: String
  /// Version of the numerics contract.
  public var numerics: Int
  /// Version of the stage's procedure (1 where it is missing).
  public var version: Int?
  /// Fingerprints of the inputs by name.
  public var inputs: [String: String]
  /// Parameters by name, as text.
  public var parameters: [String: String]
  /// Fingerprints of the outputs by file name.
  public var outputs: [String: String]
  /// The stage's fingerprint.
  public var fingerprint: String
  /// How long it took; no part of what the stage is.
  public var seconds: Double?
  /// On which device; no part of what the stage is.
  public var device: String?
  /// By which program; no part of what the stage is. Nil in the record of an older version.
  public var maker: StageMaker?
  /// What the stage found out and others tell, by name: the epoch that a model was kept of.
  public var facts: [String: String]?
  /// SHA-256 of all of the above; a record whose own does not fit is no record.
  public private(set) var seal: String?

  /// Versions of procedures by stage, 1 for those that are not named: to be raised by a change of the
  /// program that alters a stage's result for the same inputs and parameters, so that what an older program
  /// made is not taken for this one's.
  static let versions = ["layout": 2, "images": 2, "model": 4, "evaluation": 5]

  /// Whether the record stands for the same work.
  func matches(_ other: StageRecord) -> Bool {
    stage == other.stage && numerics == other.numerics && (version ?? 1) == (other.version ?? 1)
      && inputs == other.inputs
      && parameters == other.parameters
  }

  /// Throws if the record is of a later Tessera than another's.
  func requireNotNewer(than own: StageRecord, _ path: String) throws {
    for (what, found, wanted) in [
      ("numerics version", numerics, own.numerics), ("stage version", version ?? 1, own.version ?? 1),
    ] where found > wanted {
      throw TesseraError.input(
        path, found: "\(what) \(found)", wanted: "at most \(wanted), this program's")
    }
  }

  /// The record as JSON with sorted keys, sealed.
  func encoded() throws -> Data {
    var sealed = self
    sealed.seal = try ownSeal()
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(sealed) + Data("\n".utf8)
  }

  private func ownSeal() throws -> String {
    var open = self
    open.seal = nil
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var print = Fingerprint()
    try encoder.encode(open).withUnsafeBytes { print.add($0) }
    return print.digits()
  }

  /// Reads a record; nil where there is none, or none that is whole (the stage then runs again).
  static func read(_ url: URL) -> StageRecord? {
    guard let data = InputFile.readIfThere(url.path),
      let record = try? JSONDecoder().decode(StageRecord.self, from: data),
      let seal = record.seal, seal == (try? record.ownSeal())
    else { return nil }
    return record
  }
}
