// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraNN
import Testing

@testable import TesseraVision

/// Upsampling, the linear path around the slice, noise on the pixels.
@Suite struct NetworkOptionTests {
  private func network(_ device: any Backend, upsampling: Int = 1, bypass: Bool = true) throws
    -> ImageClassifier
  {
    var options = NetworkOptions()
    (options.upsampling, options.bypass) = (upsampling, bypass)
    return try ImageClassifier(
      .shuffleNet, classes: 3, pixels: 104, options: options, seed: 1, device: device)
  }

  @Test func theBypassAddsItsProduct() throws {
    let device = try CPUBackend()
    let (plain, with) = (try network(device, bypass: false), try network(device))
    let area = 104 * 104
    let images = drawn(2, 2 * area)
    let logits = { (network: ImageClassifier) throws -> [Float] in
      let x = try device.tensor(images, [2, 1, 104, 104])
      let features = Variable(try network.features(x))
      return try device.floats(try network.logits(features, images: x, Context(device: device)).value)
    }
    let before = try logits(plain)
    #expect(try logits(with) == before)
    let weight = drawn(3, 3 * area, -0.01, 0.01)
    let bias: [Float] = [0.5, -1, 2]
    for (name, tensor) in with.state where name.hasPrefix("bypass.") {
      let values = name == "bypass.weight" ? weight : bias
      try values.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
    }
    for (i, found) in try logits(with).enumerated() {
      let (row, c) = (i / 3, i % 3)
      let product = (0..<area).reduce(0.0) {
        $0 + Double(images[row * area + $1]) * Double(weight[c * area + $1])
      }
      #expect(abs(Double(found) - Double(before[i]) - product - Double(bias[c])) < 1e-4)
    }
  }

