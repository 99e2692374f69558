import CPUKernels
import Kernels

extension CPUBackend {
  /// Convolutions with many channels a group, and their gradients for the data, read in place (`dense.c`); false where the
  /// general way is better.
  func dense(
    _ name: String, _ kind: Int, _ p: ConvParameters, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor
  ) throws -> Bool {
    var plan = tsr_dense_plan()
    (plan.isa, plan.kind, plan.conv) = (isa, Int32(kind), p)
    guard tsr_dense_takes(&plan.conv, plan.kind, isa) != 0 else { return false }
    plan.x = UnsafePointer(try x.cpu(name).pointer)
    plan.w = UnsafePointer(try w.cpu(name).pointer)
    plan.bias = UnsafePointer(try bias?.cpu(name).pointer)
    plan.y = try y.cpu(name).pointer
    let count = Int(tsr_dense_packed_count(&plan))
    let storage = pool.storage(count * Int(p.groups) * 4)
    plan.packed = storage.pointer.assumingMemoryBound(to: Float.self)
    let workers = p.multiplyAdds < 100_000 ? 1 : min(threads, Int(tsr_dense_tasks(&plan)))
    let scratch = Int(tsr_dense_scratch_count(&plan))
    let tileColumns = Int(tsr_gemm_tile_columns(isa))
    let outputs = Int((kind == Int(TSR_B_CONV) ? p.out_channels : p.in_channels) / p.groups)
    let panels = (outputs + tileColumns - 1) / tileColumns * Int(p.groups)
    withUnsafeMutablePointer(to: &plan) { pointer in
      let shared = Shared(pointer: pointer)
      parallel(panels, grain: max(1, 16_384 * panels / count / Int(p.groups))) {
        tsr_dense_pack(shared.pointer, Int32($0), Int32($1))
      }
      share(workers, scratch: scratch) { tsr_dense_work(shared.pointer, $0) }
    }
    withExtendedLifetime(storage) {}
    return true
  }
}
