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

// A offset as work-items read it: offset in the image, row, column; with it, where A has its k.
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
  d->d0 = k % low, d->d1 = k / low % high, d->d2 = k / low / high;
  d->step0 = TSR_TILE_K % low, d->step1 = TSR_TILE_K / low % high, d->step2 = TSR_TILE_K / low / high;
}
// `by` further: without a division where that is a tile's depth.
TSR_FN void tsr_tap_index_advance(const int kind, const tsr_gemm_params *q, int k, int by, tsr_tap_index *d) {
  if (kind == TSR_B_MATRIX) return;
  if (by == TSR_TILE_K) {
    const int low = tsr_inner_radix(kind, q), high = tsr_outer_radix(kind, q);
    d->d0 += d->step0, d->d1 += d->step1, d->d2 += d->step2;
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
    offset.plane = d->d2 * t->height * t->width, offset.h = d->d1 * t->step_h + t->start_h,
    offset.w = d->d0 * t->step_w + t->start_w;
  } else {
    offset.plane = d->d2 * q->groups * t->channels * t->height * t->width;
    offset.h = d->d1 * t->stride_h, offset.w = d->d0 * t->stride_w;
  }
  const int inner = d->d1 * tsr_inner_radix(kind, q) + d->d0;
  offsets[item] = tsr_pack_offset(q, offset, d->d2 * q->a_outer_stride + inner * q->gemm.a_col_stride);
}

// 0, as k is never negative: what it is added to is computed here, and not kept in registers from before
// the loop.
#define TSR_OPAQUE_ZERO(k) ((k) >> 31)

// Where a work-item's elements of an operand's tiles are: the first, and from one to the next, in memory
// and in local memory. Neighbouring work-items read neighbouring addresses, whichever stride is 1.
typedef struct {
  int at, step, put, put_step, k, k_step, line, line_step;
} tsr_tile_loader;
TSR_FN tsr_tile_loader tsr_tile_loader_of(const int fours, int item, int lines, int along_k, int line_stride,
                                          int k_stride) {
  const int ks = fours ? TSR_TILE_K / 4 : TSR_TILE_K, row = fours ? lines / 4 : lines, size = fours ? 4 : 1;
  tsr_tile_loader l;
  if (along_k)
    l.k = item % ks * size, l.line = item / ks, l.k_step = 0, l.line_step = TSR_WORKGROUP_SIZE / ks;
  else l.k = item / row, l.line = item % row * size, l.k_step = TSR_WORKGROUP_SIZE / row, l.line_step = 0;
  l.at = l.line * line_stride + l.k * k_stride, l.step = l.line_step * line_stride + l.k_step * k_stride;
  l.put = l.k * (lines + 4) + l.line, l.put_step = l.k_step * (lines + 4) + l.line_step;
  return l;
}

