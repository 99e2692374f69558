// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import TesseraNN
import TesseraVision
import Testing

@testable import TesseraPipeline

@Suite struct LinearProbeTests {
  /// Rows whose class is the sign of one direction, with `noise`.
  private func rows(_ count: Int, _ columns: Int, noise: Float) -> (features: [Float], labels: [Int32]) {
    var features = drawn(21, count * columns)
    let labels = (0..<count).map { Int32($0 * 3 % 7 % 2) }
    for row in 0..<count {
      for c in 0..<columns { features[row * columns + c] = noise * features[row * columns + c] + 5 }
      features[row * columns + 2] += labels[row] == 1 ? 0.5 : -0.5
    }
    return (features, labels)
  }

  private func accuracy(_ noise: Float, on device: any Backend) throws -> (share: Double, guesses: [Int32]) {
    let (features, labels) = rows(300, 20, noise: noise)
    let probe = try LinearProbe.fit(
      features: Floats(features), columns: 20, labels: labels, classes: 2, training: Array(0..<160),
      validation: Array(160..<200), on: device)
    let guesses = try probe.predict(
      features: Floats(features), columns: 20, rows: Array(200..<300), on: device)
    return (Double(zip(guesses, labels[200...]).count { $0 == $1 }) / 100, guesses)
  }

  @Test func aDirectionIsFound() throws {
    let clear = try accuracy(0.2, on: try CPUBackend()).share
    #expect(clear > 0.95)
    let noisy = try accuracy(0.8, on: try CPUBackend()).share
    #expect(noisy > 0.65 && noisy < 0.95)
  }

  @Test(.tags(.opencl)) func threadsAndOpenCLGiveTheSameGuesses() throws {
    let reference = try accuracy(2, on: try CPUBackend(threads: 1)).guesses
    #expect(try accuracy(2, on: try CPUBackend(threads: 3)).guesses == reference)
    if TestDevices.hasOpenCL {
      #expect(try accuracy(2, on: try OpenCLBackend(try TestDevices.first())).guesses == reference)
    }
  }

  /// 600 rows are three blocks, the last of which is short. With no room for them each evaluation reads them again.
  @Test func rowsThatAreKeptAndRowsThatAreReadAgainGiveTheSameBits() throws {
    let (features, labels) = rows(600, 5, noise: 1)
    let device = try CPUBackend(threads: 2)
    let (mean, scale) = ([Float](repeating: 5, count: 5), [Float](repeating: 1.5, count: 5))
    let (rows, order) = (FeatureRows(Floats(features), columns: 5), (0..<600).map { $0 * 7 % 600 })
    let solution = drawn(3, 12).map { Double($0) }
    let found = try [nil, 0].map { room in
      try ProbeProblem(
        rows.standardized(mean, scale), rows: order, labels: order.map { labels[$0] }, classes: 2, on: device,
        room: room
      ).evaluate(solution, penalty: 0.1)
    }
    #expect(found[0].value == found[1].value && found[0].gradient == found[1].gradient)
    // Against the formula in Double.
    var (loss, bias) = (0.0, [0.0, 0])
    for row in order {
      let x = (0..<5).map { (Double(features[row * 5 + $0]) - 5) * 1.5 }
      var z: [Double] = [solution[10], solution[11]]
      for c in 0..<2 {
        for at in 0..<5 { z[c] += solution[c * 5 + at] * x[at] }
      }
      let sum: Double = log(exp(z[0]) + exp(z[1]))
      loss += sum - z[Int(labels[row])]
      for c in 0..<2 { bias[c] += exp(z[c] - sum) - (Int(labels[row]) == c ? 1 : 0) }
    }
    let norm = solution[..<10].reduce(0) { $0 + $1 * $1 }
    #expect(abs(found[0].value - (loss / 600 + 0.05 * norm)) < 1e-5 * (1 + abs(loss / 600)))
    for c in 0..<2 { #expect(abs(found[0].gradient[10 + c] - bias[c] / 600) < 1e-5) }
  }

  private struct Weighted: Decodable {
    struct Fit: Decodable { let weights: [Double], coefficients: [Double], intercepts: [Double] }
    let rows: Int, columns: Int, penalty: Double, labels: [Int32], fits: [Fit]
  }

  /// Against scikit-learn's logistic regression with weights by class (tools/golden/class_weights.py).
  @Test func weightedFitsAreScikitLearns() throws {
    let golden = try Golden(.module).json("weighted_probe.json", as: Weighted.self)
    let (n, columns, device) = (golden.rows, golden.columns, try CPUBackend(threads: 2))
    let rows = FeatureRows(Floats(drawn(51, n * columns)), columns: columns)
      .standardized([Float](repeating: 0, count: columns), [Float](repeating: 1, count: columns))
    let names = ["a", "b", "c"]
    let balanced = try ClassWeights.balanced.weights(of: names, labels: golden.labels)
    for (own, wanted) in zip(balanced, golden.fits[0].weights) { #expect(abs(Double(own) - wanted) < 1e-6) }
    let named = try ClassWeights("a=0.5,b=3,c=1.25").weights(of: names, labels: golden.labels)
    for (fit, weights) in zip(golden.fits, [balanced, named]) {
      let problem = try ProbeProblem(
        rows, rows: Array(0..<n), labels: golden.labels, classes: 3, on: device, weights: weights)
      let found = try LBFGS().minimize(from: [Double](repeating: 0, count: 3 * (columns + 1))) {
        try problem.evaluate($0, penalty: golden.penalty)
      }
      let middle = found[(3 * columns)...].reduce(0, +) / 3
      for (at, wanted) in fit.coefficients.enumerated() { #expect(abs(found[at] - wanted) < 2e-3, "\(at)") }
      for (c, wanted) in fit.intercepts.enumerated() {
        #expect(abs(found[3 * columns + c] - middle - wanted) < 2e-3, "\(c)")
      }
    }
  }

  /// Of weights that are all the same nothing comes; of others the rare class is found more often.
  @Test func theRareClassIsFoundMoreOften() throws {
    let (features, classes) = rows(400, 12, noise: 1.5)
    let labels = classes.enumerated().map { $0 % 4 == 0 ? $1 : 0 }
    func guesses(_ weights: [Float]?) throws -> [Int32] {
      let device = try CPUBackend(threads: 2)
      let probe = try LinearProbe.fit(
        FeatureRows(Floats(features), columns: 12), labels: labels, classes: 2, training: Array(0..<240),
        validation: Array(240..<320), weights: weights, on: device)
      return try probe.predict(features: Floats(features), columns: 12, rows: Array(320..<400), on: device)
    }
    #expect(try guesses([4, 4]) == guesses(nil))
    let weights = try ClassWeights.balanced.weights(of: ["a", "b"], labels: labels[..<240])
    #expect(weights[1] > 3 * weights[0])
    #expect(try guesses(weights).count { $0 == 1 } > guesses(nil).count { $0 == 1 })
  }
}
