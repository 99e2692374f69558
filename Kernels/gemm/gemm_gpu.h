// SPDX-License-Identifier: Apache-2.0
// The products of gemm/gemm.h on a GPU: a work-group of 16 x TSR_WORKGROUP_ROWS takes a tile, operands through local memory.
//
//   32 work-items lie 8 along n and 4 along m; neighbours (i, i ^ 1) read the same of A, (i, i ^ 2) the same of B.
//
//        0  1  4  5  8  9 12 13        sums leave straight from registers where C's rows are on borders of 16 bytes; else through
//        2  3  6  7 10 11 14 15        local memory, TSR_WORKGROUP_ROWS TSR_EPILOGUE_ROWS rows at a time: rows of C are then read and written side by
//       16 17 20 ...                   side, and the epilogue's code is there once
#pragma once

#include "gemm/gemm.h"

#ifdef TSR_GPU

// Blocks of 4 x 4 sums that a work-item keeps, along m and n: 1, 2 or 4.
#ifndef TSR_MI
#define TSR_MI 1
#endif
#ifndef TSR_NI
#define TSR_NI 1
#endif
// Rows of 16 work-items in a group; 8 or 16.
#ifndef TSR_WORKGROUP_ROWS
#define TSR_WORKGROUP_ROWS 16
#endif
#define TSR_WORKGROUP_SIZE (16 * TSR_WORKGROUP_ROWS)
#define TSR_TILE_M (4 * TSR_WORKGROUP_ROWS * TSR_MI)
#define TSR_TILE_N (64 * TSR_NI)
// Elements of a tile that each work-item brings.
#define TSR_LOADS_M (TSR_TILE_M * TSR_TILE_K / TSR_WORKGROUP_SIZE)
#define TSR_LOADS_N (TSR_TILE_N * TSR_TILE_K / TSR_WORKGROUP_SIZE)
// How operands are read: an element at a time; or four of k, or four lines, where all of these begin on a
// border of 16 bytes.
enum { TSR_LOAD_SCALAR, TSR_LOAD_VEC4_K, TSR_LOAD_VEC4_LINES };
#ifndef TSR_VECTOR_LOAD_A
#define TSR_VECTOR_LOAD_A TSR_LOAD_SCALAR
#endif
#ifndef TSR_VECTOR_LOAD_B
#define TSR_VECTOR_LOAD_B TSR_LOAD_SCALAR
#endif
// Four floats of padding: work-items that write a column of a tile then meet different banks.
#define TSR_LOCAL_PITCH_M (TSR_TILE_M + 4)
#define TSR_LOCAL_PITCH_N (TSR_TILE_N + 4)
// Rows of each work-item that are staged at a time: as many as the tiles' memory holds, but not all (PoCL
// 3.1 corrupts memory where a loop with barriers is run through once).
#define TSR_STAGE_FITS(rows)                          \
  ((rows) * TSR_WORKGROUP_ROWS * TSR_LOCAL_PITCH_N <= \
   2 * TSR_TILE_K * (TSR_LOCAL_PITCH_M + TSR_LOCAL_PITCH_N))
#define TSR_EPILOGUE_ROWS (TSR_MI > 1 && TSR_STAGE_FITS(4) ? 4 : TSR_STAGE_FITS(2) ? 2 : 1)

// Local memory of a work-group: two tiles of each operand, where sums are staged too, and the offsets of
// two tiles of k.
typedef struct {
  float tiles[2 * TSR_TILE_K * (TSR_LOCAL_PITCH_M + TSR_LOCAL_PITCH_N)];
  int4 offsets[2][TSR_TILE_K];
} tsr_gemm_local;
#define TSR_LOCAL_TILE_A(s, buffer) ((s)->tiles + (buffer) * TSR_TILE_K * TSR_LOCAL_PITCH_M)
#define TSR_LOCAL_TILE_B(s, buffer) \
  ((s)->tiles + 2 * TSR_TILE_K * TSR_LOCAL_PITCH_M + (buffer) * TSR_TILE_K * TSR_LOCAL_PITCH_N)

// An offset as work-items read it: offset in the image, row, column; and `a`, where A has that k.
TSR_FN int4 tsr_pack_offset(const tsr_gemm_params *q, tsr_image_offset s, int a) {
  return (int4)(s.plane + s.h * q->taps.width + s.w, s.h, s.w, a);
}