// What a work-item brings of a tile of `depth`, from its first element on, into registers. Lines from
// `lines` on are left out: they meet no sum that is stored. Beyond the depth there is `beyond`: -0 of A
// and +0 of B, whose product changes no sum.
TSR_FN void tsr_load_tile(const int fours, const int loads, const float beyond, tsr_tile_loader l,
                          __global const float *from, int base, int depth, int lines, float *r) {
  from += base + l.at;
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

// And from registers into a tile.
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

// The same of the taps of images. A work-item's elements share a column: its offset is known; outside:
// beyond the last.
TSR_FN void tsr_load_tile_im2col(const tsr_gemm_params *q, __global const float *b,
                                 __local const int4 *offsets, int4 own, int outside, int item, int depth,
                                 float *r) {
#pragma unroll
  for (int i = 0; i < TSR_LOADS_N; i++) {
    const int at = item / TSR_TILE_N + i * (TSR_WORKGROUP_SIZE / TSR_TILE_N);
    const int4 offset = offsets[at];
    const int inside =
        (uint)(own.y + offset.y) < (uint)q->taps.height && (uint)(own.z + offset.z) < (uint)q->taps.width;
    r[i] = inside && !outside && at < depth ? b[own.x + offset.x] : 0.0f;
  }
}

// The tile of `depth` from k on, into registers; and from there into local memory.
TSR_FN void tsr_load_tiles(const int kind, const tsr_gemm_params *q, tsr_tile_loader la, tsr_tile_loader lb,
                           __global const float *a, __global const float *b, __local const int4 *offsets,
                           int4 own, int item, int k, int depth, int rows, int columns, float *ra,
                           float *rb) {
  const int a_at = kind == TSR_B_MATRIX ? k * q->gemm.a_col_stride : offsets[la.k].w;
  tsr_load_tile(TSR_VECTOR_LOAD_A, TSR_LOADS_M, -0.0f, la, a, a_at, depth, rows, ra);
  if (kind == TSR_B_MATRIX)
    tsr_load_tile(TSR_VECTOR_LOAD_B, TSR_LOADS_N, 0.0f, lb, b, k * q->gemm.b_row_stride, depth, columns, rb);
  else tsr_load_tile_im2col(q, b, offsets, own, item % TSR_TILE_N >= columns, item, depth, rb);
}
TSR_FN void tsr_store_tiles_local(const int kind, __local tsr_gemm_local *s, int buffer, tsr_tile_loader la,
                                  tsr_tile_loader lb, const float *ra, const float *rb) {
  tsr_store_tile_local(TSR_VECTOR_LOAD_A, TSR_LOADS_M, TSR_LOCAL_PITCH_M, la, TSR_LOCAL_TILE_A(s, buffer),
                       ra);
  tsr_store_tile_local(kind == TSR_B_MATRIX ? TSR_VECTOR_LOAD_B : TSR_LOAD_SCALAR, TSR_LOADS_N,
                       TSR_LOCAL_PITCH_N, lb, TSR_LOCAL_TILE_B(s, buffer), rb);
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
TSR_FN void tsr_store_direct_vec4(const tsr_gemm_params *q, __global float *c, int row, int column, int first,
                                  int last, float4 acc[4 * TSR_MI][TSR_NI]) {
  const tsr_matmul_params *p = &q->gemm;
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
      to[r] = c + (long)(at < p->m ? at : 0) * p->c_row_stride;
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

// Sums on their way from local memory to C: those of rows `i`..<i + TSR_EPILOGUE_ROWS of each work-item.
// First what C holds is added to them, many at a time; bias and activation are not in an unrolled loop,
// which is for speed.
TSR_FN void tsr_store_epilogue(const tsr_gemm_params *q, __global const float *bias, __global float *c,
                               __local float *stage, int item, int row0, int column0, int i, int first,
                               int last) {
  const tsr_matmul_params *p = &q->gemm;
  const int column = column0 + item % TSR_TILE_N, line = item / TSR_TILE_N;
  const int base = row0 + i / 4 * 4 * TSR_WORKGROUP_ROWS + i % 4;
  if (column >= p->n) return;
  // From where `column` counts, so that a bias by column is found too.
  c += tsr_c_column_offset(q, column) - column;
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
      if (row < p->m) tsr_epilogue(p, bias, c, row, column, stage[r * TSR_LOCAL_PITCH_N], 1, 1);
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
#define TSR_STAGE_ROW(i)                                                                                    \
  if (pass == (i) / TSR_EPILOGUE_ROWS) {                                                                    \
    _Pragma("unroll") for (int j = 0; j < TSR_NI; j++) *                                                    \
        (__local float4 *)(stage + (ty * TSR_EPILOGUE_ROWS + (i) % TSR_EPILOGUE_ROWS) * TSR_LOCAL_PITCH_N + \
                           64 * j + 4 * tx) = acc[i][j];                                                    \
  }

TSR_FN void tsr_gemm(const int distance, const int kind, const tsr_gemm_params q, __global const float *a,
                     __global const float *b, __global const float *bias, __global float *c,
                     __local tsr_gemm_local *s) {
  const tsr_matmul_params *p = &q.gemm;
  const tsr_k_range range = tsr_k_range_of(&q, (int)get_group_id(2));
  const int item = (int)get_local_id(1) * 16 + (int)get_local_id(0);
  const int tx = item / 32 % 2 * 8 + (item >> 1 & 6) + (item & 1),
            ty = item / 64 * 4 + (item >> 3 & 2) + (item >> 1 & 1);
  const int column0 = (int)get_group_id(0) * TSR_TILE_N, row0 = (int)get_group_id(1) * TSR_TILE_M;
  const int rows = p->m - row0, columns = p->n - column0;
  const long group = range.batch % q.groups;
  a += p->a_offset + group * p->a_batch_stride + (long)row0 * p->a_row_stride;
  b += p->b_offset + range.batch * p->b_batch_stride;
  bias += p->bias_offset + group * q.bias_stride;
  c += p->c_offset + range.batch * p->c_batch_stride + range.split * q.c_split_stride;
  // Of products with taps, k's own part is in its offset.
  int a_along_k =
      TSR_VECTOR_LOAD_A == TSR_LOAD_SCALAR ? p->a_col_stride == 1 : TSR_VECTOR_LOAD_A == TSR_LOAD_VEC4_K;
  int b_along_k =
      TSR_VECTOR_LOAD_B == TSR_LOAD_SCALAR ? p->b_col_stride != 1 : TSR_VECTOR_LOAD_B == TSR_LOAD_VEC4_K;
  if (kind != TSR_B_MATRIX) a_along_k = 1, b_along_k = 0;
  const tsr_tile_loader la = tsr_tile_loader_of(TSR_VECTOR_LOAD_A, item, TSR_TILE_M, a_along_k,
                                                p->a_row_stride, kind == TSR_B_MATRIX ? p->a_col_stride : 0);
  const tsr_tile_loader lb =
      tsr_tile_loader_of(kind == TSR_B_MATRIX ? TSR_VECTOR_LOAD_B : TSR_LOAD_SCALAR, item, TSR_TILE_N,
                         b_along_k, p->b_col_stride, p->b_row_stride);
  if (kind == TSR_B_MATRIX) b += (long)column0 * p->b_col_stride;
  const int direct = ((size_t)c & 15) == 0 && p->c_row_stride % 4 == 0 && p->n % 4 == 0 &&
                     q.c_image % 4 == 0 && q.c_image_stride % 4 == 0;
  int4 own = 0;
  if (kind == TSR_B_IM2COL)
    own = tsr_pack_offset(&q, tsr_offset_of_pixel(&q.taps, q.groups, column0 + item % TSR_TILE_N), 0);
  if (kind == TSR_B_IM2COL_TRANSPOSED)
    own = tsr_pack_offset(&q, tsr_offset_of_tap(&q.taps, column0 + item % TSR_TILE_N), 0);
  float ra[TSR_LOADS_M], rb[TSR_LOADS_N];
  float4 acc[4 * TSR_MI][TSR_NI];
#pragma unroll
  for (int i = 0; i < 4 * TSR_MI; i++)
#pragma unroll
    for (int j = 0; j < TSR_NI; j++) acc[i][j] = (float4)(0.0f);

  // The chunks of a tile that is not whole may have nothing.
  if (range.begin >= range.end && range.begin > 0) return;
  int k = range.begin, stop = range.end - k < p->chunk ? range.end : k + p->chunk, buffer = 0,
      first = !p->accumulate;
  tsr_tap_index digits;
  if (kind != TSR_B_MATRIX) tsr_tap_index_at(kind, &q, k + item, &digits);
  tsr_write_offsets(kind, &q, s->offsets[0], item, &digits);
  barrier(CLK_LOCAL_MEM_FENCE);
  int next = stop - k <= TSR_TILE_K ? stop : k + TSR_TILE_K;
  tsr_load_tiles(kind, &q, la, lb, a, b, s->offsets[0], own, item, k, next - k, rows, columns, ra, rb);
  tsr_store_tiles_local(kind, s, 0, la, lb, ra, rb);
  tsr_tap_index_advance(kind, &q, k + item, next - k, &digits);
  tsr_write_offsets(kind, &q, s->offsets[1], item, &digits);
  barrier(CLK_LOCAL_MEM_FENCE);
  for (;;) {
    // The tile after this one, of the next chunk where this one ends.
    const int next_stop = next < stop ? stop : range.end - next < p->chunk ? range.end : next + p->chunk;
    const int after = next_stop - next <= TSR_TILE_K ? next_stop : next + TSR_TILE_K;
    tsr_load_tiles(kind, &q, la, lb, a, b, s->offsets[buffer ^ 1], own, item, next, after - next, rows,
                   columns, ra, rb);
    tsr_tap_index_advance(kind, &q, next + item, after - next, &digits);
    tsr_write_offsets(kind, &q, s->offsets[buffer], item, &digits);
    __local const float *pa = TSR_LOCAL_TILE_A(s, buffer) + 4 * ty,
                        *pb = TSR_LOCAL_TILE_B(s, buffer) + 4 * tx;
#pragma unroll
    for (int d = 0; d < TSR_TILE_K; d++)
      tsr_rank1_update(distance, pa + d * TSR_LOCAL_PITCH_M, pb + d * TSR_LOCAL_PITCH_N, acc);
    if (next >= stop) {
      const int last = next >= range.end;
      __local float *stage = s->tiles;
      if (direct && !(last && (p->bias || p->activation)))
        tsr_store_direct_vec4(&q, c, row0 + 4 * ty + TSR_OPAQUE_ZERO(next),
                              column0 + 4 * tx + TSR_OPAQUE_ZERO(next), first, last, acc);
      else {
#pragma unroll 1
        for (int pass = 0; pass < 4 * TSR_MI / TSR_EPILOGUE_ROWS; pass++) {
          barrier(CLK_LOCAL_MEM_FENCE);
          TSR_STAGE_ROW(0)
          TSR_STAGE_ROW(1)
          TSR_STAGE_ROW(2) TSR_STAGE_ROW(3)
#if TSR_MI > 1
              TSR_STAGE_ROW(4) TSR_STAGE_ROW(5) TSR_STAGE_ROW(6) TSR_STAGE_ROW(7)
#endif
#if TSR_MI > 2
                  TSR_STAGE_ROW(8) TSR_STAGE_ROW(9) TSR_STAGE_ROW(10) TSR_STAGE_ROW(11) TSR_STAGE_ROW(12)
                      TSR_STAGE_ROW(13) TSR_STAGE_ROW(14) TSR_STAGE_ROW(15)
#endif
                          barrier(CLK_LOCAL_MEM_FENCE);
          tsr_store_epilogue(&q, bias, c, stage, item + TSR_OPAQUE_ZERO(next), row0 + TSR_OPAQUE_ZERO(next),
                             column0 + TSR_OPAQUE_ZERO(next), pass * TSR_EPILOGUE_ROWS, first, last);
        }
      }
      if (last) return;
      first = 0;
#pragma unroll
      for (int i = 0; i < 4 * TSR_MI; i++)
#pragma unroll
        for (int j = 0; j < TSR_NI; j++) acc[i][j] = (float4)(0.0f);
      barrier(CLK_LOCAL_MEM_FENCE);
    }
    tsr_store_tiles_local(kind, s, buffer ^ 1, la, lb, ra, rb);
    barrier(CLK_LOCAL_MEM_FENCE);
    buffer ^= 1, k = next, stop = next_stop, next = after;
  }
}

#define TSR_GEMM_KERNEL(name, distance, kind)                                                                \
  __kernel __attribute__((reqd_work_group_size(16, TSR_WORKGROUP_ROWS, 1))) void name(                       \
      const tsr_gemm_params q, __global const float *a, __global const float *b, __global const float *bias, \
      __global float *c) {                                                                                   \
    __local tsr_gemm_local s __attribute__((aligned(16)));                                                   \
    tsr_gemm(distance, kind, q, a, b, bias, c, &s);                                                          \
  }
#endif
