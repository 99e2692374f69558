// SPDX-License-Identifier: Apache-2.0

extension RecordedBackend {
  private func perform(_ operation: LayoutOperation, _ tensors: [Tensor]) throws {
    try perform(.layout(operation), tensors)
  }

  package func conditionalAffinities(
    _ distances: Tensor, points: Int, perplexity: Float, into p: Tensor
  ) throws {
    try perform(
      .conditionalAffinities(points: points, perplexity: FloatBits(perplexity)), [distances, p])
  }

  package func jointAffinities(_ conditional: Tensor, points: Int, into joint: Tensor) throws {
    try perform(.jointAffinities(points: points), [conditional, joint])
  }

  package func tsneForces(
    _ p: TSNEStep, rows: Range<Int>, joint: Tensor, layout: Tensor, into forces: Tensor
  ) throws {
    try perform(.tsneForces(p: p, rows: rows), [joint, layout, forces])
  }

  package func tsneUpdate(
    _ p: TSNEStep, forces: Tensor, layout: Tensor, velocity: Tensor, gains: Tensor,
    squaredNorm: Tensor
  ) throws {
    try perform(.tsneUpdate(p: p), [forces, layout, velocity, gains, squaredNorm])
  }

  package func tsneDivergence(
    _ joint: Tensor, layout: Tensor, points: Int, into divergence: Tensor
  ) throws {
    try perform(.tsneDivergence(points: points), [joint, layout, divergence])
  }

  package func nearestNeighbours(
    _ distances: Tensor, rows: Range<Int>, columns: Range<Int>, fresh: Bool, nearest: Tensor,
    neighbours: Tensor
  ) throws {
    try perform(
      .nearestNeighbours(rows: rows, columns: columns, fresh: fresh), [distances, nearest, neighbours])
  }

  package func neighbourAffinities(
    _ nearest: Tensor, points: Int, neighbours: Int, perplexity: Float, into p: Tensor
  ) throws {
    try perform(
      .neighbourAffinities(points: points, neighbours: neighbours, perplexity: FloatBits(perplexity)),
      [nearest, p])
  }

  package func tsneForces(
    _ p: TSNEStep, rows: Range<Int>, joint: SparseAffinities, layout: Tensor, into forces: Tensor
  ) throws {
    try perform(
      .neighbourForces(p: p, rows: rows, points: joint.points),
      [joint.starts, joint.columns, joint.values, layout, forces])
  }

  package func tsneDivergence(
    _ joint: SparseAffinities, layout: Tensor, into divergence: Tensor
  ) throws {
    try perform(
      .neighbourDivergence(points: joint.points),
      [joint.starts, joint.columns, joint.values, layout, divergence])
  }
}
