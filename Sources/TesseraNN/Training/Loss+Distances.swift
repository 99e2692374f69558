// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// Losses of pairs and triplets of rows.
extension Loss {
  /// max(0, |a - p| - |a - n| + margin) of rows (Schroff, Kalenichenko and Philbin 2015), where |x| is
  /// sqrt(sum((x + eps)^2)), as PyTorch has it.
  ///
  /// - Parameters:
  ///   - anchor: a, (rows, ...).
  ///   - positive: p, of its shape: what is to be near.
  ///   - negative: n, of its shape: what is to be farther by the margin.
  ///   - margin: 0 or more.
  ///   - eps: what keeps the root's slope finite, above 0.
  /// - Returns: a loss a row.
  /// - Throws: `TesseraError` for other shapes, margins and eps.
  public static func tripletMargin(
    anchor: Variable, positive: Variable, negative: Variable, margin: Float = 1, eps: Float = 1e-6
  ) throws -> Variable {
    try equal("tripletMargin", anchor, positive)
    try equal("tripletMargin", anchor, negative)
    guard margin >= 0, margin.isFinite, eps > 0, eps.isFinite else {
      throw TesseraError.failure(
        "tripletMargin", found: "a margin of \(margin), eps \(eps)",
        wanted: "a finite margin of 0 or more, a finite eps above 0")
    }
    func distance(_ other: Variable) throws -> Variable {
      try flat(try anchor - other + eps).square().sum(1).sqrt()
    }
    return try (distance(positive) - distance(negative) + margin).relu()
  }

  /// 1 - cos(a, b) of rows whose target is 1, max(0, cos(a, b) - margin) of the others.
  ///
  /// - Parameters:
  ///   - a: (rows, ...).
  ///   - b: of its shape.
  ///   - target: (rows): 1 for rows that are to be alike, -1 for those that are not.
  ///   - margin: -1 to 1.
  ///   - eps: the least product of lengths, above 0.
  /// - Returns: a loss a row.
  /// - Throws: `TesseraError` for other shapes, margins and eps.
  public static func cosineEmbedding(
    _ a: Variable, _ b: Variable, target: Variable, margin: Float = 0, eps: Float = 1e-8
  ) throws -> Variable {
    guard a.shape.first == target.shape.first, target.shape.count == 1 else {
      throw TesseraError.failure(
        "cosineEmbedding", found: "\(a.shape) and targets \(target.shape)", wanted: "a target a row, (rows)")
    }
    guard margin >= -1, margin <= 1 else {
      throw TesseraError.failure("cosineEmbedding", found: "a margin of \(margin)", wanted: "-1 to 1")
    }
    let distance = try cosineDistance(a, b, eps: eps)
    let context = try Context.of([distance, target], "cosineEmbedding")
    let isAlike = try context.constant(0).less(than: target)
    return try isAlike.select(distance, try (1 - distance - margin).relu())
  }
}
