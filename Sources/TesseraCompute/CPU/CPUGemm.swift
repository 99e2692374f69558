// SPDX-License-Identifier: Apache-2.0
internal import Kernels

extension CPUBackend {
  /// Rows of A beyond which packing B is no more than a hundredth of a product's time; floats of B below which
  /// a look at what is kept is, and beyond which they are not doubled.
  private static let fewRows = 512, keptFloats = 1 << 14...1 << 24

  /// Whether a product's B is packed for later products too, if it comes again: weights that meet one text, or a
  /// few samples, at a time.
  func keepsPackedB(_ plan: inout tsr_gemm_plan) -> Bool {
    (plan.mc, plan.nc) = (plan.m, plan.n)
    return Int(plan.m) <= Self.fewRows && Self.keptFloats.contains(Int(plan.k) * Int(plan.n))
      && (plan.b_row == 1 || plan.b_col == 1) && !isBetterTransposed(plan)
      && kernels.gemm_streams_b(&plan) == 0
  }

  /// All of B in panels.
  func packedB(_ plan: inout tsr_gemm_plan) throws -> Tensor {
    let packed = try allocate([Int(kernels.gemm_packed_b_count(&plan))], .float32)
    plan.packed_b = try packed.cpu("matmul").pointer
    pack(&plan, isA: false, threads)
    return packed
  }

  private func isBetterTransposed(_ plan: tsr_gemm_plan) -> Bool {
    GemmSchedule.isBetterTransposed(m: Int(plan.m), n: Int(plan.n), vector: Int(kernels.tile_columns) / 2)
  }

  /// Runs a plan whose operands and extents are set: chooses blocks, packs what tasks share unless that is
  /// done, and lets the threads take tasks.
  func run(_ plan: inout tsr_gemm_plan, sharedA: Bool) throws {
    plan.c_column = 1
    if isBetterTransposed(plan) { plan.transpose() }
    let isMatrix = plan.b_kind == Int32(TSR_B_STRIDED)
    let readsRows = plan.k_inner_stride == 1 && plan.k_inner >= Int64(plan.k) && plan.distance == 0
    let schedule = GemmSchedule(
      .init(
        m: Int(plan.m), n: Int(plan.n), k: Int(plan.k), products: Int(plan.outer) * Int(plan.inner),
        aRow: readsRows ? Int(plan.a_row) : nil, sharesA: sharedA,
        sharesB: isMatrix && plan.upper == 0 && (plan.b_row == 1 || plan.b_col == 1),
        bIsRowMajor: isMatrix && plan.b_col == 1, bIsPacked: plan.packed_b != nil, isUpper: plan.upper != 0),
      threads: threads, tile: (Int(kernels.tile_rows), Int(kernels.tile_columns)))
    (plan.mc, plan.nc) = (Int32(min(schedule.rows, Int(plan.m))), Int32(min(schedule.columns, Int(plan.n))))
    plan.in_place = schedule.a == .inPlace ? 1 : 0
    let streamsB = schedule.b == .own && kernels.gemm_streams_b(&plan) != 0
    let packsA = schedule.a == .shared && !streamsB
    let sharedA = packsA ? try packShared(&plan, isA: true, schedule.workers) : nil
    let packsB = schedule.b == .shared && plan.packed_b == nil
    let sharedB = packsB ? try packShared(&plan, isA: false, schedule.workers) : nil
    let scratch = Int(kernels.gemm_scratch_count(&plan))
    try withUnsafeMutablePointer(to: &plan) { pointer in
      let shared = UnsafeSendablePointer(pointer: pointer)
      try runWorkers(schedule.workers, scratch: scratch) { kernels.gemm_work(shared.pointer, $0, $1) }
    }
    withExtendedLifetime((sharedA, sharedB)) {}
  }

  /// Packs an operand for all tasks, panels shared out to the threads.
  private func packShared(_ plan: inout tsr_gemm_plan, isA: Bool, _ workers: Int) throws -> CPUStorage {
    let inner = isA ? Int(plan.inner) : 1
    let count = Int(isA ? kernels.gemm_packed_count(&plan) : kernels.gemm_packed_b_count(&plan))
    let storage = try pool.storage(max(1, count * inner) * 4, for: "a packed operand")
    let memory = storage.pointer.assumingMemoryBound(to: Float.self)
    if isA { plan.packed_a = memory } else { plan.packed_b = memory }
    pack(&plan, isA: isA, workers)
    return storage
  }

  /// Fills the panels that tasks share.
  private func pack(_ plan: inout tsr_gemm_plan, isA: Bool, _ workers: Int) {
    let inner = isA ? Int(plan.inner) : 1
    let tile = Int(isA ? kernels.tile_rows : kernels.tile_columns)
    let panels = (Int(isA ? plan.m : plan.n) + tile - 1) / tile
    let grain = max(1, workers == 1 ? panels * inner : 16_384 / max(1, Int(plan.k) * tile))
    withUnsafeMutablePointer(to: &plan) { pointer in
      let shared = UnsafeSendablePointer(pointer: pointer)
      parallel(panels * inner, grain: grain) { begin, end in
        guard isA else { return kernels.gemm_pack_b(shared.pointer, Int32(begin), Int32(end)) }
        var at = begin
        while at < end {
          let group = at / panels
          let stop = min(end, (group + 1) * panels)
          kernels.gemm_pack_a(
            shared.pointer, Int32(group), Int32(at - group * panels), Int32(stop - group * panels))
          at = stop
        }
      }
    }
  }
}

extension tsr_gemm_plan {
  /// Makes it the product C' = B' A' of one matrix B and one A: the same sums, with the roles of rows and
  /// columns exchanged. What is no product of one pair of matrices stays.
  mutating func transpose() {
    guard b_kind == Int32(TSR_B_STRIDED), distance == 0, outer == 1, inner == 1, k_inner >= Int64(k) else {
      return
    }
    (m, n) = (n, m)
    (a, b) = (b, a)
    (a_row, k_inner_stride, b_row, b_col) = (b_col, b_row, k_inner_stride, a_row)
    (c_row, c_column) = (1, c_row)
    if bias_kind == Int32(TSR_BIAS_ROW) {
      bias_kind = Int32(TSR_BIAS_COLUMN)
    } else if bias_kind == Int32(TSR_BIAS_COLUMN) {
      bias_kind = Int32(TSR_BIAS_ROW)
    }
  }
}
