// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Layer norm over the last axis (Ba, Kiros and Hinton 2016).
public final class LayerNorm: Module {
  private let weight: Parameter, bias: Parameter
  /// Scale 1 and shift 0: what inputs of more than two axes are normalised with, before weight and bias.
  private let one: Tensor, zero: Tensor
  private let eps: Float

  /// Scale 1, shift 0.
  ///
  /// - Parameters:
  ///   - features: the extent of the last axis.
  ///   - eps: what is added to the variance before its root.
  ///   - initializer: makes the parameters.
  /// - Throws: `TesseraError` for less than one feature, and a negative eps.
  public init(_ features: Int, eps: Float = 1e-5, _ initializer: Initializer) throws {
    guard features >= 1, eps >= 0, eps.isFinite else {
      throw TesseraError.failure(
        "LayerNorm", found: "\(features) features, eps \(eps)", wanted: "1 feature or more, eps of 0 or more")
    }
    weight = try initializer.constant([features], 1)
    bias = try initializer.constant([features], 0)
    one = try initializer.buffer([features], 1)
    zero = try initializer.buffer([features], 0)
    self.eps = eps
  }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    guard x.shape.count != 2 else {
      return try context.layerNorm(x, gamma: weight.leaf(), beta: bias.leaf(), eps: eps)
    }
    guard x.shape.last == one.count else {
      throw TesseraError.failure("LayerNorm", found: "\(x.shape)", wanted: "(..., \(one.count))")
    }
    let rows = try context.reshape(x, [x.shape.dropLast().reduce(1, *), one.count])
    let y = try context.layerNorm(rows, gamma: Variable(one), beta: Variable(zero), eps: eps)
    let scaled = try context.combine(.multiply, try context.reshape(y, x.shape), weight.leaf())
    return try context.combine(.add, scaled, bias.leaf())
  }

  public var state: [(name: String, state: ModuleState)] {
    [("weight", .parameter(weight)), ("bias", .parameter(bias))]
  }
}
