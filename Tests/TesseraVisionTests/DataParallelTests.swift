// SPDX-License-Identifier: Apache-2.0
import TestSupport
import TesseraCompute
@testable import TesseraNN
import Testing

@testable import TesseraVision

/// Batches that several devices share: the bits of one device that has them whole.
@Suite struct BatchSplittingTests {
  private static let pixels = 34, rows = 52

  private func groups() throws -> [DeviceGroup] {
    let (one, three) = (try CPUBackend(threads: 1), try CPUBackend(threads: 3))
    guard TestDevices.hasOpenCL else { return [DeviceGroup(one, helpers: [three])] }
    let opencl = try OpenCLBackend(try TestDevices.first())
    return [DeviceGroup(one, helpers: [opencl]), DeviceGroup(opencl, helpers: [three, one])]
  }

  private func plan(_ slice: BackboneMode) -> TrainingPlan {
    var plan = TrainingPlan(
      images: drawn(11, Self.rows * Self.pixels * Self.pixels), labels: (0..<Self.rows).map { Int32($0 % 3) },
      training: Array(0..<44), validation: Array(44..<Self.rows))
    // A last batch of 4: fewer groups than devices.
    (plan.options.epochs, plan.options.batch, plan.options.slice, plan.limits) = (1, 20, slice, .none)
    return plan
  }

  private func bits(
    _ architecture: Architecture, _ plan: TrainingPlan, _ devices: DeviceGroup, _ splitting: DataParallelMode,
    head: Head = .paper, products: Products = .fp32
  ) throws -> [UInt32] {
    var options = NetworkOptions()
    (options.head, options.bypass, options.products) = (head, true, products)
    let network = try ImageClassifier(
      architecture, classes: 3, pixels: Self.pixels, options: options, seed: 5, device: devices.main)
    let trainer = try Trainer(network, plan, helpers: devices.helpers, splitting: splitting)
    try trainer.run()
    let loss = try #require(trainer.history.last?.loss)
    return try network.state.flatMap { try devices.main.floats($0.tensor).map(\.bitPattern) }
      + [UInt32(truncatingIfNeeded: loss.bitPattern), UInt32(loss.bitPattern >> 32)]
  }

  @Test(
    .tags(.slow, .opencl),
    arguments: [
      (Architecture.alexnet, BackboneMode.frozen, Float(0.1)), (.alexnet, .trainable, 0),
      (.shuffleNet, .trainable, 0), (.shuffleNet, .batchNormOnly, 0), (.alexnetBVLC, .trainable, 0),
    ])
  func everyDivisionGivesTheSameBits(_ architecture: Architecture, _ slice: BackboneMode, _ noise: Float)
    throws
  {
    var plan = plan(slice)
    plan.options.noise = noise
    let wanted = try bits(architecture, plan, DeviceGroup(try CPUBackend()), .never)
    for devices in try groups() {
      #expect(try bits(architecture, plan, devices, .always) == wanted, "\(devices.name)")
    }
  }

  /// Exact sums are those of samples and of groups of 8, whatever part of a batch a device has.
  @Test(.tags(.opencl), arguments: [Products.s3, .s2])
  func exactSumsAreThoseOfTheWholeBatch(_ products: Products) throws {
    var plan = plan(.trainable)
    plan.options.batch = 44
    let wanted = try bits(.alexnet, plan, DeviceGroup(try CPUBackend()), .never, products: products)
    #expect(try bits(.alexnet, plan, DeviceGroup(try CPUBackend()), .never) != wanted)
    for devices in try groups() {
      let found = try bits(.alexnet, plan, devices, .always, products: products)
      #expect(found == wanted, "\(devices.name)")
    }
  }

  /// The mean is over the weights of the whole batch, whatever part of it a device has.
  @Test(.tags(.opencl)) func weightsOfClassesAreThoseOfTheWholeBatch() throws {
    var plan = plan(.trainable)
    let alike = try bits(.alexnet, plan, DeviceGroup(try CPUBackend()), .never)
    plan.classWeights = [0.3, 1, 7.7]
    let wanted = try bits(.alexnet, plan, DeviceGroup(try CPUBackend()), .never)
    #expect(wanted != alike)
    for devices in try groups() {
      #expect(try bits(.alexnet, plan, devices, .always) == wanted, "\(devices.name)")
    }
  }

  @Test(.tags(.opencl)) func whatIsMeasuredChangesNoBit() throws {
    var plan = plan(.trainable)
    // Two batches of 24 an epoch: every way is tried, some from the middle of an epoch on, and the best one
    // goes on.
    (plan.options.batch, plan.training, plan.options.epochs) = (24, Array(0..<48), 6)
    let wanted = try bits(.alexnet, plan, DeviceGroup(try CPUBackend()), .never)
    for devices in try groups() {
      #expect(try bits(.alexnet, plan, devices, .measured) == wanted, "\(devices.name)")
    }
  }

