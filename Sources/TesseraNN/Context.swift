// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Where and how a forward pass runs.
public final class Context {
  /// The device.
  public let device: any Backend
  /// Records functions for `backward`; nil where no gradient is wanted.
  public let tape: Tape?
  /// Whether batch norm uses the batch's statistics.
  public let training: Bool
  /// Whether dropout is active.
  public let dropoutEnabled: Bool
  /// What of the batch is here, where devices share it; nil: all of it.
  public let part: BatchShard?
  /// What the products of layers are sums of: linear layers, products with one matrix, and convolutions,
  /// forward and in their gradients. Batched products, attention's among them, are fp32.
  public let products: Products
  private let seed: UInt64
  /// The number of the training step.
  public let step: UInt64
  private var draws: UInt64 = 0
  /// Whether functions are recorded, where there is a tape.
  var isRecording = true
  /// Whether it computes again what was computed before: running statistics have moved then.
  private(set) var isRecomputing = false

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
  ///   - products: what the products of layers are sums of: fp32 numbers or exact integers.
  public init(
    device: any Backend, training: Bool = false, differentiable: Bool = false, seed: UInt64 = 0,
    step: UInt64 = 0, dropout: Bool? = nil, part: BatchShard? = nil, products: Products = .fp32
  ) {
    self.device = device
    (self.training, dropoutEnabled) = (training, dropout ?? training)
    self.tape = differentiable ? Tape(device: device, part: part) : nil
    self.seed = seed
    self.step = step
    (self.part, self.products) = (part, products)
  }

  /// A context that goes on from another's draws.
  ///
  /// - Parameters:
  ///   - other: whose device, mode and step it has.
  ///   - tape: what it records on; nil: nothing.
  ///   - draws: how many there were before.
  ///   - isRecomputing: whether it computes again what was computed before.
  init(like other: Context, tape: Tape?, draws: UInt64, isRecomputing: Bool) {
    (device, part, seed, step) = (other.device, other.part, other.seed, other.step)
    (training, dropoutEnabled, products) = (other.training, other.dropoutEnabled, other.products)
    (self.tape, self.draws, self.isRecomputing) = (tape, draws, isRecomputing)
  }

  /// Goes on from another context's draws.
  func follow(_ other: Context) { draws = other.draws }

  /// How many random streams were drawn.
  var drawn: UInt64 { draws }

  /// The next random stream of this step: draw number in the low 16 bits, step above.
  ///
  /// - Parameter shape: what it is drawn for, (samples, ...): of the whole batch, or of the part that is
  ///   here.
  /// - Throws: `TesseraError` where a stream would be another step's or an initialiser's: from step 2^40 on
  ///   and after 65,536 draws of a step.
  public func nextStream(for shape: [Int]) throws -> RandomStream { try nextStream(for: shape, part) }

  func nextStream(for shape: [Int], _ part: BatchShard?) throws -> RandomStream {
    guard step < 1 << 40, draws < 1 << 16 else {
      throw TesseraError.failure(
        "random numbers", found: "draw \(draws) of step \(step)",
        wanted: "a draw below 65536 of a step below 2^40; a context serves one step")
    }
    defer { draws += 1 }
    var stream = RandomStream(seed: seed, stream: step << 16 | draws)
    if let part {
      let inner = try Tensor.elementCount(Array(shape.dropFirst()), "random numbers")
      stream.first = part.samples.lowerBound * inner
    }
    return stream
  }

  /// Makes a variable one of this context.
  func adopt(_ x: Variable) { (x.context, x.home) = (self, (device, part, products)) }

  /// The part of the batch that a variable has: parameters are whole on every device.
  func part(of x: Variable) -> BatchShard? { x.isOfParameters ? nil : part }

  /// How gradients that go over the rows of a variable reach parameters.
  func batchSums(over x: Variable) -> BatchSums { BatchSums(device: device, part: part(of: x)) }

  /// Throws unless a variable has so many dimensions.
  func require(_ place: String, _ x: Variable, rank: Int, _ wanted: String) throws {
    guard x.shape.count == rank else {
      throw TesseraError.failure(place, found: "\(x.shape)", wanted: wanted)
    }
  }

  /// Wraps an output; records `pass` if any input wants a gradient.
  func output(
    _ value: Tensor, of inputs: [Variable], pass: @escaping (Tape, Tensor) throws -> Void
  ) -> Variable {
    let output = Variable(value)
    adopt(output)
    output.isOfParameters = !inputs.isEmpty && inputs.allSatisfy(\.isOfParameters)
    guard let tape, isRecording, inputs.contains(where: \.requiresGradient) else { return output }
    // The tape holds the closure: were the closure to hold the tape, a pass that ends in an error would
    // keep all its memory.
    tape.record(output) { [unowned tape] in try pass(tape, $0) }
    return output
  }
}
