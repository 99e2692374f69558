// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// A device's part of a batch that several devices share: samples from a border of groups on.
public final class BatchShard {
  /// The samples of the batch that are here, from a multiple of 8 on; there may be none.
  public let samples: Range<Int>
  /// Samples of the whole batch.
  public let batch: Int
  private let exchange: AllReduce, number: Int
  private let memory: Staging
  /// How long it waited for other parts.
  public private(set) var waited = Duration.zero
  private var pending: [(variable: Variable, groups: [Tensor], sums: GroupSums)] = []
  /// Places among what is pending, by bucket; those of the last are not on their way yet.
  private var buckets: [[Int]] = []

  /// Host memory for what goes to other devices, kept from step to step.
  public final class Staging {
    fileprivate var values: [Float] = []
    fileprivate var turn = 0, step = 0

    /// None yet.
    public init() {}

    /// Begins anew, at another exchange.
    public func restart() { (turn, step) = (0, 0) }
  }

  /// Part `number` of those that meet at an exchange.
  ///
  /// - Throws: `TesseraError` for samples outside the batch or not from a border of groups on, and for a
  ///   part that the exchange does not have.
  public init(
    _ samples: Range<Int>, of batch: Int, _ exchange: AllReduce, number: Int, memory: Staging
  ) throws {
    guard samples.lowerBound >= 0, samples.upperBound <= batch, batch <= Int(Int32.max),
      samples.isEmpty
        || samples.lowerBound % Self.group == 0
          && (samples.upperBound % Self.group == 0 || samples.upperBound == batch)
    else {
      throw TesseraError.failure(
        "a part of a batch", found: "samples \(samples) of \(batch)",
        wanted: "some of 0..<\(batch), in whole groups of \(Self.group)")
    }
    guard (0..<exchange.parts).contains(number) else {
      throw TesseraError.failure(
        "a part of a batch", found: "number \(number)", wanted: "0..<\(exchange.parts), as the exchange has")
    }
    (self.samples, self.batch, self.exchange, self.number) = (samples, batch, exchange, number)
    self.memory = memory
  }

  /// Results of this part's groups: of all at once where they are the first of a chain, which begins there,
  /// or only one.
  func groups(
    of inputs: [Tensor], by sums: GroupSums, on device: any Backend,
    _ compute: ([Tensor], Int) throws -> [Tensor]
  ) throws -> [[Tensor]] {
    let (rows, size) = (samples.count, Self.group)
    for x in inputs where x.shape.first != rows {
      throw TesseraError.failure(
        "a part of a batch", found: "a tensor \(x.shape)",
        wanted: "one row for each of the \(rows) samples: gradients over the batch are added sample by sample"
      )
    }
    guard rows > 0 else { return [] }
    guard sums == .compensated || samples.lowerBound > 0, rows > size else {
      return [try compute(inputs, rows)]
    }
    return try stride(from: 0, to: rows, by: size).map { begin in
      let taken = min(size, rows - begin)
      let slices = try inputs.map { try device.rows(begin..<begin + taken, of: $0) }
      return try compute(slices, taken)
    }
  }

  /// Sums over the whole batch of what each group gives, one after the other, on the host.
  func sums(
    _ groups: [[Tensor]], counts: [Int], by sums: GroupSums, on device: any Backend
  ) throws -> [Float] {
    try add(groups, counts, by: sums, on: device) { Array($0) }
  }

  /// Leaves gradients of parameters, a tensor a group, to `finish`: nothing waits for them before. Those that
  /// other ranks have groups of go on their way as soon as they are enough for a bucket.
  func later(
    _ groups: [Tensor], for variable: Variable, by sums: GroupSums, _ tape: Tape, on device: any Backend
  ) throws {
    pending.append((variable, groups, sums))
    tape.accumulateLater(to: variable)
    guard exchange.buckets != nil, sums == .chain else { return }
    if buckets.isEmpty { buckets.append([]) }
    buckets[buckets.count - 1].append(pending.count - 1)
    guard size(of: buckets[buckets.count - 1]) >= GradientBuckets.size else { return }
    try sendBucket(on: device)
    buckets.append([])
  }

  private func size(of places: [Int]) -> Int {
    places.reduce(0) { $0 + pending[$1].variable.value.count }
  }

