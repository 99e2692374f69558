// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraImages
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

  /// The first difference of a stage's results from what was recomputed.
  ///
  /// - Parameters:
  ///   - theirs: the record of the stage that was recomputed.
  ///   - other: the folder with its results.
  func difference(
    from theirs: StageRecord, in other: String
  ) throws -> RunCertificate.Difference? {
    let stage = theirs.stage
    guard let own = records[stage] else {
      return .init(stage: stage, file: "\(stage).json", recorded: "no record", recomputed: "one")
    }
    // An older program wrote fewer files, and named fewer inputs.
    let isOlder = try isOlder(stage)
    guard
      try isOlder || (own.version ?? 1) == theirs.version ?? 1 || stage == "evaluation" && isWithoutMeasures
    else {
      return .init(
        stage: stage, file: "\(stage).json", tensor: "its version", index: [],
        recorded: "\(own.version ?? 1)", recomputed: "\(theirs.version ?? 1)")
    }
    for name in Set(own.outputs.keys).union(isOlder ? [] : Array(theirs.outputs.keys)).ordered()
    where own.outputs[name] != theirs.outputs[name] {
      guard own.outputs[name] != nil, theirs.outputs[name] != nil else {
        let (recorded, recomputed) = own.outputs[name] == nil ? ("no file", "one") : ("a file", "none")
        return .init(stage: stage, file: name, recorded: recorded, recomputed: recomputed)
      }
      if let found = try difference(from: other, of: stage, in: name) { return found }
    }
    func text(_ values: [String: String]) -> String {
      values.ordered { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
    }
    for (what, recorded, recomputed) in [
      ("its inputs", text(own.inputs), text(theirs.inputs.filter { !isOlder || own.inputs[$0.key] != nil })),
      ("its parameters", text(own.parameters), text(theirs.parameters)),
      ("its fingerprint", own.fingerprint, theirs.fingerprint),
      ("its facts", text(own.facts ?? [:]), text(theirs.facts ?? [:])),
    ] where recorded != recomputed {
      return .init(
        stage: stage, file: "\(stage).json", tensor: what, index: [], recorded: recorded,
        recomputed: recomputed)
    }
    return nil
  }

  /// Whether a stage was recorded by a program that wrote no digests of states, or no predictions, or did not
  /// name all inputs: by its version and by what it lacks, for a version alone is soon written.
  func isOlder(_ stage: String) throws -> Bool {
    guard let record = records[stage], (record.version ?? 1) < StageRecord.versions[stage] ?? 1 else {
      return false
    }
    let files = Pipeline.Files.self
    switch stage {
    case "layout": return record.outputs[files.layoutHistory] == nil
    case "evaluation": return record.outputs[files.predictions] == nil
    case "images": return record.inputs["embeddings"] == nil
    default:
      return try Pipeline.decode([EpochRecord].self, checked(files.history)).allSatisfy {
        $0.stretches == nil
      }
    }
  }

  /// Whether the run's result is of the program before the one that measures classes, whose other results are the
  /// same: by its version, and by what it lacks.
  var isWithoutMeasures: Bool {
    get throws {
      guard records["evaluation"]?.version == 4 else { return false }
      let told = try Pipeline.decode(Evaluation.self, checked(Pipeline.Files.evaluation))
      return told.measures == nil && told.probeMeasures == nil
    }
  }

  private func difference(
    from other: String, of stage: String, in file: String
  ) throws -> RunCertificate.Difference? {
    let theirs = URL(fileURLWithPath: other).appendingPathComponent(file).path
    // The encoder's files may lie where the run was made.
    let own = stage == "encoder" ? try encoderFile(file) : try checked(file)
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
    if file == Pipeline.Files.layoutHistory { return try layoutDifference(own, theirs) }
    if file == Pipeline.Files.evaluation, try isWithoutMeasures {
      var again = try Pipeline.decode(Evaluation.self, theirs)
      (again.measures, again.probeMeasures) = (nil, nil)
      if try Pipeline.decode(Evaluation.self, own) == again { return nil }
    }
    let (left, right) = (InputFile.readIfThere(own) ?? Data(), InputFile.readIfThere(theirs) ?? Data())
    let place = zip(left, right).enumerated().first { $1.0 != $1.1 }?.offset ?? min(left.count, right.count)
    return .init(
      stage: stage, file: file, tensor: "its byte", index: [place],
      recorded: place < left.count ? "\(left[place])" : "the end",
      recomputed: place < right.count ? "\(right[place])" : "the end")
  }

  private func encoderFile(_ name: String) throws -> String {
    URL(fileURLWithPath: try checkedEncoder())
      .appendingPathComponent(String(name.dropFirst(Pipeline.Files.encoder.count + 1))).path
  }

  private func layoutDifference(_ own: String, _ theirs: String) throws -> RunCertificate.Difference? {
    let left = try Pipeline.decode([LayoutHistory].self, own)
    let right = try Pipeline.decode([LayoutHistory].self, theirs)
    func differs(_ tensor: String, _ recorded: String, _ recomputed: String) -> RunCertificate.Difference {
      .init(
        stage: "layout", file: Pipeline.Files.layoutHistory, tensor: tensor, index: [], recorded: recorded,
        recomputed: recomputed)
    }
    guard left.map(\.channel) == right.map(\.channel) else {
      return differs("its channels", "\(left.map(\.channel))", "\(right.map(\.channel))")
    }
    for (channel, (mine, again)) in zip(left, right).enumerated() where mine != again {
      let equal = zip(mine.states, again.states).prefix { $0 == $1 }.count
      func text(_ states: [TSNERecord]) -> String {
        equal < states.count ? "iteration \(states[equal].iteration), \(states[equal].state)" : "no state"
      }
      return differs("channel \(channel), state \(equal)", text(mine.states), text(again.states))
    }
    return nil
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
      if let recorded, recorded.state == nil {
        recomputed?.state = nil
        recomputed?.stretches = nil
      }
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
