// SPDX-License-Identifier: Apache-2.0
import TesseraCompute
import TesseraNN

/// Multinomial logistic regression on standardised features with an L2 penalty: the yardstick that the image
/// classifier is held against, always reported beside it.
public struct LinearProbe: Sendable {
  /// Per feature, the mean over the training rows.
  public let mean: [Float]
  /// Per feature, one over the standard deviation over the training rows; 0 if it is constant.
  public let scale: [Float]
  /// The weights (classes, features).
  public let weight: [Float]
  /// The biases (classes).
  public let bias: [Float]
  /// The penalty chosen on the validation rows.
  public let penalty: Double
  /// The number of classes.
  public let classes: Int

  /// Penalties that are tried, strongest first.
  public static let penalties = [3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]

  /// Fits on training rows; the penalty is the best on the validation rows (ties: the strongest).
  ///
  /// - Parameters:
  ///   - features: row-major (labels.count, columns).
  ///   - columns: features of a row.
  ///   - labels: class of each row.
  ///   - classes: the number of classes.
  ///   - training: row numbers to fit on.
  ///   - validation: row numbers to choose the penalty on.
  ///   - device: the device that computes the fit.
  /// - Throws: `TesseraError` for fewer than 2 classes, no training rows, rows or labels that are not
  ///   there, and features that are not finite.
  public static func fit(
    features: Floats, columns: Int, labels: [Int32], classes: Int, training: [Int], validation: [Int],
    on device: any Backend
  ) throws -> LinearProbe {
    guard columns >= 1, features.count % columns == 0, labels.count == features.count / columns else {
      throw TesseraError.input(
        "linear probe", found: "\(features.count) values", wanted: "\(labels.count) rows of \(columns)")
    }
    return try fit(
      FeatureRows(features, columns: columns), labels: labels, classes: classes, training: training,
      validation: validation, on: device)
  }

  /// The same for rows that are standardised as they are read.
  ///
  /// - Parameters:
  ///   - room: bytes of the device's memory that may hold the training rows; nil: half of it.
  ///   - weights: the weight of each class in the loss, and of right answers on the validation rows; nil: all count
  ///     alike.
  static func fit(
    _ features: FeatureRows, labels: [Int32], classes: Int, training: [Int], validation: [Int],
    room: Int? = nil, weights: [Float]? = nil, on device: any Backend
  ) throws -> LinearProbe {
    guard classes >= 2, !training.isEmpty else {
      throw TesseraError.input(
        "linear probe", found: "\(classes) classes, \(training.count) training rows",
        wanted: "2 classes or more, and rows to train on")
    }
    try check(features, training + validation)
    if let row = (training + validation).first(where: { !(0..<classes).contains(Int(labels[$0])) }) {
      throw TesseraError.input(
        "linear probe", found: "label \(labels[row]) of row \(row)", wanted: "0..<\(classes)")
    }
    let (mean, scale) = moments(features, training)
    let problem = try ProbeProblem(
      features.standardized(mean, scale), rows: training, labels: training.map { labels[$0] },
      classes: classes, on: device, room: room, weights: weights)
    let columns = features.columns
    var solution = [Double](repeating: 0, count: classes * (columns + 1))
    var best: (probe: LinearProbe, correct: Double)?
    for penalty in penalties {
      solution = try LBFGS().minimize(from: solution) { try problem.evaluate($0, penalty: penalty) }
      let values = solution.map { Float($0) }
      let probe = LinearProbe(
        mean: mean, scale: scale, weight: Array(values[..<(classes * columns)]),
        bias: Array(values[(classes * columns)...]), penalty: penalty, classes: classes)
      let predicted = try probe.predict(features, rows: validation, on: device)
      let correct = zip(predicted, validation).reduce(0.0) { sum, pair in
        let label = labels[pair.1]
        return pair.0 == label ? sum + Double(weights?[Int(label)] ?? 1) : sum
      }
      if best.map({ correct > $0.correct }) ?? true { best = (probe, correct) }
    }
    guard let best else {
      throw TesseraError.failure("linear probe", found: "no penalty to try", wanted: "at least one")
    }
    return best.probe
  }

  /// Throws unless the wanted rows are there, and finite.
  private static func check(_ features: FeatureRows, _ rows: [Int]) throws {
    if let row = rows.first(where: { !(0..<features.count).contains($0) }) {
      throw TesseraError.input("linear probe", found: "row \(row)", wanted: "0..<\(features.count)")
    }
    try features.forEachBlock(of: rows) { begin, block in
      guard let bad = block.firstIndex(where: { !$0.isFinite }) else { return }
      throw TesseraError.input(
        "linear probe: row \(rows[begin + bad / features.columns])", found: "a value that is not finite",
        wanted: "finite numbers")
    }
  }

  /// The predicted class of each of `rows`.
  ///
  /// - Throws: `TesseraError` for another number of features, rows that are not there, and features that
  ///   are not finite.
  public func predict(
    features: Floats, columns: Int, rows: [Int], on device: any Backend
  ) throws -> [Int32] {
    guard columns == mean.count else {
      throw TesseraError.input("linear probe", found: "\(columns) features", wanted: "\(mean.count)")
    }
    let features = FeatureRows(features, columns: columns)
    guard features.values.count == features.count * columns else {
      throw TesseraError.input(
        "linear probe", found: "\(features.values.count) values", wanted: "whole rows of \(columns)")
    }
    try Self.check(features, rows)
    return try predict(features, rows: rows, on: device)
  }

  private func predict(_ features: FeatureRows, rows: [Int], on device: any Backend) throws -> [Int32] {
    let columns = mean.count
    let (weight, bias) = (
      try device.tensor(weight, [classes, columns]), try device.tensor(bias, [classes])
    )
    var answers: [Int32] = []
    try features.standardized(mean, scale).forEachBlock(of: rows) { _, block in
      let count = block.count / columns
      let x = try device.allocate([count, columns], .float32)
      try device.upload(UnsafeRawBufferPointer(block), to: x, offset: 0)
      let logits = try device.allocate([count, classes], .float32)
      let argmax = try device.allocate([count], .int32)
      var p = Matmul(m: count, n: classes, k: columns, transposeB: true)
      p.bias = .column
      try device.matmul(
        p, x, weight, bias: bias, into: logits)
      try device.rowArgmax(logits, rows: count, columns: classes, into: argmax)
      answers += try device.ints(argmax)
    }
    return answers
  }

  /// Mean and one over the deviation per feature over some rows, summed in Double in row order.
  private static func moments(_ x: FeatureRows, _ rows: [Int]) -> ([Float], [Float]) {
    let (count, columns) = (Double(max(1, rows.count)), x.columns)
    var mean = [Double](repeating: 0, count: columns)
    x.forEachBlock(of: rows) { _, block in
      for begin in stride(from: 0, to: block.count, by: columns) {
        for c in 0..<columns { mean[c] += Double(block[begin + c]) }
      }
    }
    for c in 0..<columns { mean[c] /= count }
    var squares = [Double](repeating: 0, count: columns)
    x.forEachBlock(of: rows) { _, block in
      for begin in stride(from: 0, to: block.count, by: columns) {
        for c in 0..<columns {
          let d = Double(block[begin + c]) - mean[c]
          squares[c] += d * d
        }
      }
    }
    let scale = squares.map { $0 > 0 ? Float(1 / ($0 / count).squareRoot()) : 0 }
    return (mean.map { Float($0) }, scale)
  }
}
