import TesseraCompute

/// A device's part of a batch that several devices share: samples from a border of groups on.
public final class BatchPart {
  /// The samples of the batch that are here, from a multiple of 8 on; there may be none.
  public let samples: Range<Int>
  /// Samples of the whole batch.
  public let batch: Int
  private let exchange: BatchExchange, number: Int
  private let memory: Staging
  /// How long it waited for other parts.
  public private(set) var waited = Duration.zero
  private var pending: [(variable: Variable, groups: [Tensor])] = []

  /// Host memory for what goes to other devices, kept from step to step.
  public final class Staging {
    fileprivate var values: [Float] = []
    fileprivate var turn = 0

    /// None yet.
    public init() {}

    /// Begins anew, at another exchange.
    public func restart() { turn = 0 }
  }

  /// Part `number` of those that meet at an exchange.
  public init(
    _ samples: Range<Int>, of batch: Int, _ exchange: BatchExchange, number: Int, memory: Staging
  ) {
    (self.samples, self.batch, self.exchange, self.number) = (samples, batch, exchange, number)
    self.memory = memory
  }

  /// Results of this part's groups: of all at once where they are the first, for their sum begins there, or only one.
  func groups(
    of inputs: [Tensor], on device: any Backend, _ compute: ([Tensor], Int) throws -> [Tensor]
  ) throws -> [[Tensor]] {
    let (rows, size) = (samples.count, Self.group)
    guard rows > 0 else { return [] }
    guard samples.lowerBound > 0, rows > size else { return [try compute(inputs, rows)] }
    return try stride(from: 0, to: rows, by: size).map { begin in
      let taken = min(size, rows - begin)
      let slices = try inputs.map { x in
        let row = x.count / rows
        let slice = try device.allocate([taken] + x.shape.dropFirst(), x.elementType)
        try device.copy(
          x, to: slice,
          region: CopyRegion(
            rows: 1, columns: taken * row, sourceOffset: begin * row, sourceStride: taken * row,
            destinationStride: taken * row))
        return slice
      }
      return try compute(slices, taken)
    }
  }

  /// Sums over the whole batch of what each group gives, one after the other, on the host.
  func sums(_ groups: [[Tensor]], counts: [Int], on device: any Backend) throws -> [Float] {
    try add(groups, counts, on: device) { Array($0) }
  }

  /// Leaves gradients of parameters, a tensor a group, to `finish`: nothing waits for them before.
  func later(_ groups: [Tensor], for variable: Variable) { pending.append((variable, groups)) }

  /// Adds up what was left and passes it to the parameters.
  func finish(_ tape: Tape, on device: any Backend) throws {
    defer { pending = [] }
    let counts = pending.map(\.variable.value.count)
    let groups = (0..<(pending.first?.groups.count ?? 0)).map { group in pending.map { $0.groups[group] } }
    try add(groups, counts, on: device) { sums in
      var begin = 0
      for (variable, _) in pending {
        let total = try device.allocate(variable.shape, .float32)
        try device.upload(
          UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(sums)[begin * 4..<(begin + total.count) * 4]),
          to: total, offset: 0)
        begin += total.count
        try tape.accumulate(total, to: variable)
      }
    }
  }

  private func add<R>(
    _ groups: [[Tensor]], _ counts: [Int], on device: any Backend,
    _ use: (UnsafeBufferPointer<Float>) throws -> R
  ) throws -> R {
    let count = counts.reduce(0, +)
    let needed = groups.count * count
    if memory.values.count < needed { memory.values = [Float](repeating: 0, count: needed) }
    defer { memory.turn += 1 }
    return try memory.values.withUnsafeMutableBytes { bytes in
      var begin = 0
      for tensor in groups.joined() {
        try device.download(
          tensor, offset: 0,
          into: UnsafeMutableRawBufferPointer(rebasing: bytes[begin..<begin + tensor.count * 4]))
        begin += tensor.count * 4
      }
      let offer = UnsafeBufferPointer(rebasing: bytes.bindMemory(to: Float.self)[..<needed])
      return try exchange.add(offer, count: count, part: number, turn: memory.turn, waited: &waited, use)
    }
  }

  /// `BATCH_GROUP` (NUMERICS.md rule 6).
  public static let group = 8
}

/// How gradients that go over the batch reach parameters. A value of its own: what is recorded must not hold the tape.
struct BatchSums {
  let device: any Backend
  let part: BatchPart?

  /// Passes gradients on, one for each variable.
  ///
  /// - Parameters:
  ///   - inputs: (rows, ...) each.
  ///   - compute: the gradients from inputs of so many rows.
  func pass(
    _ tape: Tape, to variables: [Variable], _ inputs: [Tensor], _ compute: ([Tensor], Int) throws -> [Tensor]
  ) throws {
    guard let part else {
      let gradients = try compute(inputs, inputs.first?.shape.first ?? 0)
      for (variable, gradient) in zip(variables, gradients) { try tape.accumulate(gradient, to: variable) }
      return
    }
    let groups = try part.groups(of: inputs, on: device, compute)
    for (index, variable) in variables.enumerated() { part.later(groups.map { $0[index] }, for: variable) }
  }

  /// Sums over the batch as tensors of their shapes.
  func sums(
    _ shapes: [[Int]], _ inputs: [Tensor], _ compute: ([Tensor], Int) throws -> [Tensor]
  ) throws -> [Tensor] {
    guard let part else { return try compute(inputs, inputs.first?.shape.first ?? 0) }
    let counts = shapes.map { $0.reduce(1, *) }
    let values = try part.sums(try part.groups(of: inputs, on: device, compute), counts: counts, on: device)
    var begin = 0
    return try zip(shapes, counts).map { shape, count in
      defer { begin += count }
      return try device.tensor(Array(values[begin..<begin + count]), shape)
    }
  }
}
