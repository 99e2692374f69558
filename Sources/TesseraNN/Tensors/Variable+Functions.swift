// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Functions of each element.
extension Variable {
  /// An operation in `UnaryOperation.differentiable`, applied to each element.
  ///
  /// - Throws: `TesseraError` for an operation without a gradient, and for integers.
  public func applying(_ operation: UnaryOperation) throws -> Variable {
    try Context.of([self], "\(operation)").activation(operation, self)
  }

  /// e^x.
  public func exp() throws -> Variable { try applying(.exp) }
  /// The natural logarithm.
  public func log() throws -> Variable { try applying(.log) }
  /// The square root, correctly rounded.
  public func sqrt() throws -> Variable { try applying(.sqrt) }
  /// x^2.
  public func square() throws -> Variable { try applying(.square) }
  /// The magnitude; the gradient at 0 is 0.
  public func abs() throws -> Variable { try applying(.abs) }
  /// The hyperbolic tangent.
  public func tanh() throws -> Variable { try applying(.tanh) }
  /// 1 / (1 + e^-x).
  public func sigmoid() throws -> Variable { try applying(.sigmoid) }
  /// max(x, 0).
  public func relu() throws -> Variable { try applying(.relu) }
  /// GELU by the error function.
  public func gelu() throws -> Variable { try applying(.gelu) }
  /// ln(1 + e^x).
  public func softplus() throws -> Variable { try applying(.softplus) }
  /// x / (1 + e^-x).
  public func silu() throws -> Variable { try applying(.silu) }

  /// Softmax along an axis.
  ///
  /// - Parameter axis: counted from the end where it is negative; the last, unless given.
  /// - Throws: `TesseraError` for an axis that it does not have.
  public func softmax(axis: Int = -1) throws -> Variable {
    try Context.of([self], "softmax").softmax(self, axis: axis)
  }

  /// The logarithm of the softmax along an axis.
  ///
  /// - Parameter axis: counted from the end where it is negative; the last, unless given.
  /// - Throws: `TesseraError` for an axis that it does not have.
  public func logSoftmax(axis: Int = -1) throws -> Variable {
    try Context.of([self], "logSoftmax").logSoftmax(self, axis: axis)
  }

  /// The same values, through which no gradient passes.
  public func detached() -> Variable {
    let copy = Variable(value)
    (copy.context, copy.home, copy.isOfParameters) = (context, home, isOfParameters)
    return copy
  }
}

extension Context {
  /// Softmax along an axis, counted from the end where it is negative.
  func softmax(_ x: Variable, axis: Int = -1) throws -> Variable {
    try alongRows("softmax", x, axis) { x in
      let (rows, columns) = (x.shape.dropLast().reduce(1, *), x.shape.last ?? 1)
      let y = try self.device.allocate(x.shape, .float32)
      try self.device.softmax(x.value, rows: rows, columns: columns, scale: 1, into: y)
      let device = self.device
      return self.output(y, of: [x]) { tape, dy in
        let dx = try device.allocate(x.shape, .float32)
        try device.softmaxGrad(y, dy, rows: rows, columns: columns, scale: 1, into: dx)
        try tape.accumulate(dx, to: x)
      }
    }
  }

  /// Log-softmax of x along an axis.
  ///
  /// - Parameters:
  ///   - x: of one axis or more.
  ///   - axis: counted from the end where it is negative; the last, unless given.
  public func logSoftmax(_ x: Variable, axis: Int = -1) throws -> Variable {
    try alongRows("logSoftmax", x, axis) { x in
      let (rows, columns) = (x.shape.dropLast().reduce(1, *), x.shape.last ?? 1)
      let y = try self.device.allocate(x.shape, .float32)
      try self.device.logSoftmax(x.value, rows: rows, columns: columns, into: y)
      let device = self.device
      return self.output(y, of: [x]) { tape, dy in
        let dx = try device.allocate(x.shape, .float32)
        try device.logSoftmaxGrad(y, dy, rows: rows, columns: columns, into: dx)
        try tape.accumulate(dx, to: x)
      }
    }
  }

  /// A function of rows along another axis than the last.
  private func alongRows(
    _ place: String, _ x: Variable, _ axis: Int, _ body: (Variable) throws -> Variable
  ) throws -> Variable {
    let axis = try Axes.one(place, axis, of: x.shape)
    guard axis != x.shape.count - 1 else { return try body(x) }
    let order = Axes.exchanged(axis, x.shape.count - 1, rank: x.shape.count)
    return try permute(try body(try permute(x, order)), order)
  }
}
