// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraNN
import Testing

@testable import TesseraVision

/// Training as a whole: learning, bits, resuming.
@Suite struct TrainerTests {
  private struct Stop: Error {}

  /// Images whose class is the brighter half, with noise.
  private static func plan(_ count: Int, pixels: Int = 32) -> TrainingPlan {
    let area = pixels * pixels
    var images = drawn(4, count * area)
    let labels = (0..<count).map { Int32($0 * 7 % 5 % 2) }
    for row in 0..<count {
      for p in 0..<area where (p % pixels < pixels / 2) == (labels[row] == 0) { images[row * area + p] += 1 }
    }
    var plan = TrainingPlan(
      images: images, labels: labels, training: Array(0..<count * 3 / 4),
      validation: Array(count * 3 / 4..<count))
    (plan.options.epochs, plan.options.batch) = (2, 16)
    (plan.options.convolutionRate, plan.options.classifierRate) = (1e-3, 1e-3)
    return plan
  }

  private func network(_ device: any Backend) throws -> ImageClassifier {
    try ImageClassifier(.alexnet, classes: 2, pixels: 32, seed: 1, device: device)
  }

  private func bits(_ network: ImageClassifier) throws -> [UInt32] {
    try network.state.flatMap { try network.device.floats($0.tensor).map(\.bitPattern) }
  }

  @Test func anEasyTaskIsLearnt() throws {
    let network = try network(try CPUBackend())
    var plan = Self.plan(96)
    plan.options.epochs = 8
    let trainer = try Trainer(network, plan)
    try trainer.run()
    #expect(trainer.history.count == 8)
    #expect(trainer.history[7].loss < 0.5 * trainer.history[0].loss)
    #expect(trainer.history[7].correct >= 22)
  }

  @Test(.tags(.opencl)) func threadsKeptFeaturesAndOpenCLChangeNoBit() throws {
    var plan = Self.plan(44)
    plan.options.epochs = 1
    var results: [[UInt32]] = []
    try withTemporaryFolder { folder in
      // In device memory, not at all, in host memory, in a file.
      for (threads, limits) in [
        (1, (1 << 30, 0, 0)), (2, (0, 0, 0)), (2, (0, 1 << 30, 0)), (2, (0, 0, 1 << 30)),
      ] {
        let network = try network(try CPUBackend(threads: threads))
        (plan.limits.device, plan.limits.host, plan.limits.file) = limits
        plan.limits.folder = folder
        try Trainer(network, plan).run()
        results.append(try bits(network))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
      }
      if TestDevices.hasOpenCL {
        let network = try network(try OpenCLBackend(try TestDevices.first()))
        try Trainer(network, plan).run()
        results.append(try bits(network))
      }
    }
    for result in results.dropFirst() { #expect(result == results[0]) }
  }

  @Test func aRunStoppedInAnyStepEndsInTheSameBits() throws {
    let plan = Self.plan(44)
    let whole = try network(try CPUBackend())
    try withTemporaryFolder { folder in
      try Trainer(whole, plan, checkpoint: Checkpoint(folder: folder, key: "a")).run()
    }
    for stop in [0, 2, 4] {
      try withTemporaryFolder { folder in
        let checkpoint = Checkpoint(folder: folder, key: "a")
        var step = 0
        #expect(throws: Stop.self) {
          try Trainer(try network(try CPUBackend()), plan, checkpoint: checkpoint).run(progress: { _, _, _ in
            if step == stop { throw Stop() }
            step += 1
          })
        }
        let resumed = try network(try CPUBackend())
        let trainer = try Trainer(resumed, plan, checkpoint: checkpoint)
        try trainer.run()
        #expect(try bits(resumed) == bits(whole) && trainer.history.count == 2)
      }
    }
  }

  @Test func aCheckpointOfAnotherPlanIsNotUsed() throws {
    var plan = Self.plan(24)
    plan.options.epochs = 1
    try withTemporaryFolder { folder in
      try Trainer(try network(try CPUBackend()), plan, checkpoint: Checkpoint(folder: folder, key: "a")).run()
      let trainer = try Trainer(
        try network(try CPUBackend()), plan, checkpoint: Checkpoint(folder: folder, key: "b"))
      var steps = 0
      try trainer.run(progress: { _, _, _ in steps += 1 })
      #expect(steps == 2)
    }
  }

