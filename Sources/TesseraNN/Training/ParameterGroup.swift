// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Parameters that share a learning rate.
public struct ParameterGroup {
  /// Names and parameters; those that are not trainable are left alone.
  public let parameters: [(name: String, parameter: Parameter)]
  /// The step size.
  public let learningRate: Float

  /// A group.
  public init(_ parameters: [(name: String, parameter: Parameter)], learningRate: Float) {
    self.parameters = parameters
    self.learningRate = learningRate
  }

  /// Throws for learning rates and other settings that are no finite numbers of 0 or more.
  static func require(_ place: String, _ groups: [ParameterGroup], settings: [Float]) throws {
    for value in groups.map(\.learningRate) + settings where !(value >= 0 && value.isFinite) {
      throw TesseraError.failure(
        place, found: "a learning rate or weight decay of \(value)", wanted: "finite numbers of 0 or more")
    }
  }

  /// The parameters to update, each once.
  static func distinct(
    _ groups: [ParameterGroup], _ place: String
  ) throws -> [(name: String, parameter: Parameter, learningRate: Float)] {
    var rates: [ObjectIdentifier: Float] = [:]
    var owners: [ObjectIdentifier: String] = [:]
    var found: [(name: String, parameter: Parameter, learningRate: Float)] = []
    for group in groups {
      for (name, parameter) in group.parameters where parameter.isTrainable {
        if let rate = rates[ObjectIdentifier(parameter)] {
          guard rate == group.learningRate else {
            throw TesseraError.failure(
              place, found: "\(name) under learning rates \(rate) and \(group.learningRate)",
              wanted: "each parameter in groups of one learning rate")
          }
          continue
        }
        rates[ObjectIdentifier(parameter)] = group.learningRate
        if let other = owners.updateValue(name, forKey: ObjectIdentifier(parameter.value.storage)) {
          throw TesseraError.failure(
            place, found: "\(other) and \(name) over one tensor",
            wanted: "one Parameter, which both modules hold")
        }
        if group.learningRate > 0 { found.append((name, parameter, group.learningRate)) }
      }
    }
    return found
  }
}

/// What changes parameters by their gradients.
public protocol Optimizer: AnyObject {
  /// Steps taken.
  var steps: Int { get }
  /// What it keeps of the past, by name, for checkpoints.
  var state: [(name: String, tensor: Tensor)] { get }
  /// Updates every parameter that has a gradient, then lets go of the gradients.
  ///
  /// - Parameter factor: on all learning rates, for schedules.
  /// - Throws: `TesseraError` for a negative or non-finite factor, and what the device does.
  func step(factor: Float) throws
  /// Restores the number of steps taken; the rest is written into `state`'s tensors.
  ///
  /// - Throws: `TesseraError` for a negative number, or one beyond 32 bits.
  func restore(steps: Int) throws
}
