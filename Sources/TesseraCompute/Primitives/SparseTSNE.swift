// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension KernelDispatching {
  @_semantics("optimize.sil.specialize.generic.never")
  public func nearestNeighbours(
    _ distances: Tensor, rows: Range<Int>, columns: Range<Int>, fresh: Bool, nearest: Tensor,
    neighbours: Tensor
  ) throws {
    let shape = nearest.shape
    guard shape.count == 2, shape[1] > 0, rows.lowerBound >= 0,
      rows.upperBound <= shape[0], columns.lowerBound >= 0, columns.upperBound < Int(Int32.max)
    else {
      throw TesseraError.failure(
        "nearestNeighbours", found: "rows \(rows), columns \(columns), nearest \(shape)",
        wanted: "rows of (points, k), k 1 or more, and integers for neighbours")
    }
    try requireExtents("nearestNeighbours", rows.count, columns.count)
    try require(
      "nearestNeighbours", [(distances, rows.count * columns.count)], into: [(nearest, nearest.count)],
      intsInto: [(neighbours, nearest.count)])
    neighbours.forgetBounds()
    let p = tsr_nearest_params(
      rows: Int32(rows.count), columns: Int32(columns.count), first_row: Int32(rows.lowerBound),
      first_column: Int32(columns.lowerBound), neighbours: Int32(shape[1]), fresh: fresh ? 1 : 0)
    try launch(
      .nearest, items: rows.count, cost: columns.count + 64 * shape[1], p,
      [distances, nearest, neighbours])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func neighbourAffinities(
    _ nearest: Tensor, points: Int, neighbours: Int, perplexity: Float, into p: Tensor
  ) throws {
    try requireExtents("neighbourAffinities", points, neighbours)
    try require("neighbourAffinities", [(nearest, points * neighbours)], into: [(p, points * neighbours)])
    guard perplexity >= 1, perplexity < Float(neighbours + 1) else {
      throw TesseraError.failure(
        "neighbourAffinities", found: "perplexity \(perplexity) for \(neighbours) neighbours",
        wanted: "1 <= perplexity < neighbours + 1")
    }
    try conditional(
      tsr_affinity_params(
        rows: Int32(points), columns: Int32(neighbours), square: 0, perplexity: perplexity, tolerance: 1e-5,
        max_iterations: 100), nearest, into: p)
  }

  /// Affinities of rows of distances.
  @_semantics("optimize.sil.specialize.generic.never")
  func conditional(_ p: tsr_affinity_params, _ distances: Tensor, into y: Tensor) throws {
    try launch(
      .conditionalAffinities, items: Int(p.rows), cost: Int(p.columns) * 300, p,
      [distances, y])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func tsneForces(
    _ p: TSNEStep, rows: Range<Int>, joint: SparseAffinities, layout: Tensor, into forces: Tensor
  ) throws {
    let points = p.points
    var lowered = try p.checked("tsneForces")
    guard rows.lowerBound >= 0, rows.upperBound <= points, joint.points == points else {
      throw TesseraError.failure(
        "tsneForces", found: "rows \(rows), affinities of \(joint.points) points",
        wanted: "rows of \(points) points")
    }
    try check("tsneForces", joint)
    try require("tsneForces", [(layout, points * 2)], into: [(forces, rows.count * 5)])
    (lowered.first, lowered.rows) = (Int32(rows.lowerBound), Int32(rows.count))
    try launch(
      .neighbourForces, items: rows.count, cost: points * 8, lowered,
      [joint.starts, joint.columns, joint.values, layout, forces])
  }

  @_semantics("optimize.sil.specialize.generic.never")
  public func tsneDivergence(
    _ joint: SparseAffinities, layout: Tensor, into divergence: Tensor
  ) throws {
    let points = joint.points
    try require("tsneDivergence", [(layout, points * 2)], into: [(divergence, 1)])
    let forces = try allocate([5, points], .float32)
    let (norm, rows) = (try allocate([1], .float32), try allocate([points], .float32))
    try tsneForces(TSNEStep(points: points), rows: 0..<points, joint: joint, layout: layout, into: forces)
    try normalizer(forces, points: points, into: norm)
    try launch(
      .neighbourDivergence, items: points,
      cost: joint.values.count / max(1, points) * 20, tsr_points_params(points: Int32(points), dims: 0),
      [joint.starts, joint.columns, joint.values, layout, norm, rows])
    try rowSum(rows, rows: 1, columns: points, into: divergence)
  }

  /// Throws for entries beyond the matrix. Its integers are the host's, so they are known without a look at
  /// the device.
  @_semantics("optimize.sil.specialize.generic.never")
  private func check(_ place: String, _ joint: SparseAffinities) throws {
    try requireBounds(place, "a column", joint.columns, below: joint.points)
    try requireBounds(place, "a row's start", joint.starts, below: joint.columns.count + 1)
    guard let bounds = (joint.starts.storage as? any IntegerBounds)?.bounds, bounds.isAscending,
      bounds.known == 0...Int32(joint.columns.count)
    else {
      throw TesseraError.failure(
        place, found: "starts that do not ascend from 0", wanted: "up to \(joint.columns.count), the entries")
    }
  }
}
