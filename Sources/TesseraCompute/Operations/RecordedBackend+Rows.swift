// SPDX-License-Identifier: Apache-2.0

extension RecordedBackend {
  package func rowSum(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    try perform(.reduction(.rowSum(rows: rows, columns: columns)), [x, y])
  }

  package func rowMax(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    try perform(.reduction(.rowMax(rows: rows, columns: columns)), [x, y])
  }

  package func rowArgmax(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    try perform(.reduction(.rowArgmax(rows: rows, columns: columns)), [x, y])
  }

  package func channelSum(_ p: ChannelLayout, _ x: Tensor, into y: Tensor) throws {
    try perform(.reduction(.channelSum(p: p)), [x, y])
  }

  package func moments(_ x: Tensor, samples: Int, inner: Int, mean: Tensor, variance: Tensor) throws {
    try perform(.reduction(.moments(samples: samples, inner: inner)), [x, mean, variance])
  }

  package func softmax(_ x: Tensor, rows: Int, columns: Int, scale: Float, into y: Tensor) throws {
    try perform(.softmax(.softmax(rows: rows, columns: columns, scale: FloatBits(scale))), [x, y])
  }

  package func distanceSoftmax(_ p: AttentionScores, _ x: Tensor, bias: Tensor, into y: Tensor) throws {
    try perform(.softmax(.distanceSoftmax(p: p)), [x, bias, y])
  }

  package func logSoftmax(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws {
    try perform(.softmax(.logSoftmax(rows: rows, columns: columns)), [x, y])
  }

  package func softmaxGrad(
    _ y: Tensor, _ dy: Tensor, rows: Int, columns: Int, scale: Float, into dx: Tensor
  ) throws {
    try perform(.softmax(.softmaxGrad(rows: rows, columns: columns, scale: FloatBits(scale))), [y, dy, dx])
  }

  package func logSoftmaxGrad(_ y: Tensor, _ dy: Tensor, rows: Int, columns: Int, into dx: Tensor) throws {
    try perform(.softmax(.logSoftmaxGrad(rows: rows, columns: columns)), [y, dy, dx])
  }
}
