// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Pooling of planes (batch x channels): largest elements or means of windows, or means of as many windows as
/// are wanted.
public struct Pooling: Codable, Hashable, Sendable {
  /// Planes: channels of all images.
  public var planes: Int
  /// Rows of a plane.
  public var height: Int
  /// Columns of a plane.
  public var width: Int
  /// Rows and columns of a window; 0 where windows follow from the output (adaptive pooling).
  public var kernel = Size2D(0)
  /// Steps between windows.
  public var stride = Size2D(0)
  /// Pixels around a plane: of a mean zeros that count, of a largest element none.
  public var padding = Size2D(0)
  /// Rows and columns of a plane of the output.
  public var output: Size2D

  /// Windows of `kernel` x `kernel`; `output` follows (floor mode): 0 where no window has room, -1, which
  /// every function refuses, of what makes no sense.
  public init(planes: Int, height: Int, width: Int, kernel: Int, stride: Int, padding: Int = 0) {
    (self.planes, self.height, self.width) = (planes, height, width)
    (self.kernel, self.stride, self.padding) = (Size2D(kernel), Size2D(stride), Size2D(padding))
    output = Size2D(
      height: windows(height, kernel: kernel, stride: stride, padding: padding),
      width: windows(width, kernel: kernel, stride: stride, padding: padding))
  }

  /// Adaptive pooling to a given output.
  public init(planes: Int, height: Int, width: Int, outHeight: Int, outWidth: Int) {
    (self.planes, self.height, self.width) = (planes, height, width)
    output = Size2D(height: outHeight, width: outWidth)
  }

  /// Elements of the input.
  public var inputCount: Int { elements(planes, height, width) }
  /// Elements of the output.
  public var outputCount: Int { elements(planes, output.height, output.width) }

  /// The kernels' parameters. Throws unless extents make sense, windows too where they are no adaptive
  /// pooling's, and every window begins inside its plane.
  func checked(_ place: String, adaptive: Bool = false) throws -> tsr_pool_params {
    try requireExtents(place, planes, height, width)
    try requireExtents(place, planes, output.height, output.width)
    guard outputCount == 0 || height > 0 && width > 0 else {
      throw TesseraError.failure(
        place, found: "planes of \(height)x\(width)", wanted: "at least one pixel for \(output)")
    }
    if adaptive {
      guard kernel == Size2D(0), stride == Size2D(0), padding == Size2D(0) else {
        throw TesseraError.failure(
          place, found: "kernel \(kernel), stride \(stride), padding \(padding)",
          wanted: "an output alone, from which the windows follow")
      }
    } else {
      try checkWindows(place, "height", height, \.height)
      try checkWindows(place, "width", width, \.width)
      guard elements(kernel.height, kernel.width) <= FieldCheck.most else {
        throw TesseraError.failure(
          place, found: "windows of \(kernel)", wanted: "at most 2^31 - 1 pixels of a window")
      }
    }
    return tsr_pool_params(self)
  }

  private func checkWindows(
    _ place: String, _ name: String, _ extent: Int, _ axis: KeyPath<Size2D, Int>
  ) throws {
    let fields = FieldCheck(place: place)
    let (kernel, stride, padding) = (kernel[keyPath: axis], stride[keyPath: axis], padding[keyPath: axis])
    try fields.require("kernel \(name)", kernel, in: 1...FieldCheck.most)
    try fields.require("stride \(name)", stride, in: 1...FieldCheck.most)
    try fields.require("padding \(name)", padding, in: 0...kernel - 1)
    // Positions in the padded plane are 32-bit numbers.
    guard kernel + padding + extent <= FieldCheck.most else {
      throw TesseraError.failure(
        place, found: "a plane and a window that reach over \(kernel + padding + extent) pixels of \(name)",
        wanted: "2^31 - 1 at most")
    }
    guard outputCount == 0 || (output[keyPath: axis] - 1) * stride - padding < extent else {
      throw TesseraError.failure(
        place, found: "an output of \(output) from planes of \(height)x\(width)",
        wanted: "windows that begin inside the plane")
    }
  }
}
