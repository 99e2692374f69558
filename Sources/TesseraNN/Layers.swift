// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// y = x W^T + b. Weights: Xavier-uniform with gain sqrt(2); bias: PyTorch's default, uniform in
/// +-1/sqrt(in).
public final class Linear: Module {
  let weight: Parameter, bias: Parameter

  /// A layer with weights drawn from `initializer`.
  ///
  /// - Throws: `TesseraError` for less than one feature.
  public init(_ inFeatures: Int, _ outFeatures: Int, _ initializer: Initializer) throws {
    guard inFeatures >= 1, outFeatures >= 1 else {
      throw TesseraError.failure(
        "Linear", found: "\(inFeatures) to \(outFeatures) features", wanted: "1 or more")
    }
    weight = try initializer.xavierUniform([outFeatures, inFeatures], gain: 2)
    bias = try initializer.bias(outFeatures, fanIn: inFeatures)
  }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try context.linear(x, weight: weight.leaf(), bias: bias.leaf())
  }

  public var state: [(name: String, state: ModuleState)] {
    [("weight", .parameter(weight)), ("bias", .parameter(bias))]
  }
}

/// A two-dimensional convolution. Weights: Xavier-normal; bias: PyTorch's default.
public final class Conv2d: Module {
  let weight: Parameter
  let bias: Parameter?
  let attributes: Context.ConvolutionAttributes

  /// A layer with square kernels and weights drawn from `initializer`.
  ///
  /// - Throws: `TesseraError` for less than one channel or a kernel below 1, for attributes that make no
  ///   sense, and for groups that do not divide the channels.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernel: Int, _ attributes: Context.ConvolutionAttributes = .init(),
    bias: Bool = true, _ initializer: Initializer
  ) throws {
    try attributes.check()
    guard inChannels >= 1, outChannels >= 1, kernel >= 1, inChannels % attributes.groups == 0,
      outChannels % attributes.groups == 0
    else {
      throw TesseraError.failure(
        "Conv2d",
        found: "\(inChannels) to \(outChannels) channels in \(attributes.groups) groups, kernel \(kernel)",
        wanted: "channels that the groups divide and a kernel, 1 or more each")
    }
    let shape = [outChannels, inChannels / attributes.groups, kernel, kernel]
    weight = try initializer.xavierNormal(shape)
    self.bias = bias ? try initializer.bias(outChannels, fanIn: shape[1] * kernel * kernel) : nil
    self.attributes = attributes
  }

  /// A layer with square kernels and weights drawn from `initializer`.
  ///
  /// - Parameters:
  ///   - inChannels: of the input.
  ///   - outChannels: of the output.
  ///   - kernel: taps a side.
  ///   - stride: steps between windows.
  ///   - padding: zeros around the input.
  ///   - bias: whether there is one.
  ///   - initializer: draws the weights.
  /// - Throws: `TesseraError` for numbers that make no layer.
  public convenience init(
    _ inChannels: Int, _ outChannels: Int, kernel: Int, stride: Int = 1, padding: Int = 0, bias: Bool = true,
    _ initializer: Initializer
  ) throws {
    let attributes = Context.ConvolutionAttributes(stride: stride, padding: padding)
    try self.init(inChannels, outChannels, kernel: kernel, attributes, bias: bias, initializer)
  }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try context.conv2d(x, weight: weight.leaf(), bias: bias?.leaf(), attributes)
  }

  public var state: [(name: String, state: ModuleState)] {
    [("weight", .parameter(weight))] + (bias.map { [("bias", .parameter($0))] } ?? [])
  }
}

/// Batch norm with running statistics.
public final class BatchNorm2d: Module {
  let weight: Parameter, bias: Parameter
  let runningMean: Tensor, runningVariance: Tensor
  let eps: Float, momentum: Float

  /// Scale 1, shift 0, running mean 0 and variance 1.
  ///
  /// - Throws: `TesseraError` for less than one channel, a negative eps or a momentum outside 0...1.
  public init(_ channels: Int, eps: Float = 1e-5, momentum: Float = 0.1, _ initializer: Initializer) throws {
    guard channels >= 1, eps >= 0, eps.isFinite, momentum >= 0, momentum <= 1 else {
      throw TesseraError.failure(
        "BatchNorm2d", found: "\(channels) channels, eps \(eps), momentum \(momentum)",
        wanted: "1 channel or more, eps of 0 or more, momentum of 0 to 1")
    }
    weight = try initializer.constant([channels], 1)
    bias = try initializer.constant([channels], 0)
    runningMean = try initializer.constant([channels], 0).value
    runningVariance = try initializer.constant([channels], 1).value
    (self.eps, self.momentum) = (eps, momentum)
  }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try context.batchNorm(
      x, gamma: weight.leaf(), beta: bias.leaf(), runningMean: runningMean, runningVariance: runningVariance,
      momentum: momentum, eps: eps)
  }

  public var state: [(name: String, state: ModuleState)] {
    [
      ("weight", .parameter(weight)), ("bias", .parameter(bias)), ("running_mean", .buffer(runningMean)),
      ("running_var", .buffer(runningVariance)),
    ]
  }
}

/// An activation function.
public final class Activation: Module {
  let op: UnaryOperation

  /// An operation in `UnaryOperation.differentiable`.
  public init(_ op: UnaryOperation) { self.op = op }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try context.activation(op, x)
  }
}

/// Dropout, active in training.
public final class Dropout: Module {
  private let rate: Float

  /// Zeroes elements with probability `rate`.
  public init(_ rate: Float) { self.rate = rate }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try context.dropout(x, rate: rate)
  }
}

/// Max pooling.
public final class MaxPool2d: Module {
  let kernel: Int, stride: Int, padding: Int

  /// Windows of kernel x kernel; side by side, unless a stride is given.
  public init(kernel: Int, stride: Int? = nil, padding: Int = 0) {
    (self.kernel, self.stride, self.padding) = (kernel, stride ?? kernel, padding)
  }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try context.maxPool(x, kernel: kernel, stride: stride, padding: padding)
  }
}

/// Adaptive average pooling to size x size.
public final class AdaptiveAvgPool2d: Module {
  let size: Int

  /// Output extents.
  public init(_ size: Int) { self.size = size }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    try context.adaptiveAveragePool(x, size: size)
  }
}

/// (batch, ...) to (batch, features).
public final class Flatten: Module {
  /// A flattening.
  public init() {}

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    let batch = x.shape.first ?? 0
    return try context.reshape(x, [batch, x.shape.dropFirst().reduce(1, *)])
  }
}
