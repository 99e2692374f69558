// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraVision

extension FinishedRun {
  /// Compares every file of the run with its record.
  ///
  /// - Returns: how many there are.
  /// - Throws: `TesseraError` naming the first that is missing or has other bytes.
  func checkAll() throws -> Int {
    var count = records.count + 2  // run.json and the manifest vouch for the records
    for stage in RunStages.names(configuration) {
      guard let record = records[stage] else { continue }
      count += record.outputs.count
      // The encoder may be where the run was made, and is checked there.
      if stage == "encoder" {
        _ = try checkedEncoder()
      } else {
        for name in record.outputs.keys.ordered() { _ = try checked(name) }
      }
    }
    if try data != nil { count += 1 }
    return count
  }

  /// The first difference of a stage's results from another run's.
  ///
  /// - Parameters:
  ///   - other: the run that was recomputed.
  ///   - stage: the stage's name.
  func difference(from other: FinishedRun, in stage: String) throws -> RunCertificate.Difference? {
    guard let own = records[stage], let theirs = other.records[stage] else {
      throw TesseraError.failure(folder, found: "no record of \(stage)", wanted: "tessera run to its end")
    }
    for name in Set(own.outputs.keys).union(theirs.outputs.keys).ordered()
    where own.outputs[name] != theirs.outputs[name] {
      guard own.outputs[name] != nil, theirs.outputs[name] != nil else {
        let (recorded, recomputed) = own.outputs[name] == nil ? ("no file", "one") : ("a file", "none")
        return .init(stage: stage, file: name, recorded: recorded, recomputed: recomputed)
      }
      if let found = try difference(from: other, in: stage, file: name) { return found }
    }
    for (what, recorded, recomputed) in [
      (
        "its inputs", "\(own.inputs.ordered { $0.key < $1.key })",
        "\(theirs.inputs.ordered { $0.key < $1.key })"
      ),
      (
        "its parameters", "\(own.parameters.ordered { $0.key < $1.key })",
        "\(theirs.parameters.ordered { $0.key < $1.key })"
      ), ("its fingerprint", own.fingerprint, theirs.fingerprint),
      ("its facts", "\(own.facts ?? [:])", "\(theirs.facts ?? [:])"),
    ] where recorded != recomputed {
      return .init(
        stage: stage, file: "\(stage).json", tensor: what, index: [], recorded: recorded,
        recomputed: recomputed)
    }
    return nil
  }

  private func difference(
    from other: FinishedRun, in stage: String, file: String
  ) throws -> RunCertificate.Difference? {
    let (own, theirs) = (try checked(file), try other.checked(file))
    if file.hasSuffix(".safetensors") {
      let (left, right) = (try TensorFile.open(own), try TensorFile.open(theirs))
      if let found = try left.firstDifference(from: right) {
        return .init(
          stage: stage, file: file, tensor: found.tensor, index: found.index, recorded: found.found,
          recomputed: found.wanted)
      }
      for key in Set(left.metadata.keys).union(right.metadata.keys).ordered()
      where left.metadata[key] != right.metadata[key] {
        return .init(
          stage: stage, file: file, tensor: "its metadata \(key)", index: [],
          recorded: left.metadata[key] ?? "nothing", recomputed: right.metadata[key] ?? "nothing")
      }
    }
    if file == Pipeline.Files.history { return try historyDifference(own, theirs) }
    let (left, right) = (InputFile.readIfThere(own) ?? Data(), InputFile.readIfThere(theirs) ?? Data())
    let place = zip(left, right).enumerated().first { $1.0 != $1.1 }?.offset ?? min(left.count, right.count)
    return .init(
      stage: stage, file: file, tensor: "its byte", index: [place],
      recorded: place < left.count ? "\(left[place])" : "the end",
      recomputed: place < right.count ? "\(right[place])" : "the end")
  }

  private func historyDifference(_ own: String, _ theirs: String) throws -> RunCertificate.Difference? {
    Self.historyDifference(
      try Pipeline.decode([EpochRecord].self, own), try Pipeline.decode([EpochRecord].self, theirs))
  }

  /// The first epoch in which two trainings differ. A run of an older version recorded no digests of its states:
  /// there only the figures are compared.
  static func historyDifference(_ left: [EpochRecord], _ right: [EpochRecord]) -> RunCertificate.Difference? {
    for place in 0..<max(left.count, right.count) {
      let recorded = place < left.count ? left[place] : nil
      var recomputed = place < right.count ? right[place] : nil
      if let recorded, recorded.state == nil { recomputed?.state = nil }
      guard recorded != recomputed else { continue }
      func text(_ record: EpochRecord?) -> String {
        record.map {
          "epoch \($0.epoch), loss \($0.loss), \($0.correct) right, state \($0.state ?? "untold")"
        }
          ?? "no epoch"
      }
      return .init(
        stage: "model", file: Pipeline.Files.history, tensor: "its entry", index: [place],
        recorded: text(recorded), recomputed: text(recomputed))
    }
    return nil
  }
}
