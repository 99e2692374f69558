// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Convolutions as exact integers, forward and for the data (NUMERICS.md rule 13):
/// `Kernels/integer_gemm/c/integer_conv.h`.
extension CPUBackend {
  /// Bytes of images that are digits at once, if one image is no more.
  static let imageBytes = 8 << 20

  /// A checked convolution, or its gradient for the data, its operands as so many digits.
  ///
  /// The weights' digits are kept beside them from the second use in a row on.
  func integerConv(
    _ place: String, _ p: tsr_conv_params, isGradient: Bool, digits: Int, _ x: Tensor, _ w: Tensor,
    bias: Tensor?, into y: Tensor
  ) throws {
    let weights = try w.cpuStorage(place)
    let e = ExactConvolution(p, isGradient: isGradient)
    var plan = tsr_integer_conv_plan(e, digits: digits, unit: integerUnit)
    let source = UnsafePointer(try x.cpu(place).pointer), made = try y.cpu(place).pointer
    let bias = try bias?.cpu(place).pointer
    if !isGradient { plan.gemm.activation = p.activation }
    plan.gemm.bias_kind = bias == nil ? 0 : Int32(TSR_BIAS_COLUMN)
    let key = PreparedWeights.Key(p, isGradient: isGradient, digits: digits, unit: integerUnit)
    try weights.prepared.use(key, isKept: true) {
      try weightDigits(weights, e, plan.gemm)
    } _: { kept in
      let form = try kept ?? weightDigits(weights, e, plan.gemm)
      let bytes = Int(kernels.integer_gemm_b_bytes(&plan.gemm))
      let memory = UnsafeMutableRawPointer(try form.cpu(place).pointer)
      for group in 0..<e.groups {
        plan.gemm.packed_b = memory + group * bytes
        plan.gemm.bias = UnsafePointer(bias.map { $0 + group * e.outputs })
        try convolve(
          &plan, e, batch: Int(p.batch), source + group * e.channels * e.area,
          made + group * e.outputs * e.madeArea)
      }
    }
  }

  /// The weights of all groups, balanced, as digits.
  private func weightDigits(_ weights: CPUStorage, _ e: ExactConvolution, _ gemm: tsr_integer_gemm_plan)
    throws
    -> Tensor
  {
    var plan = tsr_integer_weights_plan()
    plan.gemm = gemm
    (plan.output_stride, plan.channel_stride) = (Int64(e.outputStride), Int64(e.channelStride))
    (plan.channels, plan.taps, plan.kernel_w) = (Int32(e.channels), Int32(e.taps), Int32(e.kernelWidth))
    let columns = try pool.storage(4 * max(1, e.outputs * e.terms), for: "weights side by side")
    plan.columns = columns.pointer.assumingMemoryBound(to: Float.self)
    plan.gemm.b = UnsafePointer(plan.columns)
    (plan.gemm.b_col_stride, plan.gemm.b_row_stride) = (Int64(e.terms), 1)
    let bytes = Int(kernels.integer_gemm_b_bytes(&plan.gemm))
    let form = try allocate([max(1, e.groups * bytes / 4)], .float32)
    let memory = UnsafeMutableRawPointer(try form.cpu("conv2d").pointer)
    let values = UnsafePointer(weights.pointer.assumingMemoryBound(to: Float.self))
    e.phases.withUnsafeBufferPointer { phases in
      (plan.phases, plan.phase_count) = (phases.baseAddress, Int32(phases.count))
      for group in 0..<e.groups {
        plan.w = values + group * e.groupWeights
        plan.gemm.packed_b = memory + group * bytes
        withShared(&plan) { plan in
          parallel(e.channels, grain: max(1, 65_536 / max(1, e.outputs * e.taps))) {
            kernels.integer_weights_exponents(plan.pointer, Int32($0), Int32($1))
          }
          kernels.integer_weights_balance(plan.pointer)
          parallel(e.outputs, grain: max(1, 65_536 / e.terms)) {
            kernels.integer_weights_columns(plan.pointer, Int32($0), Int32($1))
          }
          parallel((e.outputs + 15) / 16, grain: max(1, 4096 / e.terms)) {
            kernels.integer_gemm_pack_b(&plan.pointer.pointee.gemm, Int32($0), Int32($1))
          }
        }
      }
    }
    withExtendedLifetime(columns) {}
    return form
  }

  /// One group of channels of all images, some images at a time.
  private func convolve(
    _ plan: inout tsr_integer_conv_plan, _ e: ExactConvolution, batch: Int, _ x: UnsafePointer<Float>,
    _ y: UnsafeMutablePointer<Float>
  ) throws {
    plan.source.samples = 1
    let ofImage = Int(kernels.integer_conv_image_bytes(&plan))
    let most = max(1, min(batch, Self.imageBytes / max(1, ofImage)))
    let image = try pool.storage(most * ofImage + 64, for: "images as digits")
    let notes = try pool.storage(4 * most * (e.channels + 1), for: "scales of images")
    plan.image = image.pointer.assumingMemoryBound(to: Int8.self)
    plan.scales = notes.pointer.assumingMemoryBound(to: Int32.self)
    plan.source.magnitudes = plan.scales + most
    for first in stride(from: 0, to: batch, by: most) {
      let count = min(most, batch - first)
      plan.source.x = x + first * e.sourceStride
      plan.source.samples = Int32(count)
      plan.gemm.c = y + first * e.madeStride
      magnitudes(&plan.source)
      withShared(&plan) { plan in
        kernels.integer_conv_scales(plan.pointer)
        parallel(count * e.rows, grain: max(1, 16_384 / max(1, e.columns * e.channels))) {
          kernels.integer_conv_digits(plan.pointer, Int32($0), Int32($1))
        }
      }
      for phase in e.phases where phase.h.count > 0 && phase.w.count > 0 {
        plan.phase = phase
        let scratch = Int(kernels.integer_conv_scratch_count(&plan))
        let lines = Int(phase.h.count) * Int(phase.w.count)
        let products = elements(count, lines, e.outputs, max(1, e.terms(of: phase)))
        let workers = max(1, min(threads, products / GemmSchedule.grain))
        try withShared(&plan) { plan in
          try runWorkers(workers, scratch: scratch) { kernels.integer_conv_work(plan.pointer, $0, $1) }
        }
      }
    }
    withExtendedLifetime((image, notes)) {}
  }

  /// The greatest magnitudes of planes.
  func magnitudes(_ planes: inout tsr_integer_planes) {
    let (count, area) = (Int(planes.samples) * Int(planes.channels), Int(planes.area))
    withShared(&planes) { planes in
      parallel(count, grain: max(1, 65_536 / max(1, area))) {
        kernels.integer_magnitudes(planes.pointer, Int32($0), Int32($1))
      }
    }
  }
}

extension tsr_integer_conv_plan {
  fileprivate init(_ e: ExactConvolution, digits: Int, unit: Int32) {
    self.init()
    (gemm.n, gemm.k, gemm.digits, gemm.unit) = (Int32(e.outputs), Int32(e.terms), Int32(digits), unit)
    (source.channels, source.area) = (Int32(e.channels), Int32(e.area))
    source.sample_stride = Int64(e.sourceStride)
    (height, width, top, left) = (Int32(e.height), Int32(e.width), Int32(e.top), Int32(e.left))
    (rows, columns) = (Int32(e.rows), Int32(e.columns))
    (out_width, out_area, c_stride) = (Int32(e.madeWidth), Int32(e.madeArea), Int64(e.madeStride))
  }
}
