// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraVision

/// A training on a recorded backend: the bits of any other, and one list of a step's operations on every
/// device.
@Suite struct RecordedTrainingTests {
  /// The state after a training of two epochs of two steps, of which the third is recorded.
  private func train(
    _ device: any Backend, _ slice: BackboneMode, recorded: RecordedBackend? = nil, capturing: Int? = nil
  ) throws -> (state: [UInt32], recording: RecordedBackend.Recording?) {
    let count = 16
    var plan = TrainingPlan(
      images: drawn(4, count * 1600), labels: (0..<count).map { Int32($0 % 2) }, training: Array(0..<count),
      validation: [])
    (plan.options.epochs, plan.options.batch, plan.options.slice) = (2, 8, slice)
    let device = recorded ?? device
    let network = try ImageClassifier(.shuffleNet, classes: 2, pixels: 40, seed: 1, device: device)
    var steps = 0, recording: RecordedBackend.Recording?
    try Trainer(network, plan).run(progress: { _, _, _ in
      steps += 1
      if steps == 3 { recording = try recorded?.stop() }
      if steps == 2 { try recorded?.start(capturing: capturing) }
    })
    return (try network.state.flatMap { try device.floats($0.tensor).map(\.bitPattern) }, recording)
  }

  @Test(.tags(.opencl), arguments: [BackboneMode.frozen, .trainable]) func aStepHasOneListOnEveryDevice(
    _ slice: BackboneMode
  ) throws {
    let cpu = try CPUBackend(threads: 1)
    let wanted = try train(cpu, slice).state
    let first = try train(cpu, slice, recorded: RecordedBackend(cpu))
    #expect(first.state == wanted)
    let list = try #require(first.recording?.operations)
    #expect(list.contains { $0.operation.name == "adam" } && list.count > 10)
    var others: [any Backend] = [try CPUBackend(threads: 2)]
    if TestDevices.hasOpenCL { others.append(try OpenCLBackend(try TestDevices.first())) }
    for device in others {
      // The last operation but one is a parameter's step.
      let other = try train(device, slice, recorded: RecordedBackend(device), capturing: list.count - 2)
      #expect(other.state == wanted)
      let operations = try #require(other.recording?.operations)
      let number = OperationRecord.firstDifference(list, operations)
      #expect(number == nil, "\(device.name): \(number.map { "\($0) \(list[$0])" } ?? "")")
      let captured = try #require(other.recording?.captured)
      let verdict = try captured.recompute(on: cpu, against: list)
      #expect(verdict.isEqual && verdict.isOtherEqual == true, "\(verdict.text)")
    }
  }
}
