// SPDX-License-Identifier: Apache-2.0
import Kernels

extension KernelDispatching {
  public func layerNorm(
    _ p: RowsParameters, _ x: Tensor, gamma: Tensor, beta: Tensor, into y: Tensor, mean: Tensor,
    rstd: Tensor
  ) throws {
    let (rows, columns) = (Int(p.rows), Int(p.cols))
    try p.check("layerNorm", columns: 1)
    try require(
      "layerNorm", [(x, rows * columns), (gamma, columns), (beta, columns)],
      into: [(y, x.count), (mean, rows), (rstd, rows)], inPlace: true)
    try requireApart("layerNorm", [x, gamma, beta], into: [mean, rstd])
    try launch(
      .layerNorm, items: rows, cost: columns * 3, p,
      [x, gamma, beta, y, mean, rstd])
  }

  public func layerNormGradData(
    _ p: RowsParameters, _ x: Tensor, gamma: Tensor, mean: Tensor, rstd: Tensor, _ dy: Tensor,
    into dx: Tensor
  ) throws {
    let (rows, columns) = (Int(p.rows), Int(p.cols))
    try p.check("layerNormGradData", columns: 1)
    try require(
      "layerNormGradData",
      [(x, rows * columns), (gamma, columns), (mean, rows), (rstd, rows), (dy, x.count)],
      into: [(dx, x.count)])
    try launch(
      .layerNormGradData, items: rows, cost: columns * 3, p,
      [x, gamma, mean, rstd, dy, dx])
  }

  public func layerNormGradParameters(
    _ p: RowsParameters, _ x: Tensor, mean: Tensor, rstd: Tensor, _ dy: Tensor, gamma: Tensor, beta: Tensor
  ) throws {
    let (rows, columns) = (Int(p.rows), Int(p.cols))
    try p.check("layerNormGradParameters")
    try require(
      "layerNormGradParameters", [(x, rows * columns), (mean, rows), (rstd, rows), (dy, x.count)],
      into: [(gamma, columns), (beta, columns)])
    try launch(
      .layerNormGradParameters, items: columns, cost: rows, p,
      [x, mean, rstd, dy, gamma, beta])
  }

  public func batchNormStatistics(
    _ p: ChannelsParameters, _ x: Tensor, mean: Tensor, variance: Tensor
  ) throws {
    let channels = Int(p.channels)
    try p.check("batchNormStatistics")
    try p.requireSamples("batchNormStatistics")
    try require("batchNormStatistics", [(x, p.count)], into: [(mean, channels), (variance, channels)])
    try launch(
      .batchNormStatistics, items: channels,
      cost: Int(p.outer) * Int(p.inner) * 2, p, [x, mean, variance])
  }

  public func batchNorm(
    _ p: ChannelsParameters, _ x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor, beta: Tensor,
    into y: Tensor
  ) throws {
    let channels = Int(p.channels)
    try p.check("batchNorm")
    try require(
      "batchNorm",
      [(x, p.count), (mean, channels), (variance, channels), (gamma, channels), (beta, channels)],
      into: [(y, p.count)], inPlace: true)
    guard p.count > 0 else { return }
    try launch(
      .batchNorm, items: Int(p.outer) * channels, cost: Int(p.inner), p,
      [x, mean, variance, gamma, beta, y])
  }

  public func batchNormGradParameters(
    _ p: ChannelsParameters, _ x: Tensor, mean: Tensor, variance: Tensor, _ dy: Tensor, gamma: Tensor,
    beta: Tensor
  ) throws {
    let channels = Int(p.channels)
    try p.check("batchNormGradParameters")
    try require(
      "batchNormGradParameters", [(x, p.count), (mean, channels), (variance, channels), (dy, p.count)],
      into: [(gamma, channels), (beta, channels)])
    try launch(
      .batchNormGradParameters, items: channels,
      cost: Int(p.outer) * Int(p.inner) * 2, p, [x, mean, variance, dy, gamma, beta])
  }

  public func batchNormGradData(
    _ p: ChannelsParameters, _ x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor,
    gradGamma: Tensor, gradBeta: Tensor, _ dy: Tensor, training: Bool, into dx: Tensor
  ) throws {
    let channels = Int(p.channels)
    try p.check("batchNormGradData")
    try require(
      "batchNormGradData",
      [
        (x, p.count), (mean, channels), (variance, channels), (gamma, channels), (gradGamma, channels),
        (gradBeta, channels), (dy, p.count),
      ], into: [(dx, p.count)])
    guard p.count > 0 else { return }
    var parameters = p
    parameters.training = training ? 1 : 0
    try launch(
      .batchNormGradData, items: Int(p.outer) * channels,
      cost: Int(p.inner) * 2,
      parameters, [x, mean, variance, gamma, gradGamma, gradBeta, dy, dx])
  }

  public func batchNormUpdateRunning(
    _ p: ChannelsParameters, momentum: Float, mean: Tensor, variance: Tensor, runningMean: Tensor,
    runningVariance: Tensor
  ) throws {
    let channels = Int(p.channels)
    try p.check("batchNormUpdateRunning")
    let values = Int(p.outer) * Int(p.inner)
    guard values > 1, momentum >= 0, momentum <= 1 else {
      throw TesseraError.failure(
        "batchNormUpdateRunning", found: "\(values) values a channel, momentum \(momentum)",
        wanted: "2 values or more, for an unbiased variance, and a momentum of 0 to 1")
    }
    try require(
      "batchNormUpdateRunning", [(mean, channels), (variance, channels)],
      into: [(runningMean, channels), (runningVariance, channels)])
    var parameters = p
    parameters.momentum = momentum
    try launch(
      .batchNormUpdate, items: channels, cost: 4, parameters,
      [mean, variance, runningMean, runningVariance])
  }

  public func standardize(
    _ x: Tensor, mean: Tensor, variance: Tensor, eps: Float, into y: Tensor
  ) throws {
    try requireEpsilon("standardize", eps)
    try require(
      "standardize", [(x, x.count), (mean, 1), (variance, 1)], into: [(y, x.count)], inPlace: true)
    let p = tsr_map_params(count: Int32(x.count), alpha: eps, beta: 0)
    try launch(
      .standardize, items: x.count, cost: 4, p, [x, mean, variance, y])
  }
}
