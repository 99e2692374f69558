// SPDX-License-Identifier: Apache-2.0
/// Softmax over rows, with gradients. Row maxima and sums by lanes.
public protocol SoftmaxBackend: MemoryBackend {
  /// y = softmax(scale x) over the rows of x (rows, columns). May work in place.
  func softmax(_ x: Tensor, rows: Int, columns: Int, scale: Float, into y: Tensor) throws
  /// y[h, i, j] = softmax over j of (scale x[h, i, j] + bias[h, j - i]), x and y (heads, length, length).
  /// May work in place.
  ///
  /// - Parameters:
  ///   - p: heads, length, scale, and the span of the bias.
  ///   - x: scores (heads, length, length).
  ///   - bias: (heads, 2 span - 1), distance d = j - i at column span - 1 + d.
  ///   - y: gets the probabilities (heads, length, length).
  func distanceSoftmax(_ p: AttentionScores, _ x: Tensor, bias: Tensor, into y: Tensor) throws
  /// y = log softmax(x).
  func logSoftmax(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws
  /// dx = scale y (dy - sum(y dy)).
  func softmaxGrad(
    _ y: Tensor, _ dy: Tensor, rows: Int, columns: Int, scale: Float, into dx: Tensor) throws
  /// dx = dy - exp(y) sum(dy), y being the log-probabilities.
  func logSoftmaxGrad(_ y: Tensor, _ dy: Tensor, rows: Int, columns: Int, into dx: Tensor) throws
}
