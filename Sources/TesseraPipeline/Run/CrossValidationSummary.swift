// SPDX-License-Identifier: Apache-2.0
import TesseraData

/// What the folds of a cross-validation come to.
public struct CrossValidationSummary: Codable, Sendable, Equatable {
  /// The folder.
  public let folder: String
  /// How many folds there are.
  public let folds: Int
  /// How the rows were divided.
  public let splitMethod: SplitMethod
  /// Over the folds, of the image classifier and of the linear probe beside it.
  public let model: Measures, probe: Measures
  /// Right answers on all rows, each tested once.
  public let pooled: AccuracySummary?, pooledProbe: AccuracySummary?
  /// How the two compare on all rows.
  public let comparison: ComparisonSummary?
  /// Each fold in turn.
  public let runs: [Part]

  /// Means over the folds.
  public struct Measures: Codable, Sendable, Equatable {
    /// As in ``ClassMeasures``; no log loss of the probe.
    public let accuracy: MeanMeasure, balancedAccuracy: MeanMeasure, macroF1: MeanMeasure,
      matthews: MeanMeasure
    /// The mean of -log p; nil where a fold has none.
    public let logLoss: MeanMeasure?
  }

  /// A fold.
  public struct Part: Codable, Sendable, Equatable {
    /// Its number, from 1 on, and its folder.
    public let fold: Int, folder: String
    /// Accuracy of classifier and probe on its rows.
    public let model: AccuracySummary?, probe: AccuracySummary?
    /// The epoch that was kept; nil if none was run.
    public let keptEpoch: Int?
    /// SHA-256 of the predicted classes of both.
    public let fingerprint: String
  }

  /// Of finished folds, in their order.
  init(folder: String, _ configuration: RunConfiguration, _ found: [RunSummary]) {
    (self.folder, folds) = (folder, found.count)
    splitMethod = configuration.split.splitMethod ?? .random
    let all = found.map(\.evaluation)
    model = Measures(all.compactMap(\.model), all.compactMap(\.measures))
    probe = Measures(all.compactMap(\.probe), all.compactMap(\.probeMeasures))
    func pooled(_ parts: [AccuracySummary]) -> AccuracySummary? {
      AccuracySummary(
        Accuracy(correct: parts.reduce(0) { $0 + $1.correct }, total: parts.reduce(0) { $0 + $1.total }))
    }
    self.pooled = pooled(all.compactMap(\.model))
    pooledProbe = pooled(all.compactMap(\.probe))
    let pairs = all.compactMap(\.comparison)
    comparison =
      pairs.isEmpty
      ? nil
      : ComparisonSummary(
        PairedComparison(
          onlyModel: pairs.reduce(0) { $0 + $1.onlyModel }, onlyProbe: pairs.reduce(0) { $0 + $1.onlyProbe }))
    runs = zip(found, all).enumerated().map { number, pair in
      Part(
        fold: number + 1, folder: pair.0.folder, model: pair.1.model, probe: pair.1.probe,
        keptEpoch: pair.1.keptEpoch, fingerprint: pair.1.fingerprint)
    }
  }

  /// Means and folds, line by line.
  @_optimize(none)
  public var text: String {
    var lines = runs.map { part in
      let share = part.model.map { "\(Accuracy(correct: $0.correct, total: $0.total))" } ?? Accuracy.ofNothing
      let epoch = part.keptEpoch.map { ", kept epoch \($0)" } ?? ""
      let name = "fold \(part.fold)"
      return name + String(repeating: " ", count: max(1, 15 - name.count)) + share + epoch
    }
    lines.append("over \(folds) folds: the mean +- half of its 95% interval (Student's t)")
    for (name, one, other) in [
      ("accuracy       ", model.accuracy as MeanMeasure?, probe.accuracy as MeanMeasure?),
      ("balanced       ", model.balancedAccuracy, probe.balancedAccuracy),
      ("macro F1       ", model.macroF1, probe.macroF1), ("Matthews       ", model.matthews, probe.matthews),
      ("log loss       ", model.logLoss, nil),
    ] {
      guard let one else { continue }
      lines.append("\(name)\(one)" + (other.map { "; linear probe \($0)" } ?? ""))
    }
    if let pooled, let pooledProbe {
      lines.append("all rows       \(Accuracy(correct: pooled.correct, total: pooled.total))")
      lines.append("its probe      \(Accuracy(correct: pooledProbe.correct, total: pooledProbe.total))")
    }
    if let comparison {
      let pair = PairedComparison(onlyModel: comparison.onlyModel, onlyProbe: comparison.onlyProbe)
      lines.append("beside it      \(pair)")
    }
    return lines.joined(separator: "\n")
  }
}

extension CrossValidationSummary.Measures {
  /// Means over folds.
  init(_ accuracies: [AccuracySummary], _ measures: [ClassMeasures]) {
    accuracy = MeanMeasure(accuracies.map(\.value))
    balancedAccuracy = MeanMeasure(measures.map(\.balancedAccuracy.value))
    macroF1 = MeanMeasure(measures.map(\.macroF1.value))
    matthews = MeanMeasure(measures.map(\.matthews.value))
    let losses = measures.compactMap(\.logLoss?.value)
    logLoss = !losses.isEmpty && losses.count == accuracies.count ? MeanMeasure(losses) : nil
  }
}
