// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import TesseraCompute

/// Convolution, normalisation and pooling with their gradients against PyTorch (tools/golden/primitives.py).
@Suite struct PyTorchLayerTests {
  private let torch = Result { try PyTorchReference() }

  /// Each with what PyTorch's script has under its number.
  private static let convolutions = [
    Convolution(
      batch: 2, inChannels: 3, size: (11, 9), outChannels: 4, kernel: (3, 2), stride: 2, padding: 1),
    Convolution(
      batch: 2, inChannels: 4, size: (9, 10), outChannels: 6, kernel: (3, 3), padding: 2, dilation: 2,
      groups: 2),
    Convolution(
      batch: 9, inChannels: 6, size: (7, 7), outChannels: 6, kernel: (5, 5), stride: 2, padding: 2, groups: 6),
    Convolution(
      batch: 1, inChannels: 3, size: (23, 25), outChannels: 8, kernel: (11, 11), stride: 4, padding: 2),
    Convolution(
      batch: 2, inChannels: 8, size: (8, 12), outChannels: 6, kernel: (3, 3), stride: 3, dilation: 2,
      groups: 2),
  ]

  @Test(arguments: convolutions.indices) func convolution(_ index: Int) throws {
    let torch = try torch.get()
    let p = Self.convolutions[index]
    let seed = 20 + 4 * UInt64(index)
    let (x, w) = (try torch.input(seed, [p.inputCount]), try torch.input(seed + 1, [p.weightCount]))
    let (dy, y) = (try torch.input(seed + 3, [p.outputCount]), try torch.empty(p.outputCount))
    let (dx, dw) = (try torch.empty(p.inputCount), try torch.empty(p.weightCount))
    try torch.device.conv2dGradData(p, dy, w, into: dx)
    try torch.device.conv2dGradWeight(p, x, dy, into: dw)
    try torch.device.conv2d(p, x, w, bias: try torch.input(seed + 2, [p.outChannels]), into: y)
    try torch.expect("conv2d.\(index).y", y, 1e-5)
    try torch.expect("conv2d.\(index).dx", dx, 1e-5)
    try torch.expect("conv2d.\(index).dw", dw, 1e-5)
  }

  @Test func layerNorm() throws {
    let torch = try torch.get()
    let p = LayerNormalization(rows: 9, columns: 67, eps: 1e-3)
    let (x, gamma) = (try torch.input(80, [9, 67], -2, 5), try torch.input(81, [67], 0.5, 2))
    let (y, dx) = (try torch.empty(9, 67), try torch.empty(9, 67))
    let (mean, rstd) = (try torch.empty(9), try torch.empty(9))
    let (dgamma, dbeta, dy) = (try torch.empty(67), try torch.empty(67), try torch.input(83, [9, 67]))
    try torch.device.layerNorm(
      p, x, gamma: gamma, beta: try torch.input(82, [67]), into: y, mean: mean, rstd: rstd)
    try torch.device.layerNormGradData(p, x, gamma: gamma, mean: mean, rstd: rstd, dy, into: dx)
    try torch.device.layerNormGradParameters(p, x, mean: mean, rstd: rstd, dy, gamma: dgamma, beta: dbeta)
    for (name, tensor) in [("y", y), ("dx", dx), ("gamma", dgamma), ("beta", dbeta)] {
      try torch.expect("layerNorm.\(name)", tensor)
    }
  }

  @Test(arguments: [true, false]) func batchNorm(_ training: Bool) throws {
    let torch = try torch.get()
    let device = torch.device
    let p = ChannelLayout(outer: 9, channels: 3, inner: 20, eps: 1e-3)
    let (x, dy) = (try torch.input(84, [9, 3, 20], -2, 5), try torch.input(89, [9, 3, 20]))
    let (gamma, beta) = (try torch.input(85, [3], 0.5, 2), try torch.input(86, [3]))
    let (running, spread) = (try torch.input(87, [3]), try torch.input(88, [3], 0.5, 2))
    var (mean, variance) = (running, spread)
    if training {
      (mean, variance) = (try torch.empty(3), try torch.empty(3))
      try device.batchNormStatistics(p, x, mean: mean, variance: variance)
      try device.batchNormUpdateRunning(
        p, momentum: 0.25, mean: mean, variance: variance, runningMean: running, runningVariance: spread)
    }
    let (y, dx) = (try torch.empty(9, 3, 20), try torch.empty(9, 3, 20))
    let (dgamma, dbeta) = (try torch.empty(3), try torch.empty(3))
    try device.batchNorm(p, x, mean: mean, variance: variance, gamma: gamma, beta: beta, into: y)
    try device.batchNormGradParameters(
      p, x, mean: mean, variance: variance, dy, gamma: dgamma, beta: dbeta)
    try device.batchNormGradData(
      p, x, mean: mean, variance: variance, gamma: gamma, gradGamma: dgamma, gradBeta: dbeta, dy,
      training: training, into: dx)
    // A device that has the last sample alone, of nine, makes that sample's part.
    var last = ChannelLayout(outer: 1, channels: 3, inner: 20, eps: 1e-3)
    last.batch = 9
    let part = try torch.empty(1, 3, 20)
    let (tail, tailSlopes) = (drawn(84, 540, -2, 5).suffix(60), drawn(89, 540).suffix(60))
    try device.batchNormGradData(
      last, try device.tensor(Array(tail), [60]), mean: mean, variance: variance, gamma: gamma,
      gradGamma: dgamma, gradBeta: dbeta, try device.tensor(Array(tailSlopes), [60]), training: training,
      into: part)
    #expect(try device.floats(part) == Array(device.floats(dx).suffix(60)))
    for (name, tensor) in [
      ("y", y), ("dx", dx), ("gamma", dgamma), ("beta", dbeta), ("mean", running), ("variance", spread),
    ] {
      try torch.expect("batchNorm.\(training ? "training" : "evaluation").\(name)", tensor, 5e-6)
    }
  }

