/// Cross-entropy and optimiser steps.
public protocol LossBackend: MemoryBackend {
  /// losses[r] = -log softmax(logits)[r][labels[r]]; labels are int32.
  func crossEntropy(_ logits: Tensor, labels: Tensor, rows: Int, classes: Int, into losses: Tensor) throws
  /// dlogits = (softmax(logits) - onehot(labels)) / rows: the gradient of the mean loss.
  func crossEntropyGrad(
    _ logits: Tensor, labels: Tensor, rows: Int, classes: Int, into dlogits: Tensor) throws
  /// One Adam step in place (Kingma and Ba 2015, algorithm 1, as PyTorch computes it).
  func adam(
    _ p: AdamParameters, gradient: Tensor, parameter: Tensor, firstMoment: Tensor, secondMoment: Tensor
  ) throws
}
