// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// How the gradient of a result reaches operands that were repeated in it. A value of its own: what is
/// recorded must not hold the context.
struct BroadcastGradient {
  let device: any Backend
  let batch: BatchSums
  /// Whether the result goes over the rows of a batch.
  let isOverBatch: Bool

  /// Adds the result's gradient to an operand's: summed over the axes along which the operand was repeated,
  /// by rule 5; where a parameter was repeated over the rows of a batch, these by rule 6 at last.
  func pass(_ tape: Tape, _ gradient: Tensor, to x: Variable) throws {
    guard x.requiresGradient else { return }
    guard gradient.shape != x.shape else { return try tape.accumulate(gradient, to: x) }
    let added = gradient.shape.count - x.shape.count
    let axes = gradient.shape.indices.filter { axis in
      axis < added || x.shape[axis - added] == 1 && gradient.shape[axis] != 1
    }
    guard x.isOfParameters, isOverBatch, axes.first == 0 else {
      let sum = axes.isEmpty ? gradient : try device.sum(gradient, over: axes)
      return try tape.accumulate(try sum.reshaped(x.shape), to: x)
    }
    let inner = Array(axes.dropFirst())
    let samples = inner.isEmpty ? gradient : try device.sum(gradient, over: inner)
    let (device, shape, channels) = (device, x.shape, x.value.count)
    try batch.pass(tape, to: [x], [samples], by: .compensated) { inputs, rows in
      let sum = try device.allocate(shape, .float32)
      try device.channelSum(ChannelLayout(outer: rows, channels: channels, inner: 1), inputs[0], into: sum)
      return [sum]
    }
  }
}

extension Context {
  /// How the gradient of a function of some operands reaches them.
  func broadcastGradient(of operands: [Variable]) -> BroadcastGradient {
    let isOverBatch = !operands.allSatisfy(\.isOfParameters)
    return BroadcastGradient(
      device: device, batch: BatchSums(device: device, part: isOverBatch ? part : nil),
      isOverBatch: isOverBatch)
  }
}
