// SPDX-License-Identifier: Apache-2.0
/// Sums over an index k in chunks (NUMERICS.md rule 4; rule 6 where k runs over samples).
public protocol ContractionBackend: MemoryBackend {
  /// C = act(A B + bias), batched and strided. `bias` has n elements (per column) or m (per row).
  func matmul(_ p: Matmul, _ a: Tensor, _ b: Tensor, bias: Tensor?, into c: Tensor) throws
  /// y = act(x * w + bias); `bias` has `out_channels` elements.
  func conv2d(_ p: Convolution, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor) throws
  /// The gradient of a convolution for its input.
  func conv2dGradData(_ p: Convolution, _ dy: Tensor, _ w: Tensor, into dx: Tensor) throws
  /// The gradient of a convolution for its weights; samples in groups of 8 (rule 6).
  func conv2dGradWeight(_ p: Convolution, _ x: Tensor, _ dy: Tensor, into dw: Tensor) throws
  /// d[i][j] = sum over k of (x_ik - x_jk)^2 for x (points, dims); d is (points, points).
  func squaredDistances(_ x: Tensor, points: Int, dims: Int, into d: Tensor) throws
  /// A block of the same: d is (rows.count, columns.count). At most 2^31 - 1 elements of x.
  func squaredDistances(
    _ x: Tensor, rows: Range<Int>, columns: Range<Int>, points: Int, dims: Int, into d: Tensor) throws
}
