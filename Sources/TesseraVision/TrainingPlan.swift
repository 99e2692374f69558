// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What is learnt from and how.
public struct TrainingPlan: Sendable {
  /// Normalised images (count, pixels, pixels) and the class of each.
  public var images: [Float], labels: [Int32]
  /// Row numbers to train on and to choose the epoch by.
  public var training: [Int], validation: [Int]
  /// Passes over the training rows, rows per step.
  public var epochs = 15, batch = 32
  /// Seed of dropout and of the order of rows.
  public var seed: UInt64 = 1701
  /// Learning rates of the head's convolutions and of the classifier; the architecture's if nil.
  public var learningRates: (convolutions: Float, classifier: Float)?
  /// L2 penalty of the optimiser.
  public var weightDecay: Float = 0
  /// What becomes of the slice, and its learning rate if it is trained (nil: the head's).
  public var slice = SliceMode.frozen, sliceRate: Float?
  /// How learning rates change, and the share of the target that all classes have in common.
  public var schedule = Schedule.constant, labelSmoothing: Float = 0
  /// Epochs without a better one after which training ends; nil: never.
  public var patience: Int?
  /// Whether the network as it stands is epoch 0, which a later one replaces if it is better by more than a standard error.
  public var keepsStart = false
  /// Standard deviation of normal noise on the normalised pixels, drawn anew in every step.
  public var noise: Float = 0
  /// Where the frozen slice's output may be kept.
  public var limits = FeatureLimits()

  /// A plan with the recipe's defaults.
  public init(images: [Float], labels: [Int32], training: [Int], validation: [Int]) {
    (self.images, self.labels) = (images, labels)
    (self.training, self.validation) = (training, validation)
  }
}

/// How learning rates change over the steps.
public enum Schedule: String, Sendable, CaseIterable {
  /// Not at all.
  case constant
  /// In a straight line to 0 after the last step.
  case linear

  /// The factor on the rates in a step.
  func factor(_ step: Int, of steps: Int) -> Float {
    switch self {
    case .constant: 1
    case .linear: Float(steps - step) / Float(max(1, steps))
    }
  }
}

extension TrainingPlan {
  /// Throws unless the plan's images, labels and rows are a network's, and its settings make sense.
  func check(for network: ImageClassifier) throws {
    func wrong(_ found: String, _ wanted: String) -> TesseraError {
      TesseraError.input("training", found: found, wanted: wanted)
    }
    let limit = 1 << 20
    guard !training.isEmpty, (1...limit).contains(batch), (0...limit).contains(epochs) else {
      throw wrong(
        "\(training.count) rows, batch \(batch), \(epochs) epochs",
        "rows to train on, a batch of 1 to \(limit), at most as many epochs")
    }
    let area = network.channels * network.pixels * network.pixels
    guard images.count % area == 0, images.count / area == labels.count else {
      throw wrong(
        "\(images.count) values and \(labels.count) labels", "a label for every image of \(area) values")
    }
    if let row = (training + validation).first(where: { !labels.indices.contains($0) }) {
      throw wrong("row \(row)", "rows of 0..<\(labels.count)")
    }
    // Other rows may have none.
    if let row = (training + validation).first(where: { !(0..<network.classes).contains(Int(labels[$0])) }) {
      throw wrong("label \(labels[row]) of row \(row)", "0..<\(network.classes)")
    }
    guard labelSmoothing >= 0, labelSmoothing <= 1, noise >= 0, noise.isFinite, patience ?? 0 >= 0 else {
      throw wrong(
        "label smoothing \(labelSmoothing), noise \(noise), patience \(patience ?? 0)",
        "smoothing of 0 to 1, finite noise and patience of 0 or more")
    }
  }
}
