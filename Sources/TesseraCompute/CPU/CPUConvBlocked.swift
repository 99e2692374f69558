// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension CPUBackend {
  /// Convolutions with many channels a group, and their gradients for the data, read in place
  /// (`conv/c/conv_blocked.h`); false where its buffers would be too large.
  func convBlocked(
    _ name: String, _ kind: Int, _ p: tsr_conv_params, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor
  ) throws -> Bool {
    var plan = tsr_conv_blocked_plan()
    (plan.kind, plan.conv) = (Int32(kind), p)
    guard kernels.conv_blocked_fits(&plan.conv, plan.kind) != 0 else { return false }
    plan.x = UnsafePointer(try x.cpu(name).pointer)
    plan.w = UnsafePointer(try w.cpu(name).pointer)
    plan.bias = UnsafePointer(try bias?.cpu(name).pointer)
    plan.y = try y.cpu(name).pointer
    plan.workers = Int32(p.multiplyAdds < 100_000 ? 1 : threads)
    let count = Int(kernels.conv_blocked_packed_count(&plan))
    let storage = try pool.storage(count * Int(p.groups) * 4, for: name)
    plan.packed = storage.pointer.assumingMemoryBound(to: Float.self)
    let workers = min(Int(plan.workers), Int(kernels.conv_blocked_tasks(&plan)))
    let scratch = Int(kernels.conv_blocked_scratch_count(&plan))
    let tileColumns = Int(kernels.tile_columns)
    let outputs = Int((kind == Int(TSR_B_CONV) ? p.out_channels : p.in_channels) / p.groups)
    let panels = (outputs + tileColumns - 1) / tileColumns * Int(p.groups)
    try withUnsafeMutablePointer(to: &plan) { pointer in
      let shared = UnsafeSendablePointer(pointer: pointer)
      parallel(panels, grain: max(1, 16_384 * panels / count / Int(p.groups))) {
        kernels.conv_blocked_pack(shared.pointer, Int32($0), Int32($1))
      }
      try runWorkers(workers, scratch: scratch) { kernels.conv_blocked_work(shared.pointer, $0, $1) }
    }
    withExtendedLifetime(storage) {}
    return true
  }

  /// Weight gradients with many output channels a group (`conv/c/grad_weight_blocked.h`); false where its
  /// buffers would be too large.
  func gradWeightBlocked(_ p: tsr_conv_params, _ x: Tensor, _ dy: Tensor, into dw: Tensor) throws -> Bool {
    var plan = tsr_blocked_weight_plan()
    plan.conv = p
    guard kernels.blocked_weight_fits(&plan.conv) != 0 else { return false }
    plan.x = UnsafePointer(try x.cpu("conv2dGradWeight").pointer)
    plan.dy = UnsafePointer(try dy.cpu("conv2dGradWeight").pointer)
    let target = try dw.cpu("conv2dGradWeight")
    let storage = try pool.storage(
      Int(kernels.blocked_weight_partial_count(&plan)) * 4, for: "conv2dGradWeight")
    plan.partial = storage.pointer.assumingMemoryBound(to: Float.self)
    // Every task packs the output's gradient for itself, so few large blocks are best; but every thread
    // should have one.
    let products = (Int(p.batch) + Int(TSR_BATCH_GROUP) - 1) / Int(TSR_BATCH_GROUP) * Int(p.groups)
    let workers = p.multiplyAdds < 100_000 ? 1 : threads
    let inputs = Int(p.in_channels / p.groups)
    plan.blocks = Int32(min(inputs, workers == 1 ? 1 : (2 * workers + products - 1) / products))
    let scratch = Int(kernels.blocked_weight_scratch_count(&plan))
    let elements = max(1, dw.count / Int(p.in_channels)) * products
    try withUnsafeMutablePointer(to: &plan) { pointer in
      let shared = UnsafeSendablePointer(pointer: pointer)
      try runWorkers(min(workers, Int(kernels.blocked_weight_tasks(pointer))), scratch: scratch) {
        kernels.blocked_weight_work(shared.pointer, $0, $1)
      }
      parallel(Int(p.in_channels), grain: max(1, 16_384 / elements)) {
        kernels.blocked_weight_reduce(shared.pointer, target.pointer, Int32($0), Int32($1))
      }
    }
    withExtendedLifetime(storage) {}
    return true
  }
}
