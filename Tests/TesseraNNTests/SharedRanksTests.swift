// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraNN

/// Trainings of the library that ranks share, threads in their place: the bits of one device, and what becomes of all
/// when one rank fails or does something else.
@Suite struct SharedRanksTests {
  /// What a rank's part of a program came to.
  private struct Part {
    var result: (bits: [[UInt32]], losses: [Float])?
    var code: Int32 = -1
    var told: [String] = []
  }

  /// Runs a program in every rank.
  private static func run(
    _ count: Int, _ program: @escaping @Sendable (Ranks) throws -> (bits: [[UInt32]], losses: [Float])
  ) -> [Part] {
    let parts = Locked([Part](repeating: Part(), count: count))
    let done = DispatchGroup()
    for communicator in ThreadCommunicator.group(of: count) {
      // Threads of their own: they wait for each other.
      done.enter()
      Thread.detachNewThread {
        let rank = communicator.rank
        let (result, code) = Ranks(communicator).finish(program) { line in
          parts.withLock { $0[rank].told.append(line) }
        }
        parts.withLock { ($0[rank].result, $0[rank].code) = (result, code) }
        done.leave()
      }
    }
    done.wait()
    return parts.withLock { $0 }
  }

  private static func group(_ devices: Int) throws -> DeviceGroup {
    let all = try (0..<devices).map { _ in try CPUBackend(threads: 1) }
    return DeviceGroup(all[0], helpers: Array(all.dropFirst()))
  }

  /// Large enough for gradients of two buckets; batch norm adds up in the forward pass too.
  private static func training(
    _ devices: DeviceGroup, _ ranks: Ranks?, seed: UInt64 = 6
  ) throws -> SharedTraining<Sequential> {
    try SharedTraining(devices, ranks: ranks) { device in
      let draw = Initializer(device: device, seed: seed)
      let net = Sequential([
        try Linear(6, 600, draw), try BatchNorm2d(600, draw), Activation(.tanh), Dropout(0.5),
        try Linear(600, 450, draw), Activation(.relu), try Linear(450, 3, draw),
      ])
      return (net, try Adam(device: device, [.init(net.parameters, learningRate: 0.02)]))
    }
  }

  private static func losses(
    _ net: Sequential, _ samples: Range<Int>, _ context: Context
  ) throws -> Variable {
    let rows = drawn(1, 40 * 6)[samples.lowerBound * 6..<samples.upperBound * 6]
    let x = try context.variable(Array(rows), [samples.count, 6])
    return try Loss.crossEntropy(
      try net(x, context), labels: try context.device.tensor(samples.map { Int32($0 % 3) }))
  }

  private static func result(
    _ training: SharedTraining<Sequential>, batch: Int = 40
  ) throws -> (bits: [[UInt32]], losses: [Float]) {
    var losses: [Float] = []
    for step in 0..<3 {
      losses += try training.step(batch: batch, seed: 1, step: step, factor: 0.5, clippingTo: 0.5) {
        try Self.losses($0, $1, $2)
      }
    }
    let device = training.devices.main
    let bits = try training.module.state.map { try device.floats($0.state.tensor).map(\.bitPattern) }
    for helper in training.helpers {
      for (mine, its) in zip(bits, helper.module.state) {
        #expect(try mine == helper.device.floats(its.state.tensor).map(\.bitPattern))
      }
    }
    return (bits, losses)
  }

  /// Devices of each rank: fewer groups of samples than devices in the last case, of batches of 40 and of 17.
  @Test(arguments: [[1, 1], [2, 1], [1, 3], [1, 1, 1], [2, 2, 2, 2]])
  func ranksHaveTheBitsOfOneDevice(_ devices: [Int]) throws {
    for batch in [40, 17] {
      let one = try Self.result(try Self.training(try Self.group(1), nil), batch: batch)
      #expect(one.losses.count == 3 * batch && Set(one.losses.map(\.bitPattern)).count > batch)
      let parts = Self.run(devices.count) { ranks in
        try Self.result(try Self.training(try Self.group(devices[ranks.rank]), ranks), batch: batch)
      }
      for (rank, part) in parts.enumerated() {
        #expect(part.code == 0 && part.told.isEmpty, "rank \(rank): \(part.told)")
        #expect(part.result?.bits == one.bits && part.result?.losses == one.losses, "rank \(rank)")
      }
    }
  }

