// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData

/// What records say besides results.
extension RunVerification {
  /// Whether a stage's record tells another version of its procedure than this program's, and is none of that.
  func versionDifference() throws -> RunCertificate.Difference? {
    for stage in RunStages.names(configuration) {
      let (own, wanted) = (run.records[stage]?.version ?? 1, StageRecord.versions[stage] ?? 1)
      guard own != wanted, try !run.isOlder(stage), try stage != "evaluation" || !run.isWithoutMeasures
      else { continue }
      return .init(
        stage: stage, file: "\(stage).json", tensor: "its version", index: [], recorded: "\(own)",
        recomputed: "\(wanted)")
    }
    return nil
  }

  /// Whether `data.json` tells other counts than the data have. A run of an older version has none.
  func dataDifference() throws -> RunCertificate.Difference? {
    guard let told = try run.data else { return nil }
    let again = DataRecord(data, split: try configuration.split(of: data.labels), test: test)
    return try difference(told, again, cut: false)
  }

  /// The first field of two records of the data that differs.
  ///
  /// - Parameter cut: whether what stages found out is compared too.
  func difference(
    _ told: DataRecord, _ again: DataRecord, cut: Bool
  ) throws -> RunCertificate.Difference? {
    var (told, again) = (told, again)
    if !cut {
      (told.cut, told.constantFeatures) = ([:], nil)
      (again.cut, again.constantFeatures) = ([:], nil)
    }
    // A copy of the data may be of another form.
    let isMoved = configuration.data != run.configuration.data || configuration.test != run.configuration.test
    func fields(_ record: DataRecord) throws -> [String: String] {
      var object = try JSONSerialization.jsonObject(with: Pipeline.encoded(record)) as? [String: Any] ?? [:]
      for name in isMoved ? ["data", "test"] : [] {
        guard var summary = object[name] as? [String: Any] else { continue }
        for form in ["reading", "leftOut"] { summary[form] = nil }
        object[name] = summary
      }
      return try object.mapValues {
        String(
          decoding: try JSONSerialization.data(
            withJSONObject: $0, options: [.sortedKeys, .fragmentsAllowed]),
          as: UTF8.self)
      }
    }
    let (left, right) = (try fields(told), try fields(again))
    for name in Set(left.keys).union(right.keys).ordered() where left[name] != right[name] {
      return .init(
        stage: "data", file: Pipeline.Files.data, tensor: name, index: [], recorded: left[name] ?? "nothing",
        recomputed: right[name] ?? "nothing")
    }
    return nil
  }
}
