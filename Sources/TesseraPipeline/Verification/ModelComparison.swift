// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraVision

/// A run's model beside what it has to be: the standardisation of the pixels, and the network of the kept epoch.
struct ModelComparison {
  private let file: TensorFile
  private let keptEpoch: Int?
  private static let name = Pipeline.Files.model

  /// Of a model's file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - keptEpoch: the epoch that its history says it was kept of.
  /// - Throws: `TesseraError` for a file that cannot be read.
  init(_ path: String, keptEpoch: Int?) throws {
    (file, self.keptEpoch) = (try TensorFile.open(path), keptEpoch)
  }

  /// Whether the model standardises pixels otherwise, is told to be of another epoch, or differs from the state
  /// that it was kept of, where that is kept.
  func difference(
    _ statistics: PixelStatistics, _ training: RecordedTraining
  ) throws -> RunCertificate.Difference? {
    for (name, wanted) in [("pixel.mean", statistics.mean), ("pixel.scale", statistics.scale)] {
      let own = try file.floats(name, shape: [wanted.count])
      guard let place = own.indices.first(where: { own[$0].bitPattern != wanted[$0].bitPattern })
      else { continue }
      return .init(
        stage: "model", file: Self.name, tensor: name, index: [place], recorded: bitText(own[place]),
        recomputed: bitText(wanted[place]))
    }
    let told = file.metadata["epoch"] ?? "none"
    guard told == keptEpoch.map({ "\($0)" }) ?? "none" else {
      return .init(
        stage: "model", file: Self.name, tensor: "its epoch", index: [], recorded: told,
        recomputed: keptEpoch.map { "\($0)" } ?? "none")
    }
    guard let place = training.places.last(where: { $0.epoch == keptEpoch }),
      let state = try training.states.file(place)
    else { return nil }
    for name in file.names where !name.hasPrefix("pixel.") {
      guard let found = try file.firstDifference(of: name, from: StateFolder.modelPrefix + name, in: state)
      else { continue }
      return .init(
        stage: "model", file: Self.name, tensor: found.tensor, index: found.index, recorded: found.found,
        recomputed: found.wanted)
    }
    return nil
  }

  /// Whether the model is another network than a state that was made again, if it was kept of that.
  ///
  /// - Parameters:
  ///   - tensors: the state's.
  ///   - found: where it is.
  ///   - device: what holds it.
  func difference(
    from tensors: [(name: String, tensor: Tensor)], at found: TrainingReplay.Stretch, on device: any Backend
  ) throws -> RunCertificate.Difference? {
    guard found.correct != nil, found.place.epoch == keptEpoch else { return nil }
    let prefix = StateFolder.modelPrefix
    let network = tensors.compactMap { name, tensor in
      name.hasPrefix(prefix) ? (name: String(name.dropFirst(prefix.count)), tensor: tensor) : nil
    }
    guard let other = try file.firstDifference(from: network, on: device) else { return nil }
    return .init(
      stage: "model", file: Self.name, tensor: other.tensor, index: other.index, recorded: other.found,
      recomputed: other.wanted)
  }
}
