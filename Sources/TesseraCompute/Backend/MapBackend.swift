// SPDX-License-Identifier: Apache-2.0
/// A function of one element.
public enum UnaryOperation: String, Codable, Sendable, CaseIterable {
  /// x.
  case identity
  /// e^x.
  case exp
  /// The natural logarithm.
  case log
  /// The hyperbolic tangent.
  case tanh
  /// The error function.
  case erf
  /// 1 / sqrt(x).
  case rsqrt
  /// The square root, correctly rounded.
  case sqrt
  /// 1 / x, correctly rounded.
  case reciprocal
  /// 1 / (1 + e^-x).
  case sigmoid
  /// GELU: x / 2 (1 + erf(x / sqrt(2))) (Hendrycks and Gimpel 2016).
  case gelu
  /// max(x, 0).
  case relu
  /// min(max(x, 0), 6).
  case relu6
  /// sin(2 pi x).
  case sinTurn
  /// cos(2 pi x).
  case cosTurn
  /// x^2.
  case square
  /// The magnitude.
  case abs
  /// -x.
  case negate
  /// fma(alpha, x, beta).
  case affine
  /// GELU by tanh: x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
  case geluTanh
  /// ln(1 + e^x).
  case softplus
  /// SiLU: x / (1 + e^-x) (Elfwing, Uchibe and Doya 2018).
  case silu
}

/// A function of two elements.
public enum BinaryOperation: String, Codable, Sendable, CaseIterable {
  /// a + b.
  case add
  /// a - b.
  case subtract
  /// a b.
  case multiply
  /// a / b, correctly rounded.
  case divide
  /// The greater.
  case maximum
  /// The smaller.
  case minimum
  /// 1 where a < b, else 0; 0 where one is NaN.
  case less
  /// 1 where a <= b, else 0; 0 where one is NaN.
  case lessOrEqual
  /// 1 where a = b, else 0; 0 where one is NaN.
  case equal
}

/// Elementwise maps. All may work in place.
public protocol MapBackend: MemoryBackend {
  /// y = op(x); `affine` is fma(alpha, x, beta), the others ignore alpha and beta.
  func unary(_ op: UnaryOperation, _ x: Tensor, alpha: Float, beta: Float, into y: Tensor) throws
  /// dx = op'(x) dy, for the operations in ``UnaryOperation/differentiable``.
  func unaryGrad(_ op: UnaryOperation, _ x: Tensor, _ dy: Tensor, into dx: Tensor) throws
  /// c = op(a, b), equal counts.
  func binary(_ op: BinaryOperation, _ a: Tensor, _ b: Tensor, into c: Tensor) throws
  /// c = op(a, b) with NumPy's broadcasting of two shapes. Never in place.
  ///
  /// - Parameters:
  ///   - op: the operation.
  ///   - p: the shapes of a and b, and what they come to.
  ///   - a: the elements of the first shape.
  ///   - b: the elements of the second shape.
  ///   - c: gets the elements of the common shape.
  func binary(_ op: BinaryOperation, _ p: Broadcast, _ a: Tensor, _ b: Tensor, into c: Tensor) throws
  /// c = a where the condition is not 0, else b, with NumPy's broadcasting of three shapes. Never in place.
  ///
  /// - Parameters:
  ///   - p: the shapes of condition, a and b, and what they come to.
  ///   - condition: 0 or not; a NaN is not 0.
  ///   - a: what is taken where it is not 0.
  ///   - b: what is taken where it is 0.
  ///   - c: gets the elements of the common shape.
  func select(_ p: Broadcast, _ condition: Tensor, _ a: Tensor, _ b: Tensor, into c: Tensor) throws
  /// c = op(a, b) with b (channels) broadcast over a (outer, channels, inner).
  func binaryChannels(
    _ op: BinaryOperation, _ p: ChannelLayout, _ a: Tensor, _ b: Tensor, into c: Tensor) throws
}
