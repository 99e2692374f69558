import TesseraCompute

/// A tensor in a computation, with its gradient once `Tape.backward` has reached it.
public final class Variable {
  /// The value.
  public let value: Tensor
  /// Whether a gradient is wanted for it.
  public let requiresGradient: Bool
  /// The gradient of the loss for the value, after `Tape.backward`.
  public internal(set) var gradient: Tensor?

  /// A leaf, or the output of a function.
  public init(_ value: Tensor, requiresGradient: Bool = false) {
    self.value = value
    self.requiresGradient = requiresGradient
  }

  /// Extents of the value.
  public var shape: [Int] { value.shape }
}

/// Reverse-mode differentiation: functions record how to pass a gradient back, `backward` runs that in reverse
/// order of recording. Contributions to one gradient are added in that order, so the bits are fixed.
public final class Tape {
  private struct Step {
    let output: Variable
    let pass: (Tensor) throws -> Void
  }

  private let device: any Backend
  private var steps: [Step] = []

  /// An empty tape for computations on a device.
  public init(device: any Backend) { self.device = device }

  /// Records how to pass the output's gradient on to the inputs. `pass` must not hold the tape, which holds it.
  public func record(_ output: Variable, pass: @escaping (Tensor) throws -> Void) {
    steps.append(Step(output: output, pass: pass))
  }

  /// Adds a contribution to a variable's gradient. The tape owns `gradient` from then on.
  public func accumulate(_ gradient: Tensor, to variable: Variable) throws {
    guard variable.requiresGradient else { return }
    if let sum = variable.gradient {
      let total = try device.allocate(sum.shape, .float32)
      try device.binary(.add, sum, gradient, into: total)
      variable.gradient = total
    } else {
      variable.gradient = gradient
    }
  }

  /// Passes a gradient from `output` to everything that it was computed from, and empties the tape.
  ///
  /// - Parameters:
  ///   - output: usually the losses.
  ///   - gradient: the gradient for it, of its shape.
  public func backward(from output: Variable, gradient: Tensor) throws {
    output.gradient = gradient
    while let step = steps.popLast() {
      guard let gradient = step.output.gradient else { continue }
      try step.pass(gradient)
      // Its memory can serve again; leaves are no step's output and keep theirs.
      step.output.gradient = nil
    }
  }
}

/// Where and how a forward pass runs.
public final class Context {
  /// The device.
  public let device: any Backend
  /// Records functions for `backward`; nil where no gradient is wanted.
  public let tape: Tape?
  /// Whether batch norm uses the batch's statistics; and whether dropout is active.
  public let training: Bool, drops: Bool
  /// What of the batch is here, where devices share it; nil: all of it.
  public let part: BatchPart?
  private let seed: UInt64
  /// The number of the training step.
  public let step: UInt64
  private var draws: UInt64 = 0

  /// A context.
  ///
  /// - Parameters:
  ///   - device: where to compute.
  ///   - training: training or evaluation mode.
  ///   - differentiable: whether to record a tape.
  ///   - seed: the run's seed.
  ///   - step: the number of the training step; random numbers depend on (seed, step, draw, element) alone.
  ///   - dropout: whether dropout is active; as `training` unless given.
  ///   - part: what of the batch is here; nil: all of it.
  public init(
    device: any Backend, training: Bool = false, differentiable: Bool = false, seed: UInt64 = 0,
    step: UInt64 = 0, dropout: Bool? = nil, part: BatchPart? = nil
  ) {
    self.device = device
    (self.training, drops) = (training, dropout ?? training)
    self.tape = differentiable ? Tape(device: device) : nil
    self.seed = seed
    self.step = step
    self.part = part
  }

  /// The next random stream of this step: draw number in the low 16 bits, step above.
  ///
  /// - Parameter shape: what it is drawn for, (samples, ...): of the whole batch, or of the part that is here.
  public func nextStream(for shape: [Int]) -> RandomStream {
    defer { draws += 1 }
    var stream = RandomStream(seed: seed, stream: step << 16 | draws)
    if let part { stream.first = part.samples.lowerBound * shape.dropFirst().reduce(1, *) }
    return stream
  }

  /// How gradients that go over the batch reach parameters.
  var batchSums: BatchSums { BatchSums(device: device, part: part) }

  /// An uninitialised float tensor.
  func empty(_ shape: [Int]) throws -> Tensor { try device.allocate(shape, .float32) }

  /// Wraps an output; records `pass` if any input wants a gradient.
  func output(
    _ value: Tensor, of inputs: [Variable], pass: @escaping (Tape, Tensor) throws -> Void
  ) -> Variable {
    guard let tape, inputs.contains(where: \.requiresGradient) else { return Variable(value) }
    let output = Variable(value, requiresGradient: true)
    // The tape holds the closure: were the closure to hold the tape, a pass that ends in an error would keep all its memory.
    tape.record(output) { [unowned tape] in try pass(tape, $0) }
    return output
  }
}
