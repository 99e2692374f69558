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
    features: [Float], columns: Int, labels: [Int32], classes: Int, training: [Int], validation: [Int],
    on device: any Backend
  ) throws -> LinearProbe {
    guard classes >= 2, !training.isEmpty else {
      throw TesseraError.input(
        "linear probe", found: "\(classes) classes, \(training.count) training rows",
        wanted: "2 classes or more, and rows to train on")
    }
    try check(features, columns, training + validation, count: labels.count)
    if let row = (training + validation).first(where: { !(0..<classes).contains(Int(labels[$0])) }) {
      throw TesseraError.input(
        "linear probe", found: "label \(labels[row]) of row \(row)", wanted: "0..<\(classes)")
    }
    let (mean, scale) = moments(features, columns, training)
    let problem = try Problem(
      x: standardized(features, columns, training, mean, scale), columns: columns,
      labels: training.map { labels[$0] }, classes: classes, device: device)
    let held = standardized(features, columns, validation, mean, scale)
    var solution = [Double](repeating: 0, count: classes * (columns + 1))
    var best: (probe: LinearProbe, correct: Int)?
    for penalty in penalties {
      solution = try LBFGS().minimize(from: solution) { try problem.evaluate($0, penalty: penalty) }
      let values = solution.map { Float($0) }
      let probe = LinearProbe(
        mean: mean, scale: scale, weight: Array(values[..<(classes * columns)]),
        bias: Array(values[(classes * columns)...]), penalty: penalty, classes: classes)
      let predicted = try probe.classify(standardizedRows: held, rows: validation.count, on: device)
      let correct = zip(predicted, validation).count { $0 == labels[$1] }
      if best.map({ correct > $0.correct }) ?? true { best = (probe, correct) }
    }
    guard let best else {
      throw TesseraError.failure("linear probe", found: "no penalty to try", wanted: "at least one")
    }
    return best.probe
  }

  /// Throws unless there are so many rows of features, the wanted ones among them and finite.
  private static func check(_ x: [Float], _ columns: Int, _ rows: [Int], count: Int? = nil) throws {
    guard columns >= 1, x.count % columns == 0, count.map({ $0 == x.count / columns }) ?? true else {
      throw TesseraError.input(
        "linear probe", found: "\(x.count) values",
        wanted: "\(count.map { "\($0)" } ?? "whole") rows of \(columns)")
    }
    for row in rows {
      guard (0..<x.count / columns).contains(row) else {
        throw TesseraError.input("linear probe", found: "row \(row)", wanted: "0..<\(x.count / columns)")
      }
      guard x[row * columns..<(row + 1) * columns].allSatisfy(\.isFinite) else {
        throw TesseraError.input(
          "linear probe: row \(row)", found: "a value that is not finite", wanted: "finite numbers")
      }
    }
  }

  /// The predicted class of each of `rows`.
  ///
  /// - Throws: `TesseraError` for another number of features, rows that are not there, and features that
  ///   are not finite.
  public func predict(
    features: [Float], columns: Int, rows: [Int], on device: any Backend
  ) throws -> [Int32] {
    guard columns == mean.count else {
      throw TesseraError.input("linear probe", found: "\(columns) features", wanted: "\(mean.count)")
    }
    try Self.check(features, columns, rows)
    return try classify(
      standardizedRows: Self.standardized(features, columns, rows, mean, scale), rows: rows.count, on: device)
  }

  private func classify(
    standardizedRows: [Float], rows: Int, on device: any Backend
  ) throws -> [Int32] {
    let columns = mean.count
    let logits = try device.allocate([rows, classes], .float32)
    let argmax = try device.allocate([rows], .int32)
    var p = Matmul(m: rows, n: classes, k: columns, transposeB: true)
    p.bias = .column
    try device.matmul(
      p, device.tensor(standardizedRows, [rows, columns]), device.tensor(weight, [classes, columns]),
      bias: device.tensor(bias, [classes]), into: logits)
    try device.rowArgmax(logits, rows: rows, columns: classes, into: argmax)
    return try device.ints(argmax)
  }

  /// Mean and one over the deviation per feature over some rows, summed in Double in row order.
  private static func moments(_ x: [Float], _ columns: Int, _ rows: [Int]) -> ([Float], [Float]) {
    let count = Double(max(1, rows.count))
    var mean = [Double](repeating: 0, count: columns)
    for row in rows {
      for c in 0..<columns { mean[c] += Double(x[row * columns + c]) }
    }
    for c in 0..<columns { mean[c] /= count }
    var squares = [Double](repeating: 0, count: columns)
    for row in rows {
      for c in 0..<columns {
        let d = Double(x[row * columns + c]) - mean[c]
        squares[c] += d * d
      }
    }
    let scale = squares.map { $0 > 0 ? Float(1 / ($0 / count).squareRoot()) : 0 }
    return (mean.map { Float($0) }, scale)
  }

  private static func standardized(
    _ x: [Float], _ columns: Int, _ rows: [Int], _ mean: [Float], _ scale: [Float]
  ) -> [Float] {
    [Float](unsafeUninitializedCapacity: rows.count * columns) { buffer, count in
      for (at, row) in rows.enumerated() {
        for c in 0..<columns {
          buffer[at * columns + c] = (x[row * columns + c] - mean[c]) * scale[c]
        }
      }
      count = rows.count * columns
    }
  }

  /// Mean cross-entropy plus penalty / 2 |W|^2 with its gradient, computed on a device.
  private struct Problem {
    let device: any Backend
    let x: Tensor, labels: Tensor, logits: Tensor, losses: Tensor, gradient: Tensor
    let weight: Tensor, bias: Tensor, gradWeight: Tensor, gradBias: Tensor, total: Tensor
    let rows: Int, columns: Int, classes: Int

    init(x: [Float], columns: Int, labels: [Int32], classes: Int, device: any Backend) throws {
      (self.device, self.columns, self.classes, rows) = (device, columns, classes, labels.count)
      self.x = try device.tensor(x, [rows, columns])
      self.labels = try device.tensor(labels, [rows])
      logits = try device.allocate([rows, classes], .float32)
      losses = try device.allocate([rows], .float32)
      gradient = try device.allocate([rows, classes], .float32)
      weight = try device.allocate([classes, columns], .float32)
      bias = try device.allocate([classes], .float32)
      gradWeight = try device.allocate([classes, columns], .float32)
      gradBias = try device.allocate([classes], .float32)
      total = try device.allocate([1], .float32)
    }

    func evaluate(_ solution: [Double], penalty: Double) throws -> (value: Double, gradient: [Double]) {
      let values = solution.map { Float($0) }
      let split = classes * columns
      try values[..<split].withUnsafeBytes { try device.upload($0, to: weight, offset: 0) }
      try values[split...].withUnsafeBytes { try device.upload($0, to: bias, offset: 0) }
      var forward = Matmul(m: rows, n: classes, k: columns, transposeB: true)
      forward.bias = .column
      try device.matmul(forward, x, weight, bias: bias, into: logits)
      try device.crossEntropy(logits, labels: labels, rows: rows, classes: classes, into: losses)
      try device.crossEntropyGrad(logits, labels: labels, rows: rows, classes: classes, into: gradient)
      var backward = Matmul(m: classes, n: columns, k: rows, transposeA: true)
      backward.chunk = 8
      try device.matmul(backward, gradient, x, bias: nil, into: gradWeight)
      try device.channelSum(
        ChannelLayout(outer: rows, channels: classes, inner: 1), gradient, into: gradBias)
      try device.channelSum(ChannelLayout(outer: rows, channels: 1, inner: 1), losses, into: total)
      var value = Double(try device.floats(total)[0]) / Double(rows)
      var gradientOut = try (device.floats(gradWeight) + device.floats(gradBias)).map { Double($0) }
      var norm = 0.0
      for i in 0..<split {
        norm += solution[i] * solution[i]
        gradientOut[i] += penalty * solution[i]
      }
      value += penalty / 2 * norm
      return (value, gradientOut)
    }
  }
}
