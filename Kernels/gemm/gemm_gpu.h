// SPDX-License-Identifier: Apache-2.0
// The products of gemm.h on a GPU.
//
// Algorithm  Tiled GEMM with operands in local memory and sums in registers (Volkov and Demmel 2008);
//            double buffer; the next tile is prefetched into registers. Taps of images are read into the
//            tile: no im2col matrix.
// Tensors    A (m, k) by strides; B a matrix or images; C (m, n), or (splits, m, n).
// Work       A work-group of 16 x TSR_WORKGROUP_ROWS takes a tile of 4 TSR_WORKGROUP_ROWS TSR_MI rows x
//            64 TSR_NI columns of C, of one product and split. A work-item has MI x NI blocks of 4 x 4
//            sums. 32 work-items lie 8 along n and 4 along m: neighbours (i, i ^ 1) read the same of A,
//            (i, i ^ 2) of B.
//
//    0  1  4  5  8  9 12 13
//    2  3  6  7 10 11 14 15
//   16 17 20 ...
//
// Store      Straight from registers where C's rows begin on borders of 16 bytes and no epilogue follows.
//            Else through local memory, TSR_WORKGROUP_ROWS x TSR_EPILOGUE_ROWS rows at a time: reads and
//            writes of C are then coalesced, and the epilogue's code is there once.
// Tuning     Chosen by GemmTiles.swift. TSR_MI, TSR_NI (1, 2, 4, not both 4; default 1): blocks of 4 x 4
//            sums of a work-item along m and n. TSR_WORKGROUP_ROWS (8, 16; default 16): rows of 16
//            work-items. TSR_TILE_K (8, 16, 32; default 16): depth of a tile. TSR_VECTOR_LOAD_A,
//            TSR_VECTOR_LOAD_B (0, 1, 2; default 0): operands are read one element, four of k, or four
//            lines at a time.
// Rules      4, 6, 9, 10. A tile that ends inside its depth is filled up with -0 (A) and +0 (B): that
//            changes no sum.
#pragma once

#include "gemm/gemm.h"
#include "gemm/gemm_gpu_load.h"

#ifdef TSR_GPU

// A row's four sums, to and fro.
#define TSR_ONE_FMA(distance, u, v, s) \
  if (distance) {                      \
    const float tsr_d = (u) - (v);     \
    s = fma(tsr_d, tsr_d, s);          \
  } else s = fma(u, v, s);
#define TSR_FMA_FORWARD(distance, u, v, s)                                                                  \
  {TSR_ONE_FMA(distance, u, v.x, s.x) TSR_ONE_FMA(distance, u, v.y, s.y) TSR_ONE_FMA(distance, u, v.z, s.z) \
       TSR_ONE_FMA(distance, u, v.w, s.w)}
#define TSR_FMA_REVERSE(distance, u, v, s)                                                                  \
  {TSR_ONE_FMA(distance, u, v.w, s.w) TSR_ONE_FMA(distance, u, v.z, s.z) TSR_ONE_FMA(distance, u, v.y, s.y) \
       TSR_ONE_FMA(distance, u, v.x, s.x)}

// One k of a tile, onto the work-item's sums; to and fro along the rows, so that a sum shares an operand
// with the one before: a register file hands out three of them only every other cycle.
TSR_FN void tsr_rank1_update(const int distance, __local const float *a, __local const float *b,
                             float4 acc[4 * TSR_MI][TSR_NI]) {
  float4 y[TSR_NI];
#pragma unroll
  for (int j = 0; j < TSR_NI; j++) y[j] = *(__local const float4 *)(b + 64 * j);
#pragma unroll
  for (int i = 0; i < TSR_MI; i++) {
    const float4 x = *(__local const float4 *)(a + 4 * TSR_WORKGROUP_ROWS * i);
#pragma unroll
    for (int j = 0; j < TSR_NI; j++) TSR_FMA_FORWARD(distance, x.x, y[j], acc[4 * i][j])
#pragma unroll
    for (int j = TSR_NI - 1; j >= 0; j--) TSR_FMA_REVERSE(distance, x.y, y[j], acc[4 * i + 1][j])
#pragma unroll
    for (int j = 0; j < TSR_NI; j++) TSR_FMA_FORWARD(distance, x.z, y[j], acc[4 * i + 2][j])
#pragma unroll
    for (int j = TSR_NI - 1; j >= 0; j--) TSR_FMA_REVERSE(distance, x.w, y[j], acc[4 * i + 3][j])
  }
}

// Rows whose sums are stored together: as many as there are registers left for.
#ifndef TSR_ROWS_PER_STORE
#define TSR_ROWS_PER_STORE (TSR_NI > 2 ? 1 : 2)
#endif

