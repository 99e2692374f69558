// SPDX-License-Identifier: Apache-2.0
/// Cross-entropy and optimiser steps.
public protocol LossBackend: MemoryBackend {
  /// losses[r] = -sum over c of t_c log softmax(logits)[r][c], where t is 1 - smoothing for the row's label
  /// (int32) plus smoothing / classes for every class (Szegedy et al. 2016, section 7).
  func crossEntropy(
    _ logits: Tensor, labels: Tensor, rows: Int, classes: Int, smoothing: Float, into losses: Tensor) throws
  /// dlogits = (softmax(logits) - t) / batch: the gradient of the mean loss over a batch, of which the rows
  /// may be a part.
  func crossEntropyGrad(
    _ logits: Tensor, labels: Tensor, rows: Int, classes: Int, smoothing: Float, batch: Int,
    into dlogits: Tensor) throws
  /// One Adam step in place (Kingma and Ba 2015, algorithm 1, as PyTorch computes it).
  func adam(
    _ p: AdamStep, gradient: Tensor, parameter: Tensor, firstMoment: Tensor, secondMoment: Tensor
  ) throws
  /// One step of gradient descent with momentum in place (Sutskever et al. 2013, as PyTorch computes it).
  func sgd(_ p: DescentStep, gradient: Tensor, parameter: Tensor, velocity: Tensor) throws
  /// One step of RMSprop in place (Tieleman and Hinton 2012, as PyTorch computes it).
  func rmsprop(
    _ p: DescentStep, gradient: Tensor, parameter: Tensor, squares: Tensor, velocity: Tensor) throws
  /// One step of Lion in place (Chen et al. 2023, algorithm 2): `momentum` blends the update, `decay` the
  /// momentum that stays.
  func lion(_ p: DescentStep, gradient: Tensor, parameter: Tensor, momentum: Tensor) throws
  /// y = y + share (x - y): a moving average.
  func blend(_ x: Tensor, share: Float, into y: Tensor) throws
}

extension LossBackend {
  /// Without smoothing.
  public func crossEntropy(_ logits: Tensor, labels: Tensor, rows: Int, classes: Int, into losses: Tensor)
    throws
  {
    try crossEntropy(logits, labels: labels, rows: rows, classes: classes, smoothing: 0, into: losses)
  }

  /// Without smoothing, of a whole batch.
  public func crossEntropyGrad(
    _ logits: Tensor, labels: Tensor, rows: Int, classes: Int, into dlogits: Tensor
  ) throws {
    try crossEntropyGrad(
      logits, labels: labels, rows: rows, classes: classes, smoothing: 0, batch: rows, into: dlogits)
  }
}
