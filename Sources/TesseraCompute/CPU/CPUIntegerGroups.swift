// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Gradients for weights as exact integers, groups of samples apart (NUMERICS.md rule 13).
extension CPUBackend {
  /// Terms of a group up to which sums are made in float64, and bytes of digits that are made at once.
  private static let fewTerms = 32, digitBytes = 16 << 20

  /// A product of a checked call whose k is in groups, each an exact sum of its own, without balance.
  func integerGroups(
    _ p: tsr_matmul_params, group: Int, digits: Int, _ a: Tensor, _ b: Tensor, into c: Tensor
  ) throws {
    let left = UnsafePointer(try a.cpu("matmul").pointer) + Int(p.a_offset)
    let right = UnsafePointer(try b.cpu("matmul").pointer) + Int(p.b_offset)
    let sums = try c.cpu("matmul").pointer + Int(p.c_offset)
    guard group > Self.fewTerms else { return try fewTerms(p, group, digits, left, right, sums) }
    var plan = tsr_integer_gemm_plan(p, digits: digits, unit: integerUnit)
    (plan.c, plan.unbalanced) = (sums, 1)
    // Without terms the sums are +0, which the groups' results are added to.
    let firsts = (p.accumulate == 0 ? [Int(p.k)] : []) + Array(stride(from: 0, to: Int(p.k), by: group))
    for (step, first) in firsts.enumerated() {
      plan.accumulate = step == 0 ? p.accumulate : 1
      plan.k = Int32(min(group, Int(p.k) - first))
      plan.a = left + first * Int(p.a_col_stride)
      plan.b = right + first * Int(p.b_row_stride)
      let form = try digitsOfB(&plan)
      plan.packed_b = UnsafeMutableRawPointer(try form.cpu("matmul").pointer)
      try multiply(&plan)
    }
  }

  /// Groups of a few terms: all of them in one pass over C, as far as their digits fit.
  private func fewTerms(
    _ p: tsr_matmul_params, _ group: Int, _ digits: Int, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ c: UnsafeMutablePointer<Float>
  ) throws {
    var plan = tsr_integer_few_plan()
    (plan.m, plan.n, plan.group, plan.digits) = (p.m, p.n, Int32(group), Int32(digits))
    (plan.a_row_stride, plan.a_col_stride) = (Int64(p.a_row_stride), Int64(p.a_col_stride))
    (plan.b_row_stride, plan.b_col_stride) = (Int64(p.b_row_stride), Int64(p.b_col_stride))
    (plan.c_row_stride, plan.c) = (Int64(p.c_row_stride), c)
    let (high, wide) = (Int(kernels.integer_few_stride(p.m)), Int(kernels.integer_few_stride(p.n)))
    let parts = digits == 3 ? 3 : 1
    let most = max(1, Self.digitBytes / (8 * parts * group * (high + wide)))
    let terms = min(most * group, max(1, Int(p.k))), groups = (terms + group - 1) / group
    let numbers = try pool.storage(8 * parts * terms * (high + wide), for: "operands as digits")
    let scales = try pool.storage(4 * groups * (high + wide), for: "scales of operands")
    plan.left = numbers.pointer.assumingMemoryBound(to: Double.self)
    plan.right = plan.left + parts * terms * high
    plan.a_scales = scales.pointer.assumingMemoryBound(to: Int32.self)
    plan.b_scales = plan.a_scales + groups * high
    for first in stride(from: 0, to: max(1, Int(p.k)), by: terms) {
      plan.accumulate = first == 0 ? p.accumulate : 1
      plan.k = Int32(min(terms, Int(p.k) - first))
      (plan.a, plan.b) = (a + first * Int(p.a_col_stride), b + first * Int(p.b_row_stride))
      try few(&plan)
    }
    withExtendedLifetime((numbers, scales)) {}
  }

  private func few(_ plan: inout tsr_integer_few_plan) throws {
    let (m, n, k) = (Int(plan.m), Int(plan.n), Int(plan.k))
    try withShared(&plan) { plan in
      parallel(m, grain: max(64, 65_536 / max(1, k))) {
        kernels.integer_few_left(plan.pointer, Int32($0), Int32($1))
      }
      parallel(n, grain: max(64, 65_536 / max(1, k))) {
        kernels.integer_few_right(plan.pointer, Int32($0), Int32($1))
      }
      let workers = max(1, min(threads, m * n * max(1, k) / GemmSchedule.grain))
      try runWorkers(workers, scratch: 0) { kernels.integer_few_work(plan.pointer, $0, $1) }
    }
  }
}
