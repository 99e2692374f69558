// SPDX-License-Identifier: Apache-2.0
/// What probabilities of classes are worth against the truth.
public struct ClassificationMetrics: Sendable {
  /// Entry [t][p]: rows of class t that were called p.
  public let confusion: [[Int]]
  /// For each class the points of its ROC curve (false and true positive rate, from (0, 0) to (1, 1)) and
  /// the area below.
  public let roc: [(points: [Point], area: Double)]
  /// Ten bins of the probability of the predicted class: mean probability, share of right answers, rows.
  public let calibration: [(confidence: Double, accuracy: Double, count: Int)]
  /// The mean distance of confidence and accuracy over the bins, weighted by rows (Guo et al. 2017).
  public let calibrationError: Double

  /// A point of a curve.
  public struct Point: Sendable, Equatable {
    /// The horizontal coordinate in [0, 1].
    public let x: Double
    /// The vertical coordinate in [0, 1].
    public let y: Double
  }

  /// Compares probabilities, row-major (labels.count, classes), with the truth.
  package init(_ probabilities: [Float], labels: [Int32], classes: Int) {
    let rows = labels.indices.map { Array(probabilities[$0 * classes..<($0 + 1) * classes]) }
    let predicted = rows.map { row in row.indices.dropFirst().reduce(0) { row[$1] > row[$0] ? $1 : $0 } }
    var confusion = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
    for (label, guess) in zip(labels, predicted) where label >= 0 { confusion[Int(label)][guess] += 1 }
    self.confusion = confusion
    roc = (0..<classes).map { c in Self.curve(rows.map { $0[c] }, labels.map { $0 == Int32(c) }) }
    var bins = [(Double, Double, Int)](repeating: (0, 0, 0), count: 10)
    for (row, label) in labels.enumerated() {
      let confidence = Double(rows[row][predicted[row]])
      let bin = min(9, max(0, Int(confidence * 10)))
      bins[bin].0 += confidence
      bins[bin].1 += Int(label) == predicted[row] ? 1 : 0
      bins[bin].2 += 1
    }
    calibration = bins.filter { $0.2 > 0 }.map { ($0.0 / Double($0.2), $0.1 / Double($0.2), $0.2) }
    calibrationError = calibration.reduce(0) {
      $0 + abs($1.confidence - $1.accuracy) * Double($1.count) / Double(max(1, labels.count))
    }
  }

  /// Rates as the threshold falls; rows of one score come at once.
  private static func curve(_ scores: [Float], _ truth: [Bool]) -> (points: [Point], area: Double) {
    let positives = truth.count { $0 }
    let negatives = truth.count - positives
    guard positives > 0, negatives > 0 else { return ([Point(x: 0, y: 0), Point(x: 1, y: 1)], 0.5) }
    let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
    var points = [Point(x: 0, y: 0)]
    var (right, wrong, area) = (0, 0, 0.0)
    for (at, row) in order.enumerated() {
      if truth[row] { right += 1 } else { wrong += 1 }
      guard at + 1 == order.count || scores[order[at + 1]] < scores[row] else { continue }
      let next = Point(x: Double(wrong) / Double(negatives), y: Double(right) / Double(positives))
      let last = points[points.count - 1]
      area += (next.x - last.x) * (next.y + last.y) / 2
      points.append(next)
    }
    return (points, area)
  }
}
