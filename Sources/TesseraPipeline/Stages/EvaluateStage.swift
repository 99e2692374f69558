import Foundation
import TesseraCompute

/// Accuracy of the image classifier and, beside it, of a linear probe on the same features.
public struct Evaluation: Codable, Sendable, Equatable {
  /// Right answers of the image classifier and of the probe.
  public let model: Accuracy, probe: Accuracy
  /// SHA-256 of the predicted classes of both.
  public let fingerprint: String
  /// The epoch that the classifier was kept of: 0 for its linear path alone, nil if none was run.
  public let keptEpoch: Int?

  /// Compares predictions with the truth.
  ///
  /// - Parameters:
  ///   - images: of the rows to evaluate.
  ///   - labels: their classes.
  ///   - probe: the probe's predictions for the same rows.
  public static func make(
    _ model: TrainedModel, images: [Float], labels: [Int32], probe: [Int32]
  ) throws -> Evaluation {
    let predicted = try model.predict(images)
    guard predicted.count == labels.count, probe.count == labels.count else {
      throw TesseraError.input(
        "evaluation", found: "\(predicted.count) images, \(labels.count) labels, \(probe.count) of the probe",
        wanted: "as many of each")
    }
    var print = Fingerprint()
    for values in [predicted, probe] { values.withUnsafeBytes { print.add($0) } }
    return Evaluation(
      model: Accuracy(predicted: predicted, truth: labels), probe: Accuracy(predicted: probe, truth: labels),
      fingerprint: print.digits(), keptEpoch: model.keptEpoch)
  }
}

extension TrainedModel {
  /// The most probable class of each image, the first of equals.
  public func predict(_ images: [Float]) throws -> [Int32] {
    let scores = try logProbabilities(images)
    let count = classes.count
    return (0..<scores.count / count).map { row in
      var best = 0
      for c in 1..<count where scores[row * count + c] > scores[row * count + best] { best = c }
      return Int32(best)
    }
  }
}
