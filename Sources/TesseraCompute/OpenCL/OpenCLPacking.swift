// SPDX-License-Identifier: Apache-2.0
internal import Kernels

/// How a product's A lies in memory, if not by the strides of its parameters.
struct PackedRows {
  /// k is (outer, inner): how many an outer one has, and the strides of both.
  var inner: Int, innerStride: Int, outerStride: Int
  var rowStride: Int
  /// Of products with operands of their own (groups), and the stride from one to the next.
  var batch: Int, batchStride: Int
}

extension OpenCLBackend {
  /// Copies A so that k is one stride: into panels of `tile` rows.
  func packed(_ q: inout tsr_gemm_params, _ a: Tensor, _ packing: PackedRows?, tile: Int) throws -> Tensor {
    let p = q.gemm
    let from =
      packing
      ?? PackedRows(
        inner: Int(p.k), innerStride: Int(p.a_col_stride), outerStride: 0, rowStride: Int(p.a_row_stride),
        batch: p.a_batch_stride == 0 ? 1 : Int(q.groups), batchStride: Int(p.a_batch_stride))
    let (rows, k) = (Int(p.m), Int(p.k))
    let panels = (rows + tile - 1) / tile
    let y = try allocate([from.batch, panels * tile, k], .float32)
    let parameters = tsr_pack_params(
      batch: Int32(from.batch), rows: p.m, k: p.k, inner: Int32(from.inner), tile: Int32(tile),
      offset: p.a_offset, batch_stride: Int32(from.batchStride), row_stride: Int32(from.rowStride),
      outer_stride: Int32(from.outerStride), inner_stride: Int32(from.innerStride))
    let blocks = (k + Int(TSR_K_CHUNK) - 1) / Int(TSR_K_CHUNK)
    try launch(
      .packRows, items: from.batch * panels * blocks,
      cost: tile * min(k, Int(TSR_K_CHUNK)), parameters, [a, y])
    (q.gemm.a_offset, q.gemm.a_batch_stride) = (0, from.batch == 1 ? 0 : Int32(panels * tile * k))
    (q.gemm.a_row_stride, q.gemm.a_col_stride) = tile == 1 ? (p.k, 1) : (1, Int32(tile))
    q.a_tile_stride = p.k
    return y
  }
}
