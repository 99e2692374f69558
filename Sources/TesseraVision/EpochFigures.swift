// SPDX-License-Identifier: Apache-2.0

/// What an epoch gave and how long it took, for curves and logs. Nothing depends on it: times differ from run to run, and
/// no fingerprint holds them.
public struct EpochFigures: Codable, Sendable, Equatable {
  /// The epoch; 0 for the network before the first step.
  public let epoch: Int
  /// Mean cross-entropy over the training rows, as in ``EpochRecord``.
  public let loss: Double
  /// The share of the training rows that is right in evaluation mode, over as many of them as there are validation rows,
  /// 1,000 at the most, evenly among them; nil without validation rows, and of an older version.
  public let trainingAccuracy: Double?
  /// Mean cross-entropy over the validation rows, in evaluation mode, weighted as the training's; nil without any.
  public let validationLoss: Double?
  /// The share of the validation rows that is right; nil without any.
  public let validationAccuracy: Double?
  /// Seconds for the training rows, and rows a second.
  public let seconds: Double, rowsPerSecond: Double
  /// Seconds for the validation rows, and rows a second; nil without any.
  public let validationSeconds: Double?, validationRowsPerSecond: Double?

  /// Of an epoch's record.
  ///
  /// - Parameters:
  ///   - record: the epoch.
  ///   - plan: what is learnt from.
  ///   - trainingAccuracy: the share of some training rows that is right.
  ///   - validationLoss: the mean over the validation rows.
  ///   - seconds: for the training rows, and for the validation rows.
  init(
    _ record: EpochRecord, _ plan: TrainingPlan, trainingAccuracy: Double?, validationLoss: Double?,
    seconds: (training: Double, validation: Double)
  ) {
    func rate(_ rows: Int, _ seconds: Double) -> Double { Double(rows) / max(seconds, 1e-9) }
    (epoch, loss, self.trainingAccuracy) = (record.epoch, record.loss, trainingAccuracy)
    (self.seconds, rowsPerSecond) = (seconds.training, rate(plan.training.count, seconds.training))
    let rows = plan.validation.count
    // JSON has no word for what is no number.
    self.validationLoss = rows > 0 ? validationLoss.flatMap { $0.isFinite ? $0 : nil } : nil
    validationAccuracy = rows > 0 ? Double(record.correct) / Double(rows) : nil
    validationSeconds = rows > 0 ? seconds.validation : nil
    validationRowsPerSecond = rows > 0 ? rate(rows, seconds.validation) : nil
  }
}
