// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraCompute
import Testing

@testable import TesseraVision

@Suite struct ClassWeightsTests {
  private let names = ["bad", "good, really", "a=b"]

  @Test func weightsAreReadByName() throws {
    let some = try ClassWeights(#"bad=2.5,good\, really=0.25"#)
    #expect(try some.weights(of: names, labels: []) == [2.5, 0.25, 1])
    #expect(try ClassWeights(#"a\=b=3"#).weights(of: names, labels: []) == [1, 1, 3])
    let text = try JSONEncoder().encode(["w": some])
    #expect(try JSONDecoder().decode([String: ClassWeights].self, from: text) == ["w": some])
  }

  @Test func balancedWeightsMakeClassesCountAlike() throws {
    let labels: [Int32] = [0, 0, 0, 0, 0, 0, 2, 2, -1]
    let weights = try ClassWeights("balanced").weights(of: names, labels: labels)
    // Eight rows of two classes, 6 and 2.
    let wanted: [Float] = [Float(8.0 / 12), 1, 2]
    #expect(weights == wanted)
    #expect(try ClassWeights("balanced") == .balanced)
  }

  @Test(arguments: [
    "", "bad", "bad=", "bad=x", "bad=0", "bad=-1", "bad=nan", "bad=inf", "bad=1e7", "bad=1,,", "=1,=2",
    "bad=1,bad=2",
    "bad=1=2", "none",
  ])
  func brokenWeightsAreRefused(_ text: String) {
    let error = #expect(throws: TesseraError.self) { try ClassWeights(text) }
    #expect(error?.place == "class-weights", "\(error?.description ?? "")")
  }

  @Test func namesThatAreNoClassAreRefused() throws {
    let error = #expect(throws: TesseraError.self) {
      try ClassWeights("worse=2").weights(of: names, labels: [])
    }
    #expect(error?.description.contains("a weight for worse, wanted classes: bad, ") == true)
    var options = TrainingOptions()
    (options.classWeights, options.labelSmoothing) = (.balanced, 0.1)
    #expect(throws: TesseraError.self) { try options.check() }
  }

  @Test func factorsHaveTheMeanOne() {
    let labels: [Int32] = [0, 1, 1, 0, 0, 0]
    let factors = LossFactors([1, 5], labels: labels).of(labels)
    #expect(abs(factors.reduce(0, +) - 6) < 1e-6 && factors[1] == 5 * factors[0])
    #expect(LossFactors([2, 3], labels: []).of([]).isEmpty)
  }

  @Test func aPlanWithWrongWeightsIsRefused() throws {
    let device = try CPUBackend(threads: 1)
    let network = try ImageClassifier(.alexnet, classes: 2, pixels: 16, seed: 1, device: device)
    for weights in [[1], [1, 2, 3], [1, 0], [1, .nan], [1, -2]] as [[Float]] {
      var plan = TrainingPlan(
        images: [Float](repeating: 0, count: 2 * 256), labels: [0, 1], training: [0, 1], validation: [])
      plan.classWeights = weights
      #expect(throws: TesseraError.self) { try Trainer(network, plan) }
    }
  }
}
