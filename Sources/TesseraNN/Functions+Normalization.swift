// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Context {
  /// Batch norm over the channels of x (batch, channels, ...): by the batch's statistics in training (which
  /// also move the running ones), by the running statistics otherwise.
  ///
  /// - Parameters:
  ///   - x: (batch, channels, ...).
  ///   - gamma: scale (channels).
  ///   - beta: shift (channels).
  ///   - runningMean: (channels), updated in place in training and read otherwise.
  ///   - runningVariance: (channels), updated in place in training and read otherwise.
  ///   - momentum: share of the batch in the running statistics.
  ///   - eps: what is added to the variance before its root.
  public func batchNorm(
    _ x: Variable, gamma: Variable, beta: Variable, runningMean: Tensor, runningVariance: Tensor,
    momentum: Float, eps: Float
  ) throws -> Variable {
    try checkBatchNorm(x, channels: gamma.value.count, momentum: momentum)
    let (channels, part) = (x.shape[1], part(of: x))
    var p = ChannelLayout(
      outer: x.shape[0], channels: channels, inner: x.shape[2...].reduce(1, *), eps: eps)
    p.batch = part?.batch ?? x.shape[0]
    var (mean, variance) = (runningMean, runningVariance)
    if training {
      mean = try device.empty([channels])
      variance = try device.empty([channels])
      if let part {
        try statistics(p, x.value, part, mean: mean, variance: variance)
      } else {
        try device.batchNormStatistics(p, x.value, mean: mean, variance: variance)
      }
      if !isRecomputing {
        var whole = p
        whole.outer = p.batch
        try device.batchNormUpdateRunning(
          whole, momentum: momentum, mean: mean, variance: variance, runningMean: runningMean,
          runningVariance: runningVariance)
      }
    }
    let y = try device.empty(x.shape)
    try device.batchNorm(
      p, x.value, mean: mean, variance: variance, gamma: gamma.value, beta: beta.value, into: y)
    if !training, tape != nil, [x, gamma, beta].contains(where: \.requiresGradient) {
      // The running ones may move before the gradient comes back.
      (mean, variance) = (try copied(mean), try copied(variance))
    }
    let (device, training, batch, settings) = (device, training, batchSums(over: x), p)
    let (batchMean, batchVariance) = (mean, variance)
    return output(y, of: [x, gamma, beta]) { tape, dy in
      let sums = try batch.sums([[channels], [channels]], [x.value, dy], by: .compensated) { inputs, rows in
        let dgamma = try device.allocate([channels], .float32)
        let dbeta = try device.allocate([channels], .float32)
        var part = settings
        part.outer = rows
        try device.batchNormGradParameters(
          part, inputs[0], mean: batchMean, variance: batchVariance, inputs[1], gamma: dgamma, beta: dbeta)
        return [dgamma, dbeta]
      }
      let (dgamma, dbeta) = (sums[0], sums[1])
      if x.requiresGradient {
        let dx = try device.allocate(x.shape, .float32)
        try device.batchNormGradData(
          settings, x.value, mean: batchMean, variance: batchVariance, gamma: gamma.value, gradGamma: dgamma,
          gradBeta: dbeta, dy, training: training, into: dx)
        try tape.accumulate(dx, to: x)
      }
      try tape.accumulate(dgamma, to: gamma)
      try tape.accumulate(dbeta, to: beta)
    }
  }

  private func checkBatchNorm(_ x: Variable, channels: Int, momentum: Float) throws {
    guard x.shape.count >= 2, x.shape[1] == channels else {
      throw TesseraError.failure("batchNorm", found: "\(x.shape)", wanted: "(batch, \(channels), ...)")
    }
    guard momentum >= 0, momentum <= 1 else {
      throw TesseraError.failure("batchNorm", found: "momentum \(momentum)", wanted: "0 to 1")
    }
  }

  private func copied(_ tensor: Tensor) throws -> Tensor {
    let copy = try device.empty(tensor.shape)
    try device.copy(tensor, to: copy)
    return copy
  }

  /// Mean and variance of a batch of which a part is here. A group's squares are a gradient for a scale of
  /// 1 of what differs from the mean: the same fma, without another kernel.
  private func statistics(
    _ p: ChannelLayout, _ x: Tensor, _ part: BatchShard, mean: Tensor, variance: Tensor
  ) throws {
    let (device, channels) = (device, p.channels)
    let count = Float(p.batch * p.inner)
    func whole(
      _ tensor: Tensor, _ sum: (Tensor, ChannelLayout, Tensor) throws -> Void
    ) throws {
      let groups = try part.groups(of: [x], by: .compensated, on: device) { inputs, rows in
        let result = try device.allocate([channels], .float32)
        var q = p
        (q.outer, q.eps) = (rows, 0)
        try sum(inputs[0], q, result)
        return [result]
      }
      let values = try part.sums(groups, counts: [channels], by: .compensated, on: device).map { value in
        let share = value / count
        return share.isNaN ? Float(bitPattern: 0x7fc0_0000) : share
      }
      try values.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
    }
    try whole(mean) { try device.channelSum($1, $0, into: $2) }
    let one = try device.tensor([Float](repeating: 1, count: channels), [channels])
    let zero = try device.tensor([Float](repeating: 0, count: channels), [channels])
    try whole(variance) { x, q, squares in
      let (centred, unused) = (
        try device.allocate(x.shape, .float32), try device.allocate([channels], .float32)
      )
      try device.batchNorm(q, x, mean: mean, variance: one, gamma: one, beta: zero, into: centred)
      try device.batchNormGradParameters(
        q, x, mean: mean, variance: one, centred, gamma: squares, beta: unused)
    }
  }

  /// Layer norm over the rows of x (rows, columns).
  public func layerNorm(_ x: Variable, gamma: Variable, beta: Variable, eps: Float) throws -> Variable {
    try require("layerNorm", x, rank: 2, "(rows, columns)")
    let p = LayerNormalization(rows: x.shape[0], columns: x.shape[1], eps: eps)
    let y = try device.empty(x.shape)
    let mean = try device.empty([x.shape[0]])
    let rstd = try device.empty([x.shape[0]])
    try device.layerNorm(
      p, x.value, gamma: gamma.value, beta: beta.value, into: y, mean: mean, rstd: rstd)
    let (device, batch) = (device, batchSums(over: x))
    return output(y, of: [x, gamma, beta]) { tape, dy in
      if x.requiresGradient {
        let dx = try device.allocate(x.shape, .float32)
        try device.layerNormGradData(p, x.value, gamma: gamma.value, mean: mean, rstd: rstd, dy, into: dx)
        try tape.accumulate(dx, to: x)
      }
      guard gamma.requiresGradient || beta.requiresGradient else { return }
      try batch.pass(tape, to: [gamma, beta], [x.value, mean, rstd, dy], by: .compensated) { inputs, rows in
        let dgamma = try device.allocate(gamma.shape, .float32)
        let dbeta = try device.allocate(beta.shape, .float32)
        var part = p
        part.rows = rows
        try device.layerNormGradParameters(
          part, inputs[0], mean: inputs[1], rstd: inputs[2], inputs[3], gamma: dgamma, beta: dbeta)
        return [dgamma, dbeta]
      }
    }
  }
}
