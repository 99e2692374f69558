// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A tensor in a computation, with its gradient once `Tape.backward` has reached it.
public final class Variable {
  /// The value.
  public let value: Tensor
  /// Whether a gradient is wanted for it.
  public internal(set) var requiresGradient: Bool
  /// The gradient of the loss for the value, after `Tape.backward`: the sum over all uses.
  public internal(set) var gradient: Tensor?
  /// Whether a tape has recorded what it was computed from.
  private(set) var isOutput = false
  /// Whether it is a parameter or was computed from parameters alone: the same on every device that has a
  /// part of a batch.
  var isOfParameters = false
  /// The context that computed it, or whose leaf it is; nil once that is gone.
  public internal(set) weak var context: Context?
  /// The device, and the part of a batch, that it was computed with, which outlive the context.
  var home: (device: any Backend, part: BatchShard?, products: Products)?
  /// Why no gradient may be added any more; nil while one may.
  var ended: String?

  /// A leaf, or the output of a function.
  public init(_ value: Tensor, requiresGradient: Bool = false) {
    self.value = value
    self.requiresGradient = requiresGradient
  }

  /// Extents of the value.
  public var shape: [Int] { value.shape }

  /// Makes it the output of a recorded function; whether it was none before.
  fileprivate func becomeOutput() -> Bool {
    defer { (isOutput, requiresGradient) = (true, true) }
    return !isOutput
  }
}

/// Reverse-mode differentiation: functions record how to pass a gradient back, `backward` runs that in
/// reverse order of recording. Contributions to one gradient are added in that order, so the bits are
/// fixed.
public final class Tape {
  private struct Step {
    let output: Variable
    /// Whether it is the first that was recorded for its output, and so the last that wants its gradient.
    let isFirst: Bool
    let pass: (Tensor) throws -> Void
  }

  private let device: any Backend
  private let part: BatchShard?
  private var steps: [Step] = []
  /// What came for leaves that wait for other devices, in its order; nil stands for their next sum.
  private var queue: [(leaf: Variable, gradient: Tensor?)] = []
  private var waiting: Set<ObjectIdentifier> = []

  /// An empty tape for computations on a device.
  public convenience init(device: any Backend) { self.init(device: device, part: nil) }

  /// A tape of a part of a batch.
  init(device: any Backend, part: BatchShard?) { (self.device, self.part) = (device, part) }

  /// Records how to pass the output's gradient on to the inputs. `pass` must not hold the tape, which holds
  /// it. The output wants a gradient from then on.
  public func record(_ output: Variable, pass: @escaping (Tensor) throws -> Void) {
    steps.append(Step(output: output, isFirst: output.becomeOutput(), pass: pass))
  }

  /// Adds a contribution to a variable's gradient. The tape owns `gradient` from then on.
  ///
  /// - Throws: `TesseraError` for a gradient of another size or type, and for a parameter that an optimiser
  ///   has changed since the forward pass or whose gradients a later pass has replaced.
  public func accumulate(_ gradient: Tensor, to variable: Variable) throws {
    guard variable.requiresGradient else { return }
    guard gradient.count == variable.value.count, gradient.elementType == .float32 else {
      throw TesseraError.failure(
        "a gradient", found: "\(gradient.elementType) \(gradient.shape)",
        wanted: "float32 \(variable.shape), as the value")
    }
    if let reason = variable.ended {
      throw TesseraError.failure(
        "backward", found: "a parameter \(variable.shape) \(reason)",
        wanted: "each backward pass before the optimiser's step and before the next forward pass")
    }
    guard !waiting.contains(ObjectIdentifier(variable)) else {
      return queue.append((variable, gradient))
    }
    try add(gradient, to: variable)
  }

  private func add(_ gradient: Tensor, to variable: Variable) throws {
    if let sum = variable.gradient {
      let total = try device.allocate(sum.shape, .float32)
      try device.binary(.add, sum, gradient, into: total)
      variable.gradient = total
    } else {
      variable.gradient = try gradient.reshaped(variable.shape)
    }
  }

  /// A contribution to a leaf's gradient that is known only when the pass has come to its end; what comes
  /// for the leaf from now on waits behind it.
  func accumulateLater(to leaf: Variable) {
    waiting.insert(ObjectIdentifier(leaf))
    queue.append((leaf, nil))
  }

  /// Adds what waited.
  ///
  /// - Parameter sums: the contributions of `accumulateLater`, in its order.
  func settle(_ sums: [Tensor]) throws {
    let queue = queue
    (self.queue, waiting) = ([], [])
    var next = 0
    for (leaf, gradient) in queue {
      if gradient == nil { next += 1 }
      guard next <= sums.count else {
        throw TesseraError.failure("backward", found: "\(sums.count) sums over the batch", wanted: "more")
      }
      try accumulate(gradient ?? sums[next - 1], to: leaf)
    }
  }

  /// Passes a gradient from `output` to everything that it was computed from, and empties the tape.
  ///
  /// - Parameters:
  ///   - output: usually the losses.
  ///   - gradient: the gradient for it, of its shape.
  /// - Throws: `TesseraError` for an output that is not on the tape (any more), or that hangs on nothing
  ///   that wants a gradient.
  public func backward(from output: Variable, gradient: Tensor) throws {
    guard gradient.shape == output.shape else {
      throw TesseraError.failure(
        "backward", found: "a gradient \(gradient.shape)", wanted: "\(output.shape), as the output")
    }
    guard output.isOutput ? steps.contains(where: { $0.output === output }) : output.requiresGradient else {
      throw TesseraError.failure(
        "backward",
        found: output.isOutput ? "an output that the tape does not hold" : "an output without a gradient",
        wanted: "one computed since the last backward pass from something that wants a gradient")
    }
    try accumulate(gradient, to: output)
    while let step = steps.popLast() {
      guard let gradient = step.output.gradient else { continue }
      try step.pass(gradient)
      // Its memory can serve again; leaves are no step's output and keep theirs.
      if step.isFirst { step.output.gradient = nil }
    }
    try part?.finish(self, on: device)
  }
}