// Where k is among taps (column and row of the kernel, channel) or pixels (column and row, image), as
// digits of a number, and the digits of a tile's depth. A's k has the same: inside an image or a kernel
// side by side, a_outer_stride to the next.
typedef struct {
  int d0, d1, d2, step0, step1, step2;
} tsr_tap_index;
TSR_FN int tsr_inner_radix(const int kind, const tsr_gemm_params *q) {
  return kind == TSR_B_IM2COL ? q->taps.kernel_w : q->taps.out_w;
}
TSR_FN int tsr_outer_radix(const int kind, const tsr_gemm_params *q) {
  return kind == TSR_B_IM2COL ? q->taps.kernel_h : q->taps.out_h;
}
TSR_FN void tsr_tap_index_at(const int kind, const tsr_gemm_params *q, int k, tsr_tap_index *d) {
  const int low = tsr_inner_radix(kind, q), high = tsr_outer_radix(kind, q);
  d->d0 = k % low;
  d->d1 = k / low % high;
  d->d2 = k / low / high;
  d->step0 = TSR_TILE_K % low;
  d->step1 = TSR_TILE_K / low % high;
  d->step2 = TSR_TILE_K / low / high;
}
// `by` further: without a division where that is a tile's depth.
TSR_FN void tsr_tap_index_advance(const int kind, const tsr_gemm_params *q, int k, int by, tsr_tap_index *d) {
  if (kind == TSR_B_MATRIX) return;
  if (by == TSR_TILE_K) {
    const int low = tsr_inner_radix(kind, q), high = tsr_outer_radix(kind, q);
    d->d0 += d->step0;
    d->d1 += d->step1;
    d->d2 += d->step2;
    if (d->d0 >= low) d->d0 -= low, d->d1++;
    if (d->d1 >= high) d->d1 -= high, d->d2++;
  } else tsr_tap_index_at(kind, q, k + by, d);
}

// The offsets of the tile of which a work-item's own k is known: one work-item an entry.
TSR_FN void tsr_write_offsets(const int kind, const tsr_gemm_params *q, __local int4 *offsets, int item,
                              const tsr_tap_index *d) {
  if (kind == TSR_B_MATRIX || item >= TSR_TILE_K) return;
  const tsr_taps_params *t = &q->taps;
  tsr_image_offset offset;
  if (kind == TSR_B_IM2COL) {
    offset.plane = d->d2 * t->height * t->width;
    offset.h = d->d1 * t->step_h + t->start_h;
    offset.w = d->d0 * t->step_w + t->start_w;
  } else {
    offset.plane = d->d2 * q->groups * t->channels * t->height * t->width;
    offset.h = d->d1 * t->stride_h;
    offset.w = d->d0 * t->stride_w;
  }
  const int inner = d->d1 * tsr_inner_radix(kind, q) + d->d0;
  offsets[item] = tsr_pack_offset(q, offset, d->d2 * q->a_outer_stride + inner * q->gemm.a_col_stride);
}

// 0, as k is never negative: what it is added to is computed here, and not kept in registers from before
// the loop.
#define TSR_OPAQUE_ZERO(k) ((k) >> 31)

// Where a work-item's elements of an operand's tiles are: the first, and from one to the next, in memory
// (of an operand at `from`, of which the tile has `lines` lines) and in local memory. Neighbouring work-items
// read neighbouring addresses, whichever stride is 1.
typedef struct {
  int at, step, put, put_step, k, k_step, line, line_step;
  __global const float *from;
  int lines;
} tsr_tile_loader;
TSR_FN tsr_tile_loader tsr_tile_loader_of(const int fours, int item, int lines, int along_k, int line_stride,
                                          int k_stride) {
  const int ks = fours ? TSR_TILE_K / 4 : TSR_TILE_K, row = fours ? lines / 4 : lines, size = fours ? 4 : 1;
  tsr_tile_loader l;
  if (along_k) {
    l.k = item % ks * size;
    l.line = item / ks;
    l.k_step = 0;
    l.line_step = TSR_WORKGROUP_SIZE / ks;
  } else {
    l.k = item / row;
    l.line = item % row * size;
    l.k_step = TSR_WORKGROUP_SIZE / row;
    l.line_step = 0;
  }
  l.at = l.line * line_stride + l.k * k_stride;
  l.step = l.line_step * line_stride + l.k_step * k_stride;
  l.put = l.k * (lines + 4) + l.line;
  l.put_step = l.k_step * (lines + 4) + l.line_step;
  return l;
}

