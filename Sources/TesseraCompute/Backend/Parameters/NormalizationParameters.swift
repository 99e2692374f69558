// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// A tensor seen as (outer, channels, inner): an NCHW tensor has outer = batch, inner = height x width.
public struct ChannelLayout: Codable, Hashable, Sendable {
  /// Samples.
  public var outer: Int
  /// Channels.
  public var channels: Int
  /// Values of a channel in a sample.
  public var inner: Int
  /// Samples of the batch, of which these may be a part: what a mean is over.
  public var batch: Int
  /// What is added to a variance before its root.
  public var eps: Float

  /// Samples that are the whole batch.
  public init(outer: Int, channels: Int, inner: Int, eps: Float = 1e-5) {
    (self.outer, self.channels, self.inner) = (outer, channels, inner)
    (self.eps, batch) = (eps, outer)
  }

  /// All elements.
  public var count: Int { elements(outer, channels, inner) }

  /// The kernels' parameters. Throws unless extents make sense, and the epsilon.
  func checked(_ place: String) throws -> tsr_channels_params {
    try requireExtents(place, outer, channels, inner)
    try requireEpsilon(place, eps)
    try FieldCheck(place: place).require("a batch of", batch, in: outer...FieldCheck.most)
    return tsr_channels_params(self)
  }

  /// Throws where a mean would be over nothing.
  func requireSamples(_ place: String) throws {
    guard channels == 0 || outer > 0 && inner > 0 else {
      throw TesseraError.failure(
        place, found: "\(outer) samples of \(inner) values a channel", wanted: "1 value or more")
    }
  }
}

/// Normalisation of the rows of a matrix (Ba, Kiros and Hinton 2016).
public struct LayerNormalization: Codable, Hashable, Sendable {
  /// Rows, each of which is normalised for itself.
  public var rows: Int
  /// Columns: what a mean is over.
  public var columns: Int
  /// What is added to a variance before its root.
  public var eps: Float

  /// Rows of so many columns.
  public init(rows: Int, columns: Int, eps: Float = 1e-5) {
    (self.rows, self.columns, self.eps) = (rows, columns, eps)
  }

  /// The kernels' parameters. Throws unless extents make sense, the epsilon, and rows have columns enough.
  func checked(_ place: String, atLeast least: Int = 0) throws -> tsr_rows_params {
    try requireExtents(place, rows, columns)
    try requireEpsilon(place, eps)
    guard columns >= least || rows == 0 else {
      throw TesseraError.failure(place, found: "rows of \(columns) columns", wanted: "\(least) or more")
    }
    return tsr_rows_params(self)
  }
}

/// Local response normalisation, as PyTorch's LocalResponseNorm (Krizhevsky et al. 2012, section 3.3), of a
/// tensor (outer, channels, inner).
public struct LocalResponseNormalization: Codable, Hashable, Sendable {
  /// Samples.
  public var outer: Int
  /// Channels.
  public var channels: Int
  /// Values of a channel in a sample.
  public var inner: Int
  /// Neighbouring channels whose squares are summed.
  public var size: Int
  /// The factor of the mean square, 0 or more, in y = x (k + alpha / size (sum of squares))^-beta.
  public var alpha: Float
  /// The exponent.
  public var beta: Float
  /// What is added to the squares, above 0.
  public var k: Float

  /// A normalisation over `size` channels, with PyTorch's defaults.
  public init(
    outer: Int, channels: Int, inner: Int, size: Int, alpha: Float = 1e-4, beta: Float = 0.75, k: Float = 1
  ) {
    (self.outer, self.channels, self.inner, self.size) = (outer, channels, inner, size)
    (self.alpha, self.beta, self.k) = (alpha, beta, k)
  }

  /// The kernels' parameters. Throws unless extents and constants make sense.
  func checked(_ place: String) throws -> tsr_response_params {
    try requireExtents(place, outer, channels, inner)
    guard (1...FieldCheck.most).contains(size), k > 0, k.isFinite, alpha >= 0, alpha.isFinite, beta.isFinite
    else {
      throw TesseraError.failure(
        place, found: "size \(size), k \(k), alpha \(alpha), beta \(beta)",
        wanted: "size 1 or more, k above 0, alpha 0 or more")
    }
    return tsr_response_params(self)
  }
}