  @Test func standardizationAndResponseNorm() throws {
    let torch = try torch.get()
    let one = try torch.empty(99)
    try torch.device.standardize(
      try torch.input(90, [99], -3, 3), mean: try torch.device.tensor([Float(0.5)], [1]),
      variance: try torch.device.tensor([Float(4)], [1]), eps: 1e-3, into: one)
    try torch.expect("standardize.y", one, 1e-6)
    let p = LocalResponseNormalization(
      outer: 2, channels: 7, inner: 6, size: 5, alpha: 0.5, beta: 0.75, k: 1.5)
    let (x, y, scale, dx) = (
      try torch.input(91, [84], -2, 3), try torch.empty(84), try torch.empty(84), try torch.empty(84)
    )
    try torch.device.localResponseNorm(p, x, into: y, scale: scale)
    try torch.device.localResponseNormGrad(p, x, try torch.input(92, [84]), scale: scale, into: dx)
    try torch.expect("localResponseNorm.y", y)
    try torch.expect("localResponseNorm.dx", dx)
  }

  @Test(arguments: [(3, 2, 1), (2, 3, 0), (3, 1, 1)].enumerated().map { ($0, $1) })
  func pooling(_ index: Int, _ window: (Int, Int, Int)) throws {
    let torch = try torch.get()
    let p = Pooling(
      planes: 6, height: 9, width: 37, kernel: window.0, stride: window.1, padding: window.2)
    let seed = UInt64(index)
    let (x, y, dx) = (
      try torch.input(100 + seed, [p.inputCount]), try torch.empty(p.outputCount),
      try torch.empty(p.inputCount)
    )
    let dy = try torch.input(110 + seed, [p.outputCount])
    let indices = try torch.device.allocate([p.outputCount], .int32)
    try torch.device.maxPool(p, x, into: y, indices: indices)
    try torch.device.maxPoolGrad(p, dy, indices: indices, into: dx)
    try torch.expect("maxPool.\(index).y", y, 0)
    try torch.expect("maxPool.\(index).indices", indices, 0)
    try torch.expect("maxPool.\(index).dx", dx, 1e-6)
    try torch.device.averagePool(p, x, into: y)
    try torch.device.averagePoolGrad(p, dy, into: dx)
    try torch.expect("averagePool.\(index).y", y, 1e-6)
    try torch.expect("averagePool.\(index).dx", dx, 1e-6)
  }

  @Test(arguments: [(0, 13, 13, 5, 5), (1, 4, 3, 5, 7)])
  func adaptivePooling(_ index: Int, _ height: Int, _ width: Int, _ outHeight: Int, _ outWidth: Int) throws {
    let torch = try torch.get()
    let p = Pooling(
      planes: 6, height: height, width: width, outHeight: outHeight, outWidth: outWidth)
    let (y, dx) = (try torch.empty(p.outputCount), try torch.empty(p.inputCount))
    let seed = UInt64(index)
    try torch.device.adaptiveAveragePool(p, try torch.input(120 + seed, [p.inputCount]), into: y)
    try torch.device.adaptiveAveragePoolGrad(p, try torch.input(125 + seed, [p.outputCount]), into: dx)
    try torch.expect("adaptiveAveragePool.\(index).y", y, 1e-6)
    try torch.expect("adaptiveAveragePool.\(index).dx", dx, 1e-6)
  }

  @Test func upsampling() throws {
    let torch = try torch.get()
    let (y, dx) = (try torch.empty(2, 3, 9, 15), try torch.empty(2, 3, 3, 5))
    try torch.device.upsampleNearest(
      planes: 6, height: 3, width: 5, scale: 3, try torch.input(128, [90]), into: y)
    try torch.device.upsampleNearestGrad(
      planes: 6, height: 3, width: 5, scale: 3, try torch.input(129, [810]), into: dx)
    try torch.expect("upsampleNearest.y", y, 0)
    try torch.expect("upsampleNearest.dx", dx, 1e-6)
  }
}
