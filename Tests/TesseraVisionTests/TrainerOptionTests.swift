// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import TesseraNN
import Testing

@testable import TesseraVision

/// What becomes of the slice, schedules, early stopping.
@Suite struct TrainerOptionTests {
  private static func plan() -> TrainingPlan {
    let count = 16
    let labels = (0..<count).map { Int32($0 % 2) }
    var plan = TrainingPlan(
      images: drawn(4, count * 1600), labels: labels, training: Array(0..<count * 3 / 4),
      validation: Array(count * 3 / 4..<count))
    (plan.options.epochs, plan.options.batch) = (1, 8)
    (plan.options.convolutionRate, plan.options.classifierRate) = (1e-3, 1e-3)
    return plan
  }

  private func network(_ device: any Backend, _ model: Architecture = .shuffleNet) throws -> ImageClassifier {
    try ImageClassifier(model, classes: 2, pixels: 40, seed: 1, device: device)
  }

  private func slice(_ network: ImageClassifier) throws -> [(name: String, values: [Float])] {
    try network.slice.state.map { ($0.name, try network.device.floats($0.state.tensor)) }
  }

  @Test(arguments: BackboneMode.allCases) func theSliceIsLeftMovedOrTrained(_ mode: BackboneMode) throws {
    let network = try network(try CPUBackend())
    var plan = Self.plan()
    (plan.options.slice, plan.options.sliceRate) = (mode, 1e-4)
    let before = try slice(network)
    try Trainer(network, plan).run()
    for (old, new) in zip(before, try slice(network)) {
      let isStatistic = old.name.contains("running")
      #expect(
        (old.values == new.values) == (mode == .frozen || mode == .batchNormOnly && !isStatistic),
        "\(old.name)")
    }
  }

  @Test(.tags(.opencl), arguments: [BackboneMode.batchNormOnly, .trainable]) func openCLAndThreadsChangeNoBit(
    _ mode: BackboneMode
  ) throws {
    var devices: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 2)]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    var plan = Self.plan()
    (plan.options.slice, plan.options.schedule, plan.options.labelSmoothing) = (mode, .linear, 0.1)
    let results = try devices.map { device in
      let network = try network(device)
      network.standardizesBatches = true
      try Trainer(network, plan).run()
      return try network.state.flatMap { try device.floats($0.tensor).map(\.bitPattern) }
    }
    for result in results.dropFirst() { #expect(result == results[0]) }
  }

  @Test func aLinearScheduleEndsAtZero() {
    #expect(Schedule.linear.factor(0, of: 4) == 1 && Schedule.linear.factor(3, of: 4) == 0.25)
    #expect(Schedule.constant.factor(3, of: 4) == 1)
  }

  @Test func patienceEndsTrainingAndTheBestEpochIsKept() throws {
    var plan = Self.plan()
    (plan.options.epochs, plan.options.patience) = (40, 2)
    // Nothing to learn: no epoch beats an early one for long.
    (plan.options.convolutionRate, plan.options.classifierRate) = (0, 0)
    let trainer = try Trainer(try network(try CPUBackend()), plan)
    try trainer.run()
    #expect(trainer.history.count < 40)
    let best = try #require(trainer.history.map(\.correct).max())
    let at = try #require(trainer.history.firstIndex { $0.correct == best })
    #expect(trainer.history.count == at + 1 + 2)
  }
}
