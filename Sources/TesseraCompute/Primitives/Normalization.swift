// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension KernelDispatching {
  @_semantics("optimize.sil.specialize.generic.never")
  public func layerNorm(
    _ p: LayerNormalization, _ x: Tensor, gamma: Tensor, beta: Tensor, into y: Tensor, mean: Tensor,
    rstd: Tensor
  ) throws {
    let (rows, columns) = (p.rows, p.columns)
    let p = try p.checked("layerNorm", atLeast: 1)
    try require(
      "layerNorm", [(x, rows * columns), (gamma, columns), (beta, columns)],
      into: [(y, x.count), (mean, rows), (rstd, rows)], inPlace: true)
    try requireApart("layerNorm", [x, gamma, beta], into: [mean, rstd])
    try launch(
      .layerNorm, items: rows, cost: columns * 3, p,
      [x, gamma, beta, y, mean, rstd])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func layerNormGradData(
    _ p: LayerNormalization, _ x: Tensor, gamma: Tensor, mean: Tensor, rstd: Tensor, _ dy: Tensor,
    into dx: Tensor
  ) throws {
    let (rows, columns) = (p.rows, p.columns)
    let p = try p.checked("layerNormGradData", atLeast: 1)
    try require(
      "layerNormGradData",
      [(x, rows * columns), (gamma, columns), (mean, rows), (rstd, rows), (dy, x.count)],
      into: [(dx, x.count)])
    try launch(
      .layerNormGradData, items: rows, cost: columns * 3, p,
      [x, gamma, mean, rstd, dy, dx])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func layerNormGradParameters(
    _ p: LayerNormalization, _ x: Tensor, mean: Tensor, rstd: Tensor, _ dy: Tensor, gamma: Tensor,
    beta: Tensor
  ) throws {
    let (rows, columns) = (p.rows, p.columns)
    let p = try p.checked("layerNormGradParameters")
    try require(
      "layerNormGradParameters", [(x, rows * columns), (mean, rows), (rstd, rows), (dy, x.count)],
      into: [(gamma, columns), (beta, columns)])
    try launch(
      .layerNormGradParameters, items: columns, cost: rows, p,
      [x, mean, rstd, dy, gamma, beta])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func batchNormStatistics(
    _ p: ChannelLayout, _ x: Tensor, mean: Tensor, variance: Tensor
  ) throws {
    let (channels, count) = (p.channels, p.count)
    try p.requireSamples("batchNormStatistics")
    let p = try p.checked("batchNormStatistics")
    try require("batchNormStatistics", [(x, count)], into: [(mean, channels), (variance, channels)])
    try launch(
      .batchNormStatistics, items: channels,
      cost: Int(p.outer) * Int(p.inner) * 2, p, [x, mean, variance])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func batchNorm(
    _ p: ChannelLayout, _ x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor, beta: Tensor,
    into y: Tensor
  ) throws {
    let (channels, count) = (p.channels, p.count)
    let p = try p.checked("batchNorm")
    try require(
      "batchNorm",
      [(x, count), (mean, channels), (variance, channels), (gamma, channels), (beta, channels)],
      into: [(y, count)], inPlace: true)
    guard count > 0 else { return }
    try launch(
      .batchNorm, items: Int(p.outer) * channels, cost: Int(p.inner), p,
      [x, mean, variance, gamma, beta, y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func batchNormGradParameters(
    _ p: ChannelLayout, _ x: Tensor, mean: Tensor, variance: Tensor, _ dy: Tensor, gamma: Tensor,
    beta: Tensor
  ) throws {
    let (channels, count) = (p.channels, p.count)
    let p = try p.checked("batchNormGradParameters")
    try require(
      "batchNormGradParameters", [(x, count), (mean, channels), (variance, channels), (dy, count)],
      into: [(gamma, channels), (beta, channels)])
    try launch(
      .batchNormGradParameters, items: channels,
      cost: Int(p.outer) * Int(p.inner) * 2, p, [x, mean, variance, dy, gamma, beta])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func batchNormGradData(
    _ p: ChannelLayout, _ x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor,
    gradGamma: Tensor, gradBeta: Tensor, _ dy: Tensor, training: Bool, into dx: Tensor
  ) throws {
    let (channels, count) = (p.channels, p.count)
    var p = try p.checked("batchNormGradData")
    try require(
      "batchNormGradData",
      [
        (x, count), (mean, channels), (variance, channels), (gamma, channels), (gradGamma, channels),
        (gradBeta, channels), (dy, count),
      ], into: [(dx, count)])
    guard count > 0 else { return }
    p.training = training ? 1 : 0
    try launch(
      .batchNormGradData, items: Int(p.outer) * channels,
      cost: Int(p.inner) * 2,
      p, [x, mean, variance, gamma, gradGamma, gradBeta, dy, dx])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func batchNormUpdateRunning(
    _ p: ChannelLayout, momentum: Float, mean: Tensor, variance: Tensor, runningMean: Tensor,
    runningVariance: Tensor
  ) throws {
    let channels = p.channels
    var p = try p.checked("batchNormUpdateRunning")
    let values = Int(p.outer) * Int(p.inner)
    guard values > 1, momentum >= 0, momentum <= 1 else {
      throw TesseraError.failure(
        "batchNormUpdateRunning", found: "\(values) values a channel, momentum \(momentum)",
        wanted: "2 values or more, for an unbiased variance, and a momentum of 0 to 1")
    }
    try require(
      "batchNormUpdateRunning", [(mean, channels), (variance, channels)],
      into: [(runningMean, channels), (runningVariance, channels)])
    p.momentum = momentum
    try launch(
      .batchNormUpdate, items: channels, cost: 4, p,
      [mean, variance, runningMean, runningVariance])
  }

  @_semantics("optimize.sil.specialize.generic.never")
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