  @Test func fewerEpochsThanTheCheckpointHoldsStartAfresh() throws {
    var plan = Self.plan(24)
    try withTemporaryFolder { folder in
      let checkpoint = Checkpoint(folder: folder, key: "a")
      plan.options.epochs = 3
      try Trainer(try network(try CPUBackend()), plan, checkpoint: checkpoint).run()
      plan.options.epochs = 1
      let (again, fresh) = (try network(try CPUBackend()), try network(try CPUBackend()))
      try Trainer(again, plan, checkpoint: checkpoint).run()
      try Trainer(fresh, plan).run()
      #expect(try bits(again) == bits(fresh))
      // And on from one to three.
      plan.options.epochs = 3
      let (onward, whole) = (try network(try CPUBackend()), try network(try CPUBackend()))
      let trainer = try Trainer(onward, plan, checkpoint: checkpoint)
      var steps = 0
      try trainer.run(progress: { _, _, _ in steps += 1 })
      try withTemporaryFolder { other in
        try Trainer(whole, plan, checkpoint: Checkpoint(folder: other, key: "a")).run()
      }
      #expect(try steps == 4 && bits(onward) == bits(whole))
    }
  }

  @Test func aBestEpochOfAnotherRunOrALaterEpochIsNotTaken() throws {
    var plan = Self.plan(8)
    // Without validation rows every epoch is the best.
    plan.validation = []
    func trained(_ folder: String, _ key: String, epochs: Int, rate: Float = 1e-3) throws -> [UInt32] {
      plan.options.epochs = epochs
      (plan.options.convolutionRate, plan.options.classifierRate) = (rate, rate)
      let network = try network(try CPUBackend())
      try Trainer(network, plan, checkpoint: Checkpoint(folder: folder, key: key)).run()
      return try bits(network)
    }
    try withTemporaryFolder { folder in
      let (one, two) = (
        try trained(folder + "/1", "a", epochs: 1), try trained(folder + "/2", "a", epochs: 2)
      )
      _ = try trained(folder + "/b", "b", epochs: 1, rate: 1e-2)
      func put(_ best: String) throws {
        try? FileManager.default.removeItem(atPath: folder + "/x")
        try FileManager.default.copyItem(atPath: folder + "/1", toPath: folder + "/x")
        try FileManager.default.removeItem(atPath: folder + "/x/best.safetensors")
        try FileManager.default.copyItem(
          atPath: folder + "/\(best)/best.safetensors", toPath: folder + "/x/best.safetensors")
      }
      // Killed between the two files of an epoch: of another run, and of the next epoch.
      for (best, epochs) in [("b", 1), ("b", 2), ("2", 1), ("2", 2)] {
        try put(best)
        #expect(
          try trained(folder + "/x", "a", epochs: epochs) == (epochs == 1 ? one : two), "\(best) \(epochs)")
      }
      // Gone altogether.
      try put("1")
      try FileManager.default.removeItem(atPath: folder + "/x/best.safetensors")
      #expect(try trained(folder + "/x", "a", epochs: 1) == one)
    }
  }

  @Test func aCheckpointOfAnotherNumericsVersionIsNotUsed() throws {
    var plan = Self.plan(24)
    plan.options.epochs = 1
    try withTemporaryFolder { folder in
      let checkpoint = Checkpoint(folder: folder, key: "a")
      try Trainer(try network(try CPUBackend()), plan, checkpoint: checkpoint).run()
      for name in ["checkpoint", "best"] { try setNumerics(folder + "/\(name).safetensors", to: 1) }
      var steps = 0
      try Trainer(try network(try CPUBackend()), plan, checkpoint: checkpoint).run(progress: { _, _, _ in
        steps += 1
      })
      #expect(steps == 2)
    }
  }

  /// Steps that would be counted for ever, epochs that no training writes.
  @Test(arguments: [
    ("9000000000000000000", "[]"), ("-1", "[]"), ("2", #"[{"epoch":-5,"loss":1,"correct":0}]"#),
    ("2", #"[{"epoch":1,"loss":1,"correct":0},{"epoch":1,"loss":1,"correct":0}]"#),
    ("2", #"[{"epoch":1,"loss":1,"correct":-1}]"#),
    ("2", #"[{"epoch":9223372036854775807,"loss":1,"correct":1}]"#),
    ("2", "no history"),
  ])
  func aCheckpointThatCannotBeOursIsNotUsed(steps: String, history: String) throws {
    var plan = Self.plan(24)
    plan.options.epochs = 1
    try withTemporaryFolder { folder in
      let writer = SafetensorsWriter(metadata: ["key": "a", "steps": steps, "history": history])
      _ = try writer.write(to: folder + "/checkpoint.safetensors")
      let trainer = try Trainer(
        try network(try CPUBackend()), plan, checkpoint: Checkpoint(folder: folder, key: "a"))
      try trainer.run()
      #expect(trainer.history.map(\.epoch) == [1])
    }
  }

  @Test func nothingToTrainOnIsRefused() throws {
    var plan = Self.plan(8)
    plan.training = []
    #expect(throws: TesseraError.self) { try Trainer(try network(try CPUBackend(threads: 1)), plan) }
  }
}
