// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraVision

extension RunDispute {
  /// Compares the records of two runs, stage by stage, and tells the digests of the parts of the first place
  /// where they differ.
  func answer(to other: FinishedRun) throws -> Answer {
    let run = verification.run
    for stage in RunStages.names(run.configuration) {
      guard let own = run.records[stage], let theirs = other.records[stage] else {
        throw TesseraError.input(
          other.folder, found: "no stage \(stage)", wanted: "a run of the same work as \(run.folder)")
      }
      guard own.parameters == theirs.parameters, stage != "encoder" || own.fingerprint == theirs.fingerprint,
        own.inputs["data"] == theirs.inputs["data"], own.inputs["weights"] == theirs.inputs["weights"]
      else { throw otherWork(other, stage) }
      if own.fingerprint == theirs.fingerprint, own.outputs == theirs.outputs { continue }
      guard let place = try place(stage, own, theirs, other) else {
        return try Answer("\(stage): the results differ, and no part of the way to them does")
      }
      let part = try self.part(place)
      var evidence = DisputeEvidence(place, before: part.before)
      evidence.parts = try part.digests()
      return try Answer(
        "\(stage) is the first stage that differs: \(place.text), \(evidence.parts?.count ?? 0) parts",
        evidence)
    }
    return try Answer("every stage has the same results", isEqual: true)
  }

  private func otherWork(_ other: FinishedRun, _ stage: String) -> TesseraError {
    TesseraError.input(
      other.folder, found: "other inputs or settings of \(stage)",
      wanted: "a run of the same work as \(verification.run.folder)")
  }

  /// Where two runs part in a stage; nil where all that they recorded on the way is equal.
  private func place(
    _ stage: String, _ own: StageRecord, _ theirs: StageRecord, _ other: FinishedRun
  ) throws -> DisputedPlace? {
    switch stage {
    case "layout": return try layoutPlace(other)
    case "model": return try trainingPlace(other)
    case "images":
      let isTest = own.outputs[Pipeline.Files.images] == theirs.outputs[Pipeline.Files.images]
      return .rows(stage: isTest ? "test-images" : "images")
    case "embeddings", "test-embeddings", "evaluation": return .rows(stage: stage)
    default:
      throw TesseraError.input(
        other.folder, found: "another \(stage)", wanted: "stages up to evaluation that differ")
    }
  }

  private func layoutPlace(_ other: FinishedRun) throws -> DisputedPlace? {
    let name = Pipeline.Files.layoutHistory
    let own = try Pipeline.decode([LayoutHistory].self, verification.run.checked(name))
    let theirs = try Pipeline.decode([LayoutHistory].self, other.checked(name))
    for (channel, (mine, its)) in zip(own, theirs).enumerated() where mine != its {
      let equal = zip(mine.states, its.states).prefix { $0 == $1 }.count
      return equal < mine.states.count ? .layout(channel: channel, state: equal) : nil
    }
    // A channel without iterations has recorded nothing on its way.
    return own.firstIndex { $0.states.isEmpty }.map { .layout(channel: $0, state: 0) }
  }

  private func trainingPlace(_ other: FinishedRun) throws -> DisputedPlace? {
    let name = Pipeline.Files.history
    let own = try training(Pipeline.decode([EpochRecord].self, verification.run.checked(name)))
    let theirs = try training(Pipeline.decode([EpochRecord].self, other.checked(name)))
    let equal = own.places.indices.prefix { state in
      state < theirs.places.count && own.digests[state] == theirs.digests[state]
        && own.chain(state) == theirs.chain(state)
    }
    return equal.count < own.places.count ? .training(state: equal.count) : nil
  }

  /// A recorded training of this run's work.
  func training(_ history: [EpochRecord]) throws -> RecordedTraining {
    let images = try ImageSet.read(verification.run.checked(Pipeline.Files.images))
    return RecordedTraining(
      history, folder: verification.run.folder, rows: images.split.training.count,
      batch: verification.configuration.model.training.batch)
  }
}
