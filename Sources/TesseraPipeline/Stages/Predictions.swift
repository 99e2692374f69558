// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// What a run's classifier and the linear probe beside it said of each row that was tested on.
struct Predictions: Equatable {
  /// Logarithms of class probabilities, row-major (rows, classes).
  let scores: [Float]
  /// The number of classes.
  let classes: Int
  /// The rows' classes, and what the probe says.
  let labels: [Int32], probe: [Int32]

  /// Rows that there are.
  var count: Int { labels.count }

  /// The most probable class of each row, the first of equals.
  static func classes(of scores: [Float], classes count: Int) -> [Int32] {
    guard count > 0 else { return [] }
    return (0..<scores.count / count).map { row in
      var best = 0
      for c in 1..<count where scores[row * count + c] > scores[row * count + best] { best = c }
      return Int32(best)
    }
  }

  /// Accuracy, fingerprint, measures by class, and how the two differ.
  ///
  /// - Parameters:
  ///   - keptEpoch: the epoch that the classifier was kept of.
  ///   - names: the classes.
  func evaluation(keptEpoch: Int?, names: [String]) throws -> Evaluation {
    let predicted = Self.classes(of: scores, classes: classes)
    var print = Fingerprint()
    for values in [predicted, probe] { values.withUnsafeBytes { print.add($0) } }
    return Evaluation(
      model: Accuracy(predicted: predicted, truth: labels), probe: Accuracy(predicted: probe, truth: labels),
      fingerprint: print.digits(), keptEpoch: keptEpoch,
      comparison: count > 0 ? PairedComparison(model: predicted, probe: probe, truth: labels) : nil,
      measures: try .make(predicted: predicted, truth: labels, scores: scores, names: names),
      probeMeasures: try .make(predicted: probe, truth: labels, scores: nil, names: names))
  }

  /// Writes them.
  func write(to path: String) throws {
    var writer = SafetensorsWriter(metadata: ["kind": "predictions"])
    writer.add("log_probabilities", scores, shape: [count, classes])
    writer.add("labels", labels, shape: [count])
    writer.add("probe", probe, shape: [count])
    _ = try writer.write(to: path)
  }
}

extension Predictions {
  /// Reads what a run wrote.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - classes: the number of classes.
  /// - Throws: `TesseraError` for a file without them, or of other sizes.
  init(_ path: String, classes: Int) throws {
    let file = try TensorFile.open(path)
    try file.checkNumerics()
    labels = try file.ints("labels")
    scores = try file.floats("log_probabilities", shape: [labels.count, classes])
    probe = try file.ints("probe", shape: [labels.count])
    self.classes = classes
  }
}
