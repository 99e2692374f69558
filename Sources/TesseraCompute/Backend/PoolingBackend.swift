// SPDX-License-Identifier: Apache-2.0
/// Pooling and nearest upsampling of planes (batch x channels), with gradients in gather form (no atomics).
public protocol PoolingBackend: MemoryBackend {
  /// Largest element per window; `indices` (int32) keeps its position in the plane, the first of equals.
  func maxPool(_ p: Pooling, _ x: Tensor, into y: Tensor, indices: Tensor) throws
  /// The gradient of `maxPool`.
  func maxPoolGrad(_ p: Pooling, _ dy: Tensor, indices: Tensor, into dx: Tensor) throws
  /// Mean per window, padding counted.
  func averagePool(_ p: Pooling, _ x: Tensor, into y: Tensor) throws
  /// The gradient of `averagePool`.
  func averagePoolGrad(_ p: Pooling, _ dy: Tensor, into dx: Tensor) throws
  /// Mean over windows [floor(i h / oh), ceil((i + 1) h / oh)), as PyTorch's adaptive pooling.
  func adaptiveAveragePool(_ p: Pooling, _ x: Tensor, into y: Tensor) throws
  /// The gradient of `adaptiveAveragePool`.
  func adaptiveAveragePoolGrad(_ p: Pooling, _ dy: Tensor, into dx: Tensor) throws
  /// Each pixel becomes scale x scale equal pixels.
  func upsampleNearest(planes: Int, height: Int, width: Int, scale: Int, _ x: Tensor, into y: Tensor) throws
  /// The gradient of `upsampleNearest`.
  func upsampleNearestGrad(
    planes: Int, height: Int, width: Int, scale: Int, _ dy: Tensor, into dx: Tensor) throws
}
