// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension Convolution {
  /// Which of two sums the result is: they differ in rounding.
  public enum Algorithm: String, CaseIterable, Codable, Hashable, Sendable {
    /// By fewer multiplications where the shape gains from it (NUMERICS.md rule 11), else the direct sum.
    case automatic
    /// Always the sum over channels and taps, in their order (rule 4, rule 6).
    case direct
  }

  /// The tiles of one direction that is computed by fewer multiplications; nil where it is the direct sum.
  /// The shape decides, never batch, device or threads.
  func tiles(_ direction: ConvDirection) -> WinogradTiles? {
    guard algorithm == .automatic, products == .fp32, groups == 1, stride == Size2D(1), dilation == Size2D(1),
      kernel.height == kernel.width, WinogradTiles.kernels.contains(kernel.height),
      min(inChannels, outChannels) >= WinogradTiles.leastChannels
    else { return nil }
    let made = direction == .gradData ? Size2D(height: height, width: width) : output
    let tiles = WinogradTiles(kernel: kernel.height, output: made)
    return tiles.isWorthwhile ? tiles : nil
  }

  /// The kernels' parameters of a direction that has such tiles; nil where it is the direct sum. Of a
  /// convolution that is checked: its extents fit 32 bits, and tensors of 16 channels have few enough tiles.
  func winograd(_ direction: ConvDirection) -> tsr_winograd_params? {
    guard let tiles = tiles(direction) else { return nil }
    let reach = kernel.height - 1, isGradient = direction == .gradData
    var p = tsr_winograd_params()
    (p.batch, p.taps) = (Int32(batch), Int32(kernel.height))
    (p.tile_rows, p.tile_columns) = (Int32(tiles.rows), Int32(tiles.columns))
    let image = (Int32(inChannels), Int32(height), Int32(width))
    let made = (Int32(outChannels), Int32(output.height), Int32(output.width))
    (p.channels, p.height, p.width) = isGradient ? made : image
    (p.outputs, p.rows, p.columns) = isGradient ? image : made
    p.top = Int32(isGradient ? reach - padding.height : padding.height)
    p.left = Int32(isGradient ? reach - padding.width : padding.width)
    p.mirrored = isGradient ? 1 : 0
    p.activation = direction == .forward ? activation.rawValue : FusedActivation.none.rawValue
    return p
  }
}

/// How an output is cut into tiles, each of which takes points x points multiplications for every pair of
/// channels where the direct sum takes kernel x kernel for every pixel (Winograd 1980; Lavin and Gray 2016).
struct WinogradTiles: Equatable {
  /// Sides of square kernels that have transforms, and the fewest channels of input and output.
  static let kernels = 2...5, leastChannels = 16
  /// Sides of the kernel and of an output tile, and of the tile that is read: the points of evaluation.
  let kernel: Int, side: Int, points: Int
  /// Rows and columns of tiles.
  let rows: Int, columns: Int
  /// Pixels of the output.
  private let pixels: Int

  init(kernel: Int, output: Size2D) {
    self.kernel = kernel
    points = kernel == 2 ? 4 : 6
    side = points - kernel + 1
    (rows, columns) = ((output.height + side - 1) / side, (output.width + side - 1) / side)
    pixels = elements(output.height, output.width)
  }

  /// Tiles of an image.
  var count: Int { elements(rows, columns) }
  /// Whether the direct sum takes at least 1.7 times as many multiplications.
  var isWorthwhile: Bool {
    let direct = elements(10 * kernel * kernel, pixels), fewer = elements(17 * points * points, count)
    return direct > 0 && direct != .max && direct >= fewer
  }
}
