// SPDX-License-Identifier: Apache-2.0
// How the GEMM of gemm/gemm_gpu.h loads tiles of its operands from memory through registers into local
// memory. Tuning parameters, tensors and who owns what: the head of gemm/gemm_gpu.h, which includes this
// file.
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
// Elements of a tile that each work-item loads from global memory.
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

// Loads a work-item's elements of a tile into registers, from the work-item's first element on. Lines from
// the loader's `lines` on are left out, because no stored sum uses them. Elements beyond the depth are
// `beyond`: -0 for A and +0 for B. Their product changes no sum.
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

// How a work-item loads its elements of a tile of taps of the images `b`. The elements share a column, whose
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

// How a work-item loads its part of the tiles of both operands. B is a matrix or the taps of images.
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

// The tile of `depth` from k on, into registers; and from there into local memory. `offsets`: of the
// tile's k.
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

#endif
