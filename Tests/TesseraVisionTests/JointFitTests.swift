// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraNN
import Testing

@testable import TesseraVision

/// The joint fit against its definition, computed in Double from the slice's outputs.
@Suite struct JointFitTests {
  private static let side = 12, rows = 300
  private let area = Self.side * Self.side

  private func network(_ device: any Backend, path: Bool) throws -> ImageClassifier {
    var options = NetworkOptions()
    (options.head, options.bypass, options.start) = (.linear, path, .joint)
    return try ImageClassifier(
      .alexnet, classes: 3, pixels: Self.side, options: options, seed: 3, device: device)
  }

  /// Rows whose class follows from two pixels and their product, with two pixels that never change.
  private func plan() -> TrainingPlan {
    var images = drawn(11, Self.rows * area, -1, 1)
    var labels: [Int32] = []
    for row in 0..<Self.rows {
      (images[row * area], images[row * area + 7]) = (0.5, 0)
      let (a, b) = (images[row * area + 1], images[row * area + 2])
      labels.append(a * b > 0.1 ? 2 : a > 0 ? 1 : 0)
    }
    return TrainingPlan(
      images: images, labels: labels, training: (0..<Self.rows).filter { $0 % 10 != 3 },
      validation: (0..<Self.rows).filter { $0 % 10 == 3 })
  }

  private func fit(_ network: ImageClassifier, _ plan: TrainingPlan, _ penalties: [Double]) throws {
    let store = try FeatureStore.make(network, plan, DeviceGroup(network.device))
    try JointFit(network, plan, store, penalties: penalties).run()
  }

  private func state(_ network: ImageClassifier) throws -> [String: [Double]] {
    try Dictionary(
      uniqueKeysWithValues: network.state.map {
        ($0.name, try network.device.floats($0.tensor).map { Double($0) })
      })
  }

  /// A matrix of inputs, row by row: pixels if there is a path, then the slice's outputs.
  private func inputs(_ network: ImageClassifier, _ plan: TrainingPlan, path: Bool) throws -> [[Double]] {
    try (0..<Self.rows).map { row in
      let image = plan.images.gather([row])
      let outputs = try network.device.floats(try network.features(of: image[...]))
      return (path ? image.map { Double($0) } : []) + outputs.map { Double($0) }
    }
  }

  /// The gradient of the penalised loss by standardised weights is next to nothing.
  @Test(arguments: [true, false], [0.1, 0.01]) func itIsTheMinimum(_ path: Bool, _ penalty: Double) throws {
    try checkMinimum(path, penalty, weights: nil)
  }

  @Test func itIsTheMinimumWhereClassesHaveWeights() throws {
    try checkMinimum(true, 0.05, weights: [0.25, 2, 3])
  }

  private func checkMinimum(_ path: Bool, _ penalty: Double, weights: [Float]?) throws {
    let network = try network(try CPUBackend(), path: path)
    var plan = plan()
    plan.classWeights = weights
    func counts(_ row: Int) -> Double { Double(weights?[Int(plan.labels[row])] ?? 1) }
    let all = plan.training.reduce(0.0) { $0 + counts($1) }
    let x = try inputs(network, plan, path: path)
    try fit(network, plan, [penalty])
    let found = try state(network)
    let (own, slice) = (path ? area : 0, x[0].count - (path ? area : 0))
    let n = Double(plan.training.count)
    let columns = x[0].indices
    let mean = columns.map { j in plan.training.reduce(0.0) { $0 + x[$1][j] } / n }
    let deviation = columns.map { j in
      (plan.training.reduce(0.0) { $0 + (x[$1][j] - mean[j]) * (x[$1][j] - mean[j]) } / n).squareRoot()
    }
    let share = path ? 0.5 * (Double(own) / Double(slice)).squareRoot() : 1
    let weight = (0..<3).map { c in
      (path ? Array((found["bypass.weight"] ?? [])[c * area..<(c + 1) * area]) : [])
        + (found["classifier.1.weight"] ?? [])[c * slice..<(c + 1) * slice]
    }
    let bias = found[path ? "bypass.bias" : "classifier.1.bias"] ?? []
    var gradient = [[Double]](repeating: [Double](repeating: 0, count: x[0].count), count: 3)
    for row in plan.training {
      let scores = (0..<3).map { c in zip(weight[c], x[row]).reduce(bias[c]) { $0 + $1.0 * $1.1 } }
      let largest = scores.max() ?? 0
      let sum = scores.reduce(0) { $0 + exp($1 - largest) }
      for c in 0..<3 {
        let slope = (exp(scores[c] - largest) / sum - (plan.labels[row] == c ? 1 : 0)) * counts(row) / all
        for j in columns where deviation[j] > 0 { gradient[c][j] += slope * (x[row][j] - mean[j]) }
      }
    }
    for c in 0..<3 {
      for j in columns {
        guard deviation[j] > 0 else {
          #expect(weight[c][j] == 0, "input \(j) never changes")
          continue
        }
        let scale = (j < own ? 1 : share) / deviation[j]
        let slope = gradient[c][j] * scale + penalty * weight[c][j] / scale
        guard abs(slope) > 3e-4 else { continue }
        Issue.record("class \(c), input \(j) of \(x[0].count): slope \(slope)")
        return
      }
    }
  }

