// SPDX-License-Identifier: Apache-2.0
/// t-SNE by nearest neighbours: no tensor of points x points elements anywhere.
public protocol SparseTSNEBackend: MemoryBackend {
  /// Keeps the k nearest of a block of distances and of what is kept already: `nearest` and `neighbours`,
  /// both (points, k).
  ///
  /// Neighbours are in the order of their distances, NaN behind infinity, equal ones in the order of the
  /// points. No point is its own neighbour. What no neighbour has taken yet is NaN and 2^31 - 1.
  ///
  /// - Parameters:
  ///   - distances: (rows.count, columns.count).
  ///   - rows: the points whose neighbours are sought; the others' stay.
  ///   - columns: the points that the block holds; blocks may come in any order, each once.
  ///   - fresh: whether nothing is kept yet.
  ///   - nearest: the distances that are kept (points, k).
  ///   - neighbours: the points at these distances, integers (points, k).
  func nearestNeighbours(
    _ distances: Tensor, rows: Range<Int>, columns: Range<Int>, fresh: Bool, nearest: Tensor,
    neighbours: Tensor) throws
  /// p (points, neighbours): conditional affinities to the neighbours alone at the wanted perplexity, from
  /// their squared distances.
  func neighbourAffinities(_ nearest: Tensor, points: Int, neighbours: Int, perplexity: Float, into p: Tensor)
    throws
  /// forces (5, rows): Z_i, attraction x and y, repulsion x and y of the layout y (2, points), for the
  /// points of `rows`; attraction by the neighbours, all else exact.
  func tsneForces(
    _ p: TSNEStep, rows: Range<Int>, joint: SparseAffinities, layout: Tensor, into forces: Tensor)
    throws
  /// Kullback-Leibler divergence of the layout over the neighbours (one element).
  func tsneDivergence(_ joint: SparseAffinities, layout: Tensor, into divergence: Tensor) throws
}

/// A sparse matrix of affinities on a device: point i's are `starts[i]..<starts[i + 1]` of `columns` and
/// `values`.
public struct SparseAffinities: Sendable {
  /// Rows and columns.
  public let points: Int
  /// (points + 1) integers, ascending from 0.
  public let starts: Tensor
  /// The other point of each entry, below `points`, in ascending order in each row.
  public let columns: Tensor
  /// The affinities.
  public let values: Tensor

  /// A matrix of three tensors.
  ///
  /// - Throws: `TesseraError` for tensors of other sizes or types. What is in them, a backend looks at.
  public init(points: Int, starts: Tensor, columns: Tensor, values: Tensor) throws {
    try requireExtents("SparseAffinities", points, 2)
    try require(
      "SparseAffinities", [(values, columns.count)], ints: [(starts, points + 1), (columns, columns.count)])
    (self.points, self.starts, self.columns, self.values) = (points, starts, columns, values)
  }
}
