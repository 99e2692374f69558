// SPDX-License-Identifier: Apache-2.0
// The products of gemm.h on a CPU device.
//
// Algorithm  Goto and van de Geijn 2008 with one order of loops: whoever uses a panel of B packs it. The
//            micro-kernel holds TSR_TILE_ROWS x PANEL sums in registers. Taps of images are read while
//            the panel is packed, so there is no im2col matrix.
// Tensors    A (m, k) by strides, or packed (panel, k, TSR_TILE_ROWS); B a matrix or images; C (m, n).
// Work       A work-item a panel of PANEL = 16 TSR_VECTORS columns (dimension 0) and `rows` rows of C
//            (dimension 1), of one product and split (dimension 2). No barriers. Local memory is the
//            work-item's own panel (512 x PANEL).
// Tuning     TSR_TILE_ROWS (2, 4, 6, 8, 12; default 6): rows of the micro-kernel's tile; above 8 the rows
//            of A are packed side by side. TSR_VECTORS (1, 2; default 1): float16 of a row of sums.
//
//              PANEL
//   B  512 k  [======]  local memory
//             [======]
//   A  [====] [ tile ]  TSR_TILE_ROWS x PANEL sums in registers, row block after row block
//      [====] [ next ]
//
// Rules      4, 6, 9, 10.
#pragma once

#include "gemm/gemm.h"
#include "common/math16.h"

#ifndef TSR_GPU
#ifndef TSR_VECTORS
#define TSR_VECTORS 1
#endif
#define TSR_PANEL (16 * TSR_VECTORS)
#if TSR_VECTORS == 2
#define TSR_IF_TWO_VECTORS(statement) statement
#else
#define TSR_IF_TWO_VECTORS(statement)
#endif

// Rows of a tile: 16 registers of 8 floats hold 6 x 16 sums beside what they are made of, 32 of 16 floats
// 8 x 32.
#ifndef TSR_TILE_ROWS
#define TSR_TILE_ROWS 6
#endif
#if TSR_TILE_ROWS == 2
#define TSR_UNROLL_ROWS(X) X(0) X(1)
#elif TSR_TILE_ROWS == 4
#define TSR_UNROLL_ROWS(X) X(0) X(1) X(2) X(3)
#elif TSR_TILE_ROWS == 6
#define TSR_UNROLL_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5)
#elif TSR_TILE_ROWS == 8
#define TSR_UNROLL_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#else
#define TSR_UNROLL_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#endif

// The epilogue of sixteen sums: chunk sums are added, then bias and activation; the result is stored.
TSR_FN void tsr_epilogue16(const tsr_output *o, int row, int column, float16 v) {
  const tsr_matmul_params *p = o->gemm;
  __global const float *bias = o->bias;
  const int first = o->first, last = o->last;
  const int width = p->n - column;
  if (width >= 16) {
    __global float *at = o->c + (long)row * p->c_row_stride + column;
    if (!first) v = vload16(0, at) + v;
    if (last) {
      if (p->bias == TSR_BIAS_ROW) v = v + (float16)(bias[row]);
      if (p->bias == TSR_BIAS_COLUMN) v = v + vload16(0, bias + column);
      v = tsr_canonical16(tsr_activate16(v, p->activation));
    }
    vstore16(v, 0, at);
    return;
  }
  float each[16];
  vstore16(v, 0, each);
  for (int j = 0; j < 16 && j < width; j++) tsr_epilogue(o, row, column + j, each[j]);
}

// Rows k0 ..< k0 + depth of B, columns from `column` on, which stand or are to stand in `panel`.
typedef struct {
  int k0, depth, column;
  __local float *panel;
} tsr_panel;

