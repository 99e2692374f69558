// SPDX-License-Identifier: Apache-2.0

/// An accuracy with the figures that follow from its counts.
public struct AccuracySummary: Codable, Sendable, Equatable {
  /// Right answers, out of how many.
  public let correct: Int, total: Int
  /// The share that was right.
  public let value: Double
  /// Lower and upper end of the Wilson score interval at 95%.
  public let low: Double, high: Double

  /// Of counts; nil where there are no rows to judge by.
  init?(_ accuracy: Accuracy) {
    guard accuracy.total > 0 else { return nil }
    (correct, total, value) = (accuracy.correct, accuracy.total, accuracy.value)
    (low, high) = accuracy.interval
  }
}

/// How the image classifier compares with the probe, with the chance that follows from the counts.
public struct ComparisonSummary: Codable, Sendable, Equatable {
  /// Rows that the image classifier alone has right, and that the probe alone has.
  public let onlyModel: Int, onlyProbe: Int
  /// McNemar's test, two-sided and exact.
  public let p: Double

  init(_ comparison: PairedComparison) {
    (onlyModel, onlyProbe, p) = (comparison.onlyModel, comparison.onlyProbe, comparison.p)
  }
}

/// What an evaluation found, for programs.
public struct EvaluationSummary: Codable, Sendable, Equatable {
  /// The image classifier's accuracy; nil without rows to judge by.
  public let model: AccuracySummary?
  /// The linear probe's on the same features; nil without rows to judge by.
  public let probe: AccuracySummary?
  /// How the two compare on the same rows; nil without rows to judge by, and of an older version's run.
  public let comparison: ComparisonSummary?
  /// Measures by class of the image classifier; nil without rows to judge by, and of an older version's run.
  public let measures: ClassMeasures?
  /// The same of the linear probe, which has no probabilities.
  public let probeMeasures: ClassMeasures?
  /// SHA-256 of the predicted classes of both.
  public let fingerprint: String
  /// The epoch that the classifier was kept of; nil if none was run.
  public let keptEpoch: Int?
  /// Whether the classifier is its linear path alone, to which the CNN added nothing.
  public let linearPathAlone: Bool

  /// Of an evaluation of a network of this kept epoch.
  package init(_ evaluation: Evaluation, _ kept: KeptEpoch) {
    model = AccuracySummary(evaluation.model)
    probe = AccuracySummary(evaluation.probe)
    comparison = evaluation.comparison.map(ComparisonSummary.init)
    (measures, probeMeasures) = (evaluation.measures, evaluation.probeMeasures)
    fingerprint = evaluation.fingerprint
    (keptEpoch, linearPathAlone) = (kept.epoch, kept.isLinearPathAlone)
  }
}
