// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What a module computes in evaluation mode, for a program that writes it in another form, such as ONNX.
package indirect enum LayerDescription {
  /// The modules one after the other, each with its name.
  case sequence([(name: String, layer: LayerDescription)])
  /// x W^T + b; W is (outs, ins).
  case linear(weight: Tensor, bias: Tensor)
  /// A convolution; W is (outs, ins / groups, kernel, kernel).
  case convolution(weight: Tensor, bias: Tensor?, Context.ConvolutionAttributes)
  /// Batch norm by running statistics.
  case batchNorm(weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, eps: Float)
  /// A function of each element.
  case activation(UnaryOperation)
  /// What is left as it is: dropout outside training.
  case identity
  /// Maxima over windows.
  case maxPool(kernel: Int, stride: Int, padding: Int)
  /// Means over windows that share the input out to size x size.
  case adaptiveAveragePool(Int)
  /// Local response normalisation over so many channels, with alpha 1e-4, beta 0.75 and k 1.
  case localResponseNorm(Int)
  /// (batch, ...) to (batch, features).
  case flatten
  /// body(x) + shortcut(x), then an activation; without a shortcut x itself is added.
  case residual(body: LayerDescription, shortcut: LayerDescription?, activation: UnaryOperation?)
  /// ShuffleNet V2's unit; without a first branch half of the channels pass.
  case shuffle(first: LayerDescription?, second: LayerDescription)
}

/// A module that can say what it computes.
package protocol DescribedModule: Module {
  /// What it computes in evaluation mode.
  ///
  /// - Throws: `TesseraError` where a module within it cannot say.
  func description() throws -> LayerDescription
}

extension Sequential: DescribedModule {
  package func description() throws -> LayerDescription {
    .sequence(
      try children.map { name, module in
        guard let module = module as? any DescribedModule else {
          throw TesseraError.failure(
            name, found: "a \(type(of: module)), which has no description", wanted: "a layer of a network")
        }
        return (name, try module.description())
      })
  }
}

extension Linear: DescribedModule {
  package func description() -> LayerDescription { .linear(weight: weight.value, bias: bias.value) }
}

extension Conv2d: DescribedModule {
  package func description() -> LayerDescription {
    .convolution(weight: weight.value, bias: bias?.value, attributes)
  }
}

extension BatchNorm2d: DescribedModule {
  package func description() -> LayerDescription {
    .batchNorm(
      weight: weight.value, bias: bias.value, mean: runningMean, variance: runningVariance, eps: eps)
  }
}

extension Activation: DescribedModule {
  package func description() -> LayerDescription { .activation(op) }
}

extension Dropout: DescribedModule {
  package func description() -> LayerDescription { .identity }
}

extension MaxPool2d: DescribedModule {
  package func description() -> LayerDescription {
    .maxPool(kernel: kernel, stride: stride, padding: padding)
  }
}

extension AdaptiveAvgPool2d: DescribedModule {
  package func description() -> LayerDescription { .adaptiveAveragePool(size) }
}

extension Flatten: DescribedModule {
  package func description() -> LayerDescription { .flatten }
}

extension LocalResponseNorm: DescribedModule {
  package func description() -> LayerDescription { .localResponseNorm(size) }
}

extension Residual: DescribedModule {
  package func description() throws -> LayerDescription {
    .residual(
      body: try body.description(), shortcut: try shortcut?.description(), activation: activation)
  }
}

extension ShuffleUnit: DescribedModule {
  package func description() throws -> LayerDescription {
    .shuffle(first: try first?.description(), second: try second.description())
  }
}
