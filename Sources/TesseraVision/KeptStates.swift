// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Which of the recorded states are kept on disk, for what follows one to be computed again without what went
/// before. Changes no bit.
public enum KeptStates: Equatable, Sendable {
  /// None: their digests alone are recorded.
  case none
  /// All.
  case all
  /// Every n-th.
  case every(Int)

  /// Reads `none`, `all` or a number.
  ///
  /// - Throws: `TesseraError` for what is none of these.
  public init(_ text: String) throws {
    switch (text, Int(text)) {
    case ("none", _): self = .none
    case ("all", _): self = .all
    case (_, let number?) where (1...1 << 20).contains(number): self = .every(number)
    default:
      throw TesseraError.input(
        "keep-states", found: text, wanted: "all, none, or a number N from 1 on: every N-th state")
    }
  }

  /// Whether a state is kept.
  ///
  /// - Parameter number: states that were recorded before it.
  package func keeps(_ number: Int) -> Bool {
    switch self {
    case .none: false
    case .all: true
    case .every(let interval): number % max(1, interval) == 0
    }
  }
}

/// The folder of kept states, a file each.
package struct StateFolder: Sendable {
  private let folder: URL

  /// What the names of the network's tensors begin with in a state.
  package static let modelPrefix = TrainingState.modelPrefix

  /// In a folder, which is made when something is kept.
  package init(_ folder: String) { self.folder = URL(fileURLWithPath: folder) }

  private func path(_ place: TrainingPlace) -> String {
    folder.appendingPathComponent("epoch-\(place.epoch)-step-\(place.step).safetensors").path
  }

  /// Whether a file's name is that of a training's state; which.
  package static func place(_ name: String) -> TrainingPlace? {
    guard let found = name.wholeMatch(of: /epoch-([0-9]+)-step-([0-9]+)\.safetensors/),
      let epoch = Int(found.1), let step = Int(found.2)
    else { return nil }
    return TrainingPlace(epoch: epoch, step: step)
  }

  /// The places of all that are kept, in order.
  package var places: [TrainingPlace] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.compactMap(Self.place).sorted()
  }

  /// Removes the states after a place, or all: what a training has not come to yet is of another one.
  func removeAll(after place: TrainingPlace?) {
    for other in places where place.map({ other > $0 }) ?? true { unlink(path(other)) }
  }

  /// Writes a state, with what its digest needs besides.
  func save(_ state: TrainingState, at place: TrainingPlace, losses: [Float]) throws {
    try OutputFolder.make(folder.path)
    var writer = SafetensorsWriter(metadata: ["kind": "state"])
    state.add(to: &writer)
    writer.add(Self.losses, losses, shape: [losses.count])
    _ = try writer.write(to: path(place))
  }

  /// Takes a state over, once its digest is the recorded one.
  ///
  /// - Parameters:
  ///   - place: where the training was.
  ///   - state: what takes it over.
  ///   - steps: those that the optimiser had done there.
  ///   - digest: the recorded one.
  ///   - last: the digest of the record before.
  /// - Throws: `TesseraError` for a file that cannot be read, and for another state than was recorded.
  func load(
    _ place: TrainingPlace, into state: TrainingState, steps: Int, digest: String, after last: String?
  ) throws {
    let file = try TensorFile.open(path(place))
    try file.checkNumerics()
    try state.load(file, steps: steps)
    let found = try state.digest(at: place, losses: try file.floats(Self.losses), after: last)
    guard found == digest else {
      throw TesseraError.failure(
        file.path, found: "a state with the digest \(found)", wanted: "\(digest), which the run recorded")
    }
  }

  /// The kept file of a place; nil where there is none.
  package func file(_ place: TrainingPlace) throws -> TensorFile? {
    guard FileManager.default.fileExists(atPath: path(place)) else { return nil }
    return try TensorFile.open(path(place))
  }

  private static let losses = "losses"
}
