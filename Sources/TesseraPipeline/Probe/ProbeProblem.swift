// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN
import TesseraVision

/// Mean cross-entropy, weighted by class where classes have weights, plus penalty / 2 |W|^2 of a linear probe with its gradient, computed on a device.
///
/// Rows are taken in blocks of 256, in their order; sums of loss and gradient are added up block by block. The
/// standardised rows are kept on the device where half of its memory holds them; else each evaluation makes them
/// anew, block by block, and memory does not grow with the number of rows. Either way the bits are the same.
final class ProbeProblem {
  private static let block = 256

  private let device: any Backend
  private let features: FeatureRows, rows: [Int]
  private let columns: Int, classes: Int
  /// Standardised rows and labels of the blocks; empty where no memory holds the rows.
  private var kept: [Tensor] = []
  private let labels: [Tensor]
  /// What the losses of a block's rows are multiplied by; empty where all classes count alike.
  private let factors: [Tensor]
  private let weight: Tensor, bias: Tensor
  /// Gradients of weights and biases and the loss: of a block, and of all.
  private let parts: (weight: Tensor, bias: Tensor, loss: Tensor)
  private let sums: (weight: Tensor, bias: Tensor, loss: Tensor)

  /// A problem of some rows.
  ///
  /// - Parameters:
  ///   - features: the rows, standardised.
  ///   - rows: the numbers of those that are fitted on.
  ///   - labels: the classes of `rows`.
  ///   - classes: the number of classes.
  ///   - device: the device that computes.
  ///   - room: bytes of memory for the standardised rows; nil: half of the device's.
  ///   - weights: the weight of each class; nil: all count alike.
  init(
    _ features: FeatureRows, rows: [Int], labels: [Int32], classes: Int, on device: any Backend,
    room: Int? = nil, weights: [Float]? = nil
  ) throws {
    (self.device, self.features, self.rows) = (device, features, rows)
    (columns, self.classes) = (features.columns, classes)
    self.labels = try stride(from: 0, to: rows.count, by: Self.block).map { begin in
      let part = Array(labels[begin..<min(rows.count, begin + Self.block)])
      return try device.tensor(part, [part.count])
    }
    let all = weights.map { LossFactors($0, labels: labels).of(labels) }
    factors =
      try all.map { factors in
        try stride(from: 0, to: rows.count, by: Self.block).map { begin in
          let part = Array(factors[begin..<min(rows.count, begin + Self.block)])
          return try device.tensor(part, [part.count])
        }
      } ?? []
    let (columns, classes) = (columns, classes)
    func made() throws -> (weight: Tensor, bias: Tensor, loss: Tensor) {
      (
        try device.allocate([classes, columns], .float32), try device.allocate([classes], .float32),
        try device.allocate([1], .float32)
      )
    }
    (weight, bias) = (
      try device.allocate([classes, columns], .float32), try device.allocate([classes], .float32)
    )
    (parts, sums) = (try made(), try made())
    guard rows.count * columns * 4 <= room ?? device.memory / 2 else { return }
    var tensors: [Tensor] = []
    try forEachBlock { tensors.append($0) }
    kept = tensors
  }

  /// Calls a function with the rows of each block, on the device.
  private func forEachBlock(_ body: (Tensor) throws -> Void) throws {
    try features.forEachBlock(of: rows, size: Self.block) { _, block in
      let x = try device.allocate([block.count / columns, columns], .float32)
      try device.upload(UnsafeRawBufferPointer(block), to: x, offset: 0)
      try body(x)
    }
  }

  /// Value and gradient at weights (classes, features) followed by biases.
  func evaluate(_ solution: [Double], penalty: Double) throws -> (value: Double, gradient: [Double]) {
    let values = solution.map { Float($0) }
    let split = classes * columns
    try values[..<split].withUnsafeBytes { try device.upload($0, to: weight, offset: 0) }
    try values[split...].withUnsafeBytes { try device.upload($0, to: bias, offset: 0) }
    for tensor in [sums.weight, sums.bias, sums.loss] { try device.fill(tensor, with: 0) }
    if kept.isEmpty {
      var number = 0
      try forEachBlock {
        try add($0, number)
        number += 1
      }
    } else {
      for (number, x) in kept.enumerated() { try add(x, number) }
    }
    var value = Double(try device.floats(sums.loss)[0]) / Double(rows.count)
    var gradient = try (device.floats(sums.weight) + device.floats(sums.bias)).map { Double($0) }
    var norm = 0.0
    for i in 0..<split {
      norm += solution[i] * solution[i]
      gradient[i] += penalty * solution[i]
    }
    value += penalty / 2 * norm
    return (value, gradient)
  }

  /// Adds a block's part of loss and gradients.
  private func add(_ x: Tensor, _ number: Int) throws {
    let labels = labels[number]
    let count = labels.count
    let logits = try device.allocate([count, classes], .float32)
    let (losses, slope) = (
      try device.allocate([count], .float32), try device.allocate([count, classes], .float32)
    )
    var forward = Matmul(m: count, n: classes, k: columns, transposeB: true)
    forward.bias = .column
    try device.matmul(forward, x, weight, bias: bias, into: logits)
    try device.crossEntropy(logits, labels: labels, rows: count, classes: classes, into: losses)
    try device.crossEntropyGrad(
      logits, labels: labels, rows: count, classes: classes, smoothing: 0, batch: rows.count, into: slope)
    if !factors.isEmpty {
      try device.binary(.multiply, losses, factors[number], into: losses)
      try device.binaryChannels(
        .multiply, ChannelLayout(outer: 1, channels: count, inner: classes), slope, factors[number],
        into: slope)
    }
    var backward = Matmul(m: classes, n: columns, k: count, transposeA: true)
    backward.chunk = 8
    try device.matmul(backward, slope, x, bias: nil, into: parts.weight)
    try device.channelSum(ChannelLayout(outer: count, channels: classes, inner: 1), slope, into: parts.bias)
    try device.channelSum(ChannelLayout(outer: count, channels: 1, inner: 1), losses, into: parts.loss)
    for (sum, part) in [(sums.weight, parts.weight), (sums.bias, parts.bias), (sums.loss, parts.loss)] {
      try device.binary(.add, sum, part, into: sum)
    }
  }
}