  @Test func itStartsAsTheBypassAloneAndKeepsThatIfNothingIsBetter() throws {
    let device = try CPUBackend()
    let network = try network(device)
    let area = 104 * 104
    let images = drawn(2, 6 * area)
    let (weight, bias): ([Float], [Float]) = (drawn(3, 3 * area, -0.01, 0.01), [0.5, -1, 0])
    try network.startFromBypass(weight: weight, bias: bias)
    let scores = (0..<6).map { row in
      (0..<3).map { c in
        Double(bias[c])
          + (0..<area).reduce(0.0) { $0 + Double(images[row * area + $1]) * Double(weight[c * area + $1]) }
      }
    }
    let probabilities = try network.logProbabilities(images)
    for row in 0..<6 {
      let norm = scores[row].reduce(0.0) { $0 + exp($1) }
      for c in 0..<3 {
        #expect(abs(exp(scores[row][c]) / norm - exp(Double(probabilities[row * 3 + c]))) < 1e-4)
      }
    }
    // Validation rows are what the bypass says: nothing can be better than epoch 0.
    let labels = scores.map { row in Int32(row.indices.max { row[$0] < row[$1] } ?? 0) }
    var plan = TrainingPlan(
      images: images, labels: labels, training: [0, 1, 2], validation: [3, 4, 5])
    (plan.options.epochs, plan.options.batch, plan.keepsStart) = (1, 3, true)
    (plan.options.convolutionRate, plan.options.classifierRate) = (1e-2, 1e-2)
    try withTemporaryFolder { folder in
      let trainer = try Trainer(network, plan, checkpoint: Checkpoint(folder: folder, key: "a"))
      try trainer.run()
      #expect(trainer.history.first?.correct == 3)
      #expect(try network.logProbabilities(images) == probabilities)
    }
    #expect(throws: TesseraError.self) { try network.startFromBypass(weight: [1], bias: bias) }
    #expect(throws: TesseraError.self) {
      try self.network(device, bypass: false).startFromBypass(weight: weight, bias: bias)
    }
  }

  @Test func theStartIsLeftForMoreThanAStandardErrorAlone() throws {
    // Rows whose class is the sign of their first pixel; the start calls all of them class 0.
    let (area, count) = (24 * 24, 48)
    var images = drawn(6, count * area, -0.1, 0.1)
    for row in 0..<count { for p in 0..<area { images[row * area + p] += row % 2 == 0 ? 1 : -1 } }
    var options = NetworkOptions()
    (options.head, options.bypass) = (.linear, true)
    for (rate, isLeft) in [(Float(0), false), (1e-3, true)] {
      let network = try ImageClassifier(
        .shuffleNet, classes: 2, pixels: 24, options: options, seed: 1, device: try CPUBackend())
      try network.startFromBypass(weight: [Float](repeating: 0, count: 2 * area), bias: [0.01, 0])
      var plan = TrainingPlan(
        images: images, labels: (0..<count).map { Int32($0 % 2) }, training: Array(0..<32),
        validation: Array(32..<48))
      (plan.options.epochs, plan.options.batch, plan.keepsStart) = (6, 8, true)
      (plan.options.convolutionRate, plan.options.classifierRate) = (rate, rate)
      try withTemporaryFolder { folder in
        let trainer = try Trainer(network, plan, checkpoint: Checkpoint(folder: folder, key: "a"))
        try trainer.run()
        #expect(trainer.history.first?.correct == 8)
        let kept = try TensorFile.open(folder + "/best.safetensors").metadata["epoch"]
        #expect((kept != "0") == isLeft, "\(trainer.history.map(\.correct))")
      }
    }
  }

  @Test func anUpsamplingOutOfRangeIsRefused() throws {
    let device = try CPUBackend()
    for factor in [0, -1, 9] {
      #expect(throws: TesseraError.self) { try network(device, upsampling: factor) }
    }
    // 40 pixels leave nothing of the head's convolutions unless they are upsampled.
    #expect(throws: TesseraError.self) {
      var options = NetworkOptions()
      options.upsampling = 1
      return try ImageClassifier(
        .shuffleNet, classes: 2, pixels: 40, options: options, seed: 1, device: device)
    }
  }

  @Test(arguments: Architecture.allCases) func theLinearHeadIsLogisticRegressionOnTheSlice(
    _ architecture: Architecture
  ) throws {
    let device = try CPUBackend()
    var options = NetworkOptions()
    options.head = .linear
    let network = try ImageClassifier(
      architecture, classes: 2, pixels: 12, options: options, seed: 3, device: device)
    let images = drawn(8, 144)
    let features = try device.floats(try network.features(try device.tensor(images, [1, 1, 12, 12])))
    let state = Dictionary(uniqueKeysWithValues: network.state.map { ($0.name, $0.tensor) })
    #expect(try network.logProbabilities(images).allSatisfy { abs($0 + 0.6931472) < 1e-6 })
    let (weight, bias): ([Float], [Float]) = (drawn(9, 2 * features.count), [0.25, -0.5])
    for (name, values) in [("classifier.1.weight", weight), ("classifier.1.bias", bias)] {
      let tensor = try #require(state[name])
      #expect(tensor.count == values.count)
      try values.withUnsafeBytes { try device.upload($0, to: tensor, offset: 0) }
    }
    // In evaluation mode a new batch norm divides by sqrt(1 + 1e-5).
    let scores = (0..<2).map { c in
      features.indices.reduce(Double(bias[c])) {
        $0 + Double(features[$1]) / (1 + 1e-5).squareRoot() * Double(weight[c * features.count + $1])
      }
    }
    let found = try network.logProbabilities(images)
    #expect(abs(Double(found[1] - found[0]) - (scores[1] - scores[0])) < 1e-3)
  }

  @Test(.tags(.opencl)) func noiseAndBypassChangeNoBitBetweenDevices() throws {
    var devices: [any Backend] = [try CPUBackend(threads: 1), try CPUBackend(threads: 2)]
    if TestDevices.hasOpenCL { devices.append(try OpenCLBackend(try TestDevices.first())) }
    let area = 104 * 104
    var plan = TrainingPlan(
      images: drawn(4, 12 * area), labels: (0..<12).map { Int32($0 % 3) }, training: Array(0..<8),
      validation: Array(8..<12))
    (plan.options.epochs, plan.options.batch, plan.options.noise) = (1, 4, 0.5)
    (plan.options.convolutionRate, plan.options.classifierRate) = (1e-3, 1e-3)
    plan.keepsStart = true
    let results = try devices.map { device in
      let network = try network(device)
      try network.startFromBypass(weight: drawn(5, 3 * area, -0.01, 0.01), bias: [0, 1, -1])
      let trainer = try Trainer(network, plan)
      try trainer.run()
      #expect(trainer.history.map(\.epoch) == [0, 1])
      return try network.state.flatMap { try device.floats($0.tensor).map(\.bitPattern) }
    }
    for result in results.dropFirst() { #expect(result == results[0]) }
    plan.options.noise = 0
    let quiet = try network(devices[0])
    try Trainer(quiet, plan).run()
    #expect(try quiet.state.flatMap { try devices[0].floats($0.tensor).map(\.bitPattern) } != results[0])
  }
}
