// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// One phase of a strided convolution's gradient for the data: the input elements whose place in the padded
/// image leaves the same remainder by the stride. They meet the same kernel taps, every stride-th, so their
/// gradient is that of a convolution with stride 1 (NUMERICS.md rule 4); the other taps meet no output and
/// take no part in the sum.
///
///     stride 2, kernel 3:   places   0 1 0 1 0 1      phase 0: taps 0, 2      phase 1: tap 1
struct ConvPhase {
  /// The convolution with stride 1 whose input is the phase. Its padding may be negative.
  let conv: tsr_conv_params
  /// Copies the phase's taps out of the weights (a grid of taps for every pair of channels).
  let weights: tsr_grid_params
  /// Copies the phase's gradient to its places (a grid of elements for every plane).
  let elements: tsr_grid_params

  /// The phases of a convolution that have an element. One without taps has a gradient of zero:
  /// `conv.weightCount` is 0.
  static func all(_ p: tsr_conv_params) -> [ConvPhase] {
    axis(p.height, p.kernel_h, p.stride_h, p.pad_h, p.dilation_h).flatMap { vertical in
      axis(p.width, p.kernel_w, p.stride_w, p.pad_w, p.dilation_w).map { ConvPhase(p, vertical, $0) }
    }
  }

  private init(_ p: tsr_conv_params, _ vertical: Axis, _ horizontal: Axis) {
    var conv = p
    (conv.stride_h, conv.stride_w) = (1, 1)
    (conv.height, conv.width) = (vertical.count, horizontal.count)
    (conv.kernel_h, conv.kernel_w) = (vertical.taps, horizontal.taps)
    (conv.pad_h, conv.pad_w) = (vertical.padding, horizontal.padding)
    (conv.dilation_h, conv.dilation_w) = (vertical.dilation, horizontal.dilation)
    self.conv = conv
    weights = tsr_grid_params(
      planes: p.out_channels * (p.in_channels / p.groups), rows: vertical.taps, cols: horizontal.taps,
      src_offset: vertical.firstTap * p.kernel_w + horizontal.firstTap, src_plane: p.kernel_h * p.kernel_w,
      src_row: vertical.tapStep * p.kernel_w, src_step: horizontal.tapStep, dst_offset: 0,
      dst_plane: vertical.taps * horizontal.taps, dst_row: horizontal.taps, dst_step: 1)
    elements = tsr_grid_params(
      planes: p.batch * p.in_channels, rows: vertical.count, cols: horizontal.count, src_offset: 0,
      src_plane: vertical.count * horizontal.count, src_row: horizontal.count, src_step: 1,
      dst_offset: vertical.first * p.width + horizontal.first, dst_plane: p.height * p.width,
      dst_row: min(p.stride_h, p.height) * p.width, dst_step: p.stride_w)
  }

  /// A phase along one axis: its elements `first + stride i`, its taps `firstTap + tapStep t`.
  private struct Axis {
    var first: Int32, count: Int32
    var firstTap: Int32, tapStep: Int32, taps: Int32
    var padding: Int32, dilation: Int32
  }

  private static func axis(
    _ extent: Int32, _ kernel: Int32, _ stride: Int32, _ padding: Int32, _ dilation: Int32
  ) -> [Axis] {
    var divisor = (stride, dilation)
    while divisor.1 != 0 { divisor = (divisor.1, divisor.0 % divisor.1) }
    let step = stride / divisor.0
    return (0..<min(stride, extent)).map { first in
      // Element `first` meets tap k where first + padding - k dilation is a multiple of the stride.
      let tap = (0..<min(step, kernel)).first { (first + padding - $0 * dilation) % stride == 0 }
      return Axis(
        first: first, count: (extent - first - 1) / stride + 1, firstTap: tap ?? 0,
        tapStep: min(step, kernel),
        taps: tap.map { (kernel - $0 - 1) / step + 1 } ?? 0,
        padding: tap.map { (first + padding - $0 * dilation) / stride } ?? 0, dilation: dilation / divisor.0)
    }
  }
}
