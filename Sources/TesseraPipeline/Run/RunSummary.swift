// SPDX-License-Identifier: Apache-2.0
import TesseraData
import TesseraImages
import TesseraVision

/// What a finished run's folder tells, for programs. It is read from the folder alone, so that the run itself
/// and a later report of it tell the same.
public struct RunSummary: Codable, Sendable {
  /// The folder.
  public let folder: String
  /// What the run was asked for.
  public let configuration: RunConfiguration
  /// What was found out about its data; nil of a run of an older version.
  let data: DataRecord?
  /// How many rows are for what.
  public let rows: Rows
  /// The images' channels.
  public let channels: [Channel]
  /// The epochs' figures, with the digest of the state after each.
  public let epochs: [EpochRecord]
  /// Validation as the official code tells it; nil of a run without its habits.
  public let validation: Validation?
  /// Accuracy on the test rows, and the epoch that was kept.
  public let evaluation: EvaluationSummary
  /// What the seeds gave that followed the first.
  public let repeats: [Repeat]
  /// The mean over all seeds; nil of one seed, and without rows to judge by.
  public let meanAccuracy: MeanAccuracy?
  /// The fingerprint of each stage.
  public let fingerprints: [String: String]
  /// Who made each stage.
  public let makers: [String: StageMaker]
  /// How long each stage took.
  public let seconds: [String: Double]

  /// How many rows are for what.
  public struct Rows: Codable, Sendable, Equatable {
    /// Rows that were trained on, that chose the epoch, and that were tested on.
    public let training: Int, validation: Int, test: Int
  }

  /// A channel of the images.
  public struct Channel: Codable, Sendable, Equatable {
    /// Such as `tsne:euclidean` or `layer 3`.
    public let name: String
    /// How its features share pixels.
    public let collisions: CollisionReport
    /// t-SNE's divergence at the end; nil of another layout.
    public let divergence: Float?

    /// Of a channel of a layout.
    package init(_ channel: LayoutChannel) {
      (name, collisions) = (channel.name, channel.pixels.collisions)
      // JSON has no word for what is no number.
      divergence = channel.divergence.flatMap { $0.isFinite ? $0 : nil }
    }
  }

  /// Validation as the official code tells it.
  public struct Validation: Codable, Sendable, Equatable {
    /// The accuracy in the best epoch, and the mean over all epochs.
    public let best: Double, mean: Double
  }

  /// The result of a training by another seed.
  public struct Repeat: Codable, Sendable, Equatable {
    /// The seed.
    public let seed: UInt64
    /// The accuracy on the test rows; nil without any.
    public let accuracy: AccuracySummary?
    /// The epoch that was kept; 0 for the linear path alone, nil if none was run.
    public let keptEpoch: Int?
  }

  /// Of a finished run and what was read of it.
  @_optimize(none)
  init(
    _ run: FinishedRun, _ summary: Pipeline.Summary, _ layout: FeatureLayout, _ evaluation: Evaluation,
    _ kept: KeptEpoch
  ) throws {
    (folder, configuration, data) = (run.folder, run.configuration, try run.data)
    rows = Rows(
      training: layout.split.training.count, validation: layout.split.validation.count,
      test: evaluation.model.total)
    channels = layout.channels.map { Channel($0) }
    epochs = summary.epochs
    validation = summary.validation.map { Validation(best: $0.best, mean: $0.mean) }
    self.evaluation = EvaluationSummary(evaluation, kept)
    repeats = summary.repeats.map {
      Repeat(seed: $0.seed, accuracy: AccuracySummary($0.accuracy), keptEpoch: $0.keptEpoch)
    }
    meanAccuracy = summary.meanAccuracy
    fingerprints = run.records.mapValues(\.fingerprint)
    makers = run.records.compactMapValues { StageMaker($0) }
    seconds = run.records.compactMapValues(\.seconds)
  }
}
