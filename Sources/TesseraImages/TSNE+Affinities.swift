// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

extension TSNE {
  /// Whether so many points have affinities to all others.
  func isExact(_ count: Int) -> Bool { count <= min(exactLimit, Self.mostExact) }

  /// The most points whose pairs 32-bit numbers can count.
  public static let mostExact = 46_340

  /// Neighbours of each of so many points, as in scikit-learn's Barnes-Hut method.
  func neighbours(_ count: Int) -> Int { min(count - 1, Int(min(3 * perplexity + 1, 0x1p62))) }

  /// Throws unless so many points of so many coordinates can be laid out, by settings that make sense.
  public func check(points count: Int, dims: Int) throws {
    let rate = learningRate ?? 1
    guard iterations >= 0, explorationIterations >= 0, exaggeration > 0, exaggeration.isFinite, rate > 0,
      rate.isFinite, count > 0, dims > 0
    else {
      throw TesseraError.input(
        "t-SNE",
        found:
          "\(count) points x \(dims), \(iterations) iterations, exaggeration \(exaggeration), learning rate \(rate)",
        wanted: "points and dimensions, no negative number of iterations, finite factors above 0")
    }
    guard perplexity >= 1, Float(count) > perplexity else {
      throw TesseraError.input(
        "perplexity", found: "\(perplexity) for \(count) points",
        wanted: "1 or more and below the number of points")
    }
    try checkSize(count, dims)
  }

  /// Throws if there are more points, or coordinates or neighbours of them, than 32-bit numbers can count.
  func checkSize(_ count: Int, _ dims: Int) throws {
    let (coordinates, isExact) = (Double(count) * (Double(dims) + 1), isExact(count))
    // Each is a neighbour in two rows at most.
    let entries = 2 * Double(count) * Double(neighbours(count))
    guard isExact || coordinates < 0x1p31 && entries < 0x1p31 && count < 1 << 28
    else {
      throw TesseraError.input(
        "t-SNE",
        found: "\(count) points x \(dims), \(neighbours(count)) neighbours each",
        wanted: "fewer than 2^31 coordinates and 2^30 neighbours in all")
    }
  }

  /// Joint probabilities of points.
  func affinities(_ points: consuming FeaturePoints, _ device: any Backend) throws -> TSNEAffinities {
    let count = points.count
    guard isExact(count) else { return .neighbours(try neighbourAffinities(points, device)) }
    let distances = try metric.squaredDistances(points, on: device)
    let conditional = try device.allocate([count, count], .float32)
    try device.conditionalAffinities(distances, points: count, perplexity: perplexity, into: conditional)
    try device.jointAffinities(conditional, points: count, into: distances)
    return .all(distances, points: count)
  }

  /// Joint probabilities of points with their nearest neighbours.
  func neighbourAffinities(_ points: consuming FeaturePoints, _ device: any Backend) throws
    -> SparseAffinities
  {
    let count = points.count
    let k = neighbours(count)
    let (neighbours, conditional) = (
      try device.allocate([count, k], .int32), try device.allocate([count, k], .float32)
    )
    do {
      let nearest = try device.allocate([count, k], .float32)
      try metric.nearestNeighbours(points, nearest: nearest, neighbours: neighbours, on: device)
      try device.neighbourAffinities(
        nearest, points: count, neighbours: k, perplexity: perplexity, into: conditional)
    }
    return try JointNeighbours(
      try device.ints(neighbours), conditional: try device.floats(conditional), points: count
    ).affinities(on: device)
  }
}
