// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// Products as exact integers (NUMERICS.md rule 12): `Kernels/integer_gemm/c/integer_gemm.h`.
extension CPUBackend {
  /// The product of a checked call, its operands as so many digits.
  ///
  /// B's digits are kept beside it from the second use in a row on, as weights are used.
  func integerMatmul(
    _ p: tsr_matmul_params, digits: Int, _ a: Tensor, _ b: Tensor, bias: Tensor?, into c: Tensor
  ) throws {
    let weights = try b.cpuStorage("matmul")
    let (x, y) = (try a.cpu("matmul").pointer, try c.cpu("matmul").pointer)
    let bias = try bias?.cpu("matmul").pointer
    var plan = tsr_integer_gemm_plan(p, digits: digits, unit: integerUnit)
    plan.bias = UnsafePointer(bias.map { $0 + Int(p.bias_offset) })
    let values = UnsafePointer(weights.pointer.assumingMemoryBound(to: Float.self)) + Int(p.b_offset)
    let isShared = p.batch == 1 || p.b_batch_stride == 0
    func run(_ form: Tensor?) throws {
      var form = form
      for product in 0..<Int(p.batch) {
        plan.a = UnsafePointer(x) + Int(p.a_offset) + product * Int(p.a_batch_stride)
        plan.b = values + product * Int(p.b_batch_stride)
        plan.c = y + Int(p.c_offset) + product * Int(p.c_batch_stride)
        if form == nil || !isShared { form = try digitsOfB(&plan) }
        plan.packed_b = UnsafeMutableRawPointer(try form?.cpu("matmul").pointer)
        try multiply(&plan)
      }
    }
    guard isShared else {
      weights.prepared.noteAccess()
      return try run(nil)
    }
    try weights.prepared.use(.init(p, digits: digits, unit: integerUnit), isKept: true) {
      plan.b = values
      return try digitsOfB(&plan)
    } _: {
      try run($0)
    }
  }

  /// The unit that makes the sums: the fastest of this machine, or the one that was asked for.
  var integerUnit: Int32 { min(tsr_cpu_integer_units(table) - 1, integerUnitLimit) }

  /// B, balanced, as digits: a form of its own.
  func digitsOfB(_ plan: inout tsr_integer_gemm_plan) throws -> Tensor {
    let bytes = Int(kernels.integer_gemm_b_bytes(&plan))
    let form = try allocate([max(1, bytes / 4)], .float32)
    plan.packed_b = UnsafeMutableRawPointer(try form.cpu("matmul").pointer)
    let (k, n) = (Int(plan.k), Int(plan.n))
    withShared(&plan) { plan in
      if plan.pointer.pointee.unbalanced == 0 {
        parallel(k, grain: max(16, 65_536 / max(1, n))) {
          kernels.integer_gemm_exponents(plan.pointer, Int32($0), Int32($1))
        }
      }
      kernels.integer_gemm_balance(plan.pointer)
      parallel((n + 15) / 16, grain: max(1, 4096 / max(1, k))) {
        kernels.integer_gemm_pack_b(plan.pointer, Int32($0), Int32($1))
      }
    }
    return form
  }

  /// The product, B being packed.
  ///
  /// Workers pack the rows of A that are theirs, if there are enough for all. AMX's rows are packed beforehand.
  func multiply(_ plan: inout tsr_integer_gemm_plan) throws {
    let (m, n, k) = (Int(plan.m), Int(plan.n), Int(plan.k))
    let workers = max(1, min(threads, m * n * max(1, k) / GemmSchedule.grain))
    plan.packed_a = nil
    let isPackedFirst = plan.unit == Int32(TSR_INTEGER_AMX) || m < 128 * workers
    var packed: CPUStorage?
    if isPackedFirst {
      packed = try pool.storage(Int(kernels.integer_gemm_a_bytes(&plan)), for: "an operand as digits")
      plan.packed_a = packed?.pointer
    }
    let scratch = Int(kernels.integer_gemm_scratch_count(&plan))
    try withShared(&plan) { plan in
      if isPackedFirst {
        parallel((m + 31) / 32 * 2, grain: max(1, 4096 / max(1, k))) {
          kernels.integer_gemm_pack_a(plan.pointer, Int32($0), Int32($1))
        }
      }
      try runWorkers(workers, scratch: scratch) { kernels.integer_gemm_work(plan.pointer, $0, $1) }
    }
    withExtendedLifetime(packed) {}
  }

  /// A plan that threads read.
  func withShared<Plan>(
    _ plan: inout Plan, _ body: (UnsafeSendablePointer<Plan>) throws -> Void
  ) rethrows {
    try withUnsafeMutablePointer(to: &plan) { try body(UnsafeSendablePointer(pointer: $0)) }
  }
}

extension tsr_integer_gemm_plan {
  /// Extents, strides and epilogue of a product.
  init(_ p: tsr_matmul_params, digits: Int, unit: Int32) {
    self.init()
    (m, n, k, self.digits, self.unit) = (p.m, p.n, p.k, Int32(digits), unit)
    (a_row_stride, a_col_stride) = (Int64(p.a_row_stride), Int64(p.a_col_stride))
    (b_row_stride, b_col_stride) = (Int64(p.b_row_stride), Int64(p.b_col_stride))
    c_row_stride = Int64(p.c_row_stride)
    (bias_kind, activation, accumulate) = (p.bias, p.activation, p.accumulate)
  }
}
