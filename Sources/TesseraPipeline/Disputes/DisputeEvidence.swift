// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Where two runs of the same work part: what both have before it is the same, what they have after it is not.
enum DisputedPlace: Codable, Equatable {
  /// Rows of a stage's results, each made from the same inputs: embeddings, images, predictions.
  case rows(stage: String)
  /// The iterations of a channel's t-SNE up to a recorded state, by its number; of a layout without iterations
  /// all of it.
  case layout(channel: Int, state: Int)
  /// The steps of a training up to a recorded state, by its number, or the start that is the first.
  case training(state: Int)

  /// For people.
  var text: String {
    switch self {
    case .rows(let stage): "the rows of \(stage)"
    case .layout(let channel, let state): "the way to state \(state) of channel \(channel)'s layout"
    case .training(let state): "the way to state \(state) of the training"
    }
  }

  /// A part of it, from 0.
  func part(_ number: Int) -> String {
    switch self {
    case .rows(let stage): "row \(number) of \(stage)"
    case .layout, .training: "part \(number) of \(text)"
    }
  }
}

/// What one party of a dispute tells the other: digests of the parts of a disputed place, or the operations of
/// one part. It travels as JSON.
struct DisputeEvidence: Codable, Equatable {
  /// The layout of the file.
  var version = DisputeEvidence.currentVersion
  static let currentVersion = 1
  /// The version of the numerics contract.
  var numerics = Int(numericsVersion)
  /// What is disputed.
  let place: DisputedPlace
  /// The digest of what both had before; empty of rows.
  let before: String
  /// SHA-256 of the result of each part: of a row, of the state after an iteration or a step, of an epoch's
  /// figures.
  var parts: [String]?
  /// The part that the operations are of.
  var part: Int?
  /// Its operations, as they were recorded.
  var operations: [OperationRecord]?

  /// Of a place.
  init(_ place: DisputedPlace, before: String) { (self.place, self.before) = (place, before) }

  /// The evidence as JSON with sorted keys.
  func encoded() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }

  /// Reads what the other party wrote.
  ///
  /// - Throws: `TesseraError` for what is no evidence, or of another version or numerics.
  static func read(_ path: String) throws -> DisputeEvidence {
    let wanted = "another party's evidence (made by tessera verify --run --against --reply)"
    let data = try InputFile.read(path, wanted: wanted, atMost: InputFile.Limit.text)
    guard let evidence = try? JSONDecoder().decode(DisputeEvidence.self, from: data) else {
      throw TesseraError.input(path, found: "a file that cannot be read", wanted: wanted)
    }
    guard evidence.version == currentVersion, evidence.numerics == Int(numericsVersion) else {
      throw TesseraError.input(
        path, found: "version \(evidence.version), numerics \(evidence.numerics)",
        wanted: "version \(currentVersion), numerics \(numericsVersion), this program's")
    }
    let isParts = evidence.parts != nil && evidence.part == nil && evidence.operations == nil
    let isOperations = evidence.parts == nil && evidence.part ?? -1 >= 0 && evidence.operations != nil
    guard isParts || isOperations else {
      throw TesseraError.input(path, found: "neither parts nor the operations of one", wanted: wanted)
    }
    for record in evidence.operations ?? [] { try record.check(path) }
    return evidence
  }
}
