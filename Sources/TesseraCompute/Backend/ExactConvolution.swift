// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension Convolution {
  /// Channels of a group below which a convolution has fp32 sums in every mode: its sums are so short, and its
  /// results so few, that digits would cost more than the sums.
  static let fewestExactChannels = 8

  /// Digits of the operands of exact sums (NUMERICS.md rule 13); nil where sums are of fp32 products. The shape
  /// decides, never batch, device or threads.
  var exactDigits: Int? {
    groups <= 1 || min(inChannels, outChannels) / groups >= Self.fewestExactChannels ? products.digits : nil
  }
}

/// A convolution of exact sums as a product of matrices, forward or for the data: what is read, what is made, and
/// which taps meet which pixels.
///
/// The gradient for the data of a stride is a convolution of the output's gradient for each phase: the pixels whose
/// places leave one remainder by the stride meet the same taps, which are read backwards. Sums have no order, so
/// the phases have the digits of one formula.
struct ExactConvolution {
  /// The phases; forward there is one.
  let phases: [tsr_integer_phase]
  /// Groups, and channels of one that are read and that are made.
  let groups: Int, channels: Int, outputs: Int
  /// An image of the source, and what is made: rows' length and a plane.
  let height: Int, width: Int, madeWidth: Int, madeArea: Int
  /// Weights from a channel that is made to the next, and from one that is read.
  let outputStride: Int, channelStride: Int
  /// The kernel.
  let kernelHeight: Int, kernelWidth: Int
  /// Terms of all phases, each to whole blocks of 64; the channels and a block at least.
  let terms: Int
  /// Zeros above and to the left, and the extents of a padded plane.
  let top: Int, left: Int, rows: Int, columns: Int

  var taps: Int { kernelHeight * kernelWidth }
  var area: Int { height * width }
  /// Elements of an image.
  var sourceStride: Int { groups * channels * area }
  var madeStride: Int { groups * outputs * madeArea }
  /// Elements of a group's weights.
  var groupWeights: Int { outputs * channels * taps }

  init(_ p: tsr_conv_params, isGradient: Bool) {
    let e = ConvExtents(p)
    let (outer, inner) = (e.groupIn * e.taps, e.taps)
    groups = Int(p.groups)
    (channels, outputs) = isGradient ? (e.groupOut, e.groupIn) : (e.groupIn, e.groupOut)
    (outputStride, channelStride) = isGradient ? (inner, outer) : (outer, inner)
    let (image, output) = ((Int(p.height), Int(p.width)), (Int(p.out_h), Int(p.out_w)))
    (height, width) = isGradient ? output : image
    (madeWidth, madeArea) = isGradient ? (Int(p.width), e.plane) : (Int(p.out_w), e.outputPositions)
    (kernelHeight, kernelWidth) = (Int(p.kernel_h), Int(p.kernel_w))
    let vertical = Axis.all(
      input: image.0, output: output.0, kernel: Int(p.kernel_h), stride: Int(p.stride_h),
      padding: Int(p.pad_h),
      dilation: Int(p.dilation_h), isGradient: isGradient)
    let horizontal = Axis.all(
      input: image.1, output: output.1, kernel: Int(p.kernel_w), stride: Int(p.stride_w),
      padding: Int(p.pad_w),
      dilation: Int(p.dilation_w), isGradient: isGradient)
    var first = 0
    var phases: [tsr_integer_phase] = []
    for h in vertical {
      for w in horizontal {
        phases.append(tsr_integer_phase(h: h.parameters, w: w.parameters, first_k: Int32(first)))
        first += (h.taps * w.taps * channels + 63) / 64 * 64
      }
    }
    self.phases = phases
    terms = max(64, first, (channels + 63) / 64 * 64)
    (top, rows) = Axis.extent(vertical, source: height)
    (left, columns) = Axis.extent(horizontal, source: width)
  }

  /// Terms of a phase.
  func terms(of phase: tsr_integer_phase) -> Int { Int(phase.h.taps) * Int(phase.w.taps) * channels }
}

extension ExactConvolution {
  /// A phase along one axis.
  private struct Axis {
    var count: Int, taps: Int
    var start: Int, lineStep: Int, tapStep: Int
    var outFirst = 0, outStep = 1
    var kernelFirst = 0, kernelStep = 1

    var parameters: tsr_integer_axis {
      tsr_integer_axis(
        count: Int32(count), taps: Int32(taps), start: Int32(start), line_step: Int32(lineStep),
        tap_step: Int32(tapStep), out_first: Int32(outFirst), out_step: Int32(outStep),
        kernel_first: Int32(kernelFirst), kernel_step: Int32(kernelStep))
    }

    static func all(
      input: Int, output: Int, kernel: Int, stride: Int, padding: Int, dilation: Int, isGradient: Bool
    ) -> [Axis] {
      guard isGradient else {
        return [Axis(count: output, taps: kernel, start: -padding, lineStep: stride, tapStep: dilation)]
      }
      var divisor = (stride, dilation)
      while divisor.1 != 0 { divisor = (divisor.1, divisor.0 % divisor.1) }
      let step = stride / divisor.0
      let phases = (0..<min(stride, input)).map { first in
        // Pixel `first` meets tap k where first + padding - k dilation is a multiple of the stride.
        let tap = (0..<min(step, kernel)).first { (first + padding - $0 * dilation) % stride == 0 }
        let taps = tap.map { (kernel - $0 - 1) / step + 1 } ?? 0
        let last = (tap ?? 0) + max(0, taps - 1) * step
        return Axis(
          count: (input - first - 1) / stride + 1, taps: taps,
          start: taps == 0 ? 0 : (first + padding - last * dilation) / stride, lineStep: 1,
          tapStep: dilation / divisor.0, outFirst: first, outStep: stride, kernelFirst: last,
          kernelStep: -min(step, kernel))
      }
      // Taps that meet no pixel of so small an image still count for the weights' scales.
      let met = Set(
        phases.flatMap { phase in (0..<phase.taps).map { phase.kernelFirst + $0 * phase.kernelStep } })
      return phases
        + (0..<kernel).filter { !met.contains($0) }.map {
          Axis(count: 0, taps: 1, start: 0, lineStep: 1, tapStep: 1, kernelFirst: $0)
        }
    }

    /// Zeros before the source, and the extent of the source with all that the phases' taps reach.
    static func extent(_ axes: [Axis], source: Int) -> (before: Int, extent: Int) {
      let read = axes.filter { $0.taps > 0 && $0.count > 0 }
      let before = max(0, -(read.map(\.start).min() ?? 0))
      let reaches = read.map { axis -> Int in
        let (lines, taps) = ((axis.count - 1) * axis.lineStep, (axis.taps - 1) * axis.tapStep)
        return axis.start + lines + taps + 1
      }
      return (before, before + max(source, reaches.max() ?? 0))
    }
  }
}
