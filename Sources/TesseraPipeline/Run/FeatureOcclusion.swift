// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraData
import TesseraImages
import TesseraVision

/// What a prediction hangs on, feature by feature: each is put to its mean over the training rows in turn, and the whole
/// way from the features to the logits is gone again (occlusion; Zeiler and Fergus 2014).
///
/// It sees all that the network does, the linear path and the slice, however few pixels the image has; of a small image
/// Grad-CAM sees a patch or two.
struct FeatureOcclusion {
  private let layout: FeatureLayout
  private let model: TrainedModel
  /// The mean of each feature over the training rows.
  private let mean: [Float]

  /// So many variants of a row, with their images, are in memory together.
  private static let variants = 256

  /// For a run's features.
  ///
  /// - Parameters:
  ///   - embeddings: the features that the layout was fitted on.
  ///   - layout: the layout.
  ///   - model: the network.
  init(_ embeddings: Embeddings, _ layout: FeatureLayout, _ model: TrainedModel) {
    (self.layout, self.model) = (layout, model)
    var sums = [Double](repeating: 0, count: embeddings.columns)
    let rows = layout.split.training
    embeddings.features.forEachBlock(of: rows, columns: embeddings.columns) { _, _, block in
      for (at, value) in block.enumerated() { sums[at % sums.count] += Double(value) }
    }
    mean = sums.map { Float($0 / Double(max(1, rows.count))) }
  }

  /// By how much a class's lead (its logit over the mean of the others') falls when each feature is put to its mean;
  /// negative for a feature that speaks against the class.
  ///
  /// - Parameters:
  ///   - row: the features of a row.
  ///   - target: the number of the class.
  func changes(_ row: [Float], target: Int) throws -> [Float] {
    let whole = try leads([row], target)[0]
    var changes: [Float] = []
    for begin in stride(from: 0, to: row.count, by: Self.variants) {
      let part = begin..<min(row.count, begin + Self.variants)
      let variants = part.map { feature in
        var other = row
        other[feature] = mean[feature]
        return other
      }
      changes += try leads(variants, target).map { whole - $0 }
    }
    return changes
  }

  private func leads(_ rows: [[Float]], _ target: Int) throws -> [Float] {
    let images = try layout.render(
      Floats(rows.flatMap { $0 }), columns: mean.count, rows: Array(rows.indices), on: model.network.device)
    let scores = try model.logProbabilities(Floats(images))
    let classes = model.classes.count
    return rows.indices.map { Predictor.lead(Array(scores[$0 * classes..<($0 + 1) * classes]), target) }
  }
}

extension Predictor {
  /// The features of a row that its prediction hangs on, those that change most first.
  ///
  /// - Parameters:
  ///   - features: the row's features.
  ///   - prediction: the same predictor's prediction for it.
  ///   - most: how many features are named.
  func occlusion(_ features: [Float], _ prediction: Prediction, most: Int) throws -> [Evidence.Feature] {
    guard let names = featureNames, let target = classes.firstIndex(of: prediction.label) else { return [] }
    let own = try Embeddings.read(run.checked(Pipeline.Files.embeddings))
    let changes = try FeatureOcclusion(own, layout, model).changes(features, target: target)
    return changes.indices.ordered { (abs(changes[$1]), $0) < (abs(changes[$0]), $1) }.prefix(max(0, most))
      .map {
        .init(name: names[$0], state: 0, element: $0, evidence: changes[$0])
      }
  }
}
