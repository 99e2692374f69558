// SPDX-License-Identifier: Apache-2.0
/// A stream of random numbers: element i of a tensor depends on (seed, stream, first + i) alone.
public struct RandomStream: Codable, Hashable, Sendable {
  /// The run's seed.
  public var seed: UInt64
  /// What the numbers are for: one stream per layer and step.
  public var stream: UInt64
  /// The number that element 0 has: not 0 in a part of a larger tensor. A multiple of 4.
  public var first = 0

  /// The seed where none is chosen: of runs, layouts, trainings and drawn cases. The official code's.
  public static let usualSeed: UInt64 = 1701

  /// A stream by seed and number.
  public init(seed: UInt64, stream: UInt64) {
    self.seed = seed
    self.stream = stream
  }
}

/// Random numbers (Philox4x32-10), dropout and gathers.
public protocol RandomBackend: MemoryBackend {
  /// Uniform in [low, high), 24 bits.
  func randomUniform(_ stream: RandomStream, low: Float, high: Float, into y: Tensor) throws
  /// Normal with the given mean and standard deviation.
  func randomNormal(_ stream: RandomStream, mean: Float, deviation: Float, into y: Tensor) throws
  /// y = x / (1 - rate) where element i of the stream is >= rate, else 0. The gradient is the same call on
  /// dy.
  func dropout(_ stream: RandomStream, rate: Float, _ x: Tensor, into y: Tensor) throws
  /// y[r] = table[ids[r]] for table (entries, columns) and int32 ids.
  func gatherRows(_ table: Tensor, ids: Tensor, columns: Int, into y: Tensor) throws
  /// table[e] = the sum of dy[r] over the rows r whose id is e: the gradient of `gatherRows`. Ids outside the
  /// table add nothing.
  ///
  /// - Parameters:
  ///   - dy: (ids, columns).
  ///   - ids: rows of the table, int32.
  ///   - columns: of the table.
  ///   - group: ids that are one chain of additions, 1 or more: those of 8 samples (NUMERICS.md rule 6). The
  ///     groups' sums are added in ascending order.
  ///   - table: gets the gradient (entries, columns).
  func gatherRowsGrad(_ dy: Tensor, ids: Tensor, columns: Int, group: Int, into table: Tensor) throws
}
