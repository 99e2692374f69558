/// Softmax over rows, with gradients. Row maxima and sums by lanes.
public protocol SoftmaxBackend: MemoryBackend {
  /// y = softmax(scale x) over the rows of x (rows, columns). May work in place.
  func softmax(_ x: Tensor, rows: Int, columns: Int, scale: Float, into y: Tensor) throws
  /// y = log softmax(x).
  func logSoftmax(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws
  /// dx = scale y (dy - sum(y dy)).
  func softmaxGrad(
    _ y: Tensor, _ dy: Tensor, rows: Int, columns: Int, scale: Float, into dx: Tensor) throws
  /// dx = dy - exp(y) sum(dy), y being the log-probabilities.
  func logSoftmaxGrad(_ y: Tensor, _ dy: Tensor, rows: Int, columns: Int, into dx: Tensor) throws
}
