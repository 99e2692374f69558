extension ChannelsParameters {
  /// A tensor seen as (outer, channels, inner): NCHW has outer = batch, inner = height x width.
  public init(outer: Int, channels: Int, inner: Int, eps: Float = 1e-5) {
    self.init()
    self.outer = Int32(outer)
    self.channels = Int32(channels)
    self.inner = Int32(inner)
    self.eps = eps
    batch = Int32(outer)
  }

  /// All elements.
  public var count: Int { Int(outer) * Int(channels) * Int(inner) }
}

extension RowsParameters {
  /// A matrix of rows with the epsilon of a normalisation.
  public init(rows: Int, columns: Int, eps: Float = 1e-5) {
    self.init()
    self.rows = Int32(rows)
    self.cols = Int32(columns)
    self.eps = eps
    batch = Int32(rows)
  }
}

extension AttentionParameters {
  /// Scores of `heads` heads over a text of `length` tokens, a bias for distances below `span`.
  public init(heads: Int, length: Int, span: Int, scale: Float) {
    self.init()
    self.heads = Int32(heads)
    self.length = Int32(length)
    self.span = Int32(span)
    self.scale = scale
  }
}

extension PoolParameters {
  /// Windows of `kernel` x `kernel` over planes; output extents follow (floor mode).
  public init(planes: Int, height: Int, width: Int, kernel: Int, stride: Int, padding: Int = 0) {
    self.init()
    self.planes = Int32(planes)
    self.height = Int32(height)
    self.width = Int32(width)
    kernel_h = Int32(kernel)
    kernel_w = Int32(kernel)
    stride_h = Int32(stride)
    stride_w = Int32(stride)
    pad_h = Int32(padding)
    pad_w = Int32(padding)
    out_h = Int32(max(0, (height + 2 * padding - kernel + stride) / stride))
    out_w = Int32(max(0, (width + 2 * padding - kernel + stride) / stride))
  }

  /// Adaptive pooling to a given output.
  public init(planes: Int, height: Int, width: Int, outHeight: Int, outWidth: Int) {
    self.init()
    self.planes = Int32(planes)
    self.height = Int32(height)
    self.width = Int32(width)
    out_h = Int32(outHeight)
    out_w = Int32(outWidth)
  }

  /// Elements of the input.
  public var inputCount: Int { Int(planes) * Int(height) * Int(width) }
  /// Elements of the output.
  public var outputCount: Int { Int(planes) * Int(out_h) * Int(out_w) }
}
