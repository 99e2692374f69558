// SPDX-License-Identifier: Apache-2.0
/// Layer norm, batch norm and z-normalisation.
public protocol NormalizationBackend: MemoryBackend {
  /// y = (x - mean) rstd gamma + beta over the rows of x; writes each row's mean and rstd. May work in
  /// place.
  func layerNorm(
    _ p: LayerNormalization, _ x: Tensor, gamma: Tensor, beta: Tensor, into y: Tensor, mean: Tensor,
    rstd: Tensor) throws
  /// The gradient of a layer norm for its input.
  func layerNormGradData(
    _ p: LayerNormalization, _ x: Tensor, gamma: Tensor, mean: Tensor, rstd: Tensor, _ dy: Tensor,
    into dx: Tensor) throws
  /// The gradients of a layer norm for gamma and beta, rows in groups of 8.
  func layerNormGradParameters(
    _ p: LayerNormalization, _ x: Tensor, mean: Tensor, rstd: Tensor, _ dy: Tensor, gamma: Tensor,
    beta: Tensor) throws
  /// Each channel's mean and biased variance, outer (samples) in groups of 8.
  func batchNormStatistics(_ p: ChannelLayout, _ x: Tensor, mean: Tensor, variance: Tensor) throws
  /// y = (x - mean) / sqrt(variance + eps) gamma + beta per channel. May work in place.
  func batchNorm(
    _ p: ChannelLayout, _ x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor, beta: Tensor,
    into y: Tensor) throws
  /// The gradients for gamma and beta, samples in groups of 8.
  func batchNormGradParameters(
    _ p: ChannelLayout, _ x: Tensor, mean: Tensor, variance: Tensor, _ dy: Tensor, gamma: Tensor,
    beta: Tensor) throws
  /// The gradient for the input: in training mode through the batch statistics (needs the gradients for gamma
  /// and beta), in evaluation mode with the statistics held constant.
  func batchNormGradData(
    _ p: ChannelLayout, _ x: Tensor, mean: Tensor, variance: Tensor, gamma: Tensor,
    gradGamma: Tensor, gradBeta: Tensor, _ dy: Tensor, training: Bool, into dx: Tensor) throws
  /// running = (1 - momentum) running + momentum batch, the variance unbiased (x count / (count - 1)).
  func batchNormUpdateRunning(
    _ p: ChannelLayout, momentum: Float, mean: Tensor, variance: Tensor, runningMean: Tensor,
    runningVariance: Tensor) throws
  /// y = (x - mean) / sqrt(variance + eps), mean and variance of one element. May work in place.
  func standardize(_ x: Tensor, mean: Tensor, variance: Tensor, eps: Float, into y: Tensor) throws
  /// y = x scale^-beta, scale = k + alpha / size (sum of squares over `size` neighbouring channels, zeros
  /// outside), as PyTorch's LocalResponseNorm (Krizhevsky et al. 2012, section 3.3). Writes the scale,
  /// which the gradient takes.
  func localResponseNorm(_ p: LocalResponseNormalization, _ x: Tensor, into y: Tensor, scale: Tensor) throws
  /// The gradient of `localResponseNorm`.
  func localResponseNormGrad(
    _ p: LocalResponseNormalization, _ x: Tensor, _ dy: Tensor, scale: Tensor, into dx: Tensor) throws
}
