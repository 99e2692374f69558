// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension Context {
  /// A segment of which inputs and output alone are kept for the backward pass, which computes it again: less memory
  /// for one more forward pass (Chen, Xu, Zhang and Guestrin 2016). Values, gradients and random numbers have the bits
  /// that they have without it, and running statistics move once.
  ///
  /// ```swift
  /// for block in blocks { x = try context.checkpoint(x) { try block($0, $1) } }
  /// ```
  ///
  /// - Parameters:
  ///   - x: what goes in.
  ///   - body: the segment, of its variable and the context that it is to use. It is kept until the backward pass, must
  ///     give the same each time, and must not hold this context.
  /// - Returns: what the body gives.
  /// - Throws: what the body throws.
  public func checkpoint(
    _ x: Variable, _ body: @escaping (_ x: Variable, _ context: Context) throws -> Variable
  ) throws -> Variable {
    try checkpoint([x]) { try body($0[0], $1) }
  }

  /// The same of several variables: all that the body uses but parameters, a mask too.
  ///
  /// - Parameters:
  ///   - inputs: what goes in.
  ///   - body: the segment, of its variables and the context that it is to use. It is kept until the backward pass,
  ///     must give the same each time, and must not hold this context.
  /// - Returns: what the body gives.
  /// - Throws: what the body throws.
  public func checkpoint(
    _ inputs: [Variable], _ body: @escaping (_ inputs: [Variable], _ context: Context) throws -> Variable
  ) throws -> Variable {
    guard let tape, isRecording else { return try body(inputs.map { try self($0) }, self) }
    let before = drawn
    let forward = Context(like: self, tape: nil, draws: before, isRecomputing: isRecomputing)
    let made = try forward.lent(inputs) { try body(inputs, forward) }
    follow(forward)
    let y = Variable(made.value)
    adopt(y)
    y.isOfParameters = made.isOfParameters
    let (shape, recorded) = (made.shape, Recorded(self))
    tape.record(y) { [unowned tape] dy in
      let again = recorded.context(tape, draws: before)
      let made = try Parameter.$isRecomputing.withValue(true) {
        try again.lent(inputs) { try body(inputs, again) }
      }
      guard made.shape == shape else {
        throw TesseraError.failure(
          "checkpoint", found: "\(made.shape) when it was computed again", wanted: "\(shape), as before")
      }
      // What it recorded now lies on the tape, whose pass goes on with it.
      try tape.accumulate(dy, to: made)
    }
    return y
  }

  /// Runs a body in which variables are this context's, which they are not any more after it.
  private func lent<R>(_ inputs: [Variable], _ body: () throws -> R) rethrows -> R {
    let homes = inputs.map { (context: $0.context, home: $0.home) }
    for input in inputs { adopt(input) }
    defer {
      for (input, home) in zip(inputs, homes) { (input.context, input.home) = (home.context, home.home) }
    }
    return try body()
  }
}

/// What a context was like, without the context: a tape must not hold its own.
private struct Recorded {
  private let like: Context

  init(_ context: Context) {
    like = Context(like: context, tape: nil, draws: 0, isRecomputing: true)
  }

  func context(_ tape: Tape, draws: UInt64) -> Context {
    Context(like: like, tape: tape, draws: draws, isRecomputing: true)
  }
}

/// A module whose values inside are not kept for the backward pass, which computes them again
/// (`Context.checkpoint(_:_:)`).
public final class Checkpointed: Module {
  private let module: any Module

  /// A module as one segment.
  ///
  /// - Parameter module: what is computed; its names of state stay.
  public init(_ module: any Module) { self.module = module }

  public func callAsFunction(_ x: Variable, _ context: Context) throws -> Variable {
    let module = module
    return try context.checkpoint(x) { try module($0, $1) }
  }

  public var state: [(name: String, state: ModuleState)] { module.state }
}
