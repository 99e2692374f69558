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