  /// The one line that all ranks have to say, of the leader; all end with a code.
  private func told(
    _ code: Int32, _ count: Int = 3,
    _ program: @escaping @Sendable (Ranks) throws -> (bits: [[UInt32]], losses: [Float])
  ) -> String {
    let parts = Self.run(count, program)
    #expect(parts.allSatisfy { $0.code == code && $0.result == nil }, "\(parts.map(\.code))")
    #expect(parts.map(\.told.count) == [1] + Array(repeating: 0, count: count - 1), "\(parts.map(\.told))")
    return parts[0].told.first ?? ""
  }

  @Test(arguments: [0, 1, 2]) func anErrorOfOneRankEndsAll(_ failing: Int) {
    // Before the training, in the course of a step, and where no other waits for it.
    let early = told(2) { ranks in
      if ranks.rank == failing { throw TesseraError.input("a file", found: "nothing", wanted: "something") }
      return try Self.result(try Self.training(try Self.group(1), ranks))
    }
    let place = "rank \(failing) on thread \(failing): "
    #expect(early == place + "a file: found nothing, wanted something")
    let amid = told(1) { ranks in
      let training = try Self.training(try Self.group(2), ranks)
      _ = try training.step(batch: 40, step: 0) { try Self.losses($0, $1, $2) }
      _ = try training.step(batch: 40, step: 1) { net, samples, context in
        if ranks.rank == failing { throw TesseraError.failure("a device", found: "smoke") }
        return try Self.losses(net, samples, context)
      }
      return ([], [])
    }
    #expect(amid == place + "a device: smoke")
    let late = told(1) { ranks in
      let result = try Self.result(try Self.training(try Self.group(1), ranks))
      if ranks.rank == failing { throw TesseraError.failure("a page", found: "full") }
      return result
    }
    #expect(late == place + "a page: full")
  }

  /// Whoever catches the error of a step ends all the same: the others would wait for it.
  @Test(arguments: [0, 1]) func anErrorThatIsCaughtEndsAll(_ failing: Int) {
    let line = told(1) { ranks in
      let training = try Self.training(try Self.group(1), ranks)
      for step in 0..<3 {
        do {
          _ = try training.step(batch: 40, step: step) { net, samples, context in
            if ranks.rank == failing, step == 1 { throw TesseraError.failure("a device", found: "smoke") }
            return try Self.losses(net, samples, context)
          }
        } catch {
          // The sums of step 0 come back to a rank after the one that fails has gone on with them.
          #expect(step >= 1 || ranks.rank != failing)
        }
      }
      return ([], [])
    }
    #expect(line == "rank \(failing) on thread \(failing): a device: smoke")
  }

  @Test func ranksThatDoOtherThingsAreFound() {
    let weights = told(1) { ranks in
      try Self.result(try Self.training(try Self.group(1), ranks, seed: ranks.rank == 2 ? 7 : 6))
    }
    #expect(weights.hasPrefix("rank 2 on thread 2: found a shared training, version"))
    #expect(weights.contains("as rank 0: one program on all ranks"))
    let seeds = told(1) { ranks in
      let training = try Self.training(try Self.group(1), ranks)
      _ = try training.step(batch: 40, seed: ranks.rank == 1 ? 3 : 2, step: 0) { try Self.losses($0, $1, $2) }
      return ([], [])
    }
    #expect(
      seeds.hasPrefix("rank 1 on thread 1: found step 0 of 40 samples, seed 3, factor 1.0, not clipped"))
    for early in [0, 1] {
      let line = told(1) { ranks in
        let training = try Self.training(try Self.group(1), ranks)
        for step in 0..<(ranks.rank == early ? 1 : 2) {
          _ = try training.step(batch: 40, step: step) { try Self.losses($0, $1, $2) }
        }
        return ([], [])
      }
      let (found, wanted) = early == 0 ? ("step 1", "the end") : ("the end", "step 1")
      #expect(line.contains("found \(found)") && line.contains("wanted \(wanted)"), "\(line)")
    }
  }

  @Test func aProgramOnItsOwnHasNoRanks() throws {
    #expect(try Ranks.run { $0 == nil ? 7 : 0 } == 7)
    #expect(throws: CancellationError.self) { try Ranks.run { _ in throw CancellationError() } }
    #expect(try DeviceSelection.openAll("cpu", ranks: nil, threads: 1).all.count == 1)
    let ranks = ThreadCommunicator.group(of: 4).map { Ranks($0) }
    #expect(ranks.map(\.rank) == [0, 1, 2, 3] && ranks.allSatisfy { $0.count == 4 })
    #expect(ranks.filter(\.isLeader).count == 1 && ranks[3].host == "thread 3")
  }
}
