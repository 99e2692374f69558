// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Arithmetic with NumPy's broadcasting. An operation throws for shapes that do not fit.
extension Variable {
  /// a + b.
  public static func + (a: Variable, b: Variable) throws -> Variable { try binary(.add, a, b) }
  /// a - b.
  public static func - (a: Variable, b: Variable) throws -> Variable { try binary(.subtract, a, b) }
  /// a b.
  public static func * (a: Variable, b: Variable) throws -> Variable { try binary(.multiply, a, b) }
  /// a / b, correctly rounded.
  public static func / (a: Variable, b: Variable) throws -> Variable { try binary(.divide, a, b) }
  /// x + number.
  public static func + (x: Variable, number: Float) throws -> Variable { try affine(x, 1, number) }
  /// number + x.
  public static func + (number: Float, x: Variable) throws -> Variable { try affine(x, 1, number) }
  /// x - number.
  public static func - (x: Variable, number: Float) throws -> Variable { try affine(x, 1, -number) }
  /// number - x.
  public static func - (number: Float, x: Variable) throws -> Variable { try affine(x, -1, number) }
  /// x number.
  public static func * (x: Variable, number: Float) throws -> Variable { try affine(x, number, -0.0) }
  /// number x.
  public static func * (number: Float, x: Variable) throws -> Variable { try affine(x, number, -0.0) }
  /// x / number, correctly rounded.
  public static func / (x: Variable, number: Float) throws -> Variable {
    let context = try Context.of([x], "divide")
    return try binary(.divide, x, context.constant(number))
  }
  /// number / x, correctly rounded.
  public static func / (number: Float, x: Variable) throws -> Variable {
    let context = try Context.of([x], "divide")
    return try binary(.divide, context.constant(number), x)
  }
  /// -x.
  public static prefix func - (x: Variable) throws -> Variable { try x.applying(.negate) }

  /// The greater of two; at equal ones each has half of the gradient.
  public func maximum(_ other: Variable) throws -> Variable { try Self.binary(.maximum, self, other) }
  /// The smaller of two; at equal ones each has half of the gradient.
  public func minimum(_ other: Variable) throws -> Variable { try Self.binary(.minimum, self, other) }
  /// 1 where this is less than the other, else 0. It has no gradient.
  public func less(than other: Variable) throws -> Variable { try Self.binary(.less, self, other) }
  /// 1 where this is less than the other or equal, else 0. It has no gradient.
  public func lessOrEqual(to other: Variable) throws -> Variable {
    try Self.binary(.lessOrEqual, self, other)
  }
  /// 1 where this is greater than the other, else 0. It has no gradient.
  public func greater(than other: Variable) throws -> Variable { try Self.binary(.less, other, self) }
  /// 1 where this is equal to the other, else 0. It has no gradient.
  public func equal(to other: Variable) throws -> Variable { try Self.binary(.equal, self, other) }

  /// This one's elements are a condition: a where they are not 0, else b, as NumPy's `where`.
  ///
  /// - Parameters:
  ///   - a: what is taken where the condition is not 0.
  ///   - b: what is taken where it is 0.
  /// - Throws: `TesseraError` for shapes that do not fit.
  public func select(_ a: Variable, _ b: Variable) throws -> Variable {
    try Context.of([self, a, b], "select").select(self, a, b)
  }

  private static func binary(_ op: BinaryOperation, _ a: Variable, _ b: Variable) throws -> Variable {
    try Context.of([a, b], "\(op)").combine(op, a, b)
  }

  private static func affine(_ x: Variable, _ scale: Float, _ shift: Float) throws -> Variable {
    try Context.of([x], "arithmetic").affine(x, scale: scale, shift: shift)
  }
}

extension Context {
  /// A number that is no leaf of anything.
  func constant(_ number: Float) throws -> Variable {
    let constant = variable(try device.scalar(number))
    constant.isOfParameters = true
    return constant
  }

  func affine(_ x: Variable, scale: Float, shift: Float = -0.0) throws -> Variable {
    let device = device
    return output(try device.affine(x.value, scale: scale, shift: shift), of: [x]) { tape, dy in
      try tape.accumulate(scale == 1 ? dy : try device.affine(dy, scale: scale), to: x)
    }
  }

  func combine(_ op: BinaryOperation, _ a: Variable, _ b: Variable) throws -> Variable {
    let value = try device.combined(op, a.value, b.value)
    let (device, gradient) = (device, broadcastGradient(of: [a, b]))
    guard op.hasGradient else { return constant(value, of: [a, b]) }
    return output(value, of: [a, b]) { tape, dy in
      if a.requiresGradient {
        try gradient.pass(tape, try device.gradient(op, dy, a.value, b.value, .left), to: a)
      }
      if b.requiresGradient {
        try gradient.pass(tape, try device.gradient(op, dy, a.value, b.value, .right), to: b)
      }
    }
  }

  func select(_ condition: Variable, _ a: Variable, _ b: Variable) throws -> Variable {
    let value = try device.selected(condition.value, a.value, b.value)
    let (device, gradient) = (device, broadcastGradient(of: [condition, a, b]))
    let y = output(value, of: [a, b]) { tape, dy in
      let zero = try device.scalar(0)
      if a.requiresGradient { try gradient.pass(tape, try device.selected(condition.value, dy, zero), to: a) }
      if b.requiresGradient { try gradient.pass(tape, try device.selected(condition.value, zero, dy), to: b) }
    }
    y.isOfParameters = y.isOfParameters && condition.isOfParameters
    return y
  }

  /// What was computed from variables, but has no gradient.
  func constant(_ value: Tensor, of inputs: [Variable]) -> Variable {
    let y = variable(value)
    y.isOfParameters = inputs.allSatisfy(\.isOfParameters)
    return y
  }
}

/// Which operand a gradient is for.
enum OperandSide { case left, right }

extension BinaryOperation {
  var hasGradient: Bool {
    switch self {
    case .add, .subtract, .multiply, .divide, .maximum, .minimum: true
    case .less, .lessOrEqual, .equal: false
    }
  }
}

extension Backend {
  /// The gradient of op(a, b) for one operand, of the result's shape.
  func gradient(_ op: BinaryOperation, _ dy: Tensor, _ a: Tensor, _ b: Tensor, _ side: OperandSide) throws
    -> Tensor
  {
    switch (op, side) {
    case (.add, _), (.subtract, .left): return dy
    case (.subtract, .right): return try affine(dy, scale: -1)
    case (.multiply, .left): return try combined(.multiply, dy, b)
    case (.multiply, .right): return try combined(.multiply, dy, a)
    case (.divide, .left): return try combined(.divide, dy, b)
    case (.divide, .right):
      // -dy a / b / b: the square of b may be too great, or nothing.
      return try affine(
        try combined(.divide, try combined(.divide, try combined(.multiply, dy, a), b), b), scale: -1)
    case (.maximum, .left), (.minimum, .right): return try share(dy, of: try combined(.less, b, a), a, b)
    case (.maximum, .right), (.minimum, .left): return try share(dy, of: try combined(.less, a, b), a, b)
    case (.less, _), (.lessOrEqual, _), (.equal, _): return try affine(dy, scale: 0)
    }
  }

  /// dy where one is chosen, half of it where both are.
  private func share(_ dy: Tensor, of chosen: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
    let half = try affine(try combined(.equal, a, b), scale: 0.5)
    return try combined(.multiply, dy, try combined(.add, chosen, half))
  }
}
