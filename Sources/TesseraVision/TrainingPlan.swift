// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What is learnt from and how.
public struct TrainingPlan: Sendable {
  /// Normalised images, each a row of all its channels' pixels.
  public var images: FeatureRows
  /// The class of each image.
  public var labels: [Int32]
  /// Numbers of the rows to train on.
  public var training: [Int]
  /// Numbers of the rows to choose the epoch by.
  public var validation: [Int]
  /// How it is learnt.
  public var options = TrainingOptions()
  /// The weight of each class in the loss; nil: all count alike.
  public var classWeights: [Float]?
  /// Whether the network as it stands is epoch 0, which a later one replaces if it is better by more than a
  /// standard error.
  public var keepsStart = false
  /// Where the frozen slice's output may be kept.
  public var limits = FeatureLimits()

  /// A plan with the recipe's defaults, for normalised images in memory, one for each label.
  public init(images: [Float], labels: [Int32], training: [Int], validation: [Int]) {
    let rows = FeatureRows(Floats(images), columns: images.count / max(1, labels.count))
    self.init(images: rows, labels: labels, training: training, validation: validation)
  }

  /// A plan with the recipe's defaults.
  public init(images: FeatureRows, labels: [Int32], training: [Int], validation: [Int]) {
    (self.images, self.labels) = (images, labels)
    (self.training, self.validation) = (training, validation)
  }
}

extension TrainingPlan {
  /// What the losses of rows are multiplied by in a mean over some rows; nil where all classes count alike.
  func factors(among rows: [Int]) -> LossFactors? {
    classWeights.map { LossFactors($0, labels: rows.map { labels[$0] }) }
  }

  /// Throws unless the plan's images, labels and rows are a network's, and its settings make sense.
  func check(for network: ImageClassifier) throws {
    func wrong(_ found: String, _ wanted: String) -> TesseraError {
      TesseraError.input("training", found: found, wanted: wanted)
    }
    try options.check()
    guard !training.isEmpty else { throw wrong("no rows", "rows to train on") }
    let area = network.channels * network.pixels * network.pixels
    guard images.columns == area, images.values.count == area * labels.count else {
      throw wrong(
        "\(images.values.count) values in rows of \(images.columns), and \(labels.count) labels",
        "a label for every image of \(area) values")
    }
    if let row = (training + validation).first(where: { !labels.indices.contains($0) }) {
      throw wrong("row \(row)", "rows of 0..<\(labels.count)")
    }
    if let classWeights {
      guard classWeights.count == network.classes, classWeights.allSatisfy({ $0 > 0 && $0.isFinite }) else {
        throw wrong("weights \(classWeights)", "one above 0 for each of \(network.classes) classes")
      }
      guard options.labelSmoothing == 0 else {
        throw wrong("weights of classes with label smoothing", "one of them")
      }
    }
    // Other rows may have none.
    if let row = (training + validation).first(where: { !(0..<network.classes).contains(Int(labels[$0])) }) {
      throw wrong("label \(labels[row]) of row \(row)", "0..<\(network.classes)")
    }
  }
}
