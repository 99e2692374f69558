// SPDX-License-Identifier: Apache-2.0
import Kernels

extension ChannelsParameters {
  /// A tensor seen as (outer, channels, inner): NCHW has outer = batch, inner = height x width. Extents
  /// that do not fit 32 bits become -1, which every function refuses.
  public init(outer: Int, channels: Int, inner: Int, eps: Float = 1e-5) {
    self.init()
    self.outer = Int32(extent: outer)
    self.channels = Int32(extent: channels)
    self.inner = Int32(extent: inner)
    self.eps = eps
    batch = Int32(extent: outer)
  }

  /// All elements.
  public var count: Int { elements(outer, channels, inner) }
}

extension ChannelsParameters {
  /// Throws unless extents make sense, and the epsilon.
  func check(_ place: String) throws {
    try requireExtents(place, Int(outer), Int(channels), Int(inner))
    try requireEpsilon(place, eps)
    guard batch >= outer else {
      throw TesseraError.failure(
        place, found: "\(outer) samples of \(batch)", wanted: "a batch that holds them")
    }
  }

  /// Throws where a mean would be over nothing.
  func requireSamples(_ place: String) throws {
    guard channels == 0 || outer > 0 && inner > 0 else {
      throw TesseraError.failure(
        place, found: "\(outer) samples of \(inner) values a channel", wanted: "1 value or more")
    }
  }
}

extension RowsParameters {
  /// A matrix of rows with the epsilon of a normalisation. Extents that do not fit 32 bits become -1, which
  /// every function refuses.
  public init(rows: Int, columns: Int, eps: Float = 1e-5) {
    self.init()
    self.rows = Int32(extent: rows)
    self.cols = Int32(extent: columns)
    self.eps = eps
    batch = Int32(extent: rows)
  }
}

extension RowsParameters {
  /// Throws unless extents make sense, and the epsilon.
  func check(_ place: String, columns: Int32 = 0) throws {
    try requireExtents(place, Int(rows), Int(cols))
    try requireEpsilon(place, eps)
    guard cols >= columns || rows == 0 else {
      throw TesseraError.failure(place, found: "rows of \(cols) columns", wanted: "\(columns) or more")
    }
  }
}

extension AttentionParameters {
  /// Scores of `heads` heads over a text of `length` tokens, a bias for distances below `span`.
  public init(heads: Int, length: Int, span: Int, scale: Float) {
    self.init()
    self.heads = Int32(extent: heads)
    self.length = Int32(extent: length)
    self.span = Int32(extent: span)
    self.scale = scale
  }
}

extension PoolParameters {
  /// Windows of `kernel` x `kernel` over planes; output extents follow (floor mode), 0 where no window has
  /// room. Extents that do not fit 32 bits become -1, which every function refuses.
  public init(planes: Int, height: Int, width: Int, kernel: Int, stride: Int, padding: Int = 0) {
    self.init()
    self.planes = Int32(extent: planes)
    self.height = Int32(extent: height)
    self.width = Int32(extent: width)
    kernel_h = Int32(extent: kernel)
    kernel_w = Int32(extent: kernel)
    stride_h = Int32(extent: stride)
    stride_w = Int32(extent: stride)
    pad_h = Int32(extent: padding)
    pad_w = Int32(extent: padding)
    out_h = windows(height, kernel: kernel, stride: stride, padding: padding)
    out_w = windows(width, kernel: kernel, stride: stride, padding: padding)
  }

  /// Adaptive pooling to a given output.
  public init(planes: Int, height: Int, width: Int, outHeight: Int, outWidth: Int) {
    self.init()
    self.planes = Int32(extent: planes)
    self.height = Int32(extent: height)
    self.width = Int32(extent: width)
    out_h = Int32(extent: outHeight)
    out_w = Int32(extent: outWidth)
  }

  /// Elements of the input.
  public var inputCount: Int { elements(planes, height, width) }
  /// Elements of the output.
  public var outputCount: Int { elements(planes, out_h, out_w) }
}
