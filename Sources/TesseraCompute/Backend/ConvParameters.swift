// SPDX-License-Identifier: Apache-2.0
import Kernels

extension ConvParameters {
  /// A convolution of (batch, inChannels, size) with square stride, padding and dilation; output extents
  /// follow, 0 where no window has room. Extents that do not fit 32 bits become -1, which every function
  /// refuses.
  public init(
    batch: Int, inChannels: Int, size: (height: Int, width: Int), outChannels: Int,
    kernel: (height: Int, width: Int), stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1
  ) {
    self.init()
    self.batch = Int32(extent: batch)
    in_channels = Int32(extent: inChannels)
    height = Int32(extent: size.height)
    width = Int32(extent: size.width)
    out_channels = Int32(extent: outChannels)
    kernel_h = Int32(extent: kernel.height)
    kernel_w = Int32(extent: kernel.width)
    stride_h = Int32(extent: stride)
    stride_w = Int32(extent: stride)
    pad_h = Int32(extent: padding)
    pad_w = Int32(extent: padding)
    dilation_h = Int32(extent: dilation)
    dilation_w = Int32(extent: dilation)
    self.groups = Int32(extent: groups)
    func extent(_ input: Int, _ kernel: Int) -> Int32 {
      windows(input, kernel: kernel, stride: stride, padding: padding, dilation: dilation)
    }
    out_h = extent(size.height, kernel.height)
    out_w = extent(size.width, kernel.width)
  }

  /// Elements of the input.
  public var inputCount: Int { elements(batch, in_channels, height, width) }
  /// Elements of the output.
  public var outputCount: Int { elements(batch, out_channels, out_h, out_w) }
  /// Elements of the weights.
  public var weightCount: Int {
    groups <= 0 ? 0 : elements(out_channels, in_channels / groups, kernel_h, kernel_w)
  }
  /// Multiply-adds of a forward pass.
  public var multiplyAdds: Int {
    groups <= 0
      ? 0 : elements(batch, out_channels, out_h, out_w, in_channels / groups, kernel_h, kernel_w)
  }
}
