// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension CPUBackend {
  /// A convolution, or its gradient for the data, by fewer multiplications (`conv/c/winograd.h`).
  func winograd(
    _ name: String, _ parameters: tsr_winograd_params, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor
  ) throws {
    var plan = tsr_winograd_plan()
    plan.params = parameters
    plan.x = UnsafePointer(try x.cpu(name).pointer)
    let source = try w.cpuStorage(name)
    plan.w = UnsafePointer(source.pointer.assumingMemoryBound(to: Float.self))
    plan.bias = UnsafePointer(try bias?.cpu(name).pointer)
    plan.params.bias = bias == nil ? 0 : 1
    plan.y = try y.cpu(name).pointer
    let workers = parameters.multiplyAdds < 100_000 ? 1 : threads
    plan.params.block = Int32(parameters.block(rows: Int(kernels.tile_rows), workers: workers))
    let panel = Int(kernels.tile_columns), panels = (Int(parameters.outputs) + panel - 1) / panel
    let ofPanel = Int(parameters.channels) * panel * parameters.points * parameters.points
    try source.prepared.use(
      PreparedWeights.Key(parameters, panel: panel), isKept: elements(ofPanel, panels) <= WinogradMemory.kept
    ) {
      let packed = try allocate([panels, ofPanel], .float32)
      plan.packed = try packed.cpu(name).pointer
      (plan.params.first_panel, plan.params.panels) = (0, Int32(panels))
      pack(&plan)
      return packed
    } _: { packed in
      let most = packed == nil ? min(panels, max(1, WinogradMemory.weights / ofPanel)) : panels
      let weights = try packed ?? allocate([most, ofPanel], .float32)
      plan.packed = try weights.cpu(name).pointer
      for first in stride(from: 0, to: panels, by: most) {
        let count = min(most, panels - first)
        (plan.params.first_panel, plan.params.panels) = (Int32(first), Int32(count))
        plan.params.parts = Int32(plan.params.parts(panels: count, workers: workers))
        if packed == nil { pack(&plan) }
        try run(&plan, workers: workers)
      }
      withExtendedLifetime(weights) {}
    }
  }

  /// The transformed kernels of a part of the panels.
  private func pack(_ plan: inout tsr_winograd_plan) {
    let points = plan.params.points
    let pairs = Int(plan.params.panels) * Int(plan.params.channels)
    let grain = max(1, 16_384 / (points * points * Int(kernels.tile_columns)))
    withUnsafeMutablePointer(to: &plan) { pointer in
      let shared = UnsafeSendablePointer(pointer: pointer)
      parallel(pairs, grain: grain) { kernels.winograd_pack(shared.pointer, Int32($0), Int32($1)) }
    }
  }

  /// The outputs of a part of the panels.
  private func run(_ plan: inout tsr_winograd_plan, workers: Int) throws {
    let scratch = Int(kernels.winograd_scratch_count(&plan.params))
    try withUnsafeMutablePointer(to: &plan) { pointer in
      let shared = UnsafeSendablePointer(pointer: pointer)
      try runWorkers(workers, scratch: scratch) { kernels.winograd_work(shared.pointer, $0, $1) }
    }
  }

  /// A gradient for the weights by fewer multiplications (`conv/c/grad_weight_winograd.h`).
  func gradWeightWinograd(
    _ parameters: tsr_winograd_params, _ x: Tensor, _ dy: Tensor, into dw: Tensor
  ) throws {
    let name = "conv2dGradWeight"
    var plan = tsr_winograd_weight_plan()
    plan.params = parameters
    plan.x = UnsafePointer(try x.cpu(name).pointer)
    plan.dy = UnsafePointer(try dy.cpu(name).pointer)
    let target = try dw.cpu(name)
    let groups = parameters.groups, most = parameters.groupsAtOnce(weights: dw.count)
    let workers = parameters.multiplyAdds < 100_000 ? 1 : threads
    let tasks = plan.params.divide(groups: most, workers: workers, lanes: Int(kernels.tile_columns) / 2)
    let storage = try pool.storage(max(1, most * dw.count) * 4, for: name)
    plan.partial = storage.pointer.assumingMemoryBound(to: Float.self)
    let scratch = Int(kernels.grad_weight_winograd_scratch_count(&plan.params))
    for first in stride(from: 0, to: max(1, groups), by: most) {
      (plan.first_group, plan.groups) = (Int32(first), Int32(min(most, groups - first)))
      try withUnsafeMutablePointer(to: &plan) { pointer in
        let shared = UnsafeSendablePointer(pointer: pointer)
        try runWorkers(min(workers, tasks), scratch: scratch) {
          kernels.grad_weight_winograd_work(shared.pointer, $0, $1)
        }
        parallel(dw.count, grain: max(1, 32_768 / most)) {
          kernels.grad_weight_winograd_reduce(shared.pointer, target.pointer, Int64($0), Int64($1))
        }
      }
    }
    withExtendedLifetime(storage) {}
  }
}
