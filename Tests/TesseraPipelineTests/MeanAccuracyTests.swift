// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TesseraPipeline

/// The mean over seeds with its interval.
@Suite struct MeanAccuracyTests {
  @Test func itIsStudents() {
    // scipy.stats.t.interval(0.95, 3, loc=0.79, scale=scipy.stats.sem([0.78, 0.80, 0.81, 0.77]))
    let mean = MeanAccuracy([78, 80, 81, 77].map { Accuracy(correct: $0, total: 100) })
    #expect(abs(mean.mean - 0.79) < 1e-12)
    #expect(abs(mean.half - 0.029055) < 1e-5)
    #expect(mean.description == "0.790 +- 0.029 over 4 seeds")
  }

  @Test func oneSeedHasNoInterval() {
    #expect(MeanAccuracy([Accuracy(correct: 3, total: 4)]).description == "0.750 +- 0.000 over 1 seeds")
    #expect(MeanAccuracy([]).mean == 0)
  }
}
