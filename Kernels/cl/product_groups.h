// SPDX-License-Identifier: Apache-2.0
// The products of product.h on a GPU: a work-group of 16 x TSR_TY takes a tile, operands through local memory.
//
//   32 work-items lie 8 along n and 4 along m; neighbours (i, i ^ 1) read the same of A, (i, i ^ 2) the same of B.
//
//        0  1  4  5  8  9 12 13        sums leave straight from registers where C's rows are on borders of 16 bytes; else through
//        2  3  6  7 10 11 14 15        local memory, TSR_TY TSR_PASS rows at a time: rows of C are then read and written side by
//       16 17 20 ...                   side, and the epilogue's code is there once
#pragma once

#include "product.h"

#ifdef TSR_WIDE

// Blocks of 4 x 4 sums that a work-item keeps, along m and n: 1, 2 or 4.
#ifndef TSR_MI
#define TSR_MI 1
#endif
#ifndef TSR_NI
#define TSR_NI 1
#endif
// Rows of 16 work-items in a group; 8 or 16.
#ifndef TSR_TY
#define TSR_TY 16
#endif
#define TSR_GROUP (16 * TSR_TY)
#define TSR_TILE_M (4 * TSR_TY * TSR_MI)
#define TSR_TILE_N (64 * TSR_NI)
// Elements of a slice that each work-item brings.
#define TSR_LOADS_M (TSR_TILE_M * TSR_DEPTH / TSR_GROUP)
#define TSR_LOADS_N (TSR_TILE_N * TSR_DEPTH / TSR_GROUP)
// How operands are read: an element at a time; or four of k, or four lines, where all of these begin on a border of 16 bytes.
enum { TSR_SINGLES, TSR_FOURS_OF_K, TSR_FOURS_OF_LINES };
#ifndef TSR_FOURS_A
#define TSR_FOURS_A TSR_SINGLES
#endif
#ifndef TSR_FOURS_B
#define TSR_FOURS_B TSR_SINGLES
#endif
// Four floats of padding: work-items that write a column of a slice then meet different banks.
#define TSR_LINE_M (TSR_TILE_M + 4)
#define TSR_LINE_N (TSR_TILE_N + 4)
// Rows of each work-item that are staged at a time: as many as the slices' memory holds, but not all (PoCL 3.1 corrupts memory
// where a loop with barriers is run through once).
#define TSR_STAGED(rows) ((rows) * TSR_TY * TSR_LINE_N <= 2 * TSR_DEPTH * (TSR_LINE_M + TSR_LINE_N))
#define TSR_PASS (TSR_MI > 1 && TSR_STAGED(4) ? 4 : TSR_STAGED(2) ? 2 : 1)

// Local memory of a work-group: two slices of each operand, where sums are staged too, and the sites of two slices of k.
typedef struct {
  float slices[2 * TSR_DEPTH * (TSR_LINE_M + TSR_LINE_N)];
  int4 sites[2][TSR_DEPTH];
} tsr_shared;
#define TSR_SLICE_A(s, turn) ((s)->slices + (turn) * TSR_DEPTH * TSR_LINE_M)
#define TSR_SLICE_B(s, turn) ((s)->slices + 2 * TSR_DEPTH * TSR_LINE_M + (turn) * TSR_DEPTH * TSR_LINE_N)

// A site as work-items read it: offset in the image, row, column; with it, where A has its k.
TSR_FN int4 tsr_packed_site(const tsr_product_params *q, tsr_site s, int a) {
  return (int4)(s.plane + s.h * q->taps.width + s.w, s.h, s.w, a);
}

