// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What a network does between its products, each bound by memory: batch normalisation, pooling, ReLU, a
/// sum, Adam.
extension Benchmark {
  @_optimize(none)
  static var layers: [Item] {
    ["batchNorm", "batchNormStatistics", "batchNormGradData"].map { channels($0, 32, 64, 75 * 75) }
      + ["maxPool", "maxPoolGrad", "averagePool"].map { pool($0, 2048, 75, 75) }
      + ["relu", "reluGrad", "add"].map { map($0, 4 << 20) } + [adam(4 << 20)]
  }

  /// Batch normalisation of (batch, channels, places), its statistics, or its gradient for the data.
  static func channels(_ kernel: String, _ batch: Int, _ channels: Int, _ places: Int) -> Item {
    let count = Double(batch * channels * places)
    let passes = kernel == "batchNorm" ? 2.0 : kernel == "batchNormStatistics" ? 1 : 3
    return Item(
      kernel: kernel, label: "\(batch)x\(channels)x\(places)", operations: 4 * count,
      bytes: 4 * passes * count
    ) { device in
      var inputs = SplitMix64(seed: 10)
      let p = ChannelLayout(outer: batch, channels: channels, inner: places)
      let x = try device.tensor(inputs.floats(p.count), [p.count])
      let mean = try device.tensor(inputs.floats(channels), [channels])
      let variance = try device.tensor(inputs.floats(channels, 0.5, 2), [channels])
      if kernel == "batchNormStatistics" {
        return ({ try device.batchNormStatistics(p, x, mean: mean, variance: variance) }, variance)
      }
      let gamma = try device.tensor(inputs.floats(channels), [channels])
      let y = try device.empty(p.count)
      guard kernel == "batchNormGradData" else {
        return (
          { try device.batchNorm(p, x, mean: mean, variance: variance, gamma: gamma, beta: gamma, into: y) },
          y
        )
      }
      let dy = try device.tensor(inputs.floats(p.count), [p.count])
      return (
        {
          try device.batchNormGradData(
            p, x, mean: mean, variance: variance, gamma: gamma, gradGamma: gamma, gradBeta: gamma, dy,
            training: true, into: y)
        }, y
      )
    }
  }

  /// Windows of 3 x 3, 2 apart, with a padding of 1: the models' own.
  static func pool(_ kernel: String, _ planes: Int, _ height: Int, _ width: Int) -> Item {
    let p = Pooling(planes: planes, height: height, width: width, kernel: 3, stride: 2, padding: 1)
    let (read, made) = (Double(p.inputCount), Double(p.outputCount))
    return Item(
      kernel: kernel, label: "\(planes)x\(height)x\(width)", operations: 9 * made,
      bytes: 4 * (read + (kernel == "averagePool" ? 1 : 2) * made)
    ) { device in
      var inputs = SplitMix64(seed: 11)
      let x = try device.tensor(inputs.floats(p.inputCount), [p.inputCount])
      let y = try device.empty(p.outputCount)
      if kernel == "averagePool" { return ({ try device.averagePool(p, x, into: y) }, y) }
      let indices = try device.allocate([p.outputCount], .int32)
      if kernel == "maxPool" { return ({ try device.maxPool(p, x, into: y, indices: indices) }, y) }
      try device.maxPool(p, x, into: y, indices: indices)
      return ({ try device.maxPoolGrad(p, y, indices: indices, into: x) }, x)
    }
  }

  /// An element for an element: relu, reluGrad, or the sum of two tensors.
  static func map(_ kernel: String, _ count: Int) -> Item {
    Item(
      kernel: kernel, label: "\(count)", operations: Double(count),
      bytes: (kernel == "relu" ? 8 : 12) * Double(count)
    ) { device in
      var inputs = SplitMix64(seed: 12)
      let x = try device.tensor(inputs.floats(count), [count])
      let y = try device.empty(count)
      if kernel == "relu" { return ({ try device.unary(.relu, x, alpha: 0, beta: 0, into: y) }, y) }
      let other = try device.tensor(inputs.floats(count), [count])
      if kernel == "add" { return ({ try device.binary(.add, x, other, into: y) }, y) }
      return ({ try device.unaryGrad(.relu, x, other, into: y) }, y)
    }
  }

  /// One step of Adam.
  static func adam(_ count: Int) -> Item {
    Item(kernel: "adam", label: "\(count)", operations: 14 * Double(count), bytes: 28 * Double(count)) {
      device in
      var inputs = SplitMix64(seed: 13)
      let gradient = try device.tensor(inputs.floats(count), [count])
      let parameter = try device.tensor(inputs.floats(count), [count])
      let (first, second) = (try device.empty(count), try device.empty(count))
      try device.fill(first, with: 0)
      try device.fill(second, with: 0)
      // Without decay the moments are the same after any number of steps, so their bits can be compared.
      let p = AdamStep(count: count, learningRate: 1e-3, beta1: 0, beta2: 0)
      return (
        {
          try device.adam(
            p, gradient: gradient, parameter: parameter, firstMoment: first, secondMoment: second)
        }, second
      )
    }
  }
}
