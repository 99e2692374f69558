// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import TesseraNN

/// Schedules, averages, and files of parameters.
@Suite struct TrainingToolTests {
  @Test func schedulesHaveTheirFactors() throws {
    let cosine = try LearningRateSchedule(.cosine, total: 110, warmup: 10, least: 0.1)
    #expect(cosine.factor(0) == 0.1 && cosine.factor(9) == 1 && cosine.factor(10) == 1)
    for step in 10...120 {
      let part = Double(min(100, step - 10)) / 100
      let wanted = 0.1 + 0.9 * (1 + cos(Double.pi * part)) / 2
      #expect(abs(Double(cosine.factor(step)) - wanted) < 1e-6, "step \(step)")
    }
    let linear = try LearningRateSchedule(.linear, total: 4)
    #expect((-1...5).map { linear.factor($0) } == [1, 1, 0.75, 0.5, 0.25, 0, 0])
    let steps = try LearningRateSchedule(.steps(every: 3, factor: 0.5), total: 100)
    #expect([0, 2, 3, 5, 6, 9].map { steps.factor($0) } == [1, 1, 0.5, 0.5, 0.25, 0.125])
    #expect(steps.factor(.max) == 0)
    #expect(try LearningRateSchedule(.none, total: 0).factor(7) == 1)
    #expect(throws: TesseraError.self) { try LearningRateSchedule(.linear, total: 4, warmup: 5) }
    #expect(throws: TesseraError.self) { try LearningRateSchedule(.linear, total: 4, least: .nan) }
    #expect(throws: TesseraError.self) { try LearningRateSchedule(.steps(every: 0, factor: 1), total: 4) }
  }

  @Test func averagesFollowTheParameters() throws {
    let device = try CPUBackend()
    let parameter = Parameter(try device.tensor([0, 8]))
    let average = try ExponentialAverage(device: device, [("w", parameter)], decay: 0.75)
    for value in [Float(4), 8] {
      try device.fill(parameter.value, with: value)
      try average.update()
    }
    #expect(try device.floats(average.state[0].tensor) == [2.75, 7.25])
    try average.withAverages { () throws in
      #expect(try device.floats(parameter.value) == [2.75, 7.25])
      #expect(throws: TesseraError.self) { try average.update() }
    }
    #expect(try device.floats(parameter.value) == [8, 8])
    #expect(throws: TesseraError.self) {
      try average.withAverages { throw TesseraError.failure("here", found: "it") }
    }
    #expect(try device.floats(parameter.value) == [8, 8])
    #expect(throws: TesseraError.self) { try ExponentialAverage(device: device, [], decay: 1) }
  }

  private func network(_ seed: UInt64, _ device: any Backend) throws -> Sequential {
    let draw = Initializer(device: device, seed: seed)
    return try Sequential {
      try Conv2d(2, 3, kernel: 2, draw)
      try BatchNorm2d(3, draw)
      Flatten()
      try Linear(12, 2, draw)
    }
  }

  @Test func whatIsSavedIsLoaded() throws {
    let device = try CPUBackend()
    try withTemporaryFolder { folder in
      let (path, from, to) = (folder + "/net.safetensors", try network(1, device), try network(2, device))
      let print = try from.save(to: path, prefix: "model.", on: device, metadata: ["epoch": "3"])
      #expect(print.count == 64)
      let file = try TensorFile.open(path)
      #expect(file.names.contains("model.1.running_var") && file.metadata["epoch"] == "3")
      for prefix in [nil, "model."] as [String?] {
        try to.load(from: path, prefix: prefix, on: device)
        for ((name, a), (_, b)) in zip(from.state, to.state) {
          #expect(try device.floats(a.tensor) == device.floats(b.tensor), "\(name)")
        }
      }
      let before = try device.floats(to.state[0].state.tensor)
      #expect(throws: TesseraError.self) { try to.load(from: path, prefix: "other.", on: device) }
      let wider = try Sequential { try Linear(5, 5, Initializer(device: device, seed: 3)) }
      #expect(throws: TesseraError.self) { try wider.load(from: path, on: device) }
      #expect(try device.floats(to.state[0].state.tensor) == before)
    }
  }

  @Test func optimizersGoOnFromTheirState() throws {
    let device = try CPUBackend()
    func run(_ make: (Parameter) throws -> any Optimizer) throws {
      func gradient(_ parameter: Parameter, _ step: Int) throws {
        let context = Context(device: device, differentiable: true)
        try (context(parameter) * context.variable(drawn(UInt64(step), 9))).sum().backward()
      }
      let whole = Parameter(try device.tensor(drawn(50, 9)))
      let first = try make(whole)
      for step in 0..<3 {
        try gradient(whole, step)
        try first.step(factor: 1)
      }
      let later = Parameter(try device.tensor(try device.floats(whole.value)))
      let second = try make(later)
      try second.restore(steps: first.steps)
      for (a, b) in zip(first.state, second.state) {
        #expect(a.name == b.name)
        try device.copy(a.tensor, to: b.tensor)
      }
      for (parameter, optimizer) in [(whole, first), (later, second)] {
        try gradient(parameter, 3)
        try optimizer.step(factor: 0.5)
      }
      #expect(try device.floats(whole.value) == device.floats(later.value))
    }
    func groups(_ parameter: Parameter) -> [ParameterGroup] { [.init([("w", parameter)], learningRate: 0.1)] }
    try run { try SGD(device: device, groups($0), momentum: 0.9) }
    try run { try RMSprop(device: device, groups($0), momentum: 0.5) }
    try run { try Lion(device: device, groups($0), weightDecay: 0.1) }
    try run { try Adam(device: device, groups($0), weightDecay: 0.1, decoupled: true) }
  }
}
