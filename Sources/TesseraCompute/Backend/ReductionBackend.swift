// SPDX-License-Identifier: Apache-2.0
/// Reductions by lanes (NUMERICS.md rule 5), over the batch in groups of 8 samples (rule 6).
public protocol ReductionBackend: MemoryBackend {
  /// y[r] = sum of row r of x (rows, columns).
  func rowSum(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws
  /// y[r] = maximum of row r of x. A NaN is passed over; a row of nothing else gives -infinity.
  func rowMax(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws
  /// y[r] = column of the first maximum of row r, a NaN passed over; y holds int32.
  func rowArgmax(_ x: Tensor, rows: Int, columns: Int, into y: Tensor) throws
  /// y[c] = sum over outer and inner of x (outer, channels, inner), outer in groups of 8.
  func channelSum(_ p: ChannelLayout, _ x: Tensor, into y: Tensor) throws
  /// Mean and biased variance (one element each) of x (samples, inner), samples in groups of 8.
  func moments(_ x: Tensor, samples: Int, inner: Int, mean: Tensor, variance: Tensor) throws
}
