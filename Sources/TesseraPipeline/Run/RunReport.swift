// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraText
import TesseraVision

extension Pipeline.Summary {
  /// Accuracy, layout and fingerprints, line by line.
  @_optimize(none)
  public var text: String {
    var lines: [String] = []
    if let evaluation, evaluation.model.total == 0 {
      lines.append("test accuracy  none: there are no rows to test on (see --test-share and --test)")
    } else if let evaluation {
      lines.append("test accuracy  \(evaluation.model)")
      if let meanAccuracy { lines.append("by seeds       \(meanAccuracy)") }
      lines.append("linear probe   \(evaluation.probe)")
      if let comparison = evaluation.comparison { lines.append("beside it      \(comparison)") }
      lines += evaluation.measures?.lines(width: 15) ?? []
    }
    if let kept { lines.append("kept epoch     \(kept)") }
    if !repeats.isEmpty {
      let epochs = repeats.map { "\($0.keptEpoch.map { "\($0)" } ?? "none") (seed \($0.seed))" }
      lines.append("by other seeds \(epochs.joined(separator: ", "))")
    }
    if let validation {
      lines.append(
        "validation     \(decimal(validation.best)) in the best epoch; \(decimal(validation.mean)) as the "
          + "official code counts, the mean over all epochs")
    }
    for channel in channels {
      if channels.count > 1 {
        lines.append("layout         \(channel.name): \(channel.summary)")
      } else {
        lines.append("layout         \(channel.pixels.collisions)")
        if let divergence = channel.divergence { lines.append("divergence     \(divergence)") }
      }
    }
    lines.append("fingerprints (SHA-256)")
    // Of no predictions there is no fingerprint.
    for (stage, digits) in fingerprints
    where stage != "predictions" || (evaluation?.model.total ?? 1) > 0 {
      lines.append("  \(stage)\(String(repeating: " ", count: max(1, 18 - stage.count)))\(digits)")
    }
    return lines.joined(separator: "\n")
  }

  /// The mean over all seeds; nil of one seed, and without rows to judge by.
  var meanAccuracy: MeanAccuracy? {
    guard let evaluation, evaluation.model.total > 0, !repeats.isEmpty else { return nil }
    return MeanAccuracy([evaluation.model] + repeats.map(\.accuracy))
  }

  /// Validation in the best epoch, and as the official code tells it, the mean over all epochs; nil of a run
  /// without its habits.
  var validation: (best: Double, mean: Double)? {
    guard isPaper, validationRows > 0, !epochs.isEmpty else { return nil }
    let shares = epochs.map { Double($0.correct) / Double(validationRows) }
    return (shares.max() ?? 0, shares.reduce(0, +) / Double(shares.count))
  }
}

/// What a finished run's folder tells.
public struct RunReport {
  /// The report.
  public let text: String
  /// The same for programs.
  public let summary: RunSummary

  /// Reads a run.
  ///
  /// - Throws: `TesseraError` if there is none that is finished, or a file of it is not as the run left it.
  @_optimize(none)
  public init(folder: String) throws {
    let run = try FinishedRun(folder)
    let c = run.configuration
    var summary = Pipeline.Summary()
    for (stage, name) in [
      ("embeddings", "embeddings"), ("test-embeddings", "test embeddings"), ("layout", "layout"),
      ("images", "images"), ("model", "model"), ("evaluation", "predictions"),
    ] {
      if let record = run.records[stage] { summary.fingerprints.append((name, record.fingerprint)) }
    }
    let layout = try FeatureLayout.read(run.checked(Pipeline.Files.layout))
    summary.channels = layout.channels
    let evaluation = try Pipeline.decode(Evaluation.self, run.checked(Pipeline.Files.evaluation))
    summary.evaluation = evaluation
    summary.isPaper = c.embedding.paperStates
    summary.repeats = try Pipeline.repeats(run)
    let side = layout.side
    let model = c.model
    let weights = model.weights.map { "weights \($0)" } ?? "slice drawn by seed"
    var lines = [
      "run            \(folder)", "data           \(c.data)\(c.test.map { ", tested on \($0)" } ?? "")",
      c.source(features: layout.scaler.minimum.count),
      "model          \(model.architecture.rawValue), \(weights), pixels \(model.normalization.rawValue)",
      "recipe         \(side) x \(side) pixels, \(c.layout.channels.rawValue) channels, perplexity "
        + "\(c.layout.perplexity), \(model.training.epochs) epochs of batches of "
        + "\(model.training.batch), seed \(c.seed)",
    ]
    if let method = c.split.splitMethod { lines.append("split          \(method.rawValue)") }
    if let fold = c.split.fold, let folds = c.split.folds {
      lines.append("fold           \(fold) of \(folds)")
    }
    if let weights = model.training.classWeights { lines.append("class weights  \(weights.text)") }
    lines += (try run.data?.lines ?? []).map { "rows           \($0)" }
    let rows = layout.split.validation.count
    summary.epochs = try Pipeline.decode([EpochRecord].self, run.checked(Pipeline.Files.history))
    summary.validationRows = rows
    lines += summary.epochs.map { Pipeline.line($0, rows, c.model.network) }
    let kept = KeptEpoch(evaluation.keptEpoch, of: summary.epochs.last?.epoch ?? 0, c.model.network)
    summary.kept = kept
    text = (lines + [summary.text]).joined(separator: "\n")
    self.summary = try RunSummary(run, summary, layout, evaluation, kept)
  }
}