// Stores sums from registers straight to C, for rows of C that begin on borders of 16 bytes. Outside its own
// sums a work-item reads nothing of C, because other work-items are writing there.
#define TSR_HAS_SUM(i, r, j) \
  (row + (i) / 4 * 4 * TSR_WORKGROUP_ROWS + (i) % 4 + (r) < p->m && column + 64 * (j) < p->n)
TSR_FN void tsr_store_direct_vec4(const tsr_gemm_params *q, const tsr_output *o, int row, int column,
                                  float4 acc[4 * TSR_MI][TSR_NI]) {
  const tsr_matmul_params *p = &q->gemm;
  const int first = o->first, last = o->last;
  long columns[TSR_NI];
#pragma unroll
  for (int j = 0; j < TSR_NI; j++)
    columns[j] = column + 64 * j < p->n ? tsr_c_column_offset(q, column + 64 * j) : 0;
#pragma unroll
  for (int i = 0; i < 4 * TSR_MI; i += TSR_ROWS_PER_STORE) {
    float4 old[TSR_ROWS_PER_STORE][TSR_NI];
    __global float *to[TSR_ROWS_PER_STORE];
#pragma unroll
    for (int r = 0; r < TSR_ROWS_PER_STORE; r++) {
      const int at = row + i / 4 * 4 * TSR_WORKGROUP_ROWS + i % 4 + r;
      to[r] = o->c + (long)(at < p->m ? at : 0) * p->c_row_stride;
    }
    if (!first)
#pragma unroll
      for (int r = 0; r < TSR_ROWS_PER_STORE; r++)
#pragma unroll
        for (int j = 0; j < TSR_NI; j++)
          old[r][j] = TSR_HAS_SUM(i, r, j) ? *(__global const float4 *)(to[r] + columns[j]) : (float4)(0.0f);
#pragma unroll
    for (int r = 0; r < TSR_ROWS_PER_STORE; r++)
#pragma unroll
      for (int j = 0; j < TSR_NI; j++) {
        float4 v = acc[i + r][j];
        if (!first) v = old[r][j] + v;
        if (last)
          v = (float4)(tsr_canonical(v.x), tsr_canonical(v.y), tsr_canonical(v.z), tsr_canonical(v.w));
        if (TSR_HAS_SUM(i, r, j)) *(__global float4 *)(to[r] + columns[j]) = v;
      }
  }
}

// Sums on their way from local memory to C: TSR_EPILOGUE_ROWS rows of each work-item, from row `base` on.
// First what C holds is added to them, many at a time; bias and activation are not in an unrolled loop,
// which is for speed.
TSR_FN void tsr_store_epilogue(const tsr_gemm_params *q, const tsr_output *o, __local float *stage, int item,
                               int base, int column0) {
  const tsr_matmul_params *p = &q->gemm;
  const int first = o->first, last = o->last;
  const int column = column0 + item % TSR_TILE_N, line = item / TSR_TILE_N;
  if (column >= p->n) return;
  // From where `column` counts, so that a bias by column is found too.
  __global float *c = o->c + tsr_c_column_offset(q, column) - column;
  const tsr_output finished = {p, o->bias, c, 1, 1};
  stage += item % TSR_TILE_N;
  if (!first) {
#pragma unroll 8
    for (int r = line; r < TSR_WORKGROUP_ROWS * TSR_EPILOGUE_ROWS; r += TSR_WORKGROUP_SIZE / TSR_TILE_N) {
      const int row = base + r / TSR_EPILOGUE_ROWS * 4 + r % TSR_EPILOGUE_ROWS;
      const float before = row < p->m ? c[(long)row * p->c_row_stride + column] : 0.0f;
      stage[r * TSR_LOCAL_PITCH_N] = before + stage[r * TSR_LOCAL_PITCH_N];
    }
  }
  if (last && (p->bias || p->activation)) {
#pragma unroll 1
    for (int r = line; r < TSR_WORKGROUP_ROWS * TSR_EPILOGUE_ROWS; r += TSR_WORKGROUP_SIZE / TSR_TILE_N) {
      const int row = base + r / TSR_EPILOGUE_ROWS * 4 + r % TSR_EPILOGUE_ROWS;
      if (row < p->m) tsr_epilogue(&finished, row, column, stage[r * TSR_LOCAL_PITCH_N]);
    }
    return;
  }
#pragma unroll 8
  for (int r = line; r < TSR_WORKGROUP_ROWS * TSR_EPILOGUE_ROWS; r += TSR_WORKGROUP_SIZE / TSR_TILE_N) {
    const int row = base + r / TSR_EPILOGUE_ROWS * 4 + r % TSR_EPILOGUE_ROWS;
    const float v = stage[r * TSR_LOCAL_PITCH_N];
    if (row < p->m) c[(long)row * p->c_row_stride + column] = last ? tsr_canonical(v) : v;
  }
}

