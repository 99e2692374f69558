// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// The devices that train one network: the main one alone, or several with a part of every batch each. Ways
/// to divide batches are tried on steps of the training itself, for each gives the same bits.
final class DataParallelTrainer {
  private let devices: DeviceGroup
  private let batch: Int
  private var members: [TrainingReplica]
  /// Devices of other processes; nil where they take no part.
  private var others: RankMembers?
  private var exchange: AllReduce
  private var division = BatchDivision.alone
  private var epochRows = 0
  /// Losses of members that left in this epoch.
  private var left: [Float] = []
  private var trials: Trials?
  /// What the trials showed, once; nil before and after.
  private var news: String?

  /// Steps by which a way is judged: the first builds kernels and fills pools, the fastest of the others
  /// counts.
  private static let trialSteps = 3

  private struct Trials {
    var steps = 0
    /// The fastest step so far of the way that is tried, and what each device needed for it.
    var fastest = Double.infinity, needed: [Double] = []
    var results: [(division: BatchDivision, seconds: Double)] = []
  }

  /// A team of a main member and devices that may help it.
  init(_ main: TrainingReplica, _ devices: DeviceGroup, _ splitting: DataParallelMode, batch: Int) throws {
    (members, self.devices, self.batch) = ([main], devices, batch)
    exchange = try AllReduce(parts: 1)
    let isShareable =
      !devices.isAlone && batch > BatchShard.group && main.store.isOpenToAllDevices
      && !main.network.standardizesBatches
    if isShareable, splitting != .never {
      others = try devices.ranks.map { try RankMembers($0, main.network, main.plan) }
    }
    switch splitting {
    case .never: break
    case .always where isShareable: try enter(.even(count))
    case .measured where isShareable: trials = Trials()
    case .always, .measured: break
    }
  }

  /// Devices that may take part, those of this process first.
  private var count: Int { devices.all.count + (others?.slots.count ?? 0) }

  /// Starts an epoch of so many rows.
  func startEpoch(rows: Int) throws {
    epochRows = rows
    left = [Float](repeating: 0, count: rows)
    for member in members { try naming(member) { try member.startEpoch(rows: rows) } }
    try others?.startEpoch(rows: rows)
  }

  /// The losses of some of the epoch's rows, in their order.
  func epochLosses(_ rows: Range<Int>) throws -> [Float] {
    let own = try members.reduce(Array(left[rows])) { sum, member in
      zip(sum, try naming(member) { try member.epochLosses(rows) }).map(+)
    }
    return try others.map { zip(own, try $0.epochLosses(rows)).map(+) } ?? own
  }

  /// Does some steps of an epoch; the losses of their rows.
  ///
  /// - Parameter progress: called with rows of the epoch that are done.
  func take(
    _ steps: EpochSteps, _ stretch: Range<Int>, progress: (Int) throws -> Void = { _ in }
  ) throws -> [Float] {
    for step in stretch {
      try take(steps[step])
      try progress(steps.rows(of: step..<step + 1).upperBound)
    }
    return try epochLosses(steps.rows(of: stretch))
  }

  /// Does a step on all devices that share it; returns when it is enqueued on each.
  func take(_ step: TrainingStep) throws {
    let isTrial = trials != nil && step.rows.count == batch
    guard isTrial else { return _ = try run(step, timed: false) }
    try finishTrial(try run(step, timed: true))
  }

  /// Does a step; the seconds that each device was at work, where they are wanted.
  private func run(_ step: TrainingStep, timed: Bool) throws -> (all: Double, each: [Double]) {
    let start = ContinuousClock.now
    guard division.devices.count > 1 else {
      try members[0].take(step, nil)
      if timed { try members[0].network.device.synchronize() }
      let took = (ContinuousClock.now - start) / .seconds(1)
      return (took, [took])
    }
    let parts = division.parts(of: step.rows.count, group: BatchShard.group)
    let store = members[0].store
    for part in parts.prefix(members.count) { try store.ranked?.fetch(Array(step.rows[part])) }
    try others?.take(step, parts[members.count...], of: store, timed: timed)
    let exchange = exchange
    var seconds = try devices.runConcurrently(members.map { ($0.network.device, $0) }) { number, member in
      let part = try BatchShard(
        parts[number], of: step.rows.count, exchange, number: number, memory: member.memory)
      return try member.take(step, part, isTimed: timed)
    } failed: {
      exchange.cancel()
    }
    if timed { seconds += try others?.seconds() ?? [] }
    return ((ContinuousClock.now - start) / .seconds(1), seconds)
  }

