// SPDX-License-Identifier: Apache-2.0

extension RecordedBackend {
  private func perform(_ operation: TrainingOperation, _ tensors: [Tensor]) throws {
    try perform(.training(operation), tensors)
  }

  package func crossEntropy(
    _ logits: Tensor, labels: Tensor, rows: Int, classes: Int, smoothing: Float, into losses: Tensor
  ) throws {
    try perform(
      .crossEntropy(rows: rows, classes: classes, smoothing: FloatBits(smoothing)), [logits, labels, losses])
  }

  package func crossEntropyGrad(
    _ logits: Tensor, labels: Tensor, rows: Int, classes: Int, smoothing: Float, batch: Int,
    into dlogits: Tensor
  ) throws {
    try perform(
      .crossEntropyGrad(rows: rows, classes: classes, smoothing: FloatBits(smoothing), batch: batch),
      [logits, labels, dlogits])
  }

  package func adam(
    _ p: AdamStep, gradient: Tensor, parameter: Tensor, firstMoment: Tensor, secondMoment: Tensor
  ) throws {
    try perform(.adam(p: p), [gradient, parameter, firstMoment, secondMoment])
  }

  package func randomUniform(_ stream: RandomStream, low: Float, high: Float, into y: Tensor) throws {
    try perform(.randomUniform(stream: stream, low: FloatBits(low), high: FloatBits(high)), [y])
  }

  package func randomNormal(
    _ stream: RandomStream, mean: Float, deviation: Float, into y: Tensor
  ) throws {
    try perform(
      .randomNormal(stream: stream, mean: FloatBits(mean), deviation: FloatBits(deviation)), [y])
  }

  package func dropout(_ stream: RandomStream, rate: Float, _ x: Tensor, into y: Tensor) throws {
    try perform(.dropout(stream: stream, rate: FloatBits(rate)), [x, y])
  }

  package func gatherRows(_ table: Tensor, ids: Tensor, columns: Int, into y: Tensor) throws {
    try perform(.gatherRows(columns: columns), [table, ids, y])
  }

  package func gatherRowsGrad(
    _ dy: Tensor, ids: Tensor, columns: Int, group: Int, into table: Tensor
  ) throws {
    try perform(.gatherRowsGrad(columns: columns, group: group), [dy, ids, table])
  }

  package func sgd(_ p: DescentStep, gradient: Tensor, parameter: Tensor, velocity: Tensor) throws {
    try perform(.sgd(p: p), [gradient, parameter, velocity])
  }

  package func rmsprop(
    _ p: DescentStep, gradient: Tensor, parameter: Tensor, squares: Tensor, velocity: Tensor
  ) throws {
    try perform(.rmsprop(p: p), [gradient, parameter, squares, velocity])
  }

  package func lion(_ p: DescentStep, gradient: Tensor, parameter: Tensor, momentum: Tensor) throws {
    try perform(.lion(p: p), [gradient, parameter, momentum])
  }

  package func blend(_ x: Tensor, share: Float, into y: Tensor) throws {
    try perform(.blend(share: FloatBits(share)), [x, y])
  }
}
