// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraNN

/// Data loaders, checkpoints of trainings, and batches that devices share.
@Suite struct TrainingLoopTests {
  @Test(arguments: [0, 1, 3]) func everyRowComesOnceInAnEpoch(_ ahead: Int) throws {
    let loader = try DataLoader(rows: 23, batch: 5, seed: 3, ahead: ahead) { $0 }
    #expect(loader.batches == 5)
    var orders: [[Int]] = []
    for epoch in 0..<2 {
      var (found, numbers) = ([Int](), [Int]())
      try loader.forEach(epoch: epoch) { number, rows in
        #expect(rows.count == (number < 4 ? 5 : 3))
        numbers.append(number)
        found += rows
      }
      #expect(numbers == Array(0..<5) && found.sorted() == Array(0..<23))
      #expect(try found == loader.order(ofEpoch: epoch))
      orders.append(found)
    }
    #expect(orders[0] != orders[1] && orders[0] != Array(0..<23))
    // An epoch goes on where it stopped.
    var rest: [Int] = []
    try loader.forEach(epoch: 1, from: 3) { _, rows in rest += rows }
    #expect(rest == Array(orders[1][15...]))
    let short = try DataLoader(rows: 23, batch: 5, dropsLast: true, ahead: ahead) { $0 }
    #expect(try short.batches == 4 && short.order(ofEpoch: 9) == Array(0..<23))
  }

