// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Gradient descent with a state of so many tensors a parameter, which begin at 0: SGD, RMSprop, Lion.
public class Descent: Optimizer {
  fileprivate struct Slot {
    let name: String
    let parameter: Parameter
    let learningRate: Float
    let states: [Tensor]
  }

  fileprivate let device: any Backend
  private let slots: [Slot], stateNames: [String]
  private let settings: DescentStep
  private let place: String
  /// Steps taken.
  public private(set) var steps = 0

  fileprivate init(
    _ place: String, device: any Backend, _ groups: [ParameterGroup], _ settings: DescentStep,
    states: [String]
  ) throws {
    try ParameterGroup.require(place, groups, settings: [settings.weightDecay])
    _ = try settings.checkedSettings(place)
    self.place = place
    (self.device, self.settings, stateNames) = (device, settings, states)
    slots = try ParameterGroup.distinct(groups, place).map { name, parameter, learningRate in
      let tensors = try states.map { _ in
        let state = try device.allocate(parameter.value.shape, .float32)
        try device.fill(state, with: 0)
        return state
      }
      return Slot(name: name, parameter: parameter, learningRate: learningRate, states: tensors)
    }
  }

  fileprivate func update(
    _ p: DescentStep, _ gradient: Tensor, _ parameter: Tensor, _ states: [Tensor]
  ) throws {}

  public func step(factor: Float = 1) throws {
    guard factor >= 0, factor.isFinite else {
      throw TesseraError.failure(place, found: "a factor of \(factor)", wanted: "a finite number, 0 or more")
    }
    steps += 1
    for slot in slots {
      guard let gradient = slot.parameter.gradient else { continue }
      var p = settings
      (p.count, p.learningRate) = (gradient.count, slot.learningRate * factor)
      try update(p, gradient, slot.parameter.value, slot.states)
      slot.parameter.reset()
    }
  }

  public var state: [(name: String, tensor: Tensor)] {
    slots.flatMap { slot in zip(stateNames, slot.states).map { ("\(slot.name).\($0)", $1) } }
  }

  public func restore(steps: Int) throws {
    guard (0...Int(Int32.max)).contains(steps) else {
      throw TesseraError.failure(place, found: "\(steps) steps", wanted: "0 to 2^31 - 1")
    }
    self.steps = steps
  }
}

extension DescentStep {
  /// Throws for settings that make no sense, before there is a gradient.
  fileprivate func checkedSettings(_ place: String) throws {
    guard [momentum, decay, eps, weightDecay].allSatisfy({ $0 >= 0 && $0.isFinite }), momentum < 1, decay < 1,
      !nesterov || momentum > 0
    else {
      throw TesseraError.failure(
        place, found: "\(self)",
        wanted: "finite settings of 0 or more, momentum and decay below 1, a momentum for Nesterov's rule")
    }
  }
}

/// Stochastic gradient descent with momentum (Sutskever et al. 2013), as PyTorch computes it.
public final class SGD: Descent {
  /// An optimiser over groups.
  ///
  /// - Parameters:
  ///   - device: where the parameters are.
  ///   - groups: the parameters; those of learning rate 0 are not updated.
  ///   - momentum: how much of the velocity stays, 0 up to 1.
  ///   - nesterov: whether it looks ahead by Nesterov's rule.
  ///   - weightDecay: the share of a parameter that is added to its gradient.
  /// - Throws: `TesseraError` for settings that make no sense, and as `Adam`.
  public init(
    device: any Backend, _ groups: [ParameterGroup], momentum: Float = 0, nesterov: Bool = false,
    weightDecay: Float = 0
  ) throws {
    let p = DescentStep(
      count: 0, learningRate: 0, momentum: momentum, weightDecay: weightDecay, nesterov: nesterov)
    try super.init("SGD", device: device, groups, p, states: ["velocity"])
  }

  fileprivate override func update(
    _ p: DescentStep, _ gradient: Tensor, _ parameter: Tensor, _ states: [Tensor]
  ) throws {
    try device.sgd(p, gradient: gradient, parameter: parameter, velocity: states[0])
  }
}

/// RMSprop (Tieleman and Hinton 2012), as PyTorch computes it.
public final class RMSprop: Descent {
  /// An optimiser over groups.
  ///
  /// - Parameters:
  ///   - device: where the parameters are.
  ///   - groups: the parameters; those of learning rate 0 are not updated.
  ///   - decay: how much of the mean of squares stays, 0 up to 1.
  ///   - momentum: how much of the velocity stays, 0 up to 1.
  ///   - eps: what is added to the root of the mean of squares.
  ///   - weightDecay: the share of a parameter that is added to its gradient.
  /// - Throws: `TesseraError` for settings that make no sense, and as `Adam`.
  public init(
    device: any Backend, _ groups: [ParameterGroup], decay: Float = 0.99, momentum: Float = 0,
    eps: Float = 1e-8,
    weightDecay: Float = 0
  ) throws {
    let p = DescentStep(
      count: 0, learningRate: 0, momentum: momentum, decay: decay, eps: eps, weightDecay: weightDecay)
    try super.init("RMSprop", device: device, groups, p, states: ["squares", "velocity"])
  }

  fileprivate override func update(
    _ p: DescentStep, _ gradient: Tensor, _ parameter: Tensor, _ states: [Tensor]
  ) throws {
    try device.rmsprop(p, gradient: gradient, parameter: parameter, squares: states[0], velocity: states[1])
  }
}

/// Lion (Chen et al. 2023, algorithm 2).
public final class Lion: Descent {
  /// An optimiser over groups.
  ///
  /// - Parameters:
  ///   - device: where the parameters are.
  ///   - groups: the parameters; those of learning rate 0 are not updated.
  ///   - beta1: how much of the momentum the update has, 0 up to 1.
  ///   - beta2: how much of the momentum stays, 0 up to 1.
  ///   - weightDecay: the share of a parameter that is added to its step (decoupled).
  /// - Throws: `TesseraError` for settings that make no sense, and as `Adam`.
  public init(
    device: any Backend, _ groups: [ParameterGroup], beta1: Float = 0.9, beta2: Float = 0.99,
    weightDecay: Float = 0
  ) throws {
    let p = DescentStep(
      count: 0, learningRate: 0, momentum: beta1, decay: beta2, weightDecay: weightDecay)
    try super.init("Lion", device: device, groups, p, states: ["momentum"])
  }

  fileprivate override func update(
    _ p: DescentStep, _ gradient: Tensor, _ parameter: Tensor, _ states: [Tensor]
  ) throws {
    try device.lion(p, gradient: gradient, parameter: parameter, momentum: states[0])
  }
}