// Row i of a work-item's sums into the stage, if it is the pass's. TSR_STAGE_ROW(0) TSR_STAGE_ROW(1)...
// are written out: in a loop, a compiler may take the pass itself as the index, and sums then lie in
// memory.
#define TSR_STAGE_ROW(i)                                                                                     \
  if (pass == (i) / TSR_EPILOGUE_ROWS) {                                                                     \
    _Pragma("unroll") for (int j = 0; j < TSR_NI; j++) *                                                     \
        (__local float4 *)(s->tiles +                                                                        \
                           (ty * TSR_EPILOGUE_ROWS + (i) % TSR_EPILOGUE_ROWS) * TSR_LOCAL_PITCH_N + 64 * j + \
                           4 * tx) = acc[i][j];                                                              \
  }

#define TSR_STAGE_ROWS4(i) TSR_STAGE_ROW(i) TSR_STAGE_ROW(i + 1) TSR_STAGE_ROW(i + 2) TSR_STAGE_ROW(i + 3)
#if TSR_MI == 1
#define TSR_STAGE_ROWS TSR_STAGE_ROWS4(0)
#elif TSR_MI == 2
#define TSR_STAGE_ROWS TSR_STAGE_ROWS4(0) TSR_STAGE_ROWS4(4)
#else
#define TSR_STAGE_ROWS TSR_STAGE_ROWS4(0) TSR_STAGE_ROWS4(4) TSR_STAGE_ROWS4(8) TSR_STAGE_ROWS4(12)
#endif

// Row of the tile that the sums of a pass begin with: the first of TSR_EPILOGUE_ROWS of each work-item.
#define TSR_ROW_OF_PASS(pass) \
  ((pass) * TSR_EPILOGUE_ROWS / 4 * 4 * TSR_WORKGROUP_ROWS + (pass) * TSR_EPILOGUE_ROWS % 4)

TSR_FN void tsr_zero_sums(float4 acc[4 * TSR_MI][TSR_NI]) {
#pragma unroll
  for (int i = 0; i < 4 * TSR_MI; i++)
#pragma unroll
    for (int j = 0; j < TSR_NI; j++) acc[i][j] = (float4)(0.0f);
}

// A work-item's column and row in the tile of its work-group (the picture at the head of this file).
TSR_FN int tsr_item_column(int item) { return item / 32 % 2 * 8 + (item >> 1 & 6) + (item & 1); }
TSR_FN int tsr_item_row(int item) { return item / 64 * 4 + (item >> 3 & 2) + (item >> 1 & 1); }

// The operands and the C of a product's part.
TSR_FN tsr_gemm_operands tsr_operands_of(const tsr_gemm_params *q, const tsr_k_range *range,
                                         const tsr_gemm_operands *o) {
  const tsr_matmul_params *p = &q->gemm;
  const long group = range->batch % q->groups;
  const tsr_gemm_operands own = {
      o->a + p->a_offset + group * p->a_batch_stride, o->b + p->b_offset + range->batch * p->b_batch_stride,
      o->bias + p->bias_offset + group * q->bias_stride,
      o->c + p->c_offset + range->batch * p->c_batch_stride + range->split * q->c_split_stride};
  return own;
}

// Whether every float4 of a row of C begins on a border of 16 bytes.
TSR_FN int tsr_is_aligned(const tsr_gemm_params *q, __global const float *c) {
  return ((size_t)c & 15) == 0 && q->gemm.c_row_stride % 4 == 0 && q->gemm.n % 4 == 0 &&
         q->c_image % 4 == 0 && q->c_image_stride % 4 == 0;
}

// Brings a part's first tile into buffer 0, and the next tile's offsets into local memory; `digits` is then
// the work-item's k of the next tile.
TSR_FN void tsr_load_first_tile(const int kind, const tsr_gemm_params *q, const tsr_load_plan *plan,
                                __local tsr_gemm_local *s, const tsr_k_tile tile, tsr_tap_index *digits) {
  const int item = plan->im2col.item, k = tile.k + item;
  float ra[TSR_LOADS_M], rb[TSR_LOADS_N];
  if (kind != TSR_B_MATRIX) tsr_tap_index_at(kind, q, k, digits);
  tsr_write_offsets(kind, q, s->offsets[0], item, digits);
  barrier(CLK_LOCAL_MEM_FENCE);
  tsr_load_tiles(kind, q, plan, tile, ra, rb);
  tsr_store_tiles_local(kind, s, 0, plan, ra, rb);
  tsr_tap_index_advance(kind, q, k, tile.depth, digits);
  tsr_write_offsets(kind, q, s->offsets[1], item, digits);
  barrier(CLK_LOCAL_MEM_FENCE);
}

