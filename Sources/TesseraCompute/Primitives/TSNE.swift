// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension KernelDispatching {
  @_semantics("optimize.sil.specialize.generic.never")
  public func conditionalAffinities(
    _ distances: Tensor, points: Int, perplexity: Float, into p: Tensor
  ) throws {
    try requireExtents("conditionalAffinities", points, points)
    try require("conditionalAffinities", [(distances, points * points)], into: [(p, points * points)])
    guard perplexity >= 1, perplexity < Float(max(points, 2)) else {
      throw TesseraError.failure(
        "conditionalAffinities", found: "perplexity \(perplexity) for \(points) points",
        wanted: "1 <= perplexity < points")
    }
    try conditional(
      tsr_affinity_params(
        rows: Int32(points), columns: Int32(points), square: 1, perplexity: perplexity, tolerance: 1e-5,
        max_iterations: 100), distances, into: p)
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func jointAffinities(_ conditional: Tensor, points: Int, into joint: Tensor) throws {
    try requireExtents("jointAffinities", points, points)
    try require("jointAffinities", [(conditional, points * points)], into: [(joint, points * points)])
    let p = tsr_points_params(points: Int32(points), dims: 0)
    let sums = try allocate([points], .float32)
    let total = try allocate([1], .float32)
    try launch(
      .symmetrize, items: points, cost: points * 4, p, [conditional, joint, sums])
    try rowSum(sums, rows: 1, columns: points, into: total)
    try launch(.jointScale, items: points, cost: points, p, [total, joint])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func tsneForces(
    _ p: TSNEStep, rows: Range<Int>, joint: Tensor, layout: Tensor, into forces: Tensor
  ) throws {
    let points = p.points
    var lowered = try p.checked("tsneForces")
    try requireExtents("tsneForces", points, points)
    guard rows.lowerBound >= 0, rows.upperBound <= points else {
      throw TesseraError.failure("tsneForces", found: "rows \(rows)", wanted: "rows of \(points) points")
    }
    try require(
      "tsneForces", [(joint, points * points), (layout, points * 2)], into: [(forces, rows.count * 5)])
    (lowered.first, lowered.rows) = (Int32(rows.lowerBound), Int32(rows.count))
    try launch(
      .tsneForces, items: rows.count, cost: points * 8, lowered, [joint, layout, forces])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func tsneUpdate(
    _ p: TSNEStep, forces: Tensor, layout: Tensor, velocity: Tensor, gains: Tensor,
    squaredNorm: Tensor
  ) throws {
    let points = p.points
    let p = try p.checked("tsneUpdate")
    try require(
      "tsneUpdate", [(forces, points * 5)],
      into: [(layout, points * 2), (velocity, points * 2), (gains, points * 2), (squaredNorm, 1)])
    let squares = try allocate([points * 2], .float32)
    let norm = try allocate([1], .float32)
    try normalizer(forces, points: points, into: norm)
    try launch(
      .tsneUpdate, items: points * 2, cost: 16, p,
      [forces, norm, layout, velocity, gains, squares])
    try rowSum(squares, rows: 1, columns: points * 2, into: squaredNorm)
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func tsneDivergence(
    _ joint: Tensor, layout: Tensor, points: Int, into divergence: Tensor
  ) throws {
    try requireExtents("tsneDivergence", max(points, 5), points)
    try require("tsneDivergence", [(joint, points * points), (layout, points * 2)], into: [(divergence, 1)])
    let forces = try allocate([5, points], .float32)
    let norm = try allocate([1], .float32)
    let rows = try allocate([points], .float32)
    try tsneForces(TSNEStep(points: points), joint: joint, layout: layout, into: forces)
    try normalizer(forces, points: points, into: norm)
    try launch(
      .tsneDivergence, items: points, cost: points * 20,
      tsr_points_params(points: Int32(points), dims: 0), [joint, layout, norm, rows])
    try rowSum(rows, rows: 1, columns: points, into: divergence)
  }

  /// Z: the sum of the forces' first row.
  @_semantics("optimize.sil.specialize.generic.never")
  func normalizer(_ forces: Tensor, points: Int, into norm: Tensor) throws {
    try launch(
      .rowSum, items: 1, cost: points, tsr_rows_params(rows: 1, columns: points),
      [forces, norm])
  }
}
