// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraVision

/// Training and prediction on several ranks: the bits of one.
@Suite struct RankTrainingTests {
  private static let pixels = 34, rows = 52

  private func plan(_ slice: BackboneMode) -> TrainingPlan {
    var plan = TrainingPlan(
      images: drawn(11, Self.rows * Self.pixels * Self.pixels), labels: (0..<Self.rows).map { Int32($0 % 3) },
      training: Array(0..<44), validation: Array(44..<Self.rows))
    // A last batch of 4: fewer groups than ranks.
    (plan.options.epochs, plan.options.batch, plan.options.slice, plan.limits) = (2, 20, slice, .none)
    return plan
  }

  private func devices(_ count: Int) throws -> DeviceGroup {
    var all: [any Backend] = try (0..<count).map { try CPUBackend(threads: 1 + $0 % 2) }
    if TestDevices.hasOpenCL, count > 1 { all[1] = try OpenCLBackend(try TestDevices.first()) }
    return DeviceGroup(all[0], helpers: Array(all.dropFirst()))
  }

  private func bits(
    _ architecture: Architecture, _ plan: TrainingPlan, _ devices: DeviceGroup, _ splitting: DataParallelMode
  ) throws -> [UInt32] {
    var options = NetworkOptions()
    options.bypass = true
    let network = try ImageClassifier(
      architecture, classes: 3, pixels: Self.pixels, options: options, seed: 5, device: devices.main)
    var resources = TrainingResources()
    resources.splitting = splitting
    let trainer = try Trainer(network, plan, resources, helpers: devices.helpers, ranks: devices.ranks)
    try trainer.run()
    let scores = try network.copies(on: devices).logProbabilities(drawn(11, 70 * Self.pixels * Self.pixels))
    return try network.state.flatMap { try devices.main.floats($0.tensor).map(\.bitPattern) }
      + trainer.history.flatMap { [UInt32(truncatingIfNeeded: $0.loss.bitPattern), UInt32($0.correct)] }
      + scores.map(\.bitPattern)
  }

  @Test(
    .tags(.slow, .opencl),
    arguments: [
      (Architecture.alexnet, BackboneMode.frozen, Float(0)), (.alexnet, .frozen, 0.1),
      (.alexnet, .trainable, 0), (.shuffleNet, .batchNormOnly, 0),
    ])
  func everyNumberOfRanksGivesTheSameBits(_ architecture: Architecture, _ slice: BackboneMode, _ noise: Float)
    throws
  {
    var plan = plan(slice)
    plan.options.noise = noise
    let wanted = try bits(architecture, plan, DeviceGroup(try CPUBackend()), .never)
    // Features that are kept go to other ranks with every batch.
    if noise == 0 { (plan.limits.device, plan.limits.host) = (1 << 30, 1 << 30) }
    for (own, assistants) in [(1, [1]), (1, [1, 1, 1, 1]), (2, [1, 2])] {
      let own = try devices(own)
      let (result, codes) = try RankThreads.lead(
        try assistants.map(devices), [NetworkWork.self, TrainingWork.self]
      ) { team in
        try bits(architecture, plan, own.with(ranks: team), .always)
      }
      #expect(try result.get() == wanted, "\(assistants)")
      #expect(codes.allSatisfy { $0 == 0 })
    }
  }

  @Test(.tags(.slow)) func whatIsMeasuredChangesNoBit() throws {
    var plan = plan(.trainable)
    (plan.options.batch, plan.training, plan.options.epochs) = (24, Array(0..<48), 6)
    let wanted = try bits(.alexnet, plan, DeviceGroup(try CPUBackend()), .never)
    let own = try devices(1)
    let (result, _) = try RankThreads.lead(
      [try devices(1), try devices(1)], [NetworkWork.self, TrainingWork.self]
    ) { team in
      try bits(.alexnet, plan, own.with(ranks: team), .measured)
    }
    #expect(try result.get() == wanted)
  }
}