  /// The network says what pixels and outputs say through the fitted weights: its batch norm changes nothing.
  @Test(arguments: [true, false]) func theNetworkIsTheFit(_ path: Bool) throws {
    let network = try network(try CPUBackend(), path: path)
    let plan = plan()
    try fit(network, plan, [0.03])
    let (x, found) = (try inputs(network, plan, path: path), try state(network))
    let slice = x[0].count - (path ? area : 0)
    let told = try network.logProbabilities(plan.images.gather(0..<plan.images.count))
    for row in 0..<Self.rows {
      let scores = (0..<3).map { c in
        var score = (found["bypass.bias"]?[c] ?? 0) + (found["classifier.1.bias"]?[c] ?? 0)
        for (j, value) in x[row].enumerated() {
          score +=
            value
            * (path && j < area
              ? (found["bypass.weight"]?[c * area + j] ?? 0)
              : (found["classifier.1.weight"]?[c * slice + j - (path ? area : 0)] ?? 0))
        }
        return score
      }
      let largest = scores.max() ?? 0
      let norm = log(scores.reduce(0) { $0 + exp($1 - largest) }) + largest
      for c in 0..<3 { #expect(abs(Double(told[row * 3 + c]) - (scores[c] - norm)) < 2e-4) }
    }
  }

  /// What a product of pixels decides, the slice can learn and the path cannot.
  @Test func thePenaltyIsTheBestOnValidation() throws {
    let plan = plan()
    func right(_ penalties: [Double]) throws -> Int {
      let network = try network(try CPUBackend(), path: true)
      try fit(network, plan, penalties)
      let told = try network.logProbabilities(plan.images.gather(0..<plan.images.count))
      return plan.validation.count { row in
        let scores = told[row * 3..<row * 3 + 3]
        return scores.firstIndex(of: scores.max() ?? 0) == scores.startIndex + Int(plan.labels[row])
      }
    }
    let each = try JointFit.penalties.map { try right([$0]) }
    // Later ones begin where earlier ones ended, so that a row on the edge may fall to either side.
    #expect(abs(try right(JointFit.penalties) - (each.max() ?? 0)) <= 1, "\(each)")
  }

  @Test(.tags(.opencl)) func noDeviceThreadOrMemoryChangesABit() throws {
    let plan = plan()
    func bits(_ device: any Backend, _ limits: FeatureLimits = .init()) throws -> [UInt32] {
      var limited = plan
      limited.limits = limits
      let network = try network(device, path: true)
      try fit(network, limited, [0.1, 0.03])
      return try network.state.flatMap { try device.floats($0.tensor).map(\.bitPattern) }
    }
    let wanted = try bits(try CPUBackend(threads: 1))
    #expect(try bits(try CPUBackend(threads: 3)) == wanted)
    #expect(try bits(try CPUBackend(threads: 2), .none) == wanted)
    if TestDevices.hasOpenCL { #expect(try bits(try OpenCLBackend(try TestDevices.first())) == wanted) }
  }

  @Test func itNeedsALinearHead() throws {
    var options = NetworkOptions()
    options.start = .joint
    #expect(throws: TesseraError.self) { try options.check() }
    #expect(throws: TesseraError.self) {
      try ImageClassifier(
        .alexnet, classes: 2, pixels: 50, options: options, seed: 1, device: try CPUBackend())
    }
  }
}