  /// Sends the last bucket on its way, if there is anything in it; its tensors are needed no more.
  private func sendBucket(on device: any Backend) throws {
    guard let exchange = exchange.buckets, let places = buckets.last, let first = places.first else { return }
    let groups = pending[first].groups.count
    try exchange.offer(buckets.count - 1, part: number, groups: groups, count: size(of: places)) { bytes in
      var begin = 0
      for group in 0..<groups {
        for place in places {
          let tensor = pending[place].groups[group]
          let range = begin..<begin + tensor.count * 4
          try device.download(
            tensor, offset: 0, into: UnsafeMutableRawBufferPointer(rebasing: bytes[range]))
          begin = range.upperBound
        }
      }
    }
    for place in places { pending[place].groups = [] }
  }

  /// Adds up what was left and passes it to the parameters, in the order in which it was left.
  func finish(_ tape: Tape, on device: any Backend) throws {
    defer { (pending, buckets) = ([], []) }
    try sendBucket(on: device)
    var totals = [Tensor?](repeating: nil, count: pending.count)
    // Every part has the same parameters, and so the same exchanges.
    for kind in exchange.buckets == nil ? [GroupSums.chain, .compensated] : [.compensated] {
      let places = pending.indices.filter { pending[$0].sums == kind }
      guard let first = places.first else { continue }
      let counts = places.map { pending[$0].variable.value.count }
      let groups = pending[first].groups.indices.map { group in places.map { pending[$0].groups[group] } }
      try add(groups, counts, by: kind, on: device) { try upload($0, to: &totals, places, on: device) }
    }
    for (index, places) in buckets.enumerated() where !places.isEmpty {
      try device.span("gradients over the batch", category: .exchange) {
        try exchange.buckets?.take(index, step: memory.step, waited: &waited) {
          try upload($0, to: &totals, places, on: device)
        }
      }
    }
    memory.step += 1
    try tape.settle(totals.compactMap { $0 })
  }

  private func upload(
    _ sums: UnsafeBufferPointer<Float>, to totals: inout [Tensor?], _ places: [Int], on device: any Backend
  ) throws {
    var begin = 0
    for place in places {
      let total = try device.allocate(pending[place].variable.shape, .float32)
      let range = begin * 4..<(begin + total.count) * 4
      try device.upload(
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(sums)[range]), to: total, offset: 0)
      begin += total.count
      totals[place] = total
    }
  }

  private func add<R>(
    _ groups: [[Tensor]], _ counts: [Int], by sums: GroupSums, on device: any Backend,
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
      return try device.span("sums over the batch", category: .exchange) {
        try exchange.add(
          offer, count: count, by: sums, part: number, turn: memory.turn, waited: &waited, use)
      }
    }
  }

  /// `BATCH_GROUP` (NUMERICS.md rule 6).
  public static let group = 8
}

/// How gradients that go over the batch reach parameters. A value of its own: what is recorded must not
/// hold the tape.
struct BatchSums {
  let device: any Backend
  let part: BatchShard?

  /// Passes gradients on, one for each variable.
  ///
  /// - Parameters:
  ///   - inputs: (rows, ...) each.
  ///   - kind: how groups are added up.
  ///   - compute: the gradients from inputs of so many rows.
  func pass(
    _ tape: Tape, to variables: [Variable], _ inputs: [Tensor], by kind: GroupSums,
    _ compute: ([Tensor], Int) throws -> [Tensor]
  ) throws {
    guard let part else {
      let gradients = try compute(inputs, inputs.first?.shape.first ?? 0)
      for (variable, gradient) in zip(variables, gradients) { try tape.accumulate(gradient, to: variable) }
      return
    }
    guard variables.allSatisfy({ !$0.isOutput }) else {
      // What a parameter was computed into needs its gradient when the tape comes to it, not at the end.
      let gradients = try sums(variables.map(\.shape), inputs, by: kind, compute)
      for (variable, gradient) in zip(variables, gradients) { try tape.accumulate(gradient, to: variable) }
      return
    }
    let groups = try part.groups(of: inputs, by: kind, on: device, compute)
    for (index, variable) in variables.enumerated() {
      try part.later(groups.map { $0[index] }, for: variable, by: kind, tape, on: device)
    }
  }

  /// Sums over the batch as tensors of their shapes.
  func sums(
    _ shapes: [[Int]], _ inputs: [Tensor], by kind: GroupSums,
    _ compute: ([Tensor], Int) throws -> [Tensor]
  ) throws -> [Tensor] {
    guard let part else { return try compute(inputs, inputs.first?.shape.first ?? 0) }
    let counts = shapes.map { $0.reduce(1, *) }
    let groups = try part.groups(of: inputs, by: kind, on: device, compute)
    let values = try part.sums(groups, counts: counts, by: kind, on: device)
    var begin = 0
    return try zip(shapes, counts).map { shape, count in
      defer { begin += count }
      return try device.tensor(Array(values[begin..<begin + count]), shape)
    }
  }
}
