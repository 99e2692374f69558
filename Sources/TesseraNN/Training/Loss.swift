// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Losses of each row of a batch: (rows, ...) in, (rows) out. Their mean over the rows is what PyTorch's
/// "mean" gives where every row has as many elements: `losses.mean().backward()`, or, where devices share a
/// batch, `context.backward(meanOf: losses)`.
public enum Loss {
  /// The mean of (y - target)^2 over a row.
  ///
  /// - Parameters:
  ///   - y: (rows, ...).
  ///   - target: of its shape.
  /// - Throws: `TesseraError` for other shapes.
  public static func meanSquared(_ y: Variable, _ target: Variable) throws -> Variable {
    try equal("meanSquared", y, target)
    return try overRows(try (y - target).square())
  }

  /// The mean of |y - target| over a row.
  ///
  /// - Parameters:
  ///   - y: (rows, ...).
  ///   - target: of its shape.
  /// - Throws: `TesseraError` for other shapes.
  public static func meanAbsolute(_ y: Variable, _ target: Variable) throws -> Variable {
    try equal("meanAbsolute", y, target)
    return try overRows(try (y - target).abs())
  }

  /// Huber's loss (1964): d^2 / 2 up to |d| = delta, delta (|d| - delta / 2) beyond; the mean over a row.
  ///
  /// - Parameters:
  ///   - y: (rows, ...).
  ///   - target: of its shape.
  ///   - delta: where the parabola ends, above 0.
  /// - Throws: `TesseraError` for other shapes, and another delta.
  public static func huber(_ y: Variable, _ target: Variable, delta: Float = 1) throws -> Variable {
    try equal("huber", y, target)
    guard delta > 0, delta.isFinite else {
      throw TesseraError.failure("huber", found: "a delta of \(delta)", wanted: "a finite number above 0")
    }
    let distance = try (y - target).abs()
    // m (d - m / 2) of m = min(d, delta) is both, and so is its gradient.
    let near = try distance.minimum(try Context.of([y, target], "huber").constant(delta))
    return try overRows(try near * (distance - 0.5 * near))
  }

  /// Binary cross-entropy of sigmoid(logits): t softplus(-x) + (1 - t) softplus(x), the mean over a row.
  ///
  /// - Parameters:
  ///   - logits: (rows, ...).
  ///   - target: probabilities of its shape.
  /// - Throws: `TesseraError` for other shapes.
  public static func binaryCrossEntropy(logits: Variable, _ target: Variable) throws -> Variable {
    try equal("binaryCrossEntropy", logits, target)
    return try overRows(try target * (-logits).softplus() + (1 - target) * logits.softplus())
  }

  /// The negative log-likelihood of labels.
  ///
  /// - Parameters:
  ///   - logProbabilities: (rows, classes), such as a log-softmax.
  ///   - labels: a class a row, int32.
  /// - Throws: `TesseraError` for other shapes, and labels that are no classes.
  public static func negativeLogLikelihood(_ logProbabilities: Variable, labels: Tensor) throws -> Variable {
    let context = try Context.of([logProbabilities], "negativeLogLikelihood")
    let chosen = try context.oneHot("negativeLogLikelihood", logProbabilities, labels)
    let zero = try context.constant(0)
    return try -context.select(chosen, logProbabilities, zero).sum(1)
  }

  /// The cross-entropy of softmax(logits) with labels.
  ///
  /// - Parameters:
  ///   - logits: (rows, classes).
  ///   - labels: a class a row, int32.
  /// - Throws: `TesseraError` for other shapes, and labels that are no classes.
  public static func crossEntropy(_ logits: Variable, labels: Tensor) throws -> Variable {
    try negativeLogLikelihood(try logits.logSoftmax(), labels: labels)
  }

  /// The Kullback-Leibler divergence of the target from a prediction: sum of t (ln t - y) over a row; 0 where
  /// t is.
  ///
  /// - Parameters:
  ///   - logProbabilities: y, (rows, ...).
  ///   - target: t, probabilities of its shape.
  /// - Throws: `TesseraError` for other shapes.
  public static func kullbackLeibler(_ logProbabilities: Variable, _ target: Variable) throws -> Variable {
    try equal("kullbackLeibler", logProbabilities, target)
    let context = try Context.of([logProbabilities, target], "kullbackLeibler")
    let some = try context.constant(0).less(than: target)
    // The logarithm of 0 is not taken, so nothing infinite meets 0.
    let logarithm = try some.select(target, try context.constant(1)).log()
    let terms = try target * (logarithm - some.select(logProbabilities, try context.constant(0)))
    return try flat(terms).sum(1)
  }

  /// 1 - cos(a, b) of rows.
  ///
  /// - Parameters:
  ///   - a: (rows, columns).
  ///   - b: of its shape.
  ///   - eps: the least product of lengths, above 0.
  /// - Throws: `TesseraError` for other shapes, and another eps.
  public static func cosineDistance(_ a: Variable, _ b: Variable, eps: Float = 1e-8) throws -> Variable {
    try equal("cosineDistance", a, b)
    guard eps > 0, eps.isFinite else {
      throw TesseraError.failure("cosineDistance", found: "eps \(eps)", wanted: "a finite number above 0")
    }
    let (x, y) = (try flat(a), try flat(b))
    let context = try Context.of([a, b], "cosineDistance")
    let squares = try (x * x).sum(1) * (y * y).sum(1)
    let lengths = try squares.maximum(try context.constant(eps * eps)).sqrt()
    return try 1 - (x * y).sum(1) / lengths
  }

  static func equal(_ place: String, _ a: Variable, _ b: Variable) throws {
    guard a.shape == b.shape, !a.shape.isEmpty else {
      throw TesseraError.failure(
        place, found: "\(a.shape) and \(b.shape)", wanted: "equal shapes (rows, ...)")
    }
  }

  static func flat(_ x: Variable) throws -> Variable {
    try Context.of([x], "a loss").reshape(x, [x.shape[0], x.shape.dropFirst().reduce(1, *)])
  }

  private static func overRows(_ x: Variable) throws -> Variable { try flat(x).mean(1) }
}

extension Context {
  /// 1 at each row's label, else 0, of the shape of x (rows, classes).
  fileprivate func oneHot(_ place: String, _ x: Variable, _ labels: Tensor) throws -> Variable {
    try require(place, x, rank: 2, "(rows, classes)")
    let (rows, classes) = (x.shape[0], x.shape[1])
    guard labels.shape == [rows], labels.elementType == .int32 else {
      throw TesseraError.failure(
        place, found: "labels \(labels.elementType) \(labels.shape)", wanted: "int32 [\(rows)]")
    }
    guard classes >= 1, classes <= 1 << 24 else {
      throw TesseraError.failure(place, found: "\(classes) classes", wanted: "1 to 2^24")
    }
    // Labels are compared with the numbers of the classes, both as floats: exact below 2^24.
    let numbers = try device.tensor((0..<classes).map { Float($0) }, [classes, 1])
    let y = try device.allocate([rows, 1], .float32)
    try device.gatherRows(numbers, ids: labels, columns: 1, into: y)
    return constant(try device.combined(.equal, y, try numbers.reshaped([classes])), of: [x])
  }
}