// A tile of `depth` of an operand, which has the tile's first k at `base`.
typedef struct {
  int base, depth;
} tsr_tile_span;

// What a work-item brings of a tile, from its first element on, into registers. Lines from the loader's `lines`
// on are left out: they meet no sum that is stored. Beyond the depth there is `beyond`: -0 of A
// and +0 of B, whose product changes no sum.
TSR_FN void tsr_load_tile(const int fours, const int loads, const float beyond, tsr_tile_loader l,
                          const tsr_tile_span tile, float *r) {
  const int base = tile.base, depth = tile.depth, lines = l.lines;
  __global const float *from = l.from + base + l.at;
  if (fours) {
#pragma unroll
    for (int i = 0; i < loads / 4; i++) {
      float4 v = (float4)(beyond);
      if (l.line + i * l.line_step < lines && l.k + i * l.k_step < depth)
        v = *(__global const float4 *)(from + i * l.step);
      r[4 * i] = v.x, r[4 * i + 1] = v.y, r[4 * i + 2] = v.z, r[4 * i + 3] = v.w;
    }
  } else {
    l.step += TSR_OPAQUE_ZERO(base), l.line_step += TSR_OPAQUE_ZERO(base), l.k_step += TSR_OPAQUE_ZERO(base);
#pragma unroll
    for (int i = 0; i < loads; i++)
      r[i] = l.line + i * l.line_step < lines && l.k + i * l.k_step < depth ? from[i * l.step] : beyond;
  }
}

// A work-item's elements of a tile, from registers into local memory.
TSR_FN void tsr_store_tile_local(const int fours, const int loads, const int line, const tsr_tile_loader l,
                                 __local float *to, const float *r) {
  to += l.put;
  if (fours == TSR_LOAD_VEC4_LINES) {
#pragma unroll
    for (int i = 0; i < loads / 4; i++)
      *(__local float4 *)(to + i * l.put_step) = (float4)(r[4 * i], r[4 * i + 1], r[4 * i + 2], r[4 * i + 3]);
  } else if (fours) {
#pragma unroll
    for (int i = 0; i < loads; i++) to[i / 4 * l.put_step + i % 4 * line] = r[i];
  } else {
#pragma unroll
    for (int i = 0; i < loads; i++) to[i * l.put_step] = r[i];
  }
}

// How a work-item brings its elements of a tile of taps of the images `b`. The elements share a column, whose
// offset is `own`; `outside`: the column is beyond the last.
typedef struct {
  __global const float *b;
  int4 own;
  int outside, item;
} tsr_im2col_loader;
TSR_FN void tsr_load_tile_im2col(const tsr_gemm_params *q, const tsr_im2col_loader *l,
                                 __local const int4 *offsets, int depth, float *r) {
  const int4 own = l->own;
#pragma unroll
  for (int i = 0; i < TSR_LOADS_N; i++) {
    const int at = l->item / TSR_TILE_N + i * (TSR_WORKGROUP_SIZE / TSR_TILE_N);
    const int4 offset = offsets[at];
    const int inside =
        (uint)(own.y + offset.y) < (uint)q->taps.height && (uint)(own.z + offset.z) < (uint)q->taps.width;
    r[i] = inside && !l->outside && at < depth ? l->b[own.x + offset.x] : 0.0f;
  }
}

