// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// The devices of other ranks in a training, as the leader sees them.
final class RankMembers {
  /// A device of a rank.
  struct Slot {
    let rank: Int, device: Int
    let name: String
  }

  /// All devices of the other ranks, in the order of their samples.
  let slots: [Slot]
  private let model: SharedModel
  /// Devices that take part, by rank.
  private var taking: [(rank: Int, devices: [Int])] = []

  /// Devices that may take part in the training of a network; none does yet.
  init(_ team: RankTeam, _ network: ImageClassifier, _ plan: TrainingPlan) throws {
    slots = team.members.flatMap { member in
      member.devices.enumerated().map {
        Slot(rank: member.rank, device: $0, name: "\($1) of rank \(member.rank)")
      }
    }
    model = try TrainingWork.share(network, plan, with: team)
  }

  /// Has some of the devices take part from a member's state on, and no others.
  ///
  /// - Parameters:
  ///   - chosen: numbers among `slots`.
  ///   - rows: rows of the epoch.
  /// - Returns: the chain of ranks, for the leader's exchange; nil where none takes part.
  func enter(_ chosen: [Int], from main: TrainingReplica, rows: Int) throws -> RankChain? {
    taking = []
    for slot in chosen.map({ slots[$0] }) {
      if taking.last?.rank == slot.rank {
        taking[taking.count - 1].devices.append(slot.device)
      } else {
        taking.append((slot.rank, [slot.device]))
      }
    }
    guard !taking.isEmpty else { return nil }
    let device = main.network.device
    let ranks = [0] + taking.map(\.rank)
    var state = MessageWriter()
    state.add(ranks.map { Int32($0) })
    state.add(rows)
    state.add(main.optimizer.steps)
    try state.add(main.network.state.map(\.tensor), on: device)
    try state.add(main.optimizer.state.map(\.tensor), on: device)
    for (rank, devices) in taking {
      var writer = MessageWriter(.enter)
      writer.add(devices.map { Int32($0) })
      writer.add(raw: state)
      try model.tell(writer.payload, to: rank)
    }
    return try RankChain(ranks, model.team.communicator)
  }

  /// Tells of an epoch.
  func startEpoch(rows: Int) throws {
    for (rank, _) in taking {
      var writer = MessageWriter(.epoch)
      writer.add(rows)
      try model.tell(writer.payload, to: rank)
    }
  }

  /// The losses of some of the epoch's rows: of those that were in parts of devices that take part, 0 for others.
  func epochLosses(_ rows: Range<Int>) throws -> [Float] {
    for (rank, _) in taking {
      var writer = MessageWriter(.losses)
      writer.add(rows.lowerBound)
      writer.add(rows.upperBound)
      try model.tell(writer.payload, to: rank)
    }
    return try taking.reduce([Float](repeating: 0, count: rows.count)) { sums, taking in
      var reader = MessageReader(try model.answer(of: taking.rank))
      return zip(sums, try reader.floats()).map(+)
    }
  }

  /// Has the devices that take part do a step.
  ///
  /// - Parameters:
  ///   - parts: the samples of each, in their order.
  ///   - store: what batches are made of.
  ///   - timed: whether they tell how long it took, see `seconds`.
  func take(_ step: TrainingStep, _ parts: ArraySlice<Range<Int>>, of store: FeatureStore, timed: Bool) throws
  {
    let ranges = taking.reduce(into: [ArraySlice<Range<Int>>]()) { ranges, taking in
      let begin = ranges.last?.endIndex ?? parts.startIndex
      ranges.append(parts[begin..<begin + taking.devices.count])
    }
    // Kept rows are on their way before any rank waits for them.
    for (taking, ranges) in zip(taking, ranges) {
      for rows in ranges.map({ Array(step.rows[$0]) }) { try store.ranked?.send(rows, to: taking.rank) }
    }
    for (taking, ranges) in zip(taking, ranges) {
      var writer = MessageWriter(.step)
      writer.add(timed ? 1 : 0)
      writer.add(Int(Int64(bitPattern: step.number)))
      writer.add(step.begin)
      writer.add([step.factor])
      writer.add(step.labels)
      for part in ranges {
        let rows = Array(step.rows[part])
        writer.add(part.lowerBound)
        writer.add(part.upperBound)
        writer.add(store.keptShape.map { Int32($0) })
        writer.add((store.ranked?.sources(of: rows) ?? []).map { Int32($0) })
        writer.add(store.neededImages(rows))
      }
      try model.tell(writer.payload, to: taking.rank)
    }
  }

  /// How long the devices were at work in the last timed step, in their order.
  func seconds() throws -> [Double] {
    try taking.flatMap { taking in
      var reader = MessageReader(try model.answer(of: taking.rank))
      return try reader.floats().map { Double($0) }
    }
  }
}

extension MessageWriter {
  fileprivate init(_ wish: TrainingWish) {
    self.init()
    add(wish.rawValue)
  }
}
