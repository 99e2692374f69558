// SPDX-License-Identifier: Apache-2.0
/// The parts of exact t-SNE (van der Maaten and Hinton 2008).
public protocol TSNEBackend: MemoryBackend {
  /// p[i][j]: conditional affinities of row i at the wanted perplexity, from squared distances; the
  /// diagonal is 0.
  func conditionalAffinities(_ distances: Tensor, points: Int, perplexity: Float, into p: Tensor) throws
  /// P = max((p + p') / sum, eps) from conditional affinities, eps being float64's as in scikit-learn.
  func jointAffinities(_ conditional: Tensor, points: Int, into joint: Tensor) throws
  /// forces (5, rows): Z_i, attraction x and y, repulsion x and y of the layout y (2, points), for the
  /// points of `rows`.
  func tsneForces(
    _ p: TSNEStep, rows: Range<Int>, joint: Tensor, layout: Tensor, into forces: Tensor) throws
  /// One gradient step with gains and momentum in place; velocity and gains are (2, points).
  /// `squaredNorm` gets the gradient's squared norm (one element).
  func tsneUpdate(
    _ p: TSNEStep, forces: Tensor, layout: Tensor, velocity: Tensor, gains: Tensor,
    squaredNorm: Tensor) throws
  /// Kullback-Leibler divergence of the layout (one element).
  func tsneDivergence(_ joint: Tensor, layout: Tensor, points: Int, into divergence: Tensor) throws
}

extension TSNEBackend {
  /// The forces of all points.
  public func tsneForces(_ p: TSNEStep, joint: Tensor, layout: Tensor, into forces: Tensor) throws {
    _ = try p.checked("tsneForces")
    try tsneForces(p, rows: 0..<p.points, joint: joint, layout: layout, into: forces)
  }
}
