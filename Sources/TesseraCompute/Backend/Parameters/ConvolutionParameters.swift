// SPDX-License-Identifier: Apache-2.0

/// Two numbers of an image's axes: extents, steps, or zeros around it.
public struct Size2D: Codable, Hashable, Sendable, CustomStringConvertible {
  /// Along rows of pixels: from the top down.
  public var height: Int
  /// Along a row: from left to right.
  public var width: Int

  /// Two numbers.
  public init(height: Int, width: Int) { (self.height, self.width) = (height, width) }
  /// The same for both axes.
  public init(_ both: Int) { self.init(height: both, width: both) }

  /// As in "3x5".
  public var description: String { "\(height)x\(width)" }
}

/// A two-dimensional convolution, as PyTorch's Conv2d: x (batch, inChannels, height, width), w (outChannels,
/// inChannels / groups, kernel), y (batch, outChannels, output).
public struct Convolution: Codable, Hashable, Sendable {
  /// Images.
  public var batch: Int
  /// Channels of an image that are read.
  public var inChannels: Int
  /// Rows of an image.
  public var height: Int
  /// Columns of an image.
  public var width: Int
  /// Channels that are made.
  public var outChannels: Int
  /// Taps of the kernel.
  public var kernel: Size2D
  /// Steps between windows.
  public var stride = Size2D(1)
  /// Zeros above and to the left of the image. Below and to the right there are as many as the output wants.
  public var padding = Size2D(0)
  /// Steps between taps.
  public var dilation = Size2D(1)
  /// Parts of the channels, each of which makes its own.
  public var groups = 1
  /// Rows and columns of an image of the output.
  public var output: Size2D
  /// What is applied to a sum after the bias.
  public var activation = FusedActivation.none
  /// Which sum the result is, where two of them are on offer.
  public var algorithm = Algorithm.automatic
  /// What a sum of products is: a chain of fp32 numbers, or an exact integer (NUMERICS.md rule 13), for which
  /// `algorithm` has no meaning. Groups of fewer than 8 channels have fp32 sums in every mode.
  public var products = Products.fp32

  /// A convolution with square stride, padding and dilation; `output` follows: 0 where no window has room,
  /// -1, which every function refuses, of what makes no sense.
  public init(
    batch: Int, inChannels: Int, size: (height: Int, width: Int), outChannels: Int,
    kernel: (height: Int, width: Int), stride: Int = 1, padding: Int = 0, dilation: Int = 1, groups: Int = 1
  ) {
    (self.batch, self.inChannels, self.outChannels) = (batch, inChannels, outChannels)
    (height, width) = size
    self.kernel = Size2D(height: kernel.height, width: kernel.width)
    (self.stride, self.padding, self.dilation) = (Size2D(stride), Size2D(padding), Size2D(dilation))
    self.groups = groups
    func extent(_ input: Int, _ kernel: Int) -> Int {
      windows(input, kernel: kernel, stride: stride, padding: padding, dilation: dilation)
    }
    output = Size2D(height: extent(height, kernel.height), width: extent(width, kernel.width))
  }

  /// Elements of the input.
  public var inputCount: Int { elements(batch, inChannels, height, width) }
  /// Elements of the output.
  public var outputCount: Int { elements(batch, outChannels, output.height, output.width) }
  /// Elements of the weights.
  public var weightCount: Int {
    groups <= 0 ? 0 : elements(outChannels, inChannels / groups, kernel.height, kernel.width)
  }
  /// Multiply-adds of a forward pass.
  public var multiplyAdds: Int {
    groups <= 0
      ? 0
      : elements(
        batch, outChannels, output.height, output.width, inChannels / groups, kernel.height, kernel.width)
  }
}
