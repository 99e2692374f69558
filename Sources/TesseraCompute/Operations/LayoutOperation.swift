// SPDX-License-Identifier: Apache-2.0

/// The primitives of `TSNEBackend` and `SparseTSNEBackend`. Sparse affinities are three operands: starts,
/// columns, values.
enum LayoutOperation: OperationFamily {
  case conditionalAffinities(points: Int, perplexity: FloatBits)
  case jointAffinities(points: Int)
  case tsneForces(p: TSNEStep, rows: Range<Int>)
  case tsneUpdate(p: TSNEStep)
  case tsneDivergence(points: Int)
  case nearestNeighbours(rows: Range<Int>, columns: Range<Int>, fresh: Bool)
  case neighbourAffinities(points: Int, neighbours: Int, perplexity: FloatBits)
  case neighbourForces(p: TSNEStep, rows: Range<Int>, points: Int)
  case neighbourDivergence(points: Int)

  func operands(_ counts: [Int]) -> OperandCounts {
    switch self {
    case .conditionalAffinities, .jointAffinities, .neighbourAffinities: OperandCounts(reads: 1)
    case .tsneForces, .tsneDivergence: OperandCounts(reads: 2)
    case .tsneUpdate: OperandCounts(reads: 1, updates: 3)
    case .nearestNeighbours: OperandCounts(reads: 1, updates: 2, writes: 0)
    case .neighbourForces, .neighbourDivergence: OperandCounts(reads: 4)
    }
  }

  func run(on device: any Backend, _ t: [Tensor]) throws {
    func sparse(_ points: Int) throws -> SparseAffinities {
      try SparseAffinities(points: points, starts: t[0], columns: t[1], values: t[2])
    }
    switch self {
    case .conditionalAffinities(let points, let perplexity):
      try device.conditionalAffinities(t[0], points: points, perplexity: perplexity.value, into: t[1])
    case .jointAffinities(let points): try device.jointAffinities(t[0], points: points, into: t[1])
    case .tsneForces(let p, let rows):
      try device.tsneForces(p, rows: rows, joint: t[0], layout: t[1], into: t[2])
    case .tsneUpdate(let p):
      try device.tsneUpdate(
        p, forces: t[0], layout: t[1], velocity: t[2], gains: t[3], squaredNorm: t[4])
    case .tsneDivergence(let points):
      try device.tsneDivergence(t[0], layout: t[1], points: points, into: t[2])
    case .nearestNeighbours(let rows, let columns, let fresh):
      try device.nearestNeighbours(
        t[0], rows: rows, columns: columns, fresh: fresh, nearest: t[1], neighbours: t[2])
    case .neighbourAffinities(let points, let neighbours, let perplexity):
      try device.neighbourAffinities(
        t[0], points: points, neighbours: neighbours, perplexity: perplexity.value, into: t[1])
    case .neighbourForces(let p, let rows, let points):
      try device.tsneForces(p, rows: rows, joint: try sparse(points), layout: t[3], into: t[4])
    case .neighbourDivergence(let points):
      try device.tsneDivergence(try sparse(points), layout: t[3], into: t[4])
    }
  }
}
