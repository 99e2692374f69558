// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import TesseraCompute
import Testing

@testable import TesseraPipeline

/// Measures by class against scikit-learn (tools/golden/measures.py).
@Suite struct ClassMeasuresTests {
  private struct Case: Decodable {
    let labels: [Int32], scores: [Float], classes: Int
    let precision: [Double?], recall: [Double?], f1: [Double?], areas: [Double?]
    let balanced: Double, macro: Double, matthews: Double, loss: Double
    let confusion: [[Int]]

    var names: [String] { (0..<classes).map { "class \($0)" } }
    var predicted: [Int32] { Predictions.classes(of: scores, classes: classes) }

    func measures() throws -> ClassMeasures {
      try #require(
        try ClassMeasures.make(predicted: predicted, truth: labels, scores: scores, names: names))
    }
  }

  private let cases = Result { try Golden(.module).json("measures.json", as: [Case].self) }

  @Test(arguments: 0..<8) func measuresAreScikitLearns(_ index: Int) throws {
    let wanted = try cases.get()[index]
    let found = try wanted.measures()
    func same(_ a: Double?, _ b: Double?, _ what: String) {
      #expect(
        a == nil && b == nil || abs((a ?? .nan) - (b ?? .nan)) < 1e-12, "\(what): \(a as Any), \(b as Any)")
    }
    for (c, one) in found.classes.enumerated() {
      same(one.precision?.value, wanted.precision[c], "precision of \(c)")
      same(one.recall?.value, wanted.recall[c], "recall of \(c)")
      same(one.f1?.value, wanted.f1[c], "F1 of \(c)")
      #expect(one.rows == wanted.confusion[c].reduce(0, +) && one.correct == wanted.confusion[c][c])
      #expect(one.predicted == wanted.confusion.reduce(0) { $0 + $1[c] } && one.name == "class \(c)")
      #expect(one.isNeverPredicted == (one.rows > 0 && one.predicted == 0))
    }
    same(found.balancedAccuracy.value, wanted.balanced, "balanced accuracy")
    same(found.macroF1.value, wanted.macro, "macro F1")
    same(found.matthews.value, wanted.matthews, "Matthews")
    #expect(abs((found.logLoss?.value ?? .nan) - wanted.loss) < 1e-6)
    #expect(found.confusion == wanted.confusion)
    let metrics = ClassificationMetrics(
      wanted.scores.map { Float(exp(Double($0))) }, labels: wanted.labels, classes: wanted.classes)
    for (c, area) in wanted.areas.enumerated() { same(metrics.roc[c].area, area ?? 0.5, "area of \(c)") }
    #expect(metrics.confusion == wanted.confusion)
  }

  /// The interval of a mean is that of the normal distribution, as wide as a thousand draws allow; that of a
  /// proportion lies near Wilson's.
  @Test func intervalsAreAsWideAsTheyShouldBe() throws {
    let found = try cases.get()[7].measures(), wanted = try cases.get()[7]
    let losses = wanted.labels.indices.map { -Double(wanted.scores[$0 * 7 + Int(wanted.labels[$0])]) }
    let n = Double(losses.count), mean = losses.reduce(0, +) / n
    let deviation = (losses.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)).squareRoot()
    let half = 1.96 * deviation / n.squareRoot()
    let loss = try #require(found.logLoss)
    #expect(abs(loss.high - loss.low - 2 * half) < 0.2 * half && loss.low < mean && mean < loss.high)
    // Of two equally large classes balanced accuracy is nearly accuracy.
    let labels = (0..<400).map { Int32($0 % 2) }
    let answers = labels.enumerated().map { $0 % 5 == 0 ? 1 - $1 : $1 }
    let two = try #require(
      try ClassMeasures.make(predicted: answers, truth: labels, scores: nil, names: ["a", "b"]))
    let (low, high) = Accuracy(predicted: answers, truth: labels).interval
    #expect(abs(two.balancedAccuracy.low - low) < 0.01 && abs(two.balancedAccuracy.high - high) < 0.01)
    #expect(two.logLoss == nil && two.classes.allSatisfy { $0.f1.map { $0.low < $0.high } ?? false })
    #expect(two.classes[0].recall == Estimate(Accuracy(correct: 160, total: 200)))
  }

  /// The same bits every time, and other ones by other answers: these were drawn once.
  @Test func intervalsAreOfOneSeed() throws {
    let labels = (0..<60).map { Int32($0 % 3) }
    let answers = labels.enumerated().map { $0 % 4 == 0 ? Int32(0) : $1 }
    let one = try ClassMeasures.make(predicted: answers, truth: labels, scores: nil, names: ["a", "b", "c"])
    let two = try ClassMeasures.make(predicted: answers, truth: labels, scores: nil, names: ["a", "b", "c"])
    #expect(one == two && one?.bootstrap == Bootstrap() && one?.bootstrap.resamples == 999)
    let intervals = try Bootstrap.intervals(rows: 10) { [Double($0.reduce(0, +)) / 10, Double($0[0])] }
    #expect(intervals.count == 2 && intervals[0].low >= 2 && intervals[0].high <= 7)
    #expect(intervals[1].low == 0 && intervals[1].high == 9)
  }

  @Test func rowsWithoutAClassAreLeftOut() throws {
    func made(_ predicted: [Int32], _ truth: [Int32]) throws -> ClassMeasures? {
      try ClassMeasures.make(predicted: predicted, truth: truth, scores: nil, names: ["a", "b"])
    }
    #expect(try made([], []) == nil && made([0, 1], [-1, 2]) == nil && made([2], [0]) == nil)
    #expect(try made([0, 1, 5, 1], [0, -1, 1, 1])?.rows == 2)
    let infinite = try ClassMeasures.make(
      predicted: [0, 0], truth: [0, 1], scores: [0, -.infinity, 0, -.infinity], names: ["a", "b"])
    #expect(infinite?.logLoss == nil && infinite?.warnings.count == 1)
  }

  /// What is written is read again as the same; what no program wrote is refused.
  @Test func measuresAreWrittenAndRead() throws {
    let found = try cases.get()[3].measures()
    let text = String(decoding: try Pipeline.encoded(found), as: UTF8.self)
    #expect(try JSONDecoder().decode(ClassMeasures.self, from: Data(text.utf8)) == found)
    for (old, new) in [
      ("\"rows\":", "\"rows\":-"), ("\"correct\":", "\"correct\":9"),
      ("\"confusion\":[[", "\"confusion\":[[1,"),
      ("\"confusion\":[[", "\"confusion\":[[-"), ("\"macroF1\":", "\"macro\":"), ("\"low\":0", "\"low\":1e7"),
    ] {
      #expect(text.contains(old))
      let changed = text.replacing(old, with: new, maxReplacements: 1)
      #expect(throws: DecodingError.self, "\(new)") {
        try JSONDecoder().decode(ClassMeasures.self, from: Data(changed.utf8))
      }
    }
  }

  @Test func eachClassHasALine() throws {
    let found = try cases.get()[1].measures()
    let lines = found.lines(width: 15)
    #expect(lines.count == 8 && lines[0].hasPrefix("balanced       0.500 (95% 0.500 to 0.500)"))
    #expect(lines[5].hasPrefix("  class 0") && lines[6].contains(" 0 ") && lines[6].contains(" - "))
    #expect(lines[7].hasPrefix("warning        the class class 1 is never predicted: "))
    let many = (0..<40).map { "c\($0)" }
    let all = try ClassMeasures.make(
      predicted: (0..<40).map { Int32($0) }, truth: (0..<40).map { Int32($0) }, scores: nil, names: many)
    #expect(all?.lines(width: 15).last == "  and 10 more, which --json has" && all?.confusion?.count == 40)
    let most = (0...ClassMeasures.mostConfused).map { "c\($0)" }
    #expect(try ClassMeasures.make(predicted: [0], truth: [0], scores: nil, names: most)?.confusion == nil)
  }
}
