// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Context {
  /// A tensor as a variable of this context, for operators and methods.
  ///
  /// - Parameters:
  ///   - tensor: of this context's device.
  ///   - requiresGradient: whether a gradient is wanted for it.
  public func variable(_ tensor: Tensor, requiresGradient: Bool = false) -> Variable {
    let variable = Variable(tensor, requiresGradient: requiresGradient)
    adopt(variable)
    return variable
  }

  /// Numbers as a variable of this context.
  ///
  /// - Parameters:
  ///   - values: the elements in row-major order.
  ///   - shape: the extents; one axis, unless given.
  ///   - requiresGradient: whether a gradient is wanted for it.
  /// - Throws: `TesseraError` for another number of values than the shape has.
  public func variable(
    _ values: [Float], _ shape: [Int]? = nil, requiresGradient: Bool = false
  ) throws -> Variable {
    variable(try device.tensor(values, shape), requiresGradient: requiresGradient)
  }

  /// Rows of numbers as a variable (rows, columns) of this context.
  ///
  /// - Parameters:
  ///   - rows: of equal lengths.
  ///   - requiresGradient: whether a gradient is wanted for it.
  /// - Throws: `TesseraError` for rows of different lengths.
  public func variable(rows: [[Float]], requiresGradient: Bool = false) throws -> Variable {
    let columns = rows.first?.count ?? 0
    if let other = rows.firstIndex(where: { $0.count != columns }) {
      throw TesseraError.failure(
        "a variable", found: "row \(other) of \(rows[other].count) numbers", wanted: "\(columns), as row 0")
    }
    return variable(
      try device.tensor(Array(rows.joined()), [rows.count, columns]), requiresGradient: requiresGradient)
  }

  /// A variable as one of this context: a leaf that has served in another, such as the input of every step,
  /// is this context's from now on.
  ///
  /// - Throws: `TesseraError` for what another context computed.
  public func callAsFunction(_ x: Variable) throws -> Variable {
    if let other = x.context, other !== self, x.isOutput {
      throw TesseraError.failure(
        "a context", found: "a variable \(x.shape) that another context computed",
        wanted: "a leaf, or one that was computed here")
    }
    adopt(x)
    return x
  }

  /// A parameter's leaf in this context.
  public func callAsFunction(_ parameter: Parameter) -> Variable {
    let leaf = parameter.leaf()
    adopt(leaf)
    return leaf
  }

  /// Computes without recording: what comes of it wants no gradient.
  ///
  /// - Parameter body: what is computed.
  /// - Returns: what the body does.
  /// - Throws: what the body throws.
  public func withoutGradient<R>(_ body: () throws -> R) rethrows -> R {
    let before = isRecording
    isRecording = false
    defer { isRecording = before }
    return try body()
  }

  /// Gradients of the mean of losses for everything on the tape. Where devices share a batch, the mean is
  /// that of the whole.
  ///
  /// - Parameter losses: one for each row of the batch, (rows).
  /// - Throws: `TesseraError` for losses that are no rows, and as `Tape.backward(from:gradient:)`.
  public func backward(meanOf losses: Variable) throws {
    guard let tape else { throw Self.noTape }
    try require("backward", losses, rank: 1, "losses (rows)")
    let rows = part(of: losses)?.batch ?? losses.shape[0]
    let gradient = try device.allocate(losses.shape, .float32)
    try device.fill(gradient, with: 1 / Float(max(1, rows)))
    try tape.backward(from: losses, gradient: gradient)
  }

  static var noTape: TesseraError {
    .failure("backward", found: "no tape", wanted: "a differentiable context")
  }

  /// The context of operands: the one that they all have, or those of them that have any. Where it is gone,
  /// one without a tape takes its place for what wants no gradient.
  static func of(_ operands: [Variable], _ place: String) throws -> Context {
    var found: Context?
    for operand in operands {
      guard let context = operand.context else {
        guard !operand.isOutput else {
          throw gone(place, operand, "what it was computed from is gone with it")
        }
        continue
      }
      guard context !== found else { continue }
      guard found == nil else {
        throw TesseraError.failure(
          place, found: "variables of two contexts", wanted: "those of one: context(x) takes a leaf over")
      }
      found = context
    }
    if let found { return found }
    if let operand = operands.first(where: { $0.home != nil && $0.requiresGradient }) {
      throw gone(place, operand, "it wants a gradient")
    }
    guard let home = operands.lazy.compactMap(\.home).first else {
      throw TesseraError.failure(
        place, found: "a variable \(operands.first?.shape ?? []) without a context",
        wanted: "one made by context.variable(...), or taken over by context(x)")
    }
    return Context(device: home.device, part: home.part, products: home.products)
  }

  private static func gone(_ place: String, _ x: Variable, _ reason: String) -> TesseraError {
    .failure(
      place, found: "a variable \(x.shape) whose context is gone, and \(reason)",
      wanted: "a context that is kept until the backward pass")
  }
}
