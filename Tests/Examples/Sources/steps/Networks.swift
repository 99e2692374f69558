// SPDX-License-Identifier: Apache-2.0
import TesseraNN

/// A convolutional network for digits of 8 x 8 pixels, 64 at a time.
func convolutional(_ device: any Backend) throws -> Training {
  let draw = Initializer(device: device, seed: 1)
  let net = try Sequential {
    try Conv2d(1, 32, kernel: 3, padding: 1, draw)
    try BatchNorm2d(32, draw)
    Activation(.relu)
    try Conv2d(32, 64, kernel: 3, padding: 1, draw)
    try BatchNorm2d(64, draw)
    Activation(.relu)
    MaxPool2d(kernel: 2)
    try Conv2d(64, 64, kernel: 3, padding: 1, draw)
    try BatchNorm2d(64, draw)
    Activation(.relu)
    AvgPool2d(kernel: 2)
    Flatten()
    try Linear(64 * 2 * 2, 10, draw)
  }
  let x = try device.tensor(numbers(64 * 64), [64, 1, 8, 8])
  return try Training(device, net, Variable(x), classes: 10, learningRate: 1e-3)
}

/// Four blocks of width 256 on texts of 128 tokens, 32 at a time.
final class TextClassifier: Module {
  private let words: Embedding, blocks: [TransformerEncoderBlock], norm: LayerNorm, head: Linear

  init(_ draw: Initializer) throws {
    words = try Embedding(1000, 256, draw)
    blocks = try (0..<4).map { _ in try TransformerEncoderBlock(256, heads: 4, hidden: 1024, draw) }
    norm = try LayerNorm(256, draw)
    head = try Linear(256, 2, draw)
  }

  func callAsFunction(_ ids: Variable, _ context: Context) throws -> Variable {
    let x = try blocks.reduce(try words(ids, context)) { try $1($0, context) }
    return try head(try norm(x, context).mean(1), context)
  }

  var state: [(name: String, state: ModuleState)] {
    let parts = [("words", words), ("norm", norm), ("head", head)] as [(String, any Module)]
    return (parts + blocks.enumerated().map { ("blocks.\($0)", $1) }).flatMap { name, module in
      module.state.map { ("\(name).\($0.name)", $0.state) }
    }
  }
}

func transformer(_ device: any Backend) throws -> Training {
  let ids = try device.tensor((0..<32 * 128).map { Int32($0 * 7919 % 1000) }, [32, 128])
  let net = try TextClassifier(Initializer(device: device, seed: 1))
  return try Training(device, net, Variable(ids), classes: 2, learningRate: 1e-4)
}

/// A perceptron 1,024 wide, 128 rows at a time.
func perceptron(_ device: any Backend) throws -> Training {
  let draw = Initializer(device: device, seed: 1)
  let net = try Sequential {
    try Linear(1024, 1024, draw)
    Activation(.gelu)
    try Linear(1024, 1024, draw)
    Activation(.gelu)
    try Linear(1024, 1024, draw)
    Activation(.gelu)
    try Linear(1024, 10, draw)
  }
  let x = try device.tensor(numbers(128 * 1024), [128, 1024])
  return try Training(device, net, Variable(x), classes: 10, learningRate: 1e-4)
}

/// Numbers from -1 to 1.
private func numbers(_ count: Int) throws -> [Float] {
  try RandomStream(seed: 1, stream: 0).words(count).map { Float($0 >> 8) / 0x1p23 - 1 }
}

/// A network, its optimiser, and the batch that it sees again and again.
struct Training {
  let device: any Backend, net: any Module, x: Variable, labels: Tensor, optimizer: Adam

  init(_ device: any Backend, _ net: any Module, _ x: Variable, classes: Int, learningRate: Float) throws {
    (self.device, self.net, self.x) = (device, net, x)
    labels = try device.tensor((0..<x.shape[0]).map { Int32($0 % classes) })
    optimizer = try Adam(
      device: device, [.init(net.parameters, learningRate: learningRate)], weightDecay: 0.01, decoupled: true)
  }

  /// A step; its losses, a number a row.
  func step(_ number: Int) throws -> Tensor {
    let context = Context(device: device, training: true, differentiable: true, step: UInt64(number))
    let losses = try Loss.crossEntropy(try net(x, context), labels: labels)
    try context.backward(meanOf: losses)
    try optimizer.step()
    return losses.value
  }
}
