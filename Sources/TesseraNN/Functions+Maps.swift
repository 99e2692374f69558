// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Context {
  /// y = f(x) for an operation in `UnaryOperation.differentiable`.
  public func activation(_ op: UnaryOperation, _ x: Variable) throws -> Variable {
    guard op.hasGradient else {
      throw TesseraError.failure(
        "activation", found: "\(op)", wanted: "one of " + UnaryOperation.differentiableNames)
    }
    let y = try device.empty(x.shape)
    try device.unary(op, x.value, alpha: 0, beta: 0, into: y)
    let device = device
    return output(y, of: [x]) { tape, dy in
      let dx = try device.allocate(x.shape, .float32)
      try device.unaryGrad(op, x.value, dy, into: dx)
      try tape.accumulate(dx, to: x)
    }
  }

  /// a + b of one shape.
  public func add(_ a: Variable, _ b: Variable) throws -> Variable {
    guard a.shape == b.shape else {
      throw TesseraError.failure("add", found: "\(a.shape) and \(b.shape)", wanted: "equal shapes")
    }
    let y = try device.empty(a.shape)
    try device.binary(.add, a.value, b.value, into: y)
    return output(y, of: [a, b]) { tape, dy in
      try tape.accumulate(dy, to: a)
      try tape.accumulate(dy, to: b)
    }
  }

  /// The same elements under another shape.
  public func reshape(_ x: Variable, _ shape: [Int]) throws -> Variable {
    output(try x.value.reshaped(shape), of: [x]) { tape, dy in
      try tape.accumulate(try dy.reshaped(x.shape), to: x)
    }
  }

  /// y (columns, rows): x (rows, columns) with its dimensions exchanged, as for weights that are tied the
  /// other way round.
  public func transpose(_ x: Variable) throws -> Variable {
    try require("transpose", x, rank: 2, "(rows, columns)")
    let (rows, columns) = (x.shape[0], x.shape[1])
    let y = try device.empty([columns, rows])
    try device.transpose(x.value, rows: rows, columns: columns, into: y)
    let device = device
    return output(y, of: [x]) { tape, dy in
      let dx = try device.allocate([rows, columns], .float32)
      try device.transpose(dy, rows: columns, columns: rows, into: dx)
      try tape.accumulate(dx, to: x)
    }
  }

  /// In training, zeroes elements at `rate` and scales the others by 1 / (1 - rate); otherwise x.
  ///
  /// - Throws: `TesseraError` for a rate outside 0..<1, in evaluation too.
  public func dropout(_ x: Variable, rate: Float) throws -> Variable {
    guard rate >= 0, rate < 1 else {
      throw TesseraError.failure("dropout", found: "rate \(rate)", wanted: "0 <= rate < 1")
    }
    guard dropoutEnabled, rate > 0 else { return x }
    let stream = try nextStream(for: x.shape, part(of: x))
    let y = try device.empty(x.shape)
    try device.dropout(stream, rate: rate, x.value, into: y)
    let device = device
    return output(y, of: [x]) { tape, dy in
      let dx = try device.allocate(x.shape, .float32)
      try device.dropout(stream, rate: rate, dy, into: dx)
      try tape.accumulate(dx, to: x)
    }
  }

  /// The cross-entropy of each row of logits (rows, classes); pass `backward(from:labels:)` to differentiate
  /// the mean.
  ///
  /// - Parameters:
  ///   - logits: (rows, classes).
  ///   - labels: a class below `classes` for each row, int32.
  ///   - smoothing: share of the target that all classes have in common, 0 to 1.
  ///   - factors: what each row's loss is multiplied by; nil: 1.
  public func crossEntropy(
    _ logits: Variable, labels: Tensor, smoothing: Float = 0, factors: Tensor? = nil
  ) throws -> Tensor {
    try require("crossEntropy", logits, rank: 2, "(rows, classes)")
    let losses = try device.empty([logits.shape[0]])
    try device.crossEntropy(
      logits.value, labels: labels, rows: logits.shape[0], classes: logits.shape[1], smoothing: smoothing,
      into: losses)
    if let factors { try device.binary(.multiply, losses, factors, into: losses) }
    return losses
  }

  /// Gradients of the mean cross-entropy of the logits for everything on the tape.
  ///
  /// - Parameters:
  ///   - logits: (rows, classes).
  ///   - labels: a class below `classes` for each row, int32.
  ///   - smoothing: share of the target that all classes have in common, 0 to 1.
  ///   - factors: what each row's loss is multiplied by; nil: 1.
  /// - Throws: `TesseraError` for a context without a tape, and tensors that do not fit.
  public func backward(
    from logits: Variable, labels: Tensor, smoothing: Float = 0, factors: Tensor? = nil
  ) throws {
    guard let tape else {
      throw TesseraError.failure("backward", found: "no tape", wanted: "a differentiable context")
    }
    try require("backward", logits, rank: 2, "(rows, classes)")
    let gradient = try device.empty(logits.shape)
    try device.crossEntropyGrad(
      logits.value, labels: labels, rows: logits.shape[0], classes: logits.shape[1], smoothing: smoothing,
      batch: part?.batch ?? logits.shape[0], into: gradient)
    if let factors {
      try device.binaryChannels(
        .multiply, ChannelLayout(outer: 1, channels: logits.shape[0], inner: logits.shape[1]), gradient,
        factors,
        into: gradient)
    }
    try tape.backward(from: logits, gradient: gradient)
  }
}
