// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A training whose batches several devices share, those of other ranks among them: each has the module and
/// its optimiser, takes some of a batch's samples, and adds up with the others what goes over all of them.
/// Weights and losses have the bits of one device that has the whole batch (NUMERICS.md rule 6), whichever
/// devices there are.
public final class SharedTraining<M: Module> {
  /// The devices of this process.
  public let devices: DeviceGroup
  private let members: [(shared: SharedMember, module: M)]
  private let ranks: SharedRanks?
  /// Where members meet; the next step goes on with its memory.
  private var exchange: AllReduce?

  /// Makes the module and its optimiser on every device.
  ///
  /// - Parameters:
  ///   - devices: the main device and its helpers.
  ///   - ranks: other processes with devices of their own that make the same training (`Ranks.run`); nil:
  ///     there are none.
  ///   - make: makes both on a device, with the same weights everywhere: an `Initializer` with the same seed does. What
  ///     goes on from a checkpoint reads it here.
  /// - Throws: what `make` throws; `TesseraError` for a rank of another program, or whose weights are others.
  public init(
    _ devices: DeviceGroup, ranks: Ranks? = nil,
    _ make: (any Backend) throws -> (module: M, optimizer: any Optimizer)
  ) throws {
    self.devices = devices
    members = try devices.all.map { device in
      let made = try devices.naming(device) { try make(device) }
      return (SharedMember(device, made.optimizer), made.module)
    }
    self.ranks = try ranks.map { [members] in
      try SharedRanks($0, devices, members[0].module, members[0].shared.optimizer)
    }
  }

  /// The main device's module, equal to the others after every step.
  public var module: M { members[0].module }

  /// The main device's optimiser.
  public var optimizer: any Optimizer { members[0].shared.optimizer }

  /// The modules and optimisers of the other devices, into which a checkpoint is read too.
  public var helpers: [(device: any Backend, module: M, optimizer: any Optimizer)] {
    members.dropFirst().map { ($0.shared.device, $0.module, $0.shared.optimizer) }
  }

  /// A step: losses, gradients of their mean, the optimiser's step.
  ///
  /// - Parameters:
  ///   - batch: samples of the batch, 1 or more.
  ///   - seed: the run's seed.
  ///   - step: the number of the step, 0 or more.
  ///   - factor: on the learning rates.
  ///   - norm: what gradients are clipped to, as `Parameter.clipGradients`; nil: they are not.
  ///   - losses: gives a loss for each of some of the batch's samples, on a thread of its device's; these may be none.
  /// - Returns: the losses of the whole batch, in its order; the same on every rank.
  /// - Throws: `TesseraError` for an empty batch and other losses than one a sample, what `losses` throws, and
  ///   a rank that is at another step; the training is of no use any more then.
  public func step(
    batch: Int, seed: UInt64 = 0, step: Int, factor: Float = 1, clippingTo norm: Float? = nil,
    _ losses: @escaping @Sendable (_ module: M, _ samples: Range<Int>, _ context: Context) throws -> Variable
  ) throws -> [Float] {
    guard batch >= 1, step >= 0 else {
      throw TesseraError.failure(
        "a shared step", found: "step \(step) of \(batch) samples", wanted: "0 or more, 1 sample or more")
    }
    return try ranks?.sharing(
      "step \(step) of \(batch) samples, seed \(seed), factor \(factor), "
        + (norm.map { "clipped to \($0)" } ?? "not clipped")
    ) {
      try take(batch, seed, step, factor, norm, losses)
    } ?? take(batch, seed, step, factor, norm, losses)
  }

  /// A step with this process's samples; the losses of these.
  private func take(
    _ batch: Int, _ seed: UInt64, _ step: Int, _ factor: Float, _ norm: Float?,
    _ losses: @escaping @Sendable (M, Range<Int>, Context) throws -> Variable
  ) throws -> [Float] {
    let ranges = SharedRanks.ranges(
      of: batch, among: ranks?.counts ?? [members.count], rank: ranks?.rank ?? 0)
    let exchange = try meetingPlace()
    let plan = SharedStep(
      batch: batch, seed: seed, number: UInt64(step), factor: factor, norm: norm, exchange: exchange)
    let works = members.map { member in
      SharedWork(member.shared, member.module.parameters) { try losses(member.module, $0, $1) }
    }
    do {
      let results = try devices.runConcurrently(works.map { ($0.member.device, $0) }) { number, work in
        try work.take(plan, number, ranges[number])
      } failed: {
        exchange?.cancel()
      }
      return Array(results.joined())
    } catch {
      self.exchange = nil
      throw error
    }
  }

  /// Where members meet; nil where there is one alone. After a failure it is another.
  private func meetingPlace() throws -> AllReduce? {
    guard members.count > 1 || ranks != nil else { return nil }
    if let exchange { return exchange }
    let made = try AllReduce(parts: members.count, chain: ranks?.chain())
    for member in members { member.shared.memory.restart() }
    exchange = made
    return made
  }
}

/// What a device has in a shared training, beside the module; no other thread touches it while a step is made.
private final class SharedMember {
  let device: any Backend
  let optimizer: any Optimizer
  let memory = BatchShard.Staging()

  init(_ device: any Backend, _ optimizer: any Optimizer) {
    (self.device, self.optimizer) = (device, optimizer)
  }
}

/// One step, the same for all members.
private struct SharedStep: Sendable {
  let batch: Int, seed: UInt64, number: UInt64, factor: Float, norm: Float?
  /// Where members meet; nil where there is one alone.
  let exchange: AllReduce?
}

/// What a member does in a step; goes to one thread alone.
private final class SharedWork: @unchecked Sendable {
  let member: SharedMember
  private let parameters: [(name: String, parameter: Parameter)]
  private let losses: (Range<Int>, Context) throws -> Variable

  init(
    _ member: SharedMember, _ parameters: [(name: String, parameter: Parameter)],
    _ losses: @escaping (Range<Int>, Context) throws -> Variable
  ) {
    (self.member, self.parameters, self.losses) = (member, parameters, losses)
  }

  /// Losses of some samples, gradients, and the optimiser's step.
  func take(_ step: SharedStep, _ number: Int, _ samples: Range<Int>) throws -> [Float] {
    let device = member.device
    let part = try step.exchange.map {
      try BatchShard(samples, of: step.batch, $0, number: number, memory: member.memory)
    }
    let context = Context(
      device: device, training: true, differentiable: true, seed: step.seed, step: step.number, part: part)
    let found = try losses(samples, context)
    guard found.shape == [samples.count] else {
      throw TesseraError.failure(
        "a shared step", found: "losses \(found.shape)", wanted: "[\(samples.count)], one a sample")
    }
    try context.backward(meanOf: found)
    if let norm = step.norm { try Parameter.clipGradients(parameters, norm: norm, on: device) }
    try member.optimizer.step(factor: step.factor)
    return try device.floats(found.value)
  }
}