// How a work-item brings its part of the tiles of both operands; B is a matrix or the taps of images.
typedef struct {
  tsr_tile_loader a, b;
  tsr_im2col_loader im2col;
} tsr_load_plan;
TSR_FN tsr_load_plan tsr_load_plan_of(const int kind, const tsr_gemm_params *q, const tsr_gemm_operands *o,
                                      int row0, int column0, int item) {
  const tsr_matmul_params *p = &q->gemm;
  // Of products with taps, k's own part is in its offset.
  int a_along_k =
      TSR_VECTOR_LOAD_A == TSR_LOAD_SCALAR ? p->a_col_stride == 1 : TSR_VECTOR_LOAD_A == TSR_LOAD_VEC4_K;
  int b_along_k =
      TSR_VECTOR_LOAD_B == TSR_LOAD_SCALAR ? p->b_col_stride != 1 : TSR_VECTOR_LOAD_B == TSR_LOAD_VEC4_K;
  if (kind != TSR_B_MATRIX) a_along_k = 1, b_along_k = 0;
  tsr_load_plan plan;
  plan.a = tsr_tile_loader_of(TSR_VECTOR_LOAD_A, item, TSR_TILE_M, a_along_k, p->a_row_stride,
                              kind == TSR_B_MATRIX ? p->a_col_stride : 0);
  plan.a.from = o->a + (long)row0 * p->a_row_stride;
  plan.a.lines = p->m - row0;
  plan.b = tsr_tile_loader_of(kind == TSR_B_MATRIX ? TSR_VECTOR_LOAD_B : TSR_LOAD_SCALAR, item, TSR_TILE_N,
                              b_along_k, p->b_col_stride, p->b_row_stride);
  plan.b.from = kind == TSR_B_MATRIX ? o->b + (long)column0 * p->b_col_stride : o->b;
  plan.b.lines = p->n - column0;
  int4 own = 0;
  if (kind == TSR_B_IM2COL)
    own = tsr_pack_offset(q, tsr_offset_of_pixel(&q->taps, q->groups, column0 + item % TSR_TILE_N), 0);
  if (kind == TSR_B_IM2COL_TRANSPOSED)
    own = tsr_pack_offset(q, tsr_offset_of_tap(&q->taps, column0 + item % TSR_TILE_N), 0);
  plan.im2col.b = o->b;
  plan.im2col.own = own;
  plan.im2col.outside = item % TSR_TILE_N >= plan.b.lines;
  plan.im2col.item = item;
  return plan;
}

// The tile of `depth` from k on, into registers; and from there into local memory. `offsets`: of the tile's k.
typedef struct {
  __local const int4 *offsets;
  int k, depth;
} tsr_k_tile;
TSR_FN void tsr_load_tiles(const int kind, const tsr_gemm_params *q, const tsr_load_plan *plan,
                           const tsr_k_tile tile, float *ra, float *rb) {
  const tsr_tile_span a_at = {
      kind == TSR_B_MATRIX ? tile.k * q->gemm.a_col_stride : tile.offsets[plan->a.k].w, tile.depth};
  tsr_load_tile(TSR_VECTOR_LOAD_A, TSR_LOADS_M, -0.0f, plan->a, a_at, ra);
  if (kind == TSR_B_MATRIX) {
    const tsr_tile_span b_at = {tile.k * q->gemm.b_row_stride, tile.depth};
    tsr_load_tile(TSR_VECTOR_LOAD_B, TSR_LOADS_N, 0.0f, plan->b, b_at, rb);
  } else tsr_load_tile_im2col(q, &plan->im2col, tile.offsets, tile.depth, rb);
}
TSR_FN void tsr_store_tiles_local(const int kind, __local tsr_gemm_local *s, int buffer,
                                  const tsr_load_plan *plan, const float *ra, const float *rb) {
  tsr_store_tile_local(TSR_VECTOR_LOAD_A, TSR_LOADS_M, TSR_LOCAL_PITCH_M, plan->a,
                       TSR_LOCAL_TILE_A(s, buffer), ra);
  tsr_store_tile_local(kind == TSR_B_MATRIX ? TSR_VECTOR_LOAD_B : TSR_LOAD_SCALAR, TSR_LOADS_N,
                       TSR_LOCAL_PITCH_N, plan->b, TSR_LOCAL_TILE_B(s, buffer), rb);
}

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

// Rows whose sums leave together: as many as registers are left for.
#ifndef TSR_ROWS_PER_STORE
#define TSR_ROWS_PER_STORE (TSR_NI > 2 ? 1 : 2)
#endif

// Sums on their way to C straight from registers: for rows of C on borders of 16 bytes. Where a work-item
// has nothing, it reads nothing either: what is there is being written by others.
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

// A work-item's place in its group's tile (the picture above).
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

// Whether all fours of a row of C are on borders of 16 bytes.
TSR_FN int tsr_is_aligned(const tsr_gemm_params *q, __global const float *c) {
  return ((size_t)c & 15) == 0 && q->gemm.c_row_stride % 4 == 0 && q->gemm.n % 4 == 0 &&
         q->c_image % 4 == 0 && q->c_image_stride % 4 == 0;
}

// Brings a part's first tile into buffer 0, and the next tile's offsets into local memory; `digits` is then the
// work-item's k of the next tile.
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