  /// Where making or using a batch fails, nothing waits for what never comes.
  @Test func failuresEndALoader() throws {
    let failing = try DataLoader(rows: 100, batch: 1) { rows in
      guard rows[0] < 7 else { throw TesseraError.failure("a row", found: "\(rows[0])", wanted: "less") }
      return rows[0]
    }
    var seen = 0
    #expect(throws: TesseraError.self) { try failing.forEach(epoch: 0) { _, row in seen = row } }
    #expect(seen == 6)
    let endless = try DataLoader(rows: 1000, batch: 1) { $0[0] }
    #expect(throws: CancellationError.self) {
      try endless.forEach(epoch: 0) { number, _ in if number == 2 { throw CancellationError() } }
    }
  }

  @Test func batchesAreMadeAhead() throws {
    let made = Locked(0)
    let loader = try DataLoader(rows: 10, batch: 1, ahead: 4) { rows in
      made.withLock { $0 += 1 }
      return rows[0]
    }
    try loader.forEach(epoch: 0) { number, _ in
      guard number == 0 else { return }
      // One is in use, four lie ready; none is made beyond.
      let limit = ContinuousClock.now + .seconds(20)
      while made.withLock({ $0 }) < 5, ContinuousClock.now < limit { usleep(1000) }
      usleep(20_000)
      #expect(made.withLock { $0 } == 5)
    }
    #expect(made.withLock { $0 } == 10)
  }

  private struct Training {
    let device: any Backend
    let net: Sequential, optimizer: Adam, average: ExponentialAverage

    init(_ device: any Backend, seed: UInt64 = 2) throws {
      self.device = device
      let draw = Initializer(device: device, seed: seed)
      net = Sequential([
        try Linear(6, 8, draw), try BatchNorm2d(8, draw), Activation(.tanh), Dropout(0.25),
        try Linear(8, 3, draw),
      ])
      optimizer = try Adam(device: device, [.init(net.parameters, learningRate: 0.05)])
      average = try ExponentialAverage(device: device, net.parameters, decay: 0.5)
    }

    func run(_ steps: Range<Int>) throws {
      for step in steps {
        let context = Context(
          device: device, training: true, differentiable: true, seed: 4, step: UInt64(step))
        let losses = try TrainingLoopTests.losses(net, 0..<20, context)
        try context.backward(meanOf: losses)
        try optimizer.step()
        try average.update()
      }
    }

    var bits: [[UInt32]] {
      get throws {
        try (net.state.map(\.state.tensor) + optimizer.state.map(\.tensor) + average.state.map(\.tensor))
          .map { try device.floats($0).map(\.bitPattern) }
      }
    }
  }

  private static func losses(
    _ net: Sequential, _ samples: Range<Int>, _ context: Context
  ) throws -> Variable {
    let rows = drawn(1, 20 * 6)[samples.lowerBound * 6..<samples.upperBound * 6]
    let x = try context.variable(Array(rows), [samples.count, 6])
    return try Loss.crossEntropy(
      try net(x, context), labels: try context.device.tensor(samples.map { Int32($0 % 3) }))
  }

  @Test func aTrainingGoesOnToTheSameBits() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/training.safetensors"
      let (whole, first) = (try Training(try CPUBackend()), try Training(try CPUBackend()))
      try whole.run(0..<7)
      try first.run(0..<3)
      let saved = try TrainingCheckpoint.save(
        to: path, first.net, first.optimizer, average: first.average, on: first.device,
        metadata: ["epoch": "2"])
      // Another start, so that all has to come from the file; on OpenCL, where there is one.
      let device: any Backend =
        TestDevices.hasOpenCL ? try OpenCLBackend(TestDevices.first()) : try CPUBackend()
      let second = try Training(device, seed: 99)
      let metadata = try TrainingCheckpoint.load(
        from: path, second.net, second.optimizer, average: second.average, on: device)
      #expect(metadata == ["epoch": "2"] && second.optimizer.steps == 3)
      #expect(
        try TrainingCheckpoint.save(
          to: folder + "/again", second.net, second.optimizer, average: second.average, on: device) == saved)
      try second.run(3..<7)
      #expect(try second.bits == whole.bits)
    }
  }

  @Test func otherTrainingsAreNotReadAndChangeNothing() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/training.safetensors"
      let training = try Training(try CPUBackend())
      try training.run(0..<1)
      let before = try training.bits
      let device = training.device
      try TrainingCheckpoint.save(to: path, training.net, training.optimizer, on: device)
      // Averages that the file has not; a network and an optimiser of other names.
      #expect(throws: TesseraError.self) {
        try TrainingCheckpoint.load(
          from: path, training.net, training.optimizer, average: training.average, on: device)
      }
      let sgd = try SGD(device: device, [.init(training.net.parameters, learningRate: 0.1)], momentum: 0.9)
      #expect(throws: TesseraError.self) {
        try TrainingCheckpoint.load(from: path, training.net, sgd, on: device)
      }
      try training.net.save(to: folder + "/weights", on: device)
      let error = #expect(throws: TesseraError.self) {
        try TrainingCheckpoint.load(from: folder + "/weights", training.net, training.optimizer, on: device)
      }
      #expect("\(try #require(error))".contains("no training's checkpoint"))
      #expect(throws: TesseraError.self) {
        try TrainingCheckpoint.save(
          to: path, training.net, training.optimizer, on: device, metadata: ["steps": "x"])
      }
      #expect(try training.bits == before && training.optimizer.steps == 1)
    }
  }

  private static func shared(_ devices: [any Backend]) throws -> (bits: [[UInt32]], losses: [Float]) {
    let group = DeviceGroup(devices[0], helpers: Array(devices.dropFirst()))
    let training = try SharedTraining(group) { device in
      let draw = Initializer(device: device, seed: 6)
      let net = Sequential([
        try Linear(6, 8, draw), try BatchNorm2d(8, draw), Activation(.tanh), Dropout(0.5),
        try Linear(8, 3, draw),
      ])
      return (net, try Adam(device: device, [.init(net.parameters, learningRate: 0.02)]))
    }
    var losses: [Float] = []
    for step in 0..<4 {
      losses += try training.step(batch: 20, seed: 1, step: step, factor: 0.5, clippingTo: 0.5) {
        try Self.losses($0, $1, $2)
      }
    }
    for helper in training.helpers {
      for (mine, its) in zip(training.module.state, helper.module.state) {
        #expect(try devices[0].floats(mine.state.tensor) == helper.device.floats(its.state.tensor))
      }
    }
    return (
      try training.module.state.map { try devices[0].floats($0.state.tensor).map(\.bitPattern) }, losses
    )
  }

  @Test(.tags(.opencl)) func devicesThatShareBatchesHaveTheBitsOfOne() throws {
    let one = try Self.shared([try CPUBackend()])
    #expect(one.losses.count == 80)
    var groups: [[any Backend]] = [
      [try CPUBackend(threads: 1), try CPUBackend(threads: 1)],
      // More devices than groups of samples: one has none.
      try (0..<4).map { _ in try CPUBackend(threads: 1) },
    ]
    if TestDevices.hasOpenCL {
      groups.append([try CPUBackend(), try OpenCLBackend(TestDevices.first())])
    }
    for group in groups {
      let several = try Self.shared(group)
      #expect(several.bits == one.bits && several.losses == one.losses, "\(group.map(\.name))")
    }
  }

  @Test func failuresOfOneDeviceEndTheStep() throws {
    let devices: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 1)]
    let training = try SharedTraining(DeviceGroup(devices[0], helpers: [devices[1]])) { device in
      let net = Sequential([try Linear(6, 3, Initializer(device: device, seed: 6))])
      return (net, try Adam(device: device, [.init(net.parameters, learningRate: 0.02)]))
    }
    #expect(throws: TesseraError.self) {
      try training.step(batch: 20, step: 0) { net, samples, context in
        guard samples.lowerBound == 0 else {
          throw TesseraError.failure("a device", found: "nothing", wanted: "something")
        }
        return try Self.losses(net, samples, context)
      }
    }
    #expect(throws: TesseraError.self) {
      try training.step(batch: 0, step: 0) { try Self.losses($0, $1, $2) }
    }
  }
}