// Sums over the panel's k of a tile of TSR_TILE_ROWS rows from `row` on. Rows beyond m are the last one's
// again, and not stored. `a`: of this row and of the panel's first k.
TSR_FN void tsr_gemm_microkernel(const int distance, const tsr_output *o, __global const float *a,
                                 const tsr_panel *b, int row) {
  const tsr_matmul_params *p = o->gemm;
  const int depth = b->depth, column = b->column;
  __local const float *panel = b->panel;
  const int rows = p->m - row;
  // Twelve pointers would not stay in registers: so high a tile has its rows side by side.
#if TSR_TILE_ROWS > 8
  const long step = TSR_TILE_ROWS;
#define TSR_ROW(r)                    \
  __global const float *a##r = a + r; \
  float16 s##r = 0.0f;                \
  TSR_IF_TWO_VECTORS(float16 z##r = 0.0f;)
#else
  const long step = p->a_col_stride;
#define TSR_ROW(r)                                                                    \
  __global const float *a##r = a + (long)(r < rows ? r : rows - 1) * p->a_row_stride; \
  float16 s##r = 0.0f;                                                                \
  TSR_IF_TWO_VECTORS(float16 z##r = 0.0f;)
#endif
  TSR_UNROLL_ROWS(TSR_ROW)
  long at = 0;
  for (int k = 0; k < depth; k++, at += step) {
    const float16 y = vload16(TSR_VECTORS * k, panel);
    TSR_IF_TWO_VECTORS(const float16 second = vload16(2 * k + 1, panel);)
#define TSR_TERM(r)                                        \
  {                                                        \
    const float16 x = a##r[at];                            \
    TSR_FMA(distance, x, y, s##r)                          \
    TSR_IF_TWO_VECTORS(TSR_FMA(distance, x, second, z##r)) \
  }
    TSR_UNROLL_ROWS(TSR_TERM)
  }
#define TSR_STORE_ROW(r) \
  if (r < rows) tsr_epilogue16(o, row + r, column, s##r);
  TSR_UNROLL_ROWS(TSR_STORE_ROW)
#define TSR_STORE_SECOND(r) TSR_IF_TWO_VECTORS(if (r < rows) tsr_epilogue16(o, row + r, column + 16, z##r);)
  if (column + 16 < p->n) { TSR_UNROLL_ROWS(TSR_STORE_SECOND) }
}

// Transposes 4 rows of 16 into 16 rows of 4, the first `count` of which are stored, PANEL apart.
TSR_FN void tsr_store_transposed(float16 a, float16 b, float16 c, float16 d, int count, __local float *to) {
#define TSR_STORE_COLUMN(i, s) vstore4((float4)(a.s, b.s, c.s, d.s), 0, to + (i) * TSR_PANEL);
#define TSR_STORE_COLUMNS4(i, s, t, u, v) \
  TSR_STORE_COLUMN(i, s) TSR_STORE_COLUMN(i + 1, t) TSR_STORE_COLUMN(i + 2, u) TSR_STORE_COLUMN(i + 3, v)
  if (count >= 16) {
    TSR_STORE_COLUMNS4(0, s0, s1, s2, s3)
    TSR_STORE_COLUMNS4(4, s4, s5, s6, s7)
    TSR_STORE_COLUMNS4(8, s8, s9, sa, sb) TSR_STORE_COLUMNS4(12, sc, sd, se, sf) return;
  }
  float each[4][16];
  vstore16(a, 0, each[0]), vstore16(b, 0, each[1]), vstore16(c, 0, each[2]), vstore16(d, 0, each[3]);
  for (int i = 0; i < count; i++)
    vstore4((float4)(each[0][i], each[1][i], each[2][i], each[3][i]), 0, to + (i)*TSR_PANEL);
}

// A panel's columns of a matrix, +0 beyond the last.
TSR_FN void tsr_pack_matrix(const tsr_matmul_params *p, __global const float *b, const tsr_panel *to) {
  const int k0 = to->k0, depth = to->depth, column = to->column;
  __local float *panel = to->panel;
  const int width = p->n - column;
  const long row = p->b_row_stride, step = p->b_col_stride;
  b += (long)k0 * row + (long)column * step;
  if (width < TSR_PANEL) {
    for (int k = 0; k < depth; k++)
      for (int j = 0; j < TSR_PANEL; j++) panel[k * TSR_PANEL + j] = j < width ? b[k * row + j * step] : 0.0f;
  } else if (step == 1) {
    for (int k = 0; k < depth; k++)
      for (int v = 0; v < TSR_VECTORS; v++) vstore16(vload16(v, b + k * row), k * TSR_VECTORS + v, panel);
  } else {
    int k = 0;
    // Columns that lie in a row: 4 x 16 at a time.
    for (; row == 1 && k + 16 <= depth; k += 16)
      for (int j = 0; j < TSR_PANEL; j += 4) {
        __global const float *from = b + j * step + k;
        tsr_store_transposed(vload16(0, from), vload16(0, from + step), vload16(0, from + 2 * step),
                             vload16(0, from + 3 * step), 16, panel + k * TSR_PANEL + j);
      }
    for (; k < depth; k++)
      for (int j = 0; j < TSR_PANEL; j++) panel[k * TSR_PANEL + j] = b[k * row + j * step];
  }
}

// Sixteen neighbours of a row, `stride` apart, +0 outside the image. Where the tensor goes on they are
// loaded in one go, whatever the row, and what is outside is taken out.
TSR_FN float16 tsr_load16_padded(__global const float *b, long at, long count, int w, int width, int stride) {
  const int16 x = w + stride * (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  float16 v;
  if (stride == 1 && w >= 0 && w + 16 <= width) return vload16(0, b + at);
  if (stride == 1 && at >= 0 && at + 16 <= count) v = vload16(0, b + at);
  else if (stride == 2 && at >= 0 && at + 32 <= count)
    v = (float16)(vload16(0, b + at).even, vload16(1, b + at).even);
  else if (stride == 4 && at >= 0 && at + 64 <= count)
    v = (float16)(vload16(0, b + at).s048c, vload16(1, b + at).s048c, vload16(2, b + at).s048c,
                  vload16(3, b + at).s048c);
  else {
    float each[16];
    for (int j = 0; j < 16; j++)
      each[j] = w + j * stride >= 0 && w + j * stride < width ? b[at + j * stride] : 0.0f;
    return vload16(0, each);
  }
  return select((float16)(0.0f), v, x >= 0 && x < width);
}

// A walk over taps in the order of k, without divisions: channel, kernel row, kernel column.
typedef struct {
  int kh, kw;
  tsr_image_offset offset;
} tsr_tap_iterator;
TSR_FN tsr_tap_iterator tsr_tap_iterator_at(const tsr_taps_params *t, int k) {
  const tsr_tap_iterator walk = {k / t->kernel_w % t->kernel_h, k % t->kernel_w, tsr_offset_of_tap(t, k)};
  return walk;
}
// To the first tap of the next kernel row.
TSR_FN void tsr_tap_next_row(const tsr_taps_params *t, tsr_tap_iterator *walk) {
  walk->kw = 0;
  walk->offset.w = t->start_w;
  walk->offset.h += t->step_h;
  if (++walk->kh < t->kernel_h) return;
  walk->kh = 0;
  walk->offset.h = t->start_h;
  walk->offset.plane += t->height * t->width;
}

// One image or more, and how many floats there are from here to the tensor's end.
typedef struct {
  __global const float *at;
  long count;
} tsr_images;

// The panel's taps of `live` neighbouring pixels, at most sixteen; the first of them is at `pixel` and in
// column j of the panel, where all else stays.
TSR_FN void tsr_pack_im2col_run(const tsr_taps_params *t, const tsr_images *images, tsr_image_offset pixel,
                                int live, int j, const tsr_panel *part) {
  __global const float *image = images->at;
  const long count = images->count;
  const int depth = part->depth;
  __local float *panel = part->panel;
  const int16 lane = (int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const int first = pixel.w + t->start_w, reach = (t->kernel_w - 1) * t->step_w;
  const int whole = live == 16 && t->stride_w == 1 && first + (reach < 0 ? reach : 0) >= 0 &&
                    first + (reach > 0 ? reach : 0) + 16 <= t->width;
  // Sixteen columns near the panel's end begin before the run.
  const int early = j + 16 > TSR_PANEL ? j + 16 - TSR_PANEL : 0;
  panel += j - early;
  pixel.w -= early * t->stride_w;
  tsr_tap_iterator walk = tsr_tap_iterator_at(t, part->k0);
  for (int k = 0; k < depth;) {
    // One row of the kernel.
    const int taps = t->kernel_w - walk.kw < depth - k ? t->kernel_w - walk.kw : depth - k;
    const int h = pixel.h + walk.offset.h, w = pixel.w + walk.offset.w, inside = h >= 0 && h < t->height;
    const long from = walk.offset.plane + (long)h * t->width + w;
    __local float *to = panel + k * TSR_PANEL;
    if (inside && whole)
      for (int tap = 0; tap < taps; tap++)
        vstore16(vload16(0, image + from + tap * t->step_w), 0, to + tap * TSR_PANEL);
    else
      for (int tap = 0; tap < taps; tap++) {
        const int step = tap * t->step_w;
        float16 v = 0.0f;
        if (inside) v = tsr_load16_padded(image, from + step, count, w + step, t->width, t->stride_w);
        if (live < 16) v = select(vload16(0, to + tap * TSR_PANEL), v, lane >= early && lane < early + live);
        vstore16(v, 0, to + tap * TSR_PANEL);
      }
    k += taps;
    tsr_tap_next_row(t, &walk);
  }
}

// The panel's taps of its pixels, which are columns of one image.
TSR_FN void tsr_pack_im2col(const tsr_gemm_params *q, const tsr_images *images, const tsr_panel *part) {
  const tsr_taps_params *t = &q->taps;
  const int column = part->column;
  const int end = q->gemm.n - column < TSR_PANEL ? q->gemm.n - column : TSR_PANEL;
  for (int j = 0; j < end;) {
    // Neighbours are pixels in one row of the output.
    const int left = t->out_w - (column + j) % t->out_w, live = left < end - j ? left : end - j;
    tsr_pack_im2col_run(t, images, tsr_offset_of_pixel(t, 0, column + j), live < 16 ? live : 16, j, part);
    j += live < 16 ? live : 16;
  }
  if (end < TSR_PANEL)
    for (int k = 0; k < part->depth; k++)
      for (int j = end; j < TSR_PANEL; j++) part->panel[k * TSR_PANEL + j] = 0.0f;
}

// The same values transposed: the panel's columns are taps, and its k are the pixels of the samples, one
// sample after another. Four taps are packed at a time.
TSR_FN void tsr_pack_im2col_transposed(const tsr_gemm_params *q, const tsr_images *from,
                                       const tsr_panel *part) {
  const tsr_taps_params *t = &q->taps;
  __global const float *images = from->at;
  const long count = from->count;
  const int k0 = part->k0, depth = part->depth, column = part->column;
  __local float *panel = part->panel;
  for (int j = 0; j < TSR_PANEL; j += 4) {
    tsr_image_offset tap[4];
    for (int i = 0; i < 4; i++) {
      const tsr_image_offset none = {0, -(1 << 28), 0};
      tap[i] = column + j + i < q->gemm.n ? tsr_offset_of_tap(t, column + j + i) : none;
    }
    for (int k = 0; k < depth;) {
      const tsr_image_offset pixel = tsr_offset_of_pixel(t, q->groups, k0 + k);
      const int left = t->out_w - (k0 + k) % t->out_w, run = left < depth - k ? left : depth - k;
      long at[4];
      int w[4], inside[4], whole = t->stride_w == 1;
      for (int i = 0; i < 4; i++) {
        const int h = pixel.h + tap[i].h;
        w[i] = pixel.w + tap[i].w;
        at[i] = pixel.plane + tap[i].plane + (long)h * t->width + w[i];
        inside[i] = h >= 0 && h < t->height;
        whole = whole && inside[i] && w[i] >= 0 && w[i] + run <= t->width && at[i] + run + 16 <= count;
      }
      for (int part = 0; part < run; part += 16) {
        __local float *to = panel + (k + part) * TSR_PANEL + j;
        if (whole) {
          tsr_store_transposed(vload16(0, images + at[0] + part), vload16(0, images + at[1] + part),
                               vload16(0, images + at[2] + part), vload16(0, images + at[3] + part),
                               run - part, to);
          continue;
        }
        float16 v[4];
        const int step = part * t->stride_w;
        for (int i = 0; i < 4; i++) {
          v[i] = 0.0f;
          if (inside[i])
            v[i] = tsr_load16_padded(images, at[i] + step, count, w[i] + step, t->width, t->stride_w);
        }
        tsr_store_transposed(v[0], v[1], v[2], v[3], run - part, to);
      }
      k += run;
    }
  }
}

TSR_FN void tsr_gemm(const int distance, const int kind, const tsr_gemm_params q, const tsr_gemm_operands o,
                     __local float *panel) {
  const tsr_matmul_params *p = &q.gemm;
  const tsr_k_range range = tsr_k_range_of(&q, (int)get_global_id(2));
  const int column = (int)get_global_id(0) * TSR_PANEL, row0 = (int)get_global_id(1) * q.rows;
  const int rows = row0 + q.rows < p->m ? row0 + q.rows : p->m;
  const long group = range.batch % q.groups;
  __global const float *a = o.a + p->a_offset + group * p->a_batch_stride;
  tsr_output output = {p, o.bias + p->bias_offset + group * q.bias_stride,
                       o.c + p->c_offset + range.batch * p->c_batch_stride + range.split * q.c_split_stride,
                       0, 0};
  // Floats of B from here on, where it is images.
  const long image = (long)q.taps.channels * q.taps.height * q.taps.width;
  const long count =
      kind == TSR_B_IM2COL ? (p->batch - range.batch) * (long)p->b_batch_stride
      : kind == TSR_B_IM2COL_TRANSPOSED
          ? (long)p->k / (q.taps.out_h * q.taps.out_w) * q.groups * image - range.batch * p->b_batch_stride
          : 0;
  const tsr_images b = {o.b + p->b_offset + range.batch * p->b_batch_stride, count};
  int k = range.begin;
  do {
    const int stop = range.end - k < p->chunk ? range.end : k + p->chunk;
    const tsr_panel part = {k, stop - k, column, panel};
    if (kind == TSR_B_MATRIX) tsr_pack_matrix(p, b.at, &part);
    else if (kind == TSR_B_IM2COL) tsr_pack_im2col(&q, &b, &part);
    else tsr_pack_im2col_transposed(&q, &b, &part);
    output.first = k == range.begin && !p->accumulate;
    output.last = stop == range.end;
    for (int row = row0; row < rows; row += TSR_TILE_ROWS)
      tsr_gemm_microkernel(distance, &output, a + (long)row * q.a_tile_stride + (long)k * p->a_col_stride,
                           &part, row);
    k = stop;
  } while (k < range.end);
}

#define TSR_GEMM_KERNEL(name, distance, kind)                                                                \
  TSR_SINGLE_ITEM_KERNEL void name(const tsr_gemm_params q, __global const float *a,                         \
                                   __global const float *b, __global const float *bias, __global float *c) { \
    __local float panel[TSR_K_CHUNK * TSR_PANEL];                                                            \
    const tsr_gemm_operands operands = {a, b, bias, c};                                                      \
    tsr_gemm(distance, kind, q, operands, panel);                                                            \
  }
#endif
