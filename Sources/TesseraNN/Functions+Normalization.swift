import TesseraCompute

extension Context {
  /// Batch norm over the channels of x (batch, channels, ...): by the batch's statistics in training (which
  /// also move the running ones), by the running statistics otherwise.
  ///
  /// - Parameters:
  ///   - gamma, beta: scale and shift (channels).
  ///   - runningMean, runningVariance: updated in place in training.
  ///   - momentum: share of the batch in the running statistics.
  public func batchNorm(
    _ x: Variable, gamma: Variable, beta: Variable, runningMean: Tensor, runningVariance: Tensor,
    momentum: Float, eps: Float
  ) throws -> Variable {
    guard x.shape.count >= 2, x.shape[1] == gamma.value.count else {
      throw TesseraError.failure(
        "batchNorm", found: "\(x.shape)", wanted: "(batch, \(gamma.value.count), ...)")
    }
    let channels = x.shape[1]
    let p = ChannelsParameters(
      outer: x.shape[0], channels: channels, inner: x.shape[2...].reduce(1, *), eps: eps)
    var (mean, variance) = (runningMean, runningVariance)
    if training {
      mean = try empty([channels])
      variance = try empty([channels])
      try device.batchNormStatistics(p, x.value, mean: mean, variance: variance)
      try device.batchNormUpdateRunning(
        p, momentum: momentum, mean: mean, variance: variance, runningMean: runningMean,
        runningVariance: runningVariance)
    }
    let y = try empty(x.shape)
    try device.batchNorm(
      p, x.value, mean: mean, variance: variance, gamma: gamma.value, beta: beta.value, into: y)
    let (device, training, batchMean, batchVariance) = (device, training, mean, variance)
    return output(y, of: [x, gamma, beta]) { tape, dy in
      let dgamma = try device.allocate([channels], .float32)
      let dbeta = try device.allocate([channels], .float32)
      try device.batchNormGradParameters(
        p, x.value, mean: batchMean, variance: batchVariance, dy, gamma: dgamma, beta: dbeta)
      if x.requiresGradient {
        let dx = try device.allocate(x.shape, .float32)
        try device.batchNormGradData(
          p, x.value, mean: batchMean, variance: batchVariance, gamma: gamma.value, gradGamma: dgamma,
          gradBeta: dbeta, dy, training: training, into: dx)
        try tape.accumulate(dx, to: x)
      }
      try tape.accumulate(dgamma, to: gamma)
      try tape.accumulate(dbeta, to: beta)
    }
  }

  /// Layer norm over the rows of x (rows, columns).
  public func layerNorm(_ x: Variable, gamma: Variable, beta: Variable, eps: Float) throws -> Variable {
    let p = RowsParameters(rows: x.shape[0], columns: x.shape[1], eps: eps)
    let y = try empty(x.shape)
    let mean = try empty([x.shape[0]])
    let rstd = try empty([x.shape[0]])
    try device.layerNorm(
      p, x.value, gamma: gamma.value, beta: beta.value, into: y, mean: mean, rstd: rstd)
    let device = device
    return output(y, of: [x, gamma, beta]) { tape, dy in
      if x.requiresGradient {
        let dx = try device.allocate(x.shape, .float32)
        try device.layerNormGradData(p, x.value, gamma: gamma.value, mean: mean, rstd: rstd, dy, into: dx)
        try tape.accumulate(dx, to: x)
      }
      let dgamma = try device.allocate(gamma.shape, .float32)
      let dbeta = try device.allocate(beta.shape, .float32)
      try device.layerNormGradParameters(p, x.value, mean: mean, rstd: rstd, dy, gamma: dgamma, beta: dbeta)
      try tape.accumulate(dgamma, to: gamma)
      try tape.accumulate(dbeta, to: beta)
    }
  }
}
