// SPDX-License-Identifier: Apache-2.0
import MLX
import MLXNN
import MLXOptimizers

// The networks of Tests/Examples/Sources/steps/Networks.swift in mlx-swift, for their number of lines alone: written by
// its source (github.com/ml-explore/mlx-swift at 09051ed), and not compiled, which needs Apple's system. Images are
// (batch, rows, columns, channels); its own block of an encoder is not public.

/// A convolutional network for digits of 8 x 8 pixels, 64 at a time.
final class Convolutional: Module, UnaryLayer {
  let features = Sequential {
    Conv2d(inputChannels: 1, outputChannels: 32, kernelSize: 3, padding: 1)
    BatchNorm(featureCount: 32)
    ReLU()
    Conv2d(inputChannels: 32, outputChannels: 64, kernelSize: 3, padding: 1)
    BatchNorm(featureCount: 64)
    ReLU()
    MaxPool2d(kernelSize: 2, stride: 2)
    Conv2d(inputChannels: 64, outputChannels: 64, kernelSize: 3, padding: 1)
    BatchNorm(featureCount: 64)
    ReLU()
    AvgPool2d(kernelSize: 2, stride: 2)
  }
  let head = Linear(64 * 2 * 2, 10)

  func callAsFunction(_ x: MLXArray) -> MLXArray { head(features(x).flattened(start: 1)) }
}

func convolutional() -> Training<Convolutional> {
  Training(Convolutional(), uniform(low: -1, high: 1, [64, 8, 8, 1]), classes: 10, learningRate: 1e-3)
}

/// A block of width 256.
final class Block: Module, UnaryLayer {
  let attention = MultiHeadAttention(dimensions: 256, numHeads: 4, bias: true)
  let norm1 = LayerNorm(dimensions: 256)
  let norm2 = LayerNorm(dimensions: 256)
  let linear1 = Linear(256, 1024)
  let linear2 = Linear(1024, 256)

  func callAsFunction(_ x: MLXArray) -> MLXArray {
    let y = norm1(x)
    let sum = x + attention(y, keys: y, values: y)
    return sum + linear2(gelu(linear1(norm2(sum))))
  }
}

/// Four blocks on texts of 128 tokens, 32 at a time.
final class TextClassifier: Module, UnaryLayer {
  let words = Embedding(embeddingCount: 1000, dimensions: 256)
  let blocks = (0..<4).map { _ in Block() }
  let norm = LayerNorm(dimensions: 256)
  let head = Linear(256, 2)

  func callAsFunction(_ ids: MLXArray) -> MLXArray {
    let x = blocks.reduce(words(ids)) { $1($0) }
    return head(norm(x).mean(axis: 1))
  }
}

func transformer() -> Training<TextClassifier> {
  let ids = (arange(32 * 128) * 7919 % 1000).reshaped(32, 128)
  return Training(TextClassifier(), ids, classes: 2, learningRate: 1e-4)
}

/// A perceptron 1,024 wide, 128 rows at a time.
func perceptron() -> Training<Sequential> {
  let net = Sequential {
    Linear(1024, 1024)
    GELU()
    Linear(1024, 1024)
    GELU()
    Linear(1024, 1024)
    GELU()
    Linear(1024, 10)
  }
  return Training(net, uniform(low: -1, high: 1, [128, 1024]), classes: 10, learningRate: 1e-4)
}

/// A network, its optimiser, and the batch that it sees again and again.
final class Training<Net: Module & UnaryLayer> {
  let net: Net, x: MLXArray, labels: MLXArray, optimizer: AdamW
  private let lossAndGradients: (Net, MLXArray, MLXArray) -> (MLXArray, ModuleParameters)

  init(_ net: Net, _ x: MLXArray, classes: Int, learningRate: Float) {
    (self.net, self.x, labels) = (net, x, arange(x.dim(0)) % classes)
    optimizer = AdamW(learningRate: learningRate, weightDecay: 0.01, biasCorrection: true)
    lossAndGradients = valueAndGrad(model: net) { net, x, labels in
      crossEntropy(logits: net(x), targets: labels, reduction: .mean)
    }
    net.train()
  }

  /// A step; its mean loss.
  func step() -> MLXArray {
    let (loss, gradients) = lossAndGradients(net, x, labels)
    optimizer.update(model: net, gradients: gradients)
    eval(net, optimizer)
    return loss
  }
}
