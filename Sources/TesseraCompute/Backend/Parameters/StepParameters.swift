// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// A step of Adam (Kingma and Ba 2015); weight decay is added to the gradient, as by PyTorch's Adam.
public struct AdamStep: Codable, Hashable, Sendable {
  /// Parameters.
  public var count: Int
  /// The length of a step.
  public var learningRate: Float
  /// How much of the first moment stays, 0 up to 1.
  public var beta1: Float
  /// How much of the second moment stays, 0 up to 1.
  public var beta2: Float
  /// What is added to the root of the second moment.
  public var eps: Float
  /// The share of a parameter that is added to its gradient.
  public var weightDecay: Float
  /// 1 - beta1^t in step t.
  public var correction1: Float
  /// 1 - beta2^t in step t.
  public var correction2: Float

  /// A step of so many parameters; of step 1 of Adam with the usual settings, unless told otherwise.
  public init(
    count: Int, learningRate: Float, beta1: Float = 0.9, beta2: Float = 0.999, eps: Float = 1e-8,
    weightDecay: Float = 0
  ) {
    (self.count, self.learningRate) = (count, learningRate)
    (self.beta1, self.beta2, self.eps, self.weightDecay) = (beta1, beta2, eps, weightDecay)
    (correction1, correction2) = (1 - beta1, 1 - beta2)
  }

  /// The kernels' parameters. Throws unless the settings make sense.
  func checked() throws -> tsr_adam_params {
    let settings = [learningRate, beta1, beta2, eps, weightDecay]
    guard settings.allSatisfy({ $0 >= 0 && $0.isFinite }), beta1 < 1, beta2 < 1, correction1 > 0,
      correction2 > 0, correction1.isFinite, correction2.isFinite
    else {
      throw TesseraError.failure(
        "adam", found: "\(self)",
        wanted: "finite settings of 0 or more, betas below 1, corrections above 0")
    }
    return tsr_adam_params(self)
  }
}

/// A step of SGD, RMSprop or Lion; weight decay is added to the gradient, by Lion to the step (decoupled).
public struct DescentStep: Codable, Hashable, Sendable {
  /// Parameters.
  public var count: Int
  /// The length of a step.
  public var learningRate: Float
  /// How much of the velocity stays, 0 up to 1; by Lion, how much of the momentum the update has.
  public var momentum: Float
  /// How much of the mean of squares stays (RMSprop), or of the momentum (Lion), 0 up to 1.
  public var decay: Float
  /// What RMSprop adds to the root of the mean of squares.
  public var eps: Float
  /// The share of a parameter that is added to its gradient.
  public var weightDecay: Float
  /// Whether SGD looks ahead by Nesterov's rule.
  public var nesterov: Bool

  /// A step of so many parameters.
  public init(
    count: Int, learningRate: Float, momentum: Float = 0, decay: Float = 0.99, eps: Float = 1e-8,
    weightDecay: Float = 0, nesterov: Bool = false
  ) {
    (self.count, self.learningRate, self.momentum) = (count, learningRate, momentum)
    (self.decay, self.eps, self.weightDecay, self.nesterov) = (decay, eps, weightDecay, nesterov)
  }

  /// The kernels' parameters. Throws unless the settings make sense.
  func checked(_ place: String) throws -> tsr_step_params {
    let settings = [learningRate, momentum, decay, eps, weightDecay]
    guard settings.allSatisfy({ $0 >= 0 && $0.isFinite }), momentum < 1, decay < 1 else {
      throw TesseraError.failure(
        place, found: "\(self)", wanted: "finite settings of 0 or more, momentum and decay below 1")
    }
    return tsr_step_params(
      count: Int32(extent: count), nesterov: nesterov ? 1 : 0, lr: learningRate, momentum: momentum,
      decay: decay, eps: eps, weight_decay: weightDecay)
  }
}

/// A gradient step of t-SNE (van der Maaten and Hinton 2008).
public struct TSNEStep: Codable, Hashable, Sendable {
  /// Points of the layout.
  public var points: Int
  /// What attraction is multiplied by.
  public var exaggeration: Float = 0
  /// The length of a step.
  public var learningRate: Float = 0
  /// How much of the velocity stays.
  public var momentum: Float = 0
  /// The least gain of a coordinate.
  public var minGain: Float = 0

  /// A step of so many points, all of whose settings are 0.
  public init(points: Int) { self.points = points }

  /// The kernels' parameters. Throws for fewer points than none, more than 32-bit indices reach with five
  /// numbers each, and steps that are no numbers.
  func checked(_ place: String) throws -> tsr_tsne_params {
    try requireExtents(place, points, 5)
    guard exaggeration.isFinite, learningRate.isFinite, momentum.isFinite, minGain.isFinite else {
      throw TesseraError.failure(
        place,
        found:
          "exaggeration \(exaggeration), learning rate \(learningRate), momentum \(momentum), gain \(minGain)",
        wanted: "finite numbers")
    }
    return tsr_tsne_params(self)
  }
}
