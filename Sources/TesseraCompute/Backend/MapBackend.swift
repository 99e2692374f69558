// SPDX-License-Identifier: Apache-2.0
/// A function of one element.
public enum UnaryOperation: Sendable, CaseIterable {
  case identity, exp, log, tanh, erf, rsqrt, sqrt, reciprocal, sigmoid, gelu, relu, relu6
  case sinTurn, cosTurn, square, abs, negate, affine
  case geluTanh
}

/// A function of two elements.
public enum BinaryOperation: Sendable, CaseIterable {
  case add, subtract, multiply, divide, maximum, minimum
}

/// Elementwise maps. All may work in place.
public protocol MapBackend: MemoryBackend {
  /// y = op(x); `affine` is fma(alpha, x, beta), the others ignore alpha and beta.
  func unary(_ op: UnaryOperation, _ x: Tensor, alpha: Float, beta: Float, into y: Tensor) throws
  /// dx = op'(x) dy, for the operations in ``UnaryOperation/differentiable``.
  func unaryGrad(_ op: UnaryOperation, _ x: Tensor, _ dy: Tensor, into dx: Tensor) throws
  /// c = op(a, b), equal counts.
  func binary(_ op: BinaryOperation, _ a: Tensor, _ b: Tensor, into c: Tensor) throws
  /// c = op(a, b) with b (channels) broadcast over a (outer, channels, inner).
  func binaryChannels(
    _ op: BinaryOperation, _ p: ChannelLayout, _ a: Tensor, _ b: Tensor, into c: Tensor) throws
}
