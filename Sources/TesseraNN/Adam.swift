// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Adam (Kingma and Ba 2015) with one learning rate per group of parameters; AdamW, where the decay of
/// weights is decoupled (Loshchilov and Hutter 2019).
public final class Adam: Optimizer {
  /// Parameters that share a learning rate.
  public typealias Group = ParameterGroup

  private struct Slot {
    let name: String
    let parameter: Parameter
    let learningRate: Float
    let first: Tensor, second: Tensor
  }

  private let device: any Backend
  private let slots: [Slot]
  private let beta1: Float = 0.9, beta2: Float = 0.999, eps: Float = 1e-8
  private let weightDecay: Float, isDecoupled: Bool
  /// Steps taken, and the powers of the betas that go with them (by multiplication: no libm).
  public private(set) var steps = 0
  private var power1 = 1.0, power2 = 1.0

  /// An optimiser over groups; groups of learning rate 0 are not updated. A parameter that modules share
  /// counts once, under its first name.
  ///
  /// - Parameters:
  ///   - device: where the parameters are.
  ///   - groups: the parameters.
  ///   - weightDecay: the share of a parameter that is added to its gradient.
  ///   - decoupled: whether the share, times the learning rate, is taken off the parameter instead, as by
  ///     AdamW.
  /// - Throws: `TesseraError` for a negative or non-finite learning rate or weight decay, for a parameter
  ///   in groups of different learning rates, and for two parameters over one tensor: shared weights are
  ///   one `Parameter`.
  public init(
    device: any Backend, _ groups: [Group], weightDecay: Float = 0, decoupled: Bool = false
  ) throws {
    try ParameterGroup.require("Adam", groups, settings: [weightDecay])
    self.device = device
    (self.weightDecay, isDecoupled) = (weightDecay, decoupled)
    slots = try ParameterGroup.distinct(groups, "Adam").map { name, parameter, learningRate in
      let first = try device.allocate(parameter.value.shape, .float32)
      let second = try device.allocate(parameter.value.shape, .float32)
      try device.fill(first, with: 0)
      try device.fill(second, with: 0)
      return Slot(
        name: name, parameter: parameter, learningRate: learningRate, first: first, second: second)
    }
  }

  /// Updates every parameter that has a gradient, then lets go of the gradients.
  ///
  /// - Parameter factor: on all learning rates, for schedules.
  /// - Throws: `TesseraError` for a negative or non-finite factor, and what the device does.
  public func step(factor: Float = 1) throws {
    guard factor >= 0, factor.isFinite else {
      throw TesseraError.failure("Adam", found: "a factor of \(factor)", wanted: "a finite number, 0 or more")
    }
    steps += 1
    power1 *= 0.9
    power2 *= 0.999
    var p = AdamStep(
      count: 0, learningRate: 0, beta1: beta1, beta2: beta2, eps: eps,
      weightDecay: isDecoupled ? 0 : weightDecay)
    (p.correction1, p.correction2) = (Float(1 - power1), Float(1 - power2))
    for slot in slots {
      guard let gradient = slot.parameter.gradient else { continue }
      p.count = gradient.count
      p.learningRate = slot.learningRate * factor
      if isDecoupled, weightDecay > 0 {
        let value = slot.parameter.value
        try device.unary(.affine, value, alpha: 1 - p.learningRate * weightDecay, beta: -0.0, into: value)
      }
      try device.adam(
        p, gradient: gradient, parameter: slot.parameter.value, firstMoment: slot.first,
        secondMoment: slot.second)
      slot.parameter.reset()
    }
  }

  /// The moments by name, for checkpoints.
  public var state: [(name: String, tensor: Tensor)] {
    slots.flatMap { [("\($0.name).first_moment", $0.first), ("\($0.name).second_moment", $0.second)] }
  }

  /// Restores the number of steps taken; the moments are written into `state`'s tensors.
  ///
  /// - Throws: `TesseraError` for a negative number, or one beyond 32 bits.
  public func restore(steps: Int) throws {
    guard (0...Int(Int32.max)).contains(steps) else {
      throw TesseraError.failure("Adam", found: "\(steps) steps", wanted: "0 to 2^31 - 1")
    }
    (self.steps, power1, power2) = (0, 1, 1)
    for _ in 0..<steps {
      self.steps += 1
      power1 *= 0.9
      power2 *= 0.999
    }
  }
}
