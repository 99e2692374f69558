extension ConvParameters {
  /// A convolution of (batch, inChannels, size) with square stride, padding and dilation; output extents follow.
  public init(
    batch: Int, inChannels: Int, size: (height: Int, width: Int), outChannels: Int,
    kernel: (height: Int, width: Int), stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1
  ) {
    self.init()
    self.batch = Int32(batch)
    in_channels = Int32(inChannels)
    height = Int32(size.height)
    width = Int32(size.width)
    out_channels = Int32(outChannels)
    kernel_h = Int32(kernel.height)
    kernel_w = Int32(kernel.width)
    stride_h = Int32(stride)
    stride_w = Int32(stride)
    pad_h = Int32(padding)
    pad_w = Int32(padding)
    dilation_h = Int32(dilation)
    dilation_w = Int32(dilation)
    self.groups = Int32(groups)
    func extent(_ input: Int, _ kernel: Int) -> Int32 {
      Int32(max(0, (input + 2 * padding - dilation * (kernel - 1) - 1 + stride) / stride))
    }
    out_h = extent(size.height, kernel.height)
    out_w = extent(size.width, kernel.width)
  }

  /// Elements of the input.
  public var inputCount: Int { Int(batch) * Int(in_channels) * Int(height) * Int(width) }
  /// Elements of the output.
  public var outputCount: Int { Int(batch) * Int(out_channels) * Int(out_h) * Int(out_w) }
  /// Elements of the weights.
  public var weightCount: Int {
    groups == 0 ? 0 : Int(out_channels) * Int(in_channels / groups) * Int(kernel_h) * Int(kernel_w)
  }
  /// Multiply-adds of a forward pass.
  public var multiplyAdds: Int {
    groups == 0 ? 0 : outputCount * Int(in_channels / groups) * Int(kernel_h) * Int(kernel_w)
  }
}