  @Test(.tags(.opencl)) func featuresOfTheHostsAreSharedAndThoseOfADeviceAreNot() throws {
    var plan = plan(.frozen)
    let wanted = try bits(.alexnet, plan, DeviceGroup(try CPUBackend()), .never, head: .linear)
    for devices in try groups() {
      for (device, host) in [(0, 1 << 30), (1 << 30, 0)] {
        (plan.limits.device, plan.limits.host) = (device, host)
        #expect(try bits(.alexnet, plan, devices, .always, head: .linear) == wanted, "\(devices.name)")
      }
    }
  }

  @Test func partsAreWholeGroups() {
    func parts(_ weights: [Double], _ batch: Int) -> [Range<Int>] {
      BatchDivision(devices: Array(weights.indices), weights: weights).parts(of: batch, group: 8)
    }
    #expect(parts([1, 1], 32) == [0..<16, 16..<32])
    #expect(parts([1, 1], 20) == [0..<16, 16..<20])
    #expect(parts([3, 1], 32) == [0..<24, 24..<32])
    #expect(parts([1, 1, 1], 9) == [0..<8, 8..<8, 8..<9])
    #expect(parts([1, 1], 4) == [0..<4, 4..<4] || parts([1, 1], 4) == [0..<0, 0..<4])
    #expect(parts([0, 0], 16) == [0..<16, 16..<16])
    for batch in 0..<70 {
      for weights in [[1.0], [1, 2], [5, 1, 1], [0.1, 0.9, 3, 2]] {
        let all = parts(weights, batch)
        #expect(all.first?.lowerBound == 0 && all.last?.upperBound == batch)
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(all.dropFirst().allSatisfy { $0.lowerBound % 8 == 0 || $0.isEmpty }, "\(all)")
      }
    }
  }

  @Test func sharesFollowSpeed() {
    let even = BatchDivision.even(3)
    // A device that is a hundred times as slow gets nothing and leaves.
    #expect(even.bySpeed([1, 1, 100], batch: 96, group: 8).devices == [0, 1])
    let shares = even.bySpeed([1, 2, 1], batch: 96, group: 8)
    #expect(shares.parts(of: 96, group: 8).map(\.count) == [40, 16, 40])
    // The main device stays, with what it can do.
    #expect(even.bySpeed([100, 1, 1], batch: 96, group: 8).devices == [0, 1, 2])
  }

  @Test(.tags(.opencl)) func sumsAreOfGroupsInOrder() throws {
    let exchange = try AllReduce(parts: 3)
    let devices = DeviceGroup(
      try CPUBackend(threads: 1), helpers: [try CPUBackend(threads: 1), try CPUBackend(threads: 1)])
    // A chain cancels what a compensated sum keeps: the second list's sums are exact.
    let values: [GroupSums: [Float]] = [
      .chain: [1e8, 1, -1e8, 1, 3e-8, -0.0], .compensated: [3e7, 1, 1, 1, 1, 1.5],
    ]
    let workers = devices.all.enumerated().map { (device: $1, worker: $0) }
    let sums = try devices.runConcurrently(workers) { number, _ in
      let device = devices.all[number]
      let memory = BatchShard.Staging()
      return try (0..<3).map { turn in
        let part = try BatchShard(
          number * 16..<number * 16 + 16, of: 48, exchange, number: number, memory: memory)
        return try [GroupSums.chain, .compensated].map { kind in
          let groups = try (0..<2).map {
            [try device.tensor([(values[kind]?[number * 2 + $0] ?? 0) + Float(turn)], [1])]
          }
          return try part.sums(groups, counts: [1], by: kind, on: device)[0]
        }
      }
    } failed: {
      exchange.cancel()
    }
    for turn in 0..<3 {
      let terms = values.mapValues { $0.map { $0 + Float(turn) } }
      let chain = terms[.chain]?.reduce(Float(0), +)
      let exact = terms[.compensated].map { Float($0.reduce(0) { $0 + Double($1) }) }
      #expect(sums.allSatisfy { $0[turn][0].bitPattern == chain?.bitPattern }, "\(sums)")
      #expect(sums.allSatisfy { $0[turn][1].bitPattern == exact?.bitPattern }, "\(sums)")
    }
  }

  @Test func aFailureEndsTheWaitOfTheOthers() throws {
    let exchange = try AllReduce(parts: 2)
    let devices = DeviceGroup(try CPUBackend(threads: 1), helpers: [try CPUBackend(threads: 1)])
    let workers = devices.all.enumerated().map { (device: $1, worker: $0) }
    let error = #expect(throws: TesseraError.self) {
      _ = try devices.runConcurrently(workers) { number, _ in
        guard number == 1 else {
          let part = try BatchShard(0..<8, of: 16, exchange, number: 0, memory: .init())
          return try part.sums([], counts: [4], by: .chain, on: devices.main).count
        }
        throw TesseraError.device("here", found: "a fault")
      } failed: {
        exchange.cancel()
      }
    }
    #expect(error?.place == "here")
  }
}
