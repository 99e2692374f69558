// SPDX-License-Identifier: Apache-2.0
import TesseraCompute

/// t-SNE in two dimensions (van der Maaten and Hinton 2008) with scikit-learn 0.24's defaults: Euclidean,
/// random start of deviation 1e-4, early exaggeration for 250 iterations at momentum 0.5, then momentum
/// 0.8. scikit-learn 1.2 changed two of them: `start` to `.pca`, `learningRate` to automatic.
///
/// Up to `exactLimit` points all is exact. Of more, a point attracts its 3 x perplexity nearest neighbours
/// alone, as in scikit-learn's Barnes-Hut method (van der Maaten 2014), and nothing has points x points
/// elements any more; the repulsion stays that of all pairs, where Barnes and Hut put far groups of points
/// into one.
public struct TSNE: Sendable {
  /// Effective number of neighbours.
  public var perplexity: Float = 30
  /// Factor on the affinities in the first phase.
  public var exaggeration: Float = 12
  /// Step size; nil: points / exaggeration / 4, at least 50 (Belkina et al. 2019, as scikit-learn counts
  /// gradients).
  public var learningRate: Float? = 200
  /// What is near.
  public var metric = FeatureMetric.euclidean
  /// Where points start.
  public var start = Start.random
  /// Iterations in all.
  public var iterations = 1000
  /// Iterations of the first phase, with exaggerated attraction.
  public var explorationIterations = 250
  /// The most points that are laid out with the affinities of all pairs, two matrices of them at a time: by
  /// default those of twelve hidden states 768 wide, 2 x 340 MB. Above `mostExact` there are always
  /// neighbours.
  public var exactLimit = 10_000
  /// Seed of the start.
  public var seed = RandomStream.usualSeed

  /// The defaults.
  public init() {}

  /// Where points start, in an area of standard deviation 1e-4.
  public enum Start: String, NamedOption {
    /// At random.
    case random
    /// At their first two principal components (of the points as they are, under any metric, as in
    /// scikit-learn).
    case pca
  }

  /// A finished layout.
  public struct Result: Sendable {
    /// All x coordinates, then all y coordinates.
    public let coordinates: [Float]
    /// Kullback-Leibler divergence at the end.
    public let divergence: Float
    /// Iterations that were run.
    public let iterations: Int
    /// The recorded states on the way, the last at the end.
    public let states: [TSNERecord]
  }

  /// Lays out points.
  ///
  /// - Parameters:
  ///   - points: row-major (count, dims); a caller that gives its last copy away saves that memory.
  ///   - count: the number of points.
  ///   - dims: values of each point.
  ///   - device: the main device.
  ///   - helpers: devices that help with the forces, if that makes the steps faster.
  ///   - progress: called now and then with the iteration and the last known divergence.
  /// - Throws: `TesseraError` if there are too few points for the perplexity, or too many for 32-bit
  ///   numbers; for another number of values, values that are not finite, and settings that make no sense.
  public func layOut(
    _ points: consuming [Float], count: Int, dims: Int, on device: any Backend,
    helpers: [any Backend] = [],
    progress: (Int, Float?) throws -> Void = { _, _ in }
  ) throws -> Result {
    let points = try FeaturePoints(consume points, count: count, dims: dims)
    let run = try begin(consume points, on: DeviceGroup(device, helpers: helpers))
    return try finish(run) { try progress($0.iteration, $0.divergence) }
  }

  /// A layout before its first iteration: places by seed, and the affinities of the points.
  ///
  /// - Parameters:
  ///   - points: what is laid out; a caller that gives its last copy away saves that memory.
  ///   - devices: the main device, and those that help with the forces.
  package func begin(_ points: consuming FeaturePoints, on devices: DeviceGroup) throws -> TSNERun {
    let count = points.count
    try check(points: count, dims: points.dims)
    let layout = try place(points, devices.main)
    let joint = try affinities(consume points, devices.main)
    return try TSNERun(self, joint, layout: layout, points: count, on: devices)
  }

  /// Runs a layout to its end.
  ///
  /// - Parameter recorded: called with the layout at each recorded state.
  package func finish(_ run: TSNERun, recorded: (TSNERun) throws -> Void) throws -> Result {
    var states: [TSNERecord] = []
    while !run.isFinished {
      states.append(try run.advance(after: states.last?.state))
      try recorded(run)
    }
    let coordinates = try run.coordinates()
    guard coordinates.allSatisfy(\.isFinite) else {
      throw TesseraError.failure("t-SNE", found: "coordinates that are not finite", wanted: "a layout")
    }
    return Result(
      coordinates: coordinates, divergence: try run.finalDivergence(), iterations: run.iteration,
      states: states)
  }

  private static let startStream: UInt64 = 1 << 61
  private static let startDeviation: Float = 1e-4

  private func place(_ points: FeaturePoints, _ device: any Backend) throws -> Tensor {
    let count = points.count
    switch start {
    case .random:
      let layout = try device.allocate([2, count], .float32)
      try device.randomNormal(
        RandomStream(seed: seed, stream: Self.startStream), mean: 0, deviation: Self.startDeviation,
        into: layout)
      return layout
    case .pca:
      let found = try PrincipalComponents(of: points, on: device).coordinates
      let first = found.prefix(count).map { Double($0) }
      let mean = first.reduce(0, +) / Double(count)
      let deviation = (first.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
      return try device.tensor(
        found.map { Float(Double($0) / deviation * Double(Self.startDeviation)) }, [2, count])
    }
  }
}
