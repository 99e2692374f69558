// SPDX-License-Identifier: Apache-2.0

/// Rows by class: how many there are, how many are called so, and how many are both. The measures that follow
/// from these numbers alone are added up in the order of the classes.
struct ClassCounts: Equatable {
  var rows: [Int], predicted: [Int], correct: [Int]

  /// No rows of so many classes.
  init(classes: Int) {
    let none = [Int](repeating: 0, count: classes)
    (rows, predicted, correct) = (none, none, none)
  }

  /// The harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); nil of a class that neither occurs nor is
  /// called.
  func f1(_ c: Int) -> Double? {
    let all = rows[c] + predicted[c]
    return all > 0 ? 2 * Double(correct[c]) / Double(all) : nil
  }

  /// The mean of F1 over the classes that occur or are called (scikit-learn's `f1_score(average="macro")`); 0 of
  /// no rows.
  var macroF1: Double { mean { f1($0) } }

  /// The mean of recall over the classes that occur (scikit-learn's `balanced_accuracy_score`); 0 of no rows.
  var balancedAccuracy: Double {
    mean { rows[$0] > 0 ? Double(correct[$0]) / Double(rows[$0]) : nil }
  }

  private func mean(_ value: (Int) -> Double?) -> Double {
    var (sum, count) = (0.0, 0)
    for c in rows.indices {
      guard let value = value(c) else { continue }
      sum += value
      count += 1
    }
    return count > 0 ? sum / Double(count) : 0
  }

  /// Matthews' correlation coefficient of any number of classes (Gorodkin 2004); 0 where all rows are of one class,
  /// or are called one.
  var matthews: Double {
    var (right, all, both, squaresOfRows, squaresOfCalls) = (0.0, 0.0, 0.0, 0.0, 0.0)
    for c in rows.indices {
      let (t, p) = (Double(rows[c]), Double(predicted[c]))
      right += Double(correct[c])
      all += t
      both += t * p
      squaresOfRows += t * t
      squaresOfCalls += p * p
    }
    let (ofRows, ofCalls) = (all * all - squaresOfRows, all * all - squaresOfCalls)
    guard ofRows > 0, ofCalls > 0 else { return 0 }
    return (right * all - both) / (ofRows.squareRoot() * ofCalls.squareRoot())
  }
}
