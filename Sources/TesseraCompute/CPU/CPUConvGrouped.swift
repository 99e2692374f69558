// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension CPUBackend {
  /// Convolutions with few channels a group, and their gradients for the data, without packing
  /// (`conv/c/conv_grouped.h`); false where its buffers would be too large.
  func convGrouped(
    _ name: String, _ kind: Int, _ p: tsr_conv_params, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor
  ) throws -> Bool {
    var plan = tsr_conv_grouped_plan()
    (plan.kind, plan.conv) = (Int32(kind), p)
    guard kernels.conv_grouped_fits(&plan.conv, plan.kind) != 0 else { return false }
    plan.x = UnsafePointer(try x.cpu(name).pointer)
    plan.w = UnsafePointer(try w.cpu(name).pointer)
    plan.bias = UnsafePointer(try bias?.cpu(name).pointer)
    plan.y = try y.cpu(name).pointer
    let workers = p.multiplyAdds < 100_000 ? 1 : min(threads, Int(p.batch) * Int(p.groups))
    let scratch = Int(kernels.conv_grouped_scratch_count(&plan))
    try withUnsafeMutablePointer(to: &plan) { pointer in
      let shared = UnsafeSendablePointer(pointer: pointer)
      try runWorkers(workers, scratch: scratch) { kernels.conv_grouped_work(shared.pointer, $0, $1) }
    }
    return true
  }

  /// Weight gradients with few channels a group (`conv/c/grad_weight_grouped.h`); false where its buffers
  /// would be too large.
  func gradWeightGrouped(_ p: tsr_conv_params, _ x: Tensor, _ dy: Tensor, into dw: Tensor) throws -> Bool {
    var plan = tsr_grouped_weight_plan()
    plan.conv = p
    guard kernels.grouped_weight_fits(&plan.conv) != 0 else { return false }
    plan.x = UnsafePointer(try x.cpu("conv2dGradWeight").pointer)
    plan.dy = UnsafePointer(try dy.cpu("conv2dGradWeight").pointer)
    let target = try dw.cpu("conv2dGradWeight")
    let parts = (Int(p.batch) + Int(TSR_BATCH_GROUP) - 1) / Int(TSR_BATCH_GROUP)
    let storage = try pool.storage(parts * dw.count * 4, for: "conv2dGradWeight")
    plan.partial = storage.pointer.assumingMemoryBound(to: Float.self)
    let workers = p.multiplyAdds < 100_000 ? 1 : threads
    let scratch = Int(kernels.grouped_weight_scratch_count(&plan))
    try withUnsafeMutablePointer(to: &plan) { pointer in
      let shared = UnsafeSendablePointer(pointer: pointer)
      try runWorkers(workers, scratch: scratch) { kernels.grouped_weight_work(shared.pointer, $0, $1) }
      parallel(dw.count, grain: max(1, 32_768 / parts)) {
        kernels.grouped_weight_reduce(shared.pointer, target.pointer, Int64($0), Int64($1))
      }
    }
    withExtendedLifetime(storage) {}
    return true
  }
}
