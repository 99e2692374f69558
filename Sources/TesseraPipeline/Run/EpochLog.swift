// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraVision

/// What each epoch of a run's training gave and how long it took (`epochs.json`), written anew after each epoch. Times
/// differ from run to run, so that no stage and no fingerprint holds the file.
final class EpochLog {
  private let path: String

  /// The log of a training.
  init(_ path: String) { self.path = path }

  /// What is written; nothing where there is no file that can be read.
  static func read(_ path: String) -> [EpochFigures] {
    InputFile.readIfThere(path, atMost: InputFile.Limit.text).flatMap {
      try? JSONDecoder().decode([EpochFigures].self, from: $0)
    } ?? []
  }

  /// Leaves the epochs of a training that is done, and those of none before.
  func keep(_ epochs: [Int]) throws {
    let all = Self.read(path)
    let own = all.filter { epochs.contains($0.epoch) }
    if own.count < all.count { try write(own) }
  }

  /// Adds an epoch; those from it on are of an earlier training, or are made again.
  func add(_ figures: EpochFigures) throws {
    try write(Self.read(path).filter { $0.epoch < figures.epoch } + [figures])
  }

  private func write(_ all: [EpochFigures]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try AtomicFile.write(try encoder.encode(all) + Data("\n".utf8), to: path)
  }
}