// Where k is among taps (column and row of the kernel, channel) or places (column and row, image), as digits of a number, and the
// digits of a slice's depth. A's k has the same: inside an image or a kernel side by side, a_outer_stride to the next.
typedef struct { int d0, d1, d2, step0, step1, step2; } tsr_digits;
TSR_FN int tsr_low_radix(const int kind, const tsr_product_params *q) {
  return kind == TSR_B_TAPS ? q->taps.kernel_w : q->taps.places_w;
}
TSR_FN int tsr_high_radix(const int kind, const tsr_product_params *q) {
  return kind == TSR_B_TAPS ? q->taps.kernel_h : q->taps.places_h;
}
TSR_FN void tsr_find(const int kind, const tsr_product_params *q, int k, tsr_digits *d) {
  const int low = tsr_low_radix(kind, q), high = tsr_high_radix(kind, q);
  d->d0 = k % low, d->d1 = k / low % high, d->d2 = k / low / high;
  d->step0 = TSR_DEPTH % low, d->step1 = TSR_DEPTH / low % high, d->step2 = TSR_DEPTH / low / high;
}
// `by` further: without a division where that is a slice's depth.
TSR_FN void tsr_advance(const int kind, const tsr_product_params *q, int k, int by, tsr_digits *d) {
  if (kind == TSR_B_MATRIX) return;
  if (by == TSR_DEPTH) {
    const int low = tsr_low_radix(kind, q), high = tsr_high_radix(kind, q);
    d->d0 += d->step0, d->d1 += d->step1, d->d2 += d->step2;
    if (d->d0 >= low) d->d0 -= low, d->d1++;
    if (d->d1 >= high) d->d1 -= high, d->d2++;
  } else tsr_find(kind, q, k + by, d);
}

// The sites of the slice of which a work-item's own k is known: one work-item an entry.
TSR_FN void tsr_write_sites(const int kind, const tsr_product_params *q, __local int4 *sites, int item, const tsr_digits *d) {
  if (kind == TSR_B_MATRIX || item >= TSR_DEPTH) return;
  const tsr_taps_params *t = &q->taps;
  tsr_site site;
  if (kind == TSR_B_TAPS) {
    site.plane = d->d2 * t->height * t->width, site.h = d->d1 * t->step_h + t->start_h, site.w = d->d0 * t->step_w + t->start_w;
  } else {
    site.plane = d->d2 * q->groups * t->channels * t->height * t->width;
    site.h = d->d1 * t->stride_h, site.w = d->d0 * t->stride_w;
  }
  const int inner = d->d1 * tsr_low_radix(kind, q) + d->d0;
  sites[item] = tsr_packed_site(q, site, d->d2 * q->a_outer_stride + inner * q->product.a_col_stride);
}

// 0, as k is never negative: what it is added to is computed here, and not kept in registers from before the loop.
#define TSR_HERE(k) ((k) >> 31)

// Where a work-item's elements of an operand's slices are: the first, and from one to the next, in memory and in local
// memory. Neighbouring work-items read neighbouring addresses, whichever stride is 1.
typedef struct { int at, step, put, put_step, k, k_step, line, line_step; } tsr_lane;
TSR_FN tsr_lane tsr_lane_of(const int fours, int item, int lines, int along_k, int line_stride, int k_stride) {
  const int ks = fours ? TSR_DEPTH / 4 : TSR_DEPTH, row = fours ? lines / 4 : lines, size = fours ? 4 : 1;
  tsr_lane l;
  if (along_k) l.k = item % ks * size, l.line = item / ks, l.k_step = 0, l.line_step = TSR_GROUP / ks;
  else l.k = item / row, l.line = item % row * size, l.k_step = TSR_GROUP / row, l.line_step = 0;
  l.at = l.line * line_stride + l.k * k_stride, l.step = l.line_step * line_stride + l.k_step * k_stride;
  l.put = l.k * (lines + 4) + l.line, l.put_step = l.k_step * (lines + 4) + l.line_step;
  return l;
}

// What a work-item brings of a slice of `depth`, from its first element on, into registers. Lines from `lines` on are left
// out: they meet no sum that is stored. Beyond the depth there is `beyond`: -0 of A and +0 of B, whose product changes no sum.
TSR_FN void tsr_fetch(const int fours, const int loads, const float beyond, tsr_lane l, __global const float *from, int base,
                      int depth, int lines, float *r) {
  from += base + l.at;
  if (fours) {
#pragma unroll
    for (int i = 0; i < loads / 4; i++) {
      float4 v = (float4)(beyond);
      if (l.line + i * l.line_step < lines && l.k + i * l.k_step < depth) v = *(__global const float4 *)(from + i * l.step);
      r[4 * i] = v.x, r[4 * i + 1] = v.y, r[4 * i + 2] = v.z, r[4 * i + 3] = v.w;
    }
  } else {
    l.step += TSR_HERE(base), l.line_step += TSR_HERE(base), l.k_step += TSR_HERE(base);
#pragma unroll
    for (int i = 0; i < loads; i++)
      r[i] = l.line + i * l.line_step < lines && l.k + i * l.k_step < depth ? from[i * l.step] : beyond;
  }
}

