// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TesseraCompute
import TesseraData
import TesseraPipeline

/// A finished run on labelled reviews.
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Accuracy of a run on labelled reviews, beside a linear probe on the same features.")

  @Option(name: .customLong("run"), help: "Run directory.")
  var folder: String
  @OptionGroup var data: DataOptions
  @OptionGroup(title: "Device") var device: DeviceOptions
  @Flag(help: "JSON instead of text.")
  var json = false

  /// Evaluates and prints.
  func run() throws {
    try device.useAll(for: "evaluate") { devices in
      let predictor = try Predictor(run: folder, devices: devices)
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
      for warning in evaluation.measures?.warnings ?? [] { progress.warn(warning) }
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
}
