// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What an accuracy does not tell of classes that are not equally large: measures of each class, and measures of all
/// that count every class alike. Proportions have Wilson's interval, the others that of a ``Bootstrap``.
public struct ClassMeasures: Codable, Sendable, Equatable {
  /// Each class in turn.
  public let classes: [OneClass]
  /// Entry [t][p]: rows of class t that are called p; nil of more than `mostConfused` classes.
  public let confusion: [[Int]]?
  /// The mean of recall over the classes that have rows.
  public let balancedAccuracy: Estimate
  /// The mean of F1 over the classes that have rows or are called.
  public let macroF1: Estimate
  /// Matthews' correlation coefficient of all classes (Gorodkin 2004), -1 to 1; 0 is chance.
  public let matthews: Estimate
  /// The mean of -log p over the rows, p the probability of a row's class; nil where there are no probabilities, or
  /// the mean is beyond 10^6.
  public let logLoss: Estimate?
  /// How the intervals were found that are not Wilson's.
  public let bootstrap: Bootstrap

  /// The measures of a class.
  public struct OneClass: Codable, Sendable, Equatable {
    /// Its name.
    public let name: String
    /// Rows that are of it, that are called it, and that are both.
    public let rows: Int, predicted: Int, correct: Int
    /// The share of the rows called so that are of it; nil if none is called so.
    public let precision: Estimate?
    /// The share of its rows that are called so; nil if there are none.
    public let recall: Estimate?
    /// The harmonic mean of both; nil if it has no rows and is never called. In draws of the bootstrap without it
    /// F1 counts as 0.
    public let f1: Estimate?

    /// Whether it has rows, and none of any class is called so.
    public var isNeverPredicted: Bool { rows > 0 && predicted == 0 }
  }

  /// The most classes whose confusions are written down.
  public static let mostConfused = 100

  /// Known measures.
  private init(
    classes: [OneClass], confusion: [[Int]]?, balancedAccuracy: Estimate, macroF1: Estimate,
    matthews: Estimate,
    logLoss: Estimate?
  ) {
    (self.classes, self.confusion, self.balancedAccuracy) = (classes, confusion, balancedAccuracy)
    (self.macroF1, self.matthews, self.logLoss, bootstrap) = (macroF1, matthews, logLoss, Bootstrap())
  }

  /// Reads what was written; counts that are none are an error.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    classes = try values.decode([OneClass].self, forKey: .classes)
    confusion = try values.decodeIfPresent([[Int]].self, forKey: .confusion)
    balancedAccuracy = try values.decode(Estimate.self, forKey: .balancedAccuracy)
    macroF1 = try values.decode(Estimate.self, forKey: .macroF1)
    matthews = try values.decode(Estimate.self, forKey: .matthews)
    logLoss = try values.decodeIfPresent(Estimate.self, forKey: .logLoss)
    bootstrap = try values.decode(Bootstrap.self, forKey: .bootstrap)
    let counts = 0...1 << 40
    let areCounts = classes.allSatisfy {
      counts.contains($0.rows) && counts.contains($0.predicted) && counts.contains($0.correct)
        && $0.correct <= min($0.rows, $0.predicted)
    }
    let isSquare =
      confusion.map { rows in
        rows.count == classes.count
          && rows.allSatisfy { $0.count == classes.count && $0.allSatisfy { counts.contains($0) } }
      } ?? true
    guard areCounts, isSquare else {
      throw DecodingError.dataCorruptedError(
        forKey: .classes, in: values, debugDescription: "counts that are none")
    }
  }

  /// Compares answers with the truth. A row whose class or answer is none of the classes is left out.
  ///
  /// - Parameters:
  ///   - predicted: the class that each row is called.
  ///   - truth: the class of each row.
  ///   - scores: logarithms of class probabilities, row-major (rows, classes); nil if there are none.
  ///   - names: the classes.
  /// - Returns: nil without rows.
  static func make(
    predicted: [Int32], truth: [Int32], scores: [Float]?, names: [String]
  ) throws -> ClassMeasures? {
    let count = names.count
    let known = 0..<Int32(count)
    let rows = truth.indices.filter { known.contains(truth[$0]) && known.contains(predicted[$0]) }
    guard !rows.isEmpty else { return nil }
    let (right, called) = (rows.map { Int(truth[$0]) }, rows.map { Int(predicted[$0]) })
    let losses = scores.map { scores in rows.map { -Double(scores[$0 * count + Int(truth[$0])]) } }
    var counts = ClassCounts(classes: count)
    var confusion = [[Int]](
      repeating: [Int](repeating: 0, count: count <= mostConfused ? count : 0), count: count)
    for (t, p) in zip(right, called) {
      counts.add(t, p)
      if count <= mostConfused { confusion[t][p] += 1 }
    }
    let loss = losses.map { $0.reduce(0, +) / Double(rows.count) }
    let intervals = try Bootstrap.intervals(rows: rows.count) { drawn in
      var (again, sum) = (ClassCounts(classes: count), 0.0)
      for row in drawn { again.add(right[Int(row)], called[Int(row)]) }
      if let losses { for row in drawn { sum += losses[Int(row)] } }
      return [again.balancedAccuracy, again.macroF1, again.matthews, sum / Double(rows.count)]
        + (0..<count).map { again.f1($0) ?? 0 }
    }
    func estimate(_ value: Double, _ at: Int) -> Estimate {
      Estimate(value: value, low: intervals[at].low, high: intervals[at].high)
    }
    let isTold = loss.map { abs($0) <= Estimate.most && abs(intervals[3].high) <= Estimate.most } ?? false
    return ClassMeasures(
      classes: names.enumerated().map { c, name in
        let (rows, predicted, correct) = (counts.rows[c], counts.predicted[c], counts.correct[c])
        return OneClass(
          name: name, rows: rows, predicted: predicted, correct: correct,
          precision: Estimate(Accuracy(correct: correct, total: predicted)),
          recall: Estimate(Accuracy(correct: correct, total: rows)),
          f1: counts.f1(c).map { estimate($0, 4 + c) })
      }, confusion: count <= mostConfused ? confusion : nil,
      balancedAccuracy: estimate(counts.balancedAccuracy, 0), macroF1: estimate(counts.macroF1, 1),
      matthews: estimate(counts.matthews, 2), logLoss: isTold ? loss.map { estimate($0, 3) } : nil)
  }
}

extension ClassCounts {
  /// Counts a row of class `t` that is called `p`.
  mutating func add(_ t: Int, _ p: Int) {
    rows[t] += 1
    predicted[p] += 1
    if t == p { correct[t] += 1 }
  }
}
