// SPDX-License-Identifier: Apache-2.0

extension RecordedBackend {
  private func perform(_ operation: NormalizationOperation, _ tensors: [Tensor]) throws {
    try perform(.normalization(operation), tensors)
  }

  package func layerNorm(
    _ p: LayerNormalization, _ x: Tensor, gamma: Tensor, beta: Tensor, into y: Tensor, mean: Tensor,
    rstd: Tensor
  ) throws {
    try perform(.layerNorm(p: p), [x, gamma, beta, y, mean, rstd])
  }

  package func layerNormGradData(
    _ p: LayerNormalization, _ x: Tensor, gamma: Tensor, mean: Tensor, rstd: Tensor, _ dy: Tensor,
    into dx: Tensor
  ) throws {
    try perform(.layerNormGradData(p: p), [x, gamma, mean, rstd, dy, dx])
  }

  package func layerNormGradParameters(
    _ p: LayerNormalization, _ x: Tensor, mean: Tensor, rstd: Tensor, _ dy: Tensor, gamma: Tensor,
    beta: Tensor
  ) throws {
    try perform(.layerNormGradParameters(p: p), [x, mean, rstd, dy, gamma, beta])
  }

  package func batchNormStatistics(
    _ p: ChannelLayout, _ x: Tensor, mean: Tensor, variance: Tensor
  ) throws {
    try perform(.batchNormStatistics(p: p), [x, mean, variance])
  }

  package func batchNorm(
    _ p: ChannelLayout, _ x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor, beta: Tensor,
    into y: Tensor
  ) throws {
    try perform(.batchNorm(p: p), [x, mean, variance, gamma, beta, y])
  }

  package func batchNormGradParameters(
    _ p: ChannelLayout, _ x: Tensor, mean: Tensor, variance: Tensor, _ dy: Tensor, gamma: Tensor,
    beta: Tensor
  ) throws {
    try perform(.batchNormGradParameters(p: p), [x, mean, variance, dy, gamma, beta])
  }

  package func batchNormGradData(
    _ p: ChannelLayout, _ x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor,
    gradGamma: Tensor, gradBeta: Tensor, _ dy: Tensor, training: Bool, into dx: Tensor
  ) throws {
    try perform(
      .batchNormGradData(p: p, training: training), [x, mean, variance, gamma, gradGamma, gradBeta, dy, dx])
  }

  package func batchNormUpdateRunning(
    _ p: ChannelLayout, momentum: Float, mean: Tensor, variance: Tensor, runningMean: Tensor,
    runningVariance: Tensor
  ) throws {
    try perform(
      .batchNormUpdateRunning(p: p, momentum: FloatBits(momentum)),
      [mean, variance, runningMean, runningVariance])
  }

  package func standardize(
    _ x: Tensor, mean: Tensor, variance: Tensor, eps: Float, into y: Tensor
  ) throws {
    try perform(.standardize(eps: FloatBits(eps)), [x, mean, variance, y])
  }

  package func localResponseNorm(
    _ p: LocalResponseNormalization, _ x: Tensor, into y: Tensor, scale: Tensor
  ) throws {
    try perform(.localResponseNorm(p: p), [x, y, scale])
  }

  package func localResponseNormGrad(
    _ p: LocalResponseNormalization, _ x: Tensor, _ dy: Tensor, scale: Tensor, into dx: Tensor
  ) throws {
    try perform(.localResponseNormGrad(p: p), [x, dy, scale, dx])
  }
}
