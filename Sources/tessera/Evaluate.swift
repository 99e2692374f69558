// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraCompute
import TesseraData
import TesseraPipeline

/// A finished run on labelled reviews.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Accuracy of a run on labelled rows, beside a linear probe on the same features.",
    discussion: "Of a run of a table --data is a table with its columns, in any order.")

  @Option(name: .customLong("run"), help: "Run directory.")
  var folder: String
  @OptionGroup var data: DataOptions
  @OptionGroup(title: "Table of numbers") var column: ColumnArguments
  @OptionGroup(title: "Device") var device: DeviceOptions
  @Flag(help: "JSON instead of text.")
  var json = false

  /// Evaluates and prints.
  func run() throws {
    try device.useAll(for: "evaluate") { devices in
      let predictor = try Predictor(run: folder, devices: devices)
      if predictor.featureNames != nil { return try table(predictor, devices) }
      if let name = column.given {
        throw TesseraError.input(name, found: "an option of a table for a run of texts", wanted: "none")
      }
      let set = try DataSet.read(
        data.source(), format: data.format(of: predictor.configuration), classes: predictor.classes,
        part: .test)
      try data.format().requireEffect(on: [set])
      let progress = device.progress
      progress.note("data: \(set.summary.line)")
      progress.begin("embedding \(set.texts.count) reviews on \(devices.name)")
      // What could fail of this fails before the work.
      let computed = json ? try ComputedBy(devices, threads: device.threads) : nil
      var cut = 0
      let evaluation = try predictor.evaluate(
        set, progress: { progress.update("embedding", done: $0, of: set.texts.count, unit: "reviews") },
        cut: {
          cut = $0
          progress.noteCut($0, of: set.texts.count, at: $1)
        })
      try tell(evaluation, set, cut: cut, predictor, computed)
    }
  }

  /// Evaluates on the rows of a table.
  private func table(_ predictor: Predictor, _ devices: DeviceGroup) throws {
    let set = try predictor.table(
      data.data, data.format(of: predictor.configuration), column.columns, labelled: true)
    device.progress.note("data: \(set.summary.line)")
    let computed = json ? try ComputedBy(devices, threads: device.threads) : nil
    try tell(try predictor.evaluate(set), set, cut: 0, predictor, computed)
  }

  private func tell(
    _ evaluation: Evaluation, _ set: any LabelledRows, cut: Int, _ predictor: Predictor,
    _ computed: ComputedBy?
  ) throws {
    for warning in evaluation.measures?.warnings ?? [] { device.progress.warn(warning) }
    if let computed {
      return try printJSON(
        EvaluationResult(
          folder: folder, data: set.summary, dataFingerprint: set.fingerprint, cut: cut,
          evaluation: EvaluationSummary(evaluation, predictor.kept), computed: computed))
    }
    print("accuracy      \(evaluation.model)")
    print("kept epoch    \(predictor.kept)")
    print("linear probe  \(evaluation.probe)")
    if let comparison = evaluation.comparison { print("beside it     \(comparison)") }
    for line in evaluation.measures?.lines(width: 14) ?? [] { print(line) }
    print("predictions \(evaluation.fingerprint)")
  }
}
