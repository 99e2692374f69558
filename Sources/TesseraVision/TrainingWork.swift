// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// What other ranks are told in a training.
enum TrainingWish: Int {
  /// To take part from the leader's state on, in a chain of ranks.
  case enter
  /// That an epoch begins.
  case epoch
  /// To do a step with their part of the batch.
  case step
  /// To tell the losses of some of the epoch's rows.
  case losses
}

/// A network in training on the devices of other ranks, which have a part of every batch.
package final class TrainingWork: AssistedWork {
  /// The name of the kind.
  package static let kind = "training"
  private let message: NetworkMessage
  private let plan: TrainingPlan
  private let devices: DeviceGroup
  private let communicator: any Communicator
  private var members: [TrainingReplica] = []
  private var exchange: AllReduce?

  /// What is trained, and how; the state comes when this rank is to take part.
  package init(_ content: Payload, devices: DeviceGroup, _ communicator: any Communicator) throws {
    var reader = MessageReader(content)
    message = try reader.json(NetworkMessage.self)
    let options = try reader.json(TrainingOptions.self)
    let (weights, labels) = (try reader.floats(), try reader.ints())
    var plan = TrainingPlan(images: [], labels: labels, training: Array(labels.indices), validation: [])
    (plan.options, plan.classWeights) = (options, weights.isEmpty ? nil : weights)
    self.plan = plan
    (self.devices, self.communicator) = (devices, communicator)
  }

  /// The leader's side of the same.
  static func share(_ network: ImageClassifier, _ plan: TrainingPlan, with team: RankTeam) throws
    -> SharedModel
  {
    var writer = MessageWriter()
    try writer.add(json: NetworkMessage(network))
    try writer.add(json: plan.options)
    // Of the labels only the sum of their weights is wanted: those of a step come with it.
    writer.add(plan.classWeights ?? [])
    writer.add(plan.classWeights == nil ? [] : plan.training.map { plan.labels[$0] })
    return try SharedModel(team, kind: kind, writer.payload)
  }

  /// Takes part as the leader wants.
  package func told(_ content: Payload) throws -> Payload? {
    var reader = MessageReader(content)
    switch TrainingWish(rawValue: try reader.int()) {
    case .enter: try enter(&reader)
    case .epoch:
      let rows = try reader.int()
      for member in members { try naming(member) { try member.startEpoch(rows: rows) } }
    case .step: return try step(&reader)
    case .losses:
      let range = try reader.int()..<(try reader.int())
      var sums = [Float](repeating: 0, count: range.count)
      for member in members { sums = zip(sums, try naming(member) { try member.epochLosses(range) }).map(+) }
      var writer = MessageWriter()
      writer.add(sums)
      return writer.payload
    case nil: throw TesseraError.failure("training", found: "an unknown wish", wanted: "a known one")
    }
    return nil
  }

  private func enter(_ reader: inout MessageReader) throws {
    let numbers = try reader.ints().map { Int($0) }
    let ranks = try reader.ints().map { Int($0) }
    let (rows, steps) = (try reader.int(), try reader.int())
    let (weights, moments) = (try reader.arrays(), try reader.arrays())
    guard !numbers.isEmpty, numbers.allSatisfy(devices.all.indices.contains) else {
      throw TesseraError.failure("training", found: "devices \(numbers)", wanted: "some of the rank's")
    }
    members = try numbers.map { number in
      let device = devices.all[number]
      return try devices.naming(device) {
        let network = try message.network(on: device)
        let optimizer = try TrainingReplica.optimizer(for: network, plan)
        try device.upload(weights, to: network.state.map(\.tensor))
        try device.upload(moments, to: optimizer.state.map(\.tensor))
        try optimizer.restore(steps: steps)
        let store = FeatureStore(given: network, plan.options.slice, noise: plan.options.noise)
        let member = TrainingReplica(network, optimizer, store, plan)
        try member.startEpoch(rows: rows)
        return member
      }
    }
    exchange = try AllReduce(parts: members.count, chain: RankChain(ranks, communicator))
  }

  /// Does a step; the seconds that each device was at work, where they are wanted.
  private func step(_ reader: inout MessageReader) throws -> Payload? {
    guard let exchange else {
      throw TesseraError.failure("training", found: "a step", wanted: "a state first")
    }
    let isTimed = try reader.int() != 0
    let (number, begin) = (UInt64(bitPattern: Int64(try reader.int())), try reader.int())
    let (factor, labels) = (try reader.floats().first ?? 1, try reader.ints())
    let step = TrainingStep(
      rows: Array(repeating: 0, count: labels.count), labels: labels, begin: begin, number: number,
      factor: factor)
    var parts: [Range<Int>] = []
    for member in members {
      parts.append(try reader.int()..<(try reader.int()))
      member.store.given = try given(&reader)
    }
    let seconds = try devices.runConcurrently(members.map { ($0.network.device, $0) }) {
      [parts] number, member in
      let part = try BatchShard(
        parts[number], of: labels.count, exchange, number: number, memory: member.memory)
      return try member.take(step, part, isTimed: isTimed)
    } failed: {
      exchange.cancel()
    }
    guard isTimed else { return nil }
    var writer = MessageWriter()
    writer.add(seconds.map { Float($0) })
    return writer.payload
  }

  /// What a member's part of a batch is made of: rows of the slice's output come from the ranks that keep them.
  private func given(_ reader: inout MessageReader) throws -> FeatureStore.Given {
    var given = FeatureStore.Given()
    given.shape = try reader.ints().map { Int($0) }
    let sources = try reader.ints().map { Int($0) }
    given.images = try reader.floats()
    guard !given.shape.isEmpty else { return given }
    let size = given.shape.reduce(1, *)
    given.features = try KeptChunks.collect(sources, rowSize: size) { source, count in
      try KeptChunks.receive(count * size, from: source, communicator)
    }
    return given
  }

  private func naming<R>(_ member: TrainingReplica, _ body: () throws -> R) rethrows -> R {
    try devices.naming(member.network.device, body)
  }
}
