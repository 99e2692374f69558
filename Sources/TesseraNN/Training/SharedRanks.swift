// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// The ranks that make a shared training, as one of them sees them.
///
///     rank 0: devices 0, 1      rank 1: device 2      rank 2: devices 3, 4
///     samples of a batch, in whole groups, by these numbers; sums go from rank to rank and back (`RankChain`)
final class SharedRanks {
  private let ranks: Ranks
  /// Devices of each rank.
  let counts: [Int]
  private var isBroken = false

  /// Meets the other ranks, which have the same program and the same weights.
  ///
  /// - Parameters:
  ///   - ranks: this process among the others.
  ///   - devices: its own.
  ///   - module: on the main device.
  ///   - optimizer: of the module.
  /// - Throws: `TesseraError` for a rank of another program, or whose weights are others.
  init(_ ranks: Ranks, _ devices: DeviceGroup, _ module: any Module, _ optimizer: any Optimizer) throws {
    self.ranks = ranks
    let weights = try Self.fingerprint(module, optimizer, on: devices.main)
    try ranks.meet(
      at: "a shared training, version \(tesseraVersion), numerics \(numericsVersion), kernels "
        + "\(devices.kernelSources.fingerprint.prefix(12)), weights \(weights.prefix(12))")
    var writer = MessageWriter()
    writer.add(devices.all.count)
    counts = try ranks.gather(writer.payload).map { message in
      var reader = MessageReader(message)
      return try reader.int()
    }
  }

  /// This process's number.
  var rank: Int { ranks.rank }

  /// The way of sums through all ranks.
  func chain() throws -> RankChain { try RankChain(Array(counts.indices), ranks.communicator) }

  /// Does a step that all ranks do; the losses of all. After an error no further one is begun: the others are ended.
  ///
  /// - Parameters:
  ///   - point: the step in words.
  ///   - body: this rank's part of it; its losses.
  func sharing(_ point: String, _ body: () throws -> [Float]) throws -> [Float] {
    guard !isBroken else {
      throw TesseraError.failure(
        "a shared step", found: "one after a failure", wanted: "the end of the training")
    }
    do {
      try ranks.meet(at: point)
      var writer = MessageWriter()
      writer.add(try body())
      return try ranks.gather(writer.payload).flatMap { message in
        var reader = MessageReader(message)
        return try reader.floats()
      }
    } catch {
      isBroken = true
      ranks.fail(error)
      throw error
    }
  }

  /// Samples of each device of a rank: whole groups, as evenly as they go.
  ///
  /// - Parameters:
  ///   - batch: samples of all.
  ///   - counts: devices of each rank, whose samples are in the order of the ranks.
  ///   - rank: the rank.
  static func ranges(of batch: Int, among counts: [Int], rank: Int) -> [Range<Int>] {
    let groups = (batch + BatchShard.group - 1) / BatchShard.group
    let (first, all) = (counts[..<rank].reduce(0, +), counts.reduce(0, +))
    return (first..<first + counts[rank]).map { member in
      let (begin, end) = (groups * member / all, groups * (member + 1) / all)
      return min(batch, begin * BatchShard.group)..<min(batch, end * BatchShard.group)
    }
  }

  /// What says that two trainings stand equal: names, shapes and elements of weights, statistics and moments.
  private static func fingerprint(
    _ module: any Module, _ optimizer: any Optimizer, on device: any Backend
  ) throws -> String {
    var print = Fingerprint()
    for (name, state) in module.state {
      print.add(name)
      try print.add(state.tensor, on: device)
    }
    print.add("\(optimizer.steps)")
    for (name, tensor) in optimizer.state {
      print.add(name)
      try print.add(tensor, on: device)
    }
    return print.digits()
  }
}
