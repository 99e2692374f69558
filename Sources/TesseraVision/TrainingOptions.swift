// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How a network learns, whatever network it is: the one place of these options, their defaults and their
/// ranges. The command line offers them, a run's file keeps them under the names of the properties, and the
/// trainer uses them.
public struct TrainingOptions: Sendable, Equatable, Codable {
  /// Passes over the training rows.
  public var epochs = 15
  /// Rows a step.
  public var batch = 32
  /// Seed of a network's start, of dropout and of the order of rows.
  public var seed = RandomStream.usualSeed
  /// Learning rate of the head's convolutions; nil: the architecture's.
  public var convolutionRate: Float?
  /// Learning rate of the classifier; nil: the architecture's for its head.
  public var classifierRate: Float?
  /// L2 penalty of the optimiser.
  public var weightDecay: Float = 0
  /// What becomes of the pretrained slice.
  public var slice = BackboneMode.frozen
  /// Learning rate of a slice that is trained; nil: that of the head's convolutions.
  public var sliceRate: Float?
  /// How learning rates change over the steps.
  public var schedule = Schedule.constant
  /// Share of the target that all classes have in common.
  public var labelSmoothing: Float = 0
  /// Epochs without a better one on validation after which training ends; nil: never.
  public var patience: Int?
  /// Standard deviation of normal noise on the normalised pixels, drawn anew in every step.
  public var noise: Float = 0
  /// How much the rows of each class count; nil: alike.
  public var classWeights: ClassWeights?

  /// The defaults.
  public init() {}

  /// Checks the ranges.
  ///
  /// - Throws: `TesseraError` that names the option as the command line does.
  public func check() throws {
    try Self.require("epochs", epochs, 0...100_000)
    try Self.require("batch", batch, 1...65_536)
    guard noise >= 0, noise < 1000 else {
      throw TesseraError.input("noise", found: "\(noise)", wanted: "0 or more, below 1000")
    }
    guard labelSmoothing >= 0, labelSmoothing < 1 else {
      throw TesseraError.input("label-smoothing", found: "\(labelSmoothing)", wanted: "0 or more, below 1")
    }
    if let classWeights, labelSmoothing > 0 {
      throw TesseraError.input(
        "class-weights", found: "\(classWeights.text) with label smoothing \(labelSmoothing)",
        wanted: "one of them: smoothed targets would need a weight for each of their parts")
    }
    if let patience, patience < 1 {
      throw TesseraError.input("patience", found: "\(patience)", wanted: "1 or more")
    }
    for (name, rate) in [
      ("conv-lr", convolutionRate), ("slice-lr", sliceRate), ("classifier-lr", classifierRate),
      ("weight-decay", weightDecay),
    ] {
      guard let rate, !(rate >= 0 && rate < 10) else { continue }
      throw TesseraError.input(name, found: "\(rate)", wanted: "0 to 10")
    }
  }

  private static func require(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws {
    guard !range.contains(value) else { return }
    throw TesseraError.input(
      name, found: "\(value)", wanted: "\(range.lowerBound) to \(range.upperBound)")
  }

  /// The learning rates of a network with this head: those that are set, else the architecture's.
  package func rates(
    of architecture: Architecture, _ head: Head
  ) -> (convolutions: Float, classifier: Float) {
    let usual = architecture.learningRates(head)
    return (convolutionRate ?? usual.convolutions, classifierRate ?? usual.classifier)
  }
}

/// What a training may use besides the main device. Changes no bit.
public struct TrainingResources: Sendable {
  /// Where the frozen slice's output may be kept between epochs.
  public var limits = FeatureLimits()
  /// Whether devices share batches.
  public var splitting = DataParallelMode.measured
  /// Where a killed training goes on from; nil: nowhere, and the last epoch is kept in place of the best.
  public var checkpoint: Checkpoint?
  /// Where states are kept, and which; nil: nothing is kept, and nothing that is there is removed.
  package var states: (folder: StateFolder, kept: KeptStates)?

  /// Half of each memory, shared batches where that is faster, no checkpoints.
  public init() {}
}

/// How learning rates change over the steps.
public enum Schedule: String, NamedOption {
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
