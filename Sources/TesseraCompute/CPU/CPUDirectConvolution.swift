import CPUKernels
import Kernels

extension CPUBackend {
  /// Convolutions with few channels a group, and their gradients for the data, without packing (`direct.c`); false where the
  /// general way is better.
  func direct(
    _ name: String, _ kind: Int, _ p: ConvParameters, _ x: Tensor, _ w: Tensor, bias: Tensor?, into y: Tensor
  ) throws -> Bool {
    var plan = tsr_direct_plan()
    (plan.isa, plan.kind, plan.conv) = (isa, Int32(kind), p)
    guard tsr_direct_takes(&plan.conv, plan.kind) != 0 else { return false }
    plan.x = UnsafePointer(try x.cpu(name).pointer)
    plan.w = UnsafePointer(try w.cpu(name).pointer)
    plan.bias = UnsafePointer(try bias?.cpu(name).pointer)
    plan.y = try y.cpu(name).pointer
    let workers = p.multiplyAdds < 100_000 ? 1 : min(threads, Int(p.batch) * Int(p.groups))
    let scratch = Int(tsr_direct_scratch_count(&plan))
    withUnsafeMutablePointer(to: &plan) { pointer in
      let shared = Shared(pointer: pointer)
      share(workers, scratch: scratch) { tsr_direct_work(shared.pointer, $0) }
    }
    return true
  }
}
