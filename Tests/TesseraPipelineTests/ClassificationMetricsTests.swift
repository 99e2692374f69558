// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TesseraPipeline

@Suite struct ClassificationMetricsTests {
  @Test func rocCountsPairsThatAreInOrder() {
    // Scores of class 1; one tie across classes counts half.
    let scores: [Float] = [0.9, 0.8, 0.7, 0.7, 0.4, 0.2]
    let labels: [Int32] = [1, 1, 0, 1, 0, 0]
    let metrics = ClassificationMetrics(scores.flatMap { [1 - $0, $0] }, labels: labels, classes: 2)
    #expect(abs(metrics.roc[1].area - 8.5 / 9) < 1e-12)
    #expect(abs(metrics.roc[0].area - metrics.roc[1].area) < 1e-12)
    #expect(
      metrics.roc[1].points.first == .init(x: 0, y: 0) && metrics.roc[1].points.last == .init(x: 1, y: 1))
    #expect(metrics.confusion == [[2, 1], [0, 3]])
  }

  @Test func calibrationIsBinnedByConfidence() {
    let scores: [Float] = [0.95, 0.93, 0.55, 0.52]
    let metrics = ClassificationMetrics(scores.flatMap { [1 - $0, $0] }, labels: [1, 0, 1, 1], classes: 2)
    #expect(metrics.calibration.map(\.count) == [2, 2])
    #expect(metrics.calibration.map(\.accuracy) == [1, 0.5])
    #expect(abs(metrics.calibrationError - (0.465 + 0.44) / 2) < 1e-6)
  }

  @Test func oneClassHasNoCurve() {
    let metrics = ClassificationMetrics([0.3, 0.7, 0.6, 0.4], labels: [1, 1], classes: 2)
    #expect(metrics.roc[1].area == 0.5)
  }

  @Test func numbersAndTextsForPages() {
    #expect(decimal(0.0449, 2) == "0.04" && decimal(-1.5, 1) == "-1.5" && decimal(12, 0) == "12")
    #expect(decimal(-0.001, 2) == "0.00" && decimal(.nan) == "-")
    #expect(escaped("<a b=\"c\">&\u{7}\n") == "&lt;a b=&quot;c&quot;&gt;&amp; ")
  }
}