  private func finishTrial(_ took: (all: Double, each: [Double])) throws {
    guard var trials else { return }
    trials.steps += 1
    if trials.steps > 1, took.all < trials.fastest { (trials.fastest, trials.needed) = (took.all, took.each) }
    defer { if self.trials != nil { self.trials = trials } }
    guard trials.steps == Self.trialSteps else { return }
    trials.results.append((division, trials.fastest))
    let next =
      switch trials.results.count {
      case 1: BatchDivision.even(count)
      case 2: division.bySpeed(trials.needed, batch: batch, group: BatchShard.group)
      default: BatchDivision.alone
      }
    (trials.steps, trials.fastest) = (0, .infinity)
    func parts(_ division: BatchDivision) -> [Range<Int>] {
      division.parts(of: batch, group: BatchShard.group)
    }
    let isNew = !trials.results.contains {
      $0.division.devices == next.devices && parts($0.division) == parts(next)
    }
    guard trials.results.count < 3, isNew, next.devices.count > 1 else {
      self.trials = nil
      let best = trials.results.min { $0.seconds < $1.seconds }?.division ?? .alone
      news = describe(trials, best)
      return try enter(best)
    }
    try enter(next)
  }

  /// The news, which are none any more.
  func takeNews() -> String? {
    defer { news = nil }
    return news
  }

  /// The name of a device by its number among those that may take part.
  private func deviceName(_ number: Int) -> String {
    let own = devices.all
    return number < own.count ? own[number].name : others?.slots[number - own.count].name ?? ""
  }

  private func describe(_ trials: Trials, _ best: BatchDivision) -> String {
    func name(_ division: BatchDivision) -> String {
      zip(division.devices, division.parts(of: batch, group: BatchShard.group)).map {
        "\(deviceName($0)): \($1.count)"
      }.joined(separator: " + ")
    }
    let times = trials.results.map { division, seconds in
      "\(Int((seconds * 1e3).rounded())) ms by \(name(division))"
    }
    return "rows of a batch, measured: \(times.joined(separator: "; ")); taken: \(name(best))"
  }

  /// Goes over to another division: members that were not in the last one start from the main one's weights.
  private func enter(_ next: BatchDivision) throws {
    let local = next.devices.filter { $0 < devices.all.count }
    let now = Dictionary(uniqueKeysWithValues: zip(division.devices, members))
    for (number, member) in now where !local.contains(number) {
      left = zip(left, try naming(member) { try member.epochLosses(0..<epochRows) }).map(+)
    }
    // Those of other processes all start anew.
    if epochRows > 0, let others { left = zip(left, try others.epochLosses(0..<epochRows)).map(+) }
    members = try local.map { number in
      if let member = now[number] { return member }
      let device = devices.all[number]
      return try devices.naming(device) {
        let member = try members[0].copy(on: device)
        try member.startEpoch(rows: epochRows)
        return member
      }
    }
    division = next
    // What members keep of turns goes on: all of them start at the first.
    for member in members { member.memory.restart() }
    let chain = try others?.enter(
      next.devices.dropFirst(local.count).map { $0 - devices.all.count }, from: members[0], rows: epochRows)
    exchange = try AllReduce(parts: members.count, chain: chain)
  }

  private func naming<R>(_ member: TrainingReplica, _ body: () throws -> R) rethrows -> R {
    try devices.naming(member.network.device, body)
  }
}
