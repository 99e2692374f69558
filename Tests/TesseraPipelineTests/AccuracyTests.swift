// SPDX-License-Identifier: Apache-2.0
import Foundation
import TesseraNN
import Testing

@testable import TesseraPipeline

@Suite("Accuracy")
struct AccuracyTests {
  // Values of scipy.stats.binomtest(a, b).proportion_ci(method="wilson").
  @Test(arguments: [(835, 1000, 0.810_720_8, 0.856_715_3), (0, 10, 0, 0.277_533), (10, 10, 0.722_467, 1)])
  func wilsonInterval(correct: Int, total: Int, low: Double, high: Double) {
    let accuracy = Accuracy(correct: correct, total: total)
    #expect(abs(accuracy.interval.low - low) < 1e-5)
    #expect(abs(accuracy.interval.high - high) < 1e-5)
  }

  @Test func describesItselfInOneLine() {
    #expect(
      Accuracy(correct: 835, total: 1000).description == "0.835 (95% 0.811 to 0.857, 835 of 1000)")
    #expect(Accuracy(predicted: [0, 1, 1], truth: [0, 1, 0]) == Accuracy(correct: 2, total: 3))
  }
}

@Suite("L-BFGS")
struct LBFGSTests {
  @Test func findsTheMinimumOfRosenbrock() {
    let minimum = LBFGS(maxIterations: 200, tolerance: 1e-9).minimize(from: [-1.2, 1]) { x in
      let (a, b) = (1 - x[0], x[1] - x[0] * x[0])
      return (a * a + 100 * b * b, [-2 * a - 400 * x[0] * b, 200 * b])
    }
    #expect(abs(minimum[0] - 1) < 1e-6 && abs(minimum[1] - 1) < 1e-6)
  }

  @Test(arguments: [(5, 2), (-1, 2), (Int.max, 1), (Int.min, Int.max)])
  func countsOfABrokenRecordAreToldOrRefusedAndNeverTrap(correct: Int, total: Int) {
    #expect(Accuracy(correct: correct, total: total).description.hasSuffix("\(correct) of \(total))"))
    let record = Data("{\"correct\":\(correct),\"total\":\(total)}".utf8)
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(Accuracy.self, from: record) }
  }
}
