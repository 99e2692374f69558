// SPDX-License-Identifier: Apache-2.0
internal import Kernels
import Foundation

/// Gradients for the weights of convolutions as exact integers (NUMERICS.md rule 13):
/// `Kernels/integer_gemm/c/integer_grad_weight.h`.
extension CPUBackend {
  /// The gradient of a checked call: groups of 8 samples, whose results are added to +0 in their order.
  func integerGradWeight(
    _ p: tsr_conv_params, digits: Int, _ x: Tensor, _ dy: Tensor, into dw: Tensor
  ) throws {
    try fill(dw, with: 0)
    guard dy.count > 0 else { return }
    let e = ExactConvolution(p, isGradient: false)
    let images = UnsafePointer(try x.cpu("conv2dGradWeight").pointer)
    let gradients = UnsafePointer(try dy.cpu("conv2dGradWeight").pointer)
    let weights = try dw.cpu("conv2dGradWeight").pointer
    var plan = tsr_integer_grad_weight_plan()
    (plan.conv, plan.digits, plan.unit) = (p, Int32(digits), integerUnit)
    func extent(_ source: Int, _ padding: Int32, _ stride: Int32, _ out: Int32, _ reach: Int) -> Int32 {
      let most = max(Int(padding) + source, Int(out - 1) * Int(stride) + reach + 1)
      return Int32((most + Int(stride) - 1) / Int(stride))
    }
    plan.rows = extent(e.height, p.pad_h, p.stride_h, p.out_h, Int(p.kernel_h - 1) * Int(p.dilation_h))
    plan.columns = extent(e.width, p.pad_w, p.stride_w, p.out_w, Int(p.kernel_w - 1) * Int(p.dilation_w))
    plan.k = (p.out_h * plan.columns + 63) / 64 * 64
    (plan.x.channels, plan.x.area, plan.x.sample_stride) = (
      Int32(e.channels), Int32(e.area), Int64(e.sourceStride)
    )
    (plan.dy.channels, plan.dy.area, plan.dy.sample_stride) = (
      Int32(e.outputs), Int32(e.madeArea), Int64(e.madeStride)
    )
    for group in 0..<e.groups {
      plan.dw = weights + group * e.groupWeights
      for first in stride(from: 0, to: Int(p.batch), by: Int(TSR_BATCH_GROUP)) {
        plan.x.x = images + first * e.sourceStride + group * e.channels * e.area
        plan.dy.x = gradients + first * e.madeStride + group * e.outputs * e.madeArea
        try gradWeight(&plan, samples: min(Int(TSR_BATCH_GROUP), Int(p.batch) - first))
      }
    }
  }

  /// A group of samples of one group of channels.
  private func gradWeight(_ plan: inout tsr_integer_grad_weight_plan, samples: Int) throws {
    let (channels, outputs) = (Int(plan.x.channels), Int(plan.dy.channels))
    let notes = try pool.storage(4 * (samples + 1) * (channels + outputs), for: "scales of channels")
    let scales = notes.pointer.assumingMemoryBound(to: Int32.self)
    (plan.x.samples, plan.dy.samples) = (Int32(samples), Int32(samples))
    plan.x.magnitudes = scales + channels + outputs
    plan.dy.magnitudes = plan.x.magnitudes + samples * channels
    magnitudes(&plan.x)
    magnitudes(&plan.dy)
    kernels.integer_channel_scales(&plan.x, plan.digits, scales)
    kernels.integer_channel_scales(&plan.dy, plan.digits, scales + channels)
    (plan.x_scales, plan.dy_scales) = (UnsafePointer(scales), UnsafePointer(scales + channels))
    let sums = try pool.storage(Int(kernels.integer_grad_weight_sum_bytes(&plan)), for: "exact sums")
    memset(sums.pointer, 0, sums.byteCount)
    plan.sums = sums.pointer.assumingMemoryBound(to: Int64.self)
    try addTerms(&plan, samples: samples)
    let panels = (channels * Int(plan.conv.kernel_h) * Int(plan.conv.kernel_w) + 31) / 32
    withShared(&plan) { plan in
      parallel(panels, grain: max(1, 1024 / max(1, outputs))) {
        kernels.integer_grad_weight_finish(plan.pointer, Int32($0), Int32($1))
      }
    }
    withExtendedLifetime((notes, sums)) {}
  }

  /// The sums grow by the samples' terms, some samples at a time.
  private func addTerms(_ plan: inout tsr_integer_grad_weight_plan, samples: Int) throws {
    let (images, gradients) = (plan.x.x, plan.dy.x)
    let (channels, outputs, k) = (Int(plan.x.channels), Int(plan.dy.channels), Int(plan.k))
    (plan.x.samples, plan.dy.samples) = (1, 1)
    let ofSample = Int(
      kernels.integer_grad_weight_image_bytes(&plan) + kernels.integer_grad_weight_strip_bytes(&plan))
    let most = max(1, min(samples, Self.imageBytes / max(1, ofSample)))
    (plan.x.samples, plan.dy.samples) = (Int32(most), Int32(most))
    let image = try pool.storage(Int(kernels.integer_grad_weight_image_bytes(&plan)), for: "images as digits")
    let strips = try pool.storage(
      Int(kernels.integer_grad_weight_strip_bytes(&plan)), for: "gradients as digits")
    plan.image = image.pointer.assumingMemoryBound(to: Int8.self)
    plan.strips = strips.pointer.assumingMemoryBound(to: CChar.self)
    let scratch = Int(kernels.integer_grad_weight_scratch_count(&plan))
    let taps = Int(plan.conv.kernel_h) * Int(plan.conv.kernel_w)
    for first in stride(from: 0, to: samples, by: most) {
      let count = min(most, samples - first)
      (plan.x.samples, plan.dy.samples) = (Int32(count), Int32(count))
      plan.x.x = images.map { $0 + first * Int(plan.x.sample_stride) }
      plan.dy.x = gradients.map { $0 + first * Int(plan.dy.sample_stride) }
      let workers = max(1, min(threads, elements(count, k, outputs, channels * taps) / GemmSchedule.grain))
      try withShared(&plan) { plan in
        parallel(count * channels, grain: max(1, 16_384 / max(1, Int(plan.pointer.pointee.x.area)))) {
          kernels.integer_grad_weight_digits(plan.pointer, Int32($0), Int32($1))
        }
        parallel((outputs + 15) / 16, grain: max(1, 4096 / max(1, count * k))) {
          kernels.integer_grad_weight_pack(plan.pointer, Int32($0), Int32($1))
        }
        try runWorkers(workers, scratch: scratch) { kernels.integer_grad_weight_work(plan.pointer, $0, $1) }
      }
    }
    (plan.x.x, plan.dy.x) = (images, gradients)
    withExtendedLifetime((image, strips)) {}
  }
}
