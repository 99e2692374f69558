// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute

/// Accuracy of the image classifier and, beside it, of a linear probe on the same features.
public struct Evaluation: Codable, Sendable, Equatable {
  /// Right answers of the image classifier.
  public let model: Accuracy
  /// Right answers of the linear probe.
  public let probe: Accuracy
  /// SHA-256 of the predicted classes of both.
  public let fingerprint: String
  /// The epoch that the classifier was kept of: 0 for its linear path alone, nil if none was run.
  public let keptEpoch: Int?
  /// Rows that one of the two has right and the other has not; nil in what an older version wrote.
  public let comparison: PairedComparison?
  /// Measures by class of the image classifier; nil without rows, and in what an older version wrote.
  public internal(set) var measures: ClassMeasures?
  /// The same of the linear probe, which has no probabilities.
  public internal(set) var probeMeasures: ClassMeasures?

  private enum CodingKeys: String, CodingKey {
    case model, probe, fingerprint, keptEpoch, comparison, measures, probeMeasures
  }

  /// Right answers and predictions as they are known.
  init(
    model: Accuracy, probe: Accuracy, fingerprint: String, keptEpoch: Int?, comparison: PairedComparison?,
    measures: ClassMeasures? = nil, probeMeasures: ClassMeasures? = nil
  ) {
    (self.model, self.probe, self.fingerprint) = (model, probe, fingerprint)
    (self.keptEpoch, self.comparison) = (keptEpoch, comparison)
    (self.measures, self.probeMeasures) = (measures, probeMeasures)
  }

  /// Reads what was written: no figures stand for no rows.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let none = Accuracy(correct: 0, total: 0)
    model = try values.decodeIfPresent(Accuracy.self, forKey: .model) ?? none
    probe = try values.decodeIfPresent(Accuracy.self, forKey: .probe) ?? none
    fingerprint = try values.decode(String.self, forKey: .fingerprint)
    keptEpoch = try values.decodeIfPresent(Int.self, forKey: .keptEpoch)
    comparison = try values.decodeIfPresent(PairedComparison.self, forKey: .comparison)
    measures = try values.decodeIfPresent(ClassMeasures.self, forKey: .measures)
    probeMeasures = try values.decodeIfPresent(ClassMeasures.self, forKey: .probeMeasures)
  }

  /// Writes figures where there are rows to judge by; without there are none.
  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    if model.total > 0 { try values.encode(model, forKey: .model) }
    if probe.total > 0 { try values.encode(probe, forKey: .probe) }
    try values.encode(fingerprint, forKey: .fingerprint)
    try values.encodeIfPresent(keptEpoch, forKey: .keptEpoch)
    if model.total > 0 { try values.encodeIfPresent(comparison, forKey: .comparison) }
    try values.encodeIfPresent(measures, forKey: .measures)
    try values.encodeIfPresent(probeMeasures, forKey: .probeMeasures)
  }

  /// Compares predictions with the truth.
  ///
  /// - Parameters:
  ///   - model: the model that predicts.
  ///   - images: of the rows to evaluate.
  ///   - labels: their classes.
  ///   - probe: the probe's predictions for the same rows.
  public static func make(
    _ model: TrainedModel, images: Floats, labels: [Int32], probe: [Int32]
  ) throws -> Evaluation {
    try measure(model, images: images, labels: labels, probe: probe).evaluation
  }

  /// The same, with the predictions.
  ///
  /// - Parameter rows: the numbers of the rows to evaluate; nil: all.
  static func measure(
    _ model: TrainedModel, images: Floats, rows: [Int]? = nil, labels: [Int32], probe: [Int32]
  ) throws -> (evaluation: Evaluation, predictions: Predictions) {
    let scores = try model.logProbabilities(images, of: rows)
    let count = model.classes.count
    guard scores.count == labels.count * count, probe.count == labels.count else {
      throw TesseraError.input(
        "evaluation",
        found: "\(scores.count / max(1, count)) images, \(labels.count) labels, \(probe.count) of the probe",
        wanted: "as many of each")
    }
    let predictions = Predictions(scores: scores, classes: count, labels: labels, probe: probe)
    return (try predictions.evaluation(keptEpoch: model.keptEpoch, names: model.classes), predictions)
  }
}

extension TrainedModel {
  /// The most probable class of each image, the first of equals.
  ///
  /// - Parameters:
  ///   - images: as they were rendered.
  ///   - rows: the numbers of the images; nil: all.
  public func predict(_ images: Floats, of rows: [Int]? = nil) throws -> [Int32] {
    Predictions.classes(of: try logProbabilities(images, of: rows), classes: classes.count)
  }
}