// And from registers into a slice.
TSR_FN void tsr_put_lane(const int fours, const int loads, const int line, const tsr_lane l, __local float *to, const float *r) {
  to += l.put;
  if (fours == TSR_FOURS_OF_LINES) {
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

// The same of the taps of images. A work-item's elements share a column: its site is known; outside: beyond the last.
TSR_FN void tsr_fetch_taps(const tsr_product_params *q, __global const float *b, __local const int4 *sites, int4 own,
                           int outside, int item, int depth, float *r) {
#pragma unroll
  for (int i = 0; i < TSR_LOADS_N; i++) {
    const int at = item / TSR_TILE_N + i * (TSR_GROUP / TSR_TILE_N);
    const int4 site = sites[at];
    const int inside = (uint)(own.y + site.y) < (uint)q->taps.height && (uint)(own.z + site.z) < (uint)q->taps.width;
    r[i] = inside && !outside && at < depth ? b[own.x + site.x] : 0.0f;
  }
}

// The slice of `depth` from k on, into registers; and from there into local memory.
TSR_FN void tsr_bring(const int kind, const tsr_product_params *q, tsr_lane la, tsr_lane lb, __global const float *a,
                      __global const float *b, __local const int4 *sites, int4 own, int item, int k, int depth, int rows,
                      int columns, float *ra, float *rb) {
  const int a_at = kind == TSR_B_MATRIX ? k * q->product.a_col_stride : sites[la.k].w;
  tsr_fetch(TSR_FOURS_A, TSR_LOADS_M, -0.0f, la, a, a_at, depth, rows, ra);
  if (kind == TSR_B_MATRIX) tsr_fetch(TSR_FOURS_B, TSR_LOADS_N, 0.0f, lb, b, k * q->product.b_row_stride, depth, columns, rb);
  else tsr_fetch_taps(q, b, sites, own, item % TSR_TILE_N >= columns, item, depth, rb);
}
TSR_FN void tsr_put(const int kind, __local tsr_shared *s, int turn, tsr_lane la, tsr_lane lb, const float *ra, const float *rb) {
  tsr_put_lane(TSR_FOURS_A, TSR_LOADS_M, TSR_LINE_M, la, TSR_SLICE_A(s, turn), ra);
  tsr_put_lane(kind == TSR_B_MATRIX ? TSR_FOURS_B : TSR_SINGLES, TSR_LOADS_N, TSR_LINE_N, lb, TSR_SLICE_B(s, turn), rb);
}

// A row's four sums, to and fro.
#define TSR_ONE_FMA(distance, u, v, s)                                                              \
  if (distance) { const float tsr_d = (u) - (v); s = fma(tsr_d, tsr_d, s); } else s = fma(u, v, s);
#define TSR_FMA_TO(distance, u, v, s)                                                               \
  { TSR_ONE_FMA(distance, u, v.x, s.x) TSR_ONE_FMA(distance, u, v.y, s.y)                           \
    TSR_ONE_FMA(distance, u, v.z, s.z) TSR_ONE_FMA(distance, u, v.w, s.w) }
#define TSR_FMA_FRO(distance, u, v, s)                                                              \
  { TSR_ONE_FMA(distance, u, v.w, s.w) TSR_ONE_FMA(distance, u, v.z, s.z)                           \
    TSR_ONE_FMA(distance, u, v.y, s.y) TSR_ONE_FMA(distance, u, v.x, s.x) }

// One k of a slice, onto the work-item's sums; to and fro along the rows, so that a sum shares an operand with the one before:
// a register file hands out three of them only every other cycle.
TSR_FN void tsr_step(const int distance, __local const float *a, __local const float *b, float4 acc[4 * TSR_MI][TSR_NI]) {
  float4 y[TSR_NI];
#pragma unroll
  for (int j = 0; j < TSR_NI; j++) y[j] = *(__local const float4 *)(b + 64 * j);
#pragma unroll
  for (int i = 0; i < TSR_MI; i++) {
    const float4 x = *(__local const float4 *)(a + 4 * TSR_TY * i);
#pragma unroll
    for (int j = 0; j < TSR_NI; j++) TSR_FMA_TO(distance, x.x, y[j], acc[4 * i][j])
#pragma unroll
    for (int j = TSR_NI - 1; j >= 0; j--) TSR_FMA_FRO(distance, x.y, y[j], acc[4 * i + 1][j])
#pragma unroll
    for (int j = 0; j < TSR_NI; j++) TSR_FMA_TO(distance, x.z, y[j], acc[4 * i + 2][j])
#pragma unroll
    for (int j = TSR_NI - 1; j >= 0; j--) TSR_FMA_FRO(distance, x.w, y[j], acc[4 * i + 3][j])
  }
}

// Rows whose sums leave together: as many as registers are left for.
#ifndef TSR_TOGETHER
#define TSR_TOGETHER (TSR_NI > 2 ? 1 : 2)
#endif

// Sums on their way to C straight from registers: for rows of C on borders of 16 bytes. Where a work-item has nothing, it reads
// nothing either: what is there is being written by others.
#define TSR_HAS_SUM(i, r, j) (row + (i) / 4 * 4 * TSR_TY + (i) % 4 + (r) < p->m && column + 64 * (j) < p->n)
TSR_FN void tsr_leave_in_fours(const tsr_product_params *q, __global float *c, int row, int column, int first, int last,
                               float4 acc[4 * TSR_MI][TSR_NI]) {
  const tsr_matmul_params *p = &q->product;
  long columns[TSR_NI];
#pragma unroll
  for (int j = 0; j < TSR_NI; j++) columns[j] = column + 64 * j < p->n ? tsr_column_of(q, column + 64 * j) : 0;
#pragma unroll
  for (int i = 0; i < 4 * TSR_MI; i += TSR_TOGETHER) {
    float4 old[TSR_TOGETHER][TSR_NI];
    __global float *to[TSR_TOGETHER];
#pragma unroll
    for (int r = 0; r < TSR_TOGETHER; r++) {
      const int at = row + i / 4 * 4 * TSR_TY + i % 4 + r;
      to[r] = c + (long)(at < p->m ? at : 0) * p->c_row_stride;
    }
    if (!first)
#pragma unroll
      for (int r = 0; r < TSR_TOGETHER; r++)
#pragma unroll
        for (int j = 0; j < TSR_NI; j++)
          old[r][j] = TSR_HAS_SUM(i, r, j) ? *(__global const float4 *)(to[r] + columns[j]) : (float4)(0.0f);
#pragma unroll
    for (int r = 0; r < TSR_TOGETHER; r++)
#pragma unroll
      for (int j = 0; j < TSR_NI; j++) {
        float4 v = acc[i + r][j];
        if (!first) v = old[r][j] + v;
        if (last) v = (float4)(tsr_canonical(v.x), tsr_canonical(v.y), tsr_canonical(v.z), tsr_canonical(v.w));
        if (TSR_HAS_SUM(i, r, j)) *(__global float4 *)(to[r] + columns[j]) = v;
      }
  }
}

// Sums on their way from local memory to C: those of rows `i`..<i + TSR_PASS of each work-item. First what C holds is added to them,
// many at a time; bias and activation are not in an unrolled loop, which is for speed.
TSR_FN void tsr_leave(const tsr_product_params *q, __global const float *bias, __global float *c, __local float *stage, int item,
                      int row0, int column0, int i, int first, int last) {
  const tsr_matmul_params *p = &q->product;
  const int column = column0 + item % TSR_TILE_N, line = item / TSR_TILE_N;
  const int base = row0 + i / 4 * 4 * TSR_TY + i % 4;
  if (column >= p->n) return;
  // From where `column` counts, so that a bias by column is found too.
  c += tsr_column_of(q, column) - column;
  stage += item % TSR_TILE_N;
  if (!first) {
#pragma unroll 8
    for (int r = line; r < TSR_TY * TSR_PASS; r += TSR_GROUP / TSR_TILE_N) {
      const int row = base + r / TSR_PASS * 4 + r % TSR_PASS;
      const float before = row < p->m ? c[(long)row * p->c_row_stride + column] : 0.0f;
      stage[r * TSR_LINE_N] = before + stage[r * TSR_LINE_N];
    }
  }
  if (last && (p->bias || p->activation)) {
#pragma unroll 1
    for (int r = line; r < TSR_TY * TSR_PASS; r += TSR_GROUP / TSR_TILE_N) {
      const int row = base + r / TSR_PASS * 4 + r % TSR_PASS;
      if (row < p->m) tsr_store(p, bias, c, row, column, stage[r * TSR_LINE_N], 1, 1);
    }
    return;
  }
#pragma unroll 8
  for (int r = line; r < TSR_TY * TSR_PASS; r += TSR_GROUP / TSR_TILE_N) {
    const int row = base + r / TSR_PASS * 4 + r % TSR_PASS;
    const float v = stage[r * TSR_LINE_N];
    if (row < p->m) c[(long)row * p->c_row_stride + column] = last ? tsr_canonical(v) : v;
  }
}

// Row i of a work-item's sums into the stage, if it is the pass's. TSR_STAGE(0) TSR_STAGE(1)... are written out: in a loop, a
// compiler may take the pass itself as the index, and sums then lie in memory.
#define TSR_STAGE(i)                                                                                       \
  if (pass == (i) / TSR_PASS) {                                                                            \
    _Pragma("unroll") for (int j = 0; j < TSR_NI; j++)                                                     \
        *(__local float4 *)(stage + (ty * TSR_PASS + (i) % TSR_PASS) * TSR_LINE_N + 64 * j + 4 * tx) = acc[i][j]; \
  }

TSR_FN void tsr_product(const int distance, const int kind, const tsr_product_params q, __global const float *a,
                        __global const float *b, __global const float *bias, __global float *c, __local tsr_shared *s) {
  const tsr_matmul_params *p = &q.product;
  const tsr_part part = tsr_part_of(&q, (int)get_group_id(2));
  const int item = (int)get_local_id(1) * 16 + (int)get_local_id(0);
  const int tx = item / 32 % 2 * 8 + (item >> 1 & 6) + (item & 1), ty = item / 64 * 4 + (item >> 3 & 2) + (item >> 1 & 1);
  const int column0 = (int)get_group_id(0) * TSR_TILE_N, row0 = (int)get_group_id(1) * TSR_TILE_M;
  const int rows = p->m - row0, columns = p->n - column0;
  const long group = part.batch % q.groups;
  a += p->a_offset + group * p->a_batch_stride + (long)row0 * p->a_row_stride;
  b += p->b_offset + part.batch * p->b_batch_stride;
  bias += p->bias_offset + group * q.bias_stride;
  c += p->c_offset + part.batch * p->c_batch_stride + part.slice * q.c_slice_stride;
  // Of products with taps, k's own part is in its site.
  int a_along_k = TSR_FOURS_A == TSR_SINGLES ? p->a_col_stride == 1 : TSR_FOURS_A == TSR_FOURS_OF_K;
  int b_along_k = TSR_FOURS_B == TSR_SINGLES ? p->b_col_stride != 1 : TSR_FOURS_B == TSR_FOURS_OF_K;
  if (kind != TSR_B_MATRIX) a_along_k = 1, b_along_k = 0;
  const tsr_lane la = tsr_lane_of(TSR_FOURS_A, item, TSR_TILE_M, a_along_k, p->a_row_stride,
                                  kind == TSR_B_MATRIX ? p->a_col_stride : 0);
  const tsr_lane lb = tsr_lane_of(kind == TSR_B_MATRIX ? TSR_FOURS_B : TSR_SINGLES, item, TSR_TILE_N, b_along_k,
                                  p->b_col_stride, p->b_row_stride);
  if (kind == TSR_B_MATRIX) b += (long)column0 * p->b_col_stride;
  const int direct = ((size_t)c & 15) == 0 && p->c_row_stride % 4 == 0 && p->n % 4 == 0 && q.c_image % 4 == 0 &&
                     q.c_image_stride % 4 == 0;
  int4 own = 0;
  if (kind == TSR_B_TAPS) own = tsr_packed_site(&q, tsr_site_of_place(&q.taps, q.groups, column0 + item % TSR_TILE_N), 0);
  if (kind == TSR_B_TAPS_ACROSS) own = tsr_packed_site(&q, tsr_site_of_tap(&q.taps, column0 + item % TSR_TILE_N), 0);
  float ra[TSR_LOADS_M], rb[TSR_LOADS_N];
  float4 acc[4 * TSR_MI][TSR_NI];
#pragma unroll
  for (int i = 0; i < 4 * TSR_MI; i++)
#pragma unroll
    for (int j = 0; j < TSR_NI; j++) acc[i][j] = (float4)(0.0f);

  // The chunks of a slice that is not whole may have nothing.
  if (part.begin >= part.end && part.begin > 0) return;
  int k = part.begin, stop = part.end - k < p->chunk ? part.end : k + p->chunk, turn = 0, first = !p->accumulate;
  tsr_digits digits;
  if (kind != TSR_B_MATRIX) tsr_find(kind, &q, k + item, &digits);
  tsr_write_sites(kind, &q, s->sites[0], item, &digits);
  barrier(CLK_LOCAL_MEM_FENCE);
  int next = stop - k <= TSR_DEPTH ? stop : k + TSR_DEPTH;
  tsr_bring(kind, &q, la, lb, a, b, s->sites[0], own, item, k, next - k, rows, columns, ra, rb);
  tsr_put(kind, s, 0, la, lb, ra, rb);
  tsr_advance(kind, &q, k + item, next - k, &digits);
  tsr_write_sites(kind, &q, s->sites[1], item, &digits);
  barrier(CLK_LOCAL_MEM_FENCE);
  for (;;) {
    // The slice after this one, of the next chunk where this one ends.
    const int next_stop = next < stop ? stop : part.end - next < p->chunk ? part.end : next + p->chunk;
    const int after = next_stop - next <= TSR_DEPTH ? next_stop : next + TSR_DEPTH;
    tsr_bring(kind, &q, la, lb, a, b, s->sites[turn ^ 1], own, item, next, after - next, rows, columns, ra, rb);
    tsr_advance(kind, &q, next + item, after - next, &digits);
    tsr_write_sites(kind, &q, s->sites[turn], item, &digits);
    __local const float *pa = TSR_SLICE_A(s, turn) + 4 * ty, *pb = TSR_SLICE_B(s, turn) + 4 * tx;
#pragma unroll
    for (int d = 0; d < TSR_DEPTH; d++) tsr_step(distance, pa + d * TSR_LINE_M, pb + d * TSR_LINE_N, acc);
    if (next >= stop) {
      const int last = next >= part.end;
      __local float *stage = s->slices;
      if (direct && !(last && (p->bias || p->activation)))
        tsr_leave_in_fours(&q, c, row0 + 4 * ty + TSR_HERE(next), column0 + 4 * tx + TSR_HERE(next), first, last, acc);
      else {
#pragma unroll 1
        for (int pass = 0; pass < 4 * TSR_MI / TSR_PASS; pass++) {
          barrier(CLK_LOCAL_MEM_FENCE);
          TSR_STAGE(0) TSR_STAGE(1) TSR_STAGE(2) TSR_STAGE(3)
#if TSR_MI > 1
          TSR_STAGE(4) TSR_STAGE(5) TSR_STAGE(6) TSR_STAGE(7)
#endif
#if TSR_MI > 2
          TSR_STAGE(8) TSR_STAGE(9) TSR_STAGE(10) TSR_STAGE(11) TSR_STAGE(12) TSR_STAGE(13) TSR_STAGE(14) TSR_STAGE(15)
#endif
          barrier(CLK_LOCAL_MEM_FENCE);
          tsr_leave(&q, bias, c, stage, item + TSR_HERE(next), row0 + TSR_HERE(next), column0 + TSR_HERE(next),
                    pass * TSR_PASS, first, last);
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
    tsr_put(kind, s, turn ^ 1, la, lb, ra, rb);
    barrier(CLK_LOCAL_MEM_FENCE);
    turn ^= 1, k = next, stop = next_stop, next = after;
  }
}

#define TSR_PRODUCT(name, distance, kind)                                                                        \
  __kernel __attribute__((reqd_work_group_size(16, TSR_TY, 1))) void name(                                           \
      const tsr_product_params q, __global const float *a, __global const float *b, __global const float *bias,  \
      __global float *c) {                                                                                       \
    __local tsr_shared s __attribute__((aligned(16)));                                                           \
    tsr_product(distance, kind, q, a, b, bias, c, &s);                                                           \
  }
#endif
