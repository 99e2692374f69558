// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraVision

/// A training as a run recorded it: its history, and the states that it kept.
struct RecordedTraining {
  let history: [EpochRecord]
  let states: StateFolder
  /// The places of all recorded states, in order.
  let places: [TrainingPlace]
  /// Their digests.
  let digests: [String]

  /// Of the history of a run's folder.
  ///
  /// - Parameters:
  ///   - history: every epoch with the digests that it has to have.
  ///   - folder: the run's.
  ///   - rows: rows that were trained on.
  ///   - batch: rows a step.
  init(_ history: [EpochRecord], folder: String, rows: Int, batch: Int) {
    self.history = history
    states = StateFolder(URL(fileURLWithPath: folder).appendingPathComponent(Pipeline.Files.states).path)
    var (places, digests) = ([TrainingPlace](), [String]())
    for record in history {
      for (place, digest) in zip(
        record.places(rows: rows, batch: batch), record.stretches ?? [])
      {
        places.append(place)
        digests.append(digest)
      }
    }
    (self.places, self.digests) = (places, digests)
  }

  /// The digest that what follows a state has in it: the state's own, at an epoch's end with its figures.
  func chain(_ state: Int) -> String {
    let place = places[state]
    let record = isEnd(state) ? history.first { $0.epoch == place.epoch } : nil
    return record?.state ?? digests[state]
  }

  /// Whether a state is the last of its epoch.
  func isEnd(_ state: Int) -> Bool {
    state + 1 == places.count || places[state + 1].epoch != places[state].epoch
  }

  /// The numbers of the states that are kept.
  var kept: Set<Int> {
    let there = Set(states.places)
    return Set(places.indices.filter { there.contains(places[$0]) })
  }

  /// The epoch whose weights the training had to keep.
  func keptEpoch(_ images: ImageSet) -> Int? {
    EpochSelection.best(of: history, rows: images.split.validation.count)
  }

  /// Whether a state that was made again is another than the recorded one: the tensor and element where that is
  /// kept, else the digest, and at an epoch's end its figures.
  func difference(
    from found: TrainingReplay.Stretch, _ tensors: [(name: String, tensor: Tensor)], on device: any Backend
  ) throws -> RunCertificate.Difference? {
    guard let number = places.firstIndex(of: found.place),
      let entry = history.firstIndex(where: { $0.epoch == found.place.epoch })
    else {
      throw TesseraError.failure(
        "a training", found: "epoch \(found.place.epoch), step \(found.place.step)",
        wanted: "a place in the history")
    }
    func differs(_ recorded: String, _ recomputed: String) -> RunCertificate.Difference {
      .init(
        stage: "model", file: Pipeline.Files.history,
        tensor: "epoch \(found.place.epoch), step \(found.place.step)", index: [], recorded: recorded,
        recomputed: recomputed)
    }
    if let file = try states.file(found.place),
      let other = try file.firstDifference(from: tensors, on: device)
    {
      return .init(
        stage: "model", file: "\(Pipeline.Files.states)/\(URL(fileURLWithPath: file.path).lastPathComponent)",
        tensor: other.tensor, index: other.index, recorded: other.found, recomputed: other.wanted)
    }
    guard digests[number] == found.digest else {
      return differs("the state \(digests[number])", found.digest)
    }
    let record = history[entry]
    if let loss = found.loss, loss.bitPattern != record.loss.bitPattern {
      return differs("loss \(record.loss)", "\(loss)")
    }
    if let correct = found.correct, correct != record.correct {
      return differs("\(record.correct) right", "\(correct)")
    }
    return nil
  }
}
