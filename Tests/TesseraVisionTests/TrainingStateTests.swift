// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import TesseraNN
import Testing

@testable import TesseraVision

/// The digest of a training's state: everything that a training goes on from is in it.
@Suite struct TrainingStateTests {
  private func network(_ device: any Backend) throws -> ImageClassifier {
    try ImageClassifier(.alexnet, classes: 2, pixels: 32, seed: 1, device: device)
  }

  private var plan: TrainingPlan {
    let labels = (0..<24).map { Int32($0 % 2) }
    var plan = TrainingPlan(
      images: drawn(4, 24 * 32 * 32), labels: labels, training: Array(0..<16), validation: Array(16..<24))
    (plan.options.epochs, plan.options.batch) = (1, 8)
    return plan
  }

  @Test func everyPartOfTheStateIsInTheDigest() throws {
    let device = try CPUBackend(threads: 1)
    let network = try network(device)
    let optimizer = try TrainingReplica.optimizer(for: network, plan)
    let state = TrainingState(network, optimizer)
    let place = TrainingPlace(epoch: 3, step: 64)
    var prints = [try state.digest(at: place, losses: [1, 2], after: nil)]
    #expect(try prints[0] == state.digest(at: place, losses: [1, 2], after: nil))
    for other in [TrainingPlace(epoch: 4, step: 64), TrainingPlace(epoch: 3, step: 65)] {
      prints.append(try state.digest(at: other, losses: [1, 2], after: nil))
    }
    for losses in [[1, Float(2).nextUp], [1], []] as [[Float]] {
      prints.append(try state.digest(at: place, losses: losses, after: nil))
    }
    for before in ["a", "b"] { prints.append(try state.digest(at: place, losses: [1, 2], after: before)) }
    // An epoch's digest has its figures besides.
    let record = EpochRecord(epoch: 3, loss: 0.5, correct: 7, stretches: ["a", "b"])
    prints.append(try #require(record.state))
    for other in [
      EpochRecord(epoch: 4, loss: 0.5, correct: 7, stretches: ["a", "b"]),
      EpochRecord(epoch: 3, loss: 0.5.nextUp, correct: 7, stretches: ["a", "b"]),
      EpochRecord(epoch: 3, loss: 0.5, correct: 8, stretches: ["a", "b"]),
      EpochRecord(epoch: 3, loss: 0.5, correct: 7, stretches: ["a", "c"]),
    ] { prints.append(try #require(other.state)) }
    // A bit of any tensor, first and last element.
    for (_, tensor) in state.tensors {
      for element in Set([0, tensor.count - 1]) {
        let values = try device.floats(tensor)
        var other = values
        other[element] = Float(bitPattern: values[element].bitPattern ^ 1)
        try other.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
        prints.append(try state.digest(at: place, losses: [1, 2], after: nil))
        try values.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
      }
    }
    try optimizer.restore(steps: 5)
    prints.append(try state.digest(at: place, losses: [1, 2], after: nil))
    #expect(Set(prints).count == prints.count && prints.count > 40)
  }

  @Test(.tags(.opencl)) func devicesAndOrderOfRowsAreTold() throws {
    func states(_ plan: TrainingPlan, on device: any Backend) throws -> [String?] {
      let trainer = try Trainer(network(device), plan)
      try trainer.run()
      return trainer.history.map(\.state)
    }
    let one = try states(plan, on: CPUBackend(threads: 1))
    #expect(one.count == 1 && one[0]?.count == 64)
    #expect(try states(plan, on: CPUBackend(threads: 2)) == one)
    if TestDevices.hasOpenCL { #expect(try states(plan, on: OpenCLBackend(TestDevices.first())) == one) }
    var other = plan
    other.options.seed += 1
    #expect(try states(other, on: CPUBackend(threads: 1)) != one)
  }
}
