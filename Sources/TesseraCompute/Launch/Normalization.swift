import Kernels

extension KernelLauncher {
  public func layerNorm(
    _ p: RowsParameters, _ x: Tensor, gamma: Tensor, beta: Tensor, into y: Tensor, mean: Tensor,
    rstd: Tensor
  ) throws {
    let (rows, columns) = (Int(p.rows), Int(p.cols))
    try require(
      "layerNorm",
      [(x, rows * columns), (gamma, columns), (beta, columns), (y, x.count), (mean, rows), (rstd, rows)])
    try launch(
      .row("normalization", "tsr_layer_norm"), items: rows, cost: columns * 3, p,
      [x, gamma, beta, y, mean, rstd])
  }

  public func layerNormGradData(
    _ p: RowsParameters, _ x: Tensor, gamma: Tensor, mean: Tensor, rstd: Tensor, _ dy: Tensor,
    into dx: Tensor
  ) throws {
    let (rows, columns) = (Int(p.rows), Int(p.cols))
    try require(
      "layerNormGradData",
      [(x, rows * columns), (gamma, columns), (mean, rows), (rstd, rows), (dy, x.count), (dx, x.count)])
    try launch(
      .row("normalization", "tsr_layer_norm_grad_data"), items: rows, cost: columns * 3, p,
      [x, gamma, mean, rstd, dy, dx])
  }

  public func layerNormGradParameters(
    _ p: RowsParameters, _ x: Tensor, mean: Tensor, rstd: Tensor, _ dy: Tensor, gamma: Tensor, beta: Tensor
  ) throws {
    let (rows, columns) = (Int(p.rows), Int(p.cols))
    try require(
      "layerNormGradParameters",
      [(x, rows * columns), (mean, rows), (rstd, rows), (dy, x.count), (gamma, columns), (beta, columns)])
    try launch(
      .item("normalization", "tsr_layer_norm_grad_parameters"), items: columns, cost: rows, p,
      [x, mean, rstd, dy, gamma, beta])
  }

  public func batchNormStatistics(
    _ p: ChannelsParameters, _ x: Tensor, mean: Tensor, variance: Tensor
  ) throws {
    let channels = Int(p.channels)
    try require("batchNormStatistics", [(x, p.count), (mean, channels), (variance, channels)])
    try launch(
      .channels("normalization", "tsr_batch_norm_statistics"), items: channels,
      cost: Int(p.outer) * Int(p.inner) * 2, p, [x, mean, variance])
  }

  public func batchNorm(
    _ p: ChannelsParameters, _ x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor, beta: Tensor,
    into y: Tensor
  ) throws {
    let channels = Int(p.channels)
    try require(
      "batchNorm",
      [
        (x, p.count), (mean, channels), (variance, channels), (gamma, channels), (beta, channels),
        (y, p.count),
      ])
    try launch(
      .row("normalization", "tsr_batch_norm"), items: Int(p.outer) * channels, cost: Int(p.inner), p,
      [x, mean, variance, gamma, beta, y])
  }

  public func batchNormGradParameters(
    _ p: ChannelsParameters, _ x: Tensor, mean: Tensor, variance: Tensor, _ dy: Tensor, gamma: Tensor,
    beta: Tensor
  ) throws {
    let channels = Int(p.channels)
    try require(
      "batchNormGradParameters",
      [
        (x, p.count), (mean, channels), (variance, channels), (dy, p.count), (gamma, channels),
        (beta, channels),
      ])
    try launch(
      .channels("normalization", "tsr_batch_norm_grad_parameters"), items: channels,
      cost: Int(p.outer) * Int(p.inner) * 2, p, [x, mean, variance, dy, gamma, beta])
  }

  public func batchNormGradData(
    _ p: ChannelsParameters, _ x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor,
    gradGamma: Tensor, gradBeta: Tensor, _ dy: Tensor, training: Bool, into dx: Tensor
  ) throws {
    let channels = Int(p.channels)
    try require(
      "batchNormGradData",
      [
        (x, p.count), (mean, channels), (variance, channels), (gamma, channels), (gradGamma, channels),
        (gradBeta, channels), (dy, p.count), (dx, p.count),
      ])
    var parameters = p
    parameters.training = training ? 1 : 0
    try launch(
      .row("normalization", "tsr_batch_norm_grad_data"), items: Int(p.outer) * channels,
      cost: Int(p.inner) * 2,
      parameters, [x, mean, variance, gamma, gradGamma, gradBeta, dy, dx])
  }

  public func batchNormUpdateRunning(
    _ p: ChannelsParameters, momentum: Float, mean: Tensor, variance: Tensor, runningMean: Tensor,
    runningVariance: Tensor
  ) throws {
    let channels = Int(p.channels)
    try require(
      "batchNormUpdateRunning",
      [(mean, channels), (variance, channels), (runningMean, channels), (runningVariance, channels)])
    var parameters = p
    parameters.momentum = momentum
    try launch(
      .item("normalization", "tsr_batch_norm_update"), items: channels, cost: 4, parameters,
      [mean, variance, runningMean, runningVariance])
  }

  public func standardize(
    _ x: Tensor, mean: Tensor, variance: Tensor, eps: Float, into y: Tensor
  ) throws {
    try require("standardize", [(mean, 1), (variance, 1), (y, x.count)])
    let p = tsr_map_params(count: Int32(x.count), alpha: eps, beta: 0)
    try launch(
      .item("normalization", "tsr_standardize"), items: x.count, cost: 4, p, [x, mean, variance, y])
  }
}
