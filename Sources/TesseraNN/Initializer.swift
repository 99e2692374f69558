// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Draws initial weights: stream n for the n-th tensor, so that a model's start depends on the seed and its
/// order of layers alone.
public final class Initializer {
  private let device: any Backend
  private let seed: UInt64
  private var drawn: UInt64 = 0

  /// Streams of initial weights lie above those of training steps.
  private static let firstStream: UInt64 = 1 << 62

  /// An initialiser for a device and a seed.
  public init(device: any Backend, seed: UInt64) {
    self.device = device
    self.seed = seed
  }

  private func next() -> RandomStream {
    defer { drawn += 1 }
    return RandomStream(seed: seed, stream: Self.firstStream + drawn)
  }

  /// Glorot and Bengio 2010: uniform in +-sqrt(gainSquared 6 / (fan in + fan out)).
  func xavierUniform(_ shape: [Int], gain gainSquared: Float) throws -> Parameter {
    let (fanIn, fanOut) = try Self.fans(shape)
    let bound = (gainSquared * 6 / Float(fanIn + fanOut)).squareRoot()
    let tensor = try device.allocate(shape, .float32)
    try device.randomUniform(next(), low: -bound, high: bound, into: tensor)
    return Parameter(tensor)
  }

  /// Glorot and Bengio 2010: normal with variance 2 / (fan in + fan out).
  func xavierNormal(_ shape: [Int]) throws -> Parameter {
    let (fanIn, fanOut) = try Self.fans(shape)
    let tensor = try device.allocate(shape, .float32)
    try device.randomNormal(
      next(), mean: 0, deviation: (2 / Float(fanIn + fanOut)).squareRoot(), into: tensor)
    return Parameter(tensor)
  }

  /// Normal with a standard deviation.
  func normal(_ shape: [Int], deviation: Float) throws -> Parameter {
    let tensor = try device.allocate(shape, .float32)
    try device.randomNormal(next(), mean: 0, deviation: deviation, into: tensor)
    return Parameter(tensor)
  }

  /// Uniform in +-bound.
  func uniform(_ shape: [Int], _ bound: Float) throws -> Parameter {
    let tensor = try device.allocate(shape, .float32)
    try device.randomUniform(next(), low: -bound, high: bound, into: tensor)
    return Parameter(tensor)
  }

  /// A tensor of equal elements that nobody trains.
  func buffer(_ shape: [Int], _ value: Float) throws -> Tensor { try constant(shape, value).value }

  /// PyTorch's default bias: uniform in +-1/sqrt(fan in).
  func bias(_ count: Int, fanIn: Int) throws -> Parameter {
    let bound = 1 / Float(max(1, fanIn)).squareRoot()
    let tensor = try device.allocate([count], .float32)
    try device.randomUniform(next(), low: -bound, high: bound, into: tensor)
    return Parameter(tensor)
  }

  /// All elements equal.
  func constant(_ shape: [Int], _ value: Float) throws -> Parameter {
    let tensor = try device.allocate(shape, .float32)
    try device.fill(tensor, with: value)
    return Parameter(tensor)
  }

  private static func fans(_ shape: [Int]) throws -> (Int, Int) {
    _ = try Tensor.elementCount(shape)
    let taps = shape.dropFirst(2).reduce(1, *)
    return (shape[1] * taps, shape[0] * taps)
  }
}
