// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraNN

/// Where a training run keeps what it needs to go on: model, optimiser, position and history after each epoch
/// (random numbers follow from seed and position), and the best epoch's weights.
public struct Checkpoint: Sendable {
  private let folder: URL
  private let key: String

  /// Checkpoints in a folder; one made under another `key` (plan, model, data) is not used.
  public init(folder: String, key: String) {
    self.folder = URL(fileURLWithPath: folder)
    self.key = key
  }

  private var current: String { folder.appendingPathComponent("checkpoint.safetensors").path }
  private var best: String { folder.appendingPathComponent("best.safetensors").path }

  func save(_ network: ImageClassifier, _ optimizer: Adam, _ history: [EpochRecord], isBest: Bool) throws {
    if isBest {
      var writer = SafetensorsWriter(metadata: ["key": key, "epoch": "\(history.last?.epoch ?? 0)"])
      for (name, tensor) in network.state { writer.add(name, tensor, on: network.device) }
      _ = try writer.write(to: best)
    }
    let text = String(decoding: try JSONEncoder().encode(history), as: UTF8.self)
    var writer = SafetensorsWriter(metadata: ["key": key, "steps": "\(optimizer.steps)", "history": text])
    TrainingState(network, optimizer).add(to: &writer)
    _ = try writer.write(to: current)
  }

  /// Restores the last epoch; nil if there is none of this key, or one beyond the wanted number: its best
  /// weights may be a later epoch's.
  ///
  /// - Parameter best: the epoch of a history whose weights are kept.
  func load(
    into network: ImageClassifier, _ optimizer: Adam, atMost epochs: Int, best: ([EpochRecord]) -> Int?
  ) throws -> [EpochRecord]? {
    guard FileManager.default.fileExists(atPath: current) else { return nil }
    let file = try TensorFile.open(current)
    guard file.metadata["key"] == key, file.metadata["numerics"] == "\(numericsVersion)",
      let steps = file.metadata["steps"].flatMap({ Int($0) }), (0...Int(Int32.max)).contains(steps),
      let text = file.metadata["history"],
      let history = try? JSONDecoder().decode([EpochRecord].self, from: Data(text.utf8)),
      Self.isHistory(history), let last = history.last?.epoch, last <= epochs,
      hasBest(best(history), after: last, atMost: epochs)
    else { return nil }
    try TrainingState(network, optimizer).load(file, steps: steps)
    return history
  }

  /// Whether the best epoch's file belongs to the checkpoint. It is written first: after a kill between the
  /// two it is that of the epoch that followed, which is run again, or of another key altogether.
  private func hasBest(_ wanted: Int?, after last: Int, atMost epochs: Int) -> Bool {
    guard let metadata = try? TensorFile.open(self.best).metadata, metadata["key"] == key,
      let epoch = metadata["epoch"].flatMap({ Int($0) })
    else { return false }
    return epoch == wanted || epoch == last + 1 && epoch <= epochs
  }

  /// Whether epochs follow one another from 0 or 1 on, as training writes them, each with its digests.
  private static func isHistory(_ history: [EpochRecord]) -> Bool {
    guard let first = history.first else { return false }
    return (0...1).contains(first.epoch)
      && zip(history, history.dropFirst()).allSatisfy { $0.epoch < Int.max && $1.epoch == $0.epoch + 1 }
      && history.allSatisfy { $0.correct >= 0 && $0.loss.isFinite && $0.state == $0.seal }
  }

  func loadBest(into network: ImageClassifier) throws { try network.load(try TensorFile.open(best)) }
}