TSR_FN void tsr_gemm(const int distance, const int kind, const tsr_gemm_params q, const tsr_gemm_operands all,
                     __local tsr_gemm_local *s) {
  const tsr_matmul_params *p = &q.gemm;
  const tsr_k_range range = tsr_k_range_of(&q, (int)get_group_id(2));
  const int item = (int)get_local_id(1) * 16 + (int)get_local_id(0);
  const int tx = tsr_item_column(item), ty = tsr_item_row(item);
  const int column0 = (int)get_group_id(0) * TSR_TILE_N, row0 = (int)get_group_id(1) * TSR_TILE_M;
  const tsr_gemm_operands o = tsr_operands_of(&q, &range, &all);
  tsr_output output = {p, o.bias, o.c, !p->accumulate, 0};
  const tsr_load_plan plan = tsr_load_plan_of(kind, &q, &o, row0, column0, item);
  const int direct = tsr_is_aligned(&q, o.c);
  float ra[TSR_LOADS_M], rb[TSR_LOADS_N];
  float4 acc[4 * TSR_MI][TSR_NI];
  tsr_zero_sums(acc);
  // The chunks of a tile that is not whole may have nothing.
  if (range.begin >= range.end && range.begin > 0) return;
  int buffer = 0, stop = range.end - range.begin < p->chunk ? range.end : range.begin + p->chunk;
  int next = stop - range.begin <= TSR_TILE_K ? stop : range.begin + TSR_TILE_K;
  tsr_tap_index digits;
  const tsr_k_tile first_tile = {s->offsets[0], range.begin, next - range.begin};
  tsr_load_first_tile(kind, &q, &plan, s, first_tile, &digits);
  for (;;) {
    // The tile after this one, of the next chunk where this one ends.
    const int next_stop = next < stop ? stop : range.end - next < p->chunk ? range.end : next + p->chunk;
    const int after = next_stop - next <= TSR_TILE_K ? next_stop : next + TSR_TILE_K;
    const tsr_k_tile tile = {s->offsets[buffer ^ 1], next, after - next};
    tsr_load_tiles(kind, &q, &plan, tile, ra, rb);
    tsr_tap_index_advance(kind, &q, next + item, after - next, &digits);
    tsr_write_offsets(kind, &q, s->offsets[buffer], item, &digits);
#pragma unroll
    for (int d = 0; d < TSR_TILE_K; d++)
      tsr_rank1_update(distance, TSR_LOCAL_TILE_A(s, buffer) + d * TSR_LOCAL_PITCH_M + 4 * ty,
                       TSR_LOCAL_TILE_B(s, buffer) + d * TSR_LOCAL_PITCH_N + 4 * tx, acc);
    if (next >= stop) {
      output.last = next >= range.end;
      const int zero = TSR_OPAQUE_ZERO(next);
      if (direct && !(output.last && (p->bias || p->activation))) {
        tsr_store_direct_vec4(&q, &output, row0 + 4 * ty + zero, column0 + 4 * tx + zero, acc);
      } else {
#pragma unroll 1
        for (int pass = 0; pass < 4 * TSR_MI / TSR_EPILOGUE_ROWS; pass++) {
          barrier(CLK_LOCAL_MEM_FENCE);
          TSR_STAGE_ROWS
          barrier(CLK_LOCAL_MEM_FENCE);
          tsr_store_epilogue(&q, &output, s->tiles, item + zero, row0 + zero + TSR_ROW_OF_PASS(pass),
                             column0 + zero);
        }
      }
      if (output.last) return;
      output.first = 0;
      tsr_zero_sums(acc);
      barrier(CLK_LOCAL_MEM_FENCE);
    }
    tsr_store_tiles_local(kind, s, buffer ^ 1, &plan, ra, rb);
    barrier(CLK_LOCAL_MEM_FENCE);
    buffer ^= 1;
    stop = next_stop;
    next = after;
  }
}

#define TSR_GEMM_KERNEL(name, distance, kind)                                                                \
  __kernel __attribute__((reqd_work_group_size(16, TSR_WORKGROUP_ROWS, 1))) void name(                       \
      const tsr_gemm_params q, __global const float *a, __global const float *b, __global const float *bias, \
      __global float *c) {                                                                                   \
    __local tsr_gemm_local s __attribute__((aligned(16)));                                                   \
    const tsr_gemm_operands operands = {a, b, bias, c};                                                      \
    tsr_gemm(distance, kind, q, operands, &s);                                                               \
  }
#endif
