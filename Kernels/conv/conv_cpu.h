// SPDX-License-Identifier: Apache-2.0
// What conv_blocked.cl and conv_grouped.cl share on a CPU device: padded planes in local memory, and sums
// that become rows of channels.
//
// Algorithm  A padded copy of image channels, in which every tap is a shift. 16 x 16 blocks of sums are
//            transposed in registers on their way to C.
// Tensors    planes (channel, row, column) in local memory, of images (batch, channels, height, width).
// Work       One work-item; no barriers, local memory is its own.
// Tuning     TSR_VECTORS (1, 2; default 1): float16 of a row of sums; it sets the register tile, 6 x 16
//            or 12 x 32.
//
//   stride 2: columns are split by their remainder, so that neighbours in the output lie side by side
//
//     row  0 2 4 6 | 1 3 5 7             phase columns each, pitch = 2 phase
//
// Rules      4: zeros of the padding take part in the sum.
#pragma once

#include "gemm/gemm_cpu.h"

#ifndef TSR_GPU

// The register tile: 12 x 32 sums in registers of 16 floats, 6 x 16 in those of 8.
#if TSR_VECTORS == 2
#define TSR_UNROLL_TILE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#else
#define TSR_UNROLL_TILE(X) X(0) X(1) X(2) X(3) X(4) X(5)
#endif

// How far the taps reach up and to the left of their pixels: of a gradient for the data they run backwards.
TSR_FN int tsr_taps_top(const tsr_taps_params *t) {
  return t->start_h + (t->step_h < 0 ? (t->kernel_h - 1) * t->step_h : 0);
}
TSR_FN int tsr_taps_left(const tsr_taps_params *t) {
  return t->start_w + (t->step_w < 0 ? (t->kernel_w - 1) * t->step_w : 0);
}

// Rows of one image's plane, which begins at `at` of `count` floats of images: `rows` rows from `first`
// on, `step` apart, and columns from `left` on in `parts` by their remainder; zeros outside.
typedef struct {
  __global const float *images;
  long at, count;
  int first, step, rows, left, parts;
} tsr_plane_rows;

// Such rows in local memory. What a vector writes beyond a row's end is the next row's begin, written
// after it: rows are made in ascending order, 16 floats follow a plane.
TSR_FN void tsr_load_plane(const tsr_conv_cpu_params *p, const tsr_plane_rows *s, __local float *plane) {
  const tsr_taps_params *t = &p->taps;
  __global const float *images = s->images;
  const long at = s->at, count = s->count;
  const int first = s->first, step = s->step, rows = s->rows, left = s->left, parts = s->parts;
  if (left == 0 && p->phase == t->width && t->stride_w == 1 && step == 1 && first >= 0 &&
      first + rows <= t->height) {
    // Rows that follow each other in the image too.
    const int floats = rows * t->width;
    images += at + (long)first * t->width;
    int i = 0;
    for (; i + 16 <= floats; i += 16) vstore16(vload16(0, images + i), 0, plane + i);
    for (; i < floats; i++) plane[i] = images[i];
    return;
  }
  if (t->stride_w == 1) {
    for (int r = 0; r < rows; r++, plane += p->phase) {
      const int h = first + r * step, inside = h >= 0 && h < t->height;
      const long from = at + (long)h * t->width + left;
      for (int q = 0; q < p->phase; q += 16) {
        // What follows a row's columns may be anything.
        const int last = q + 16 < p->phase ? q + 16 : p->phase;
        float16 v = 0.0f;
        if (inside && left + q >= 0 && left + last <= t->width && from + q + 16 <= count)
          v = vload16(0, images + from + q);
        else if (inside) v = tsr_load16_padded(images, from + q, count, left + q, t->width, 1);
        vstore16(v, 0, plane + q);
      }
    }
    return;
  }
  for (int r = 0; r < rows; r++)
    for (int part = 0; part < parts; part++, plane += p->phase) {
      const int h = first + r * step, w = left + part;
      const int inside = h >= 0 && h < t->height;
      for (int q = 0; q < p->phase; q += 16) {
        const int column = w + q * t->stride_w;
        float16 v = 0.0f;
        if (inside)
          v = tsr_load16_padded(images, at + (long)h * t->width + column, count, column, t->width,
                                t->stride_w);
        vstore16(v, 0, plane + q);
      }
    }
}

#ifdef __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define TSR_SHUFFLES
#endif
#endif
// One round of a perfect shuffle of 16 rows; four of them transpose 16 x 16. Told number by number,
// Intel's compiler makes of the four rounds hundreds of instructions of its own.
TSR_FN void tsr_shuffle16(const float16 *a, float16 *b){
#ifdef TSR_SHUFFLES
#define TSR_SHUFFLE_PAIR(i)                                                                            \
  b[2 * i] =                                                                                           \
      __builtin_shufflevector(a[i], a[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23); \
  b[2 * i + 1] =                                                                                       \
      __builtin_shufflevector(a[i], a[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#else
#define TSR_SHUFFLE_PAIR(i)                                                                              \
  b[2 * i] =                                                                                             \
      (float16)(a[i].s0, a[i + 8].s0, a[i].s1, a[i + 8].s1, a[i].s2, a[i + 8].s2, a[i].s3, a[i + 8].s3,  \
                a[i].s4, a[i + 8].s4, a[i].s5, a[i + 8].s5, a[i].s6, a[i + 8].s6, a[i].s7, a[i + 8].s7); \
  b[2 * i + 1] =                                                                                         \
      (float16)(a[i].s8, a[i + 8].s8, a[i].s9, a[i + 8].s9, a[i].sa, a[i + 8].sa, a[i].sb, a[i + 8].sb,  \
                a[i].sc, a[i + 8].sc, a[i].sd, a[i + 8].sd, a[i].se, a[i + 8].se, a[i].sf, a[i + 8].sf);
#endif
    TSR_SHUFFLE_PAIR(0) TSR_SHUFFLE_PAIR(1) TSR_SHUFFLE_PAIR(2) TSR_SHUFFLE_PAIR(3) TSR_SHUFFLE_PAIR(4)
        TSR_SHUFFLE_PAIR(5) TSR_SHUFFLE_PAIR(6) TSR_SHUFFLE_PAIR(7)}

// Transposes 16 x 16 floats in registers; b is scratch.
TSR_FN void tsr_transpose16x16(float16 *a, float16 *b) {
  tsr_shuffle16(a, b);
  tsr_shuffle16(b, a);
  tsr_shuffle16(a, b);
  tsr_shuffle16(b, a);
}
#define TSR_UNROLL16(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

// Sums (column, [PANEL rows]) become columns `column` ... of rows `row` ... of C.
TSR_FN void tsr_store_channels(const tsr_output *o, int row, int column, int count,
                               __local const float *sums) {
  const tsr_matmul_params *p = o->gemm;
  const int first = o->first;
  for (int part = 0; part < TSR_PANEL && row + part < p->m; part += 16) {
    const int rows = p->m - row - part < 16 ? p->m - row - part : 16;
    if (count < 16 || (!first && count % 16 != 0)) {
      for (int i = 0; i < count; i++)
        for (int r = 0; r < rows; r++)
          tsr_epilogue(o, row + part + r, column + i, sums[i * TSR_PANEL + part + r]);
      continue;
    }
    for (int i = 0; i < count; i += 16) {
      // The last sixteen begin early: what is stored twice is the same.
      const int at = i + 16 > count ? count - 16 : i;
      float16 a[16], b[16];
#define TSR_LOAD_COLUMN(j) a[j] = vload16(0, sums + (at + j) * TSR_PANEL + part);
      TSR_UNROLL16(TSR_LOAD_COLUMN)
      tsr_transpose16x16(a, b);
#define TSR_STORE_CHANNEL(j) \
  if (j < rows) tsr_epilogue16(o, row + part + j, column + at, a[j]);
      TSR_UNROLL16(TSR_STORE_CHANNEL)
#undef TSR_STORE_CHANNEL
    }
  }
}

// Up to sixteen rows, `stride` apart; `left`: floats of `from` to the tensor's end.
typedef struct {
  __global const float *from;
  long stride, left;
  int rows;
} tsr_matrix_rows;

// `count` columns of the rows become (column, [16 rows]), `step` floats from one to the next; what stands for
// rows beyond the last is never looked at. Up to 15 columns more are written.
TSR_FN void tsr_load_transposed(const tsr_matrix_rows *s, int count, __local float *to, int step) {
  __global const float *from = s->from;
  const long stride = s->stride, left = s->left;
  const int rows = s->rows;
  for (int i = 0; i < count; i += 16) {
    float16 a[16], b[16];
#define TSR_LOAD_ROW(j) a[j] = vload16(0, from + (j < rows ? j : rows - 1) * stride + i);
    if (rows > 0 && (min(rows, 16) - 1) * stride + i + 16 <= left) {
      TSR_UNROLL16(TSR_LOAD_ROW)
    } else
      for (int r = 0; r < 16; r++) {
        const long at = r * stride + i;
        a[r] = 0.0f;
        if (r >= rows) continue;
        if (at + 16 <= left) {
          a[r] = vload16(0, from + at);
        } else {
          float each[16];
          for (int j = 0; j < 16; j++) each[j] = at + j < left ? from[at + j] : 0.0f;
          a[r] = vload16(0, each);
        }
      }
    tsr_transpose16x16(a, b);
#define TSR_STORE_TRANSPOSED(j) vstore16(a[j], 0, to + (i + j) * step);
    TSR_UNROLL16(TSR_STORE_TRANSPOSED)
#undef TSR_STORE_TRANSPOSED
  }
}

// What one sample has of the pixels from `pixel` on, `left` of them: `part` pixels from `position` on, in
// rows high ... low of the output, which meet `rows` rows of the input.
typedef struct {
  int sample, position, part, high, low, rows;
} tsr_sample_span;
TSR_FN tsr_sample_span tsr_sample_span_of(const tsr_taps_params *t, int pixel, int left) {
  const int positions = t->out_h * t->out_w, position = pixel % positions,
            part = positions - position < left ? positions - position : left;
  const int high = position / t->out_w, low = (position + part - 1) / t->out_w;
  const tsr_sample_span span = {pixel / positions,
                                position,
                                part,
                                high,
                                low,
                                (low - high) * t->stride_h + (t->kernel_h - 1) * t->step_h + 1};
  return span;
}

// Runs of pixels: `runs` of them, their beginnings in planes and lengths side by side.
typedef struct {
  __local int *run;
  int runs;
} tsr_pixel_runs;

// Appends a span's runs in planes from `row` on, columns `step` apart.
TSR_FN void tsr_append_runs(const tsr_taps_params *t, const tsr_sample_span *s, int row, int pitch, int step,
                            tsr_pixel_runs *to) {
  __local int *run = to->run;
  int runs = to->runs;
  for (int h = s->high; h <= s->low; h++, runs++) {
    const int w = h == s->high ? s->position % t->out_w : 0;
    run[2 * runs] = (row + (h - s->high) * t->stride_h) * pitch + w * step;
    run[2 * runs + 1] = (h == s->low ? (s->position + s->part - 1) % t->out_w + 1 : t->out_w) - w;
  }
  to->runs = runs;
}

// How planes lie in local memory: floats of a plane and of a row; `by_rows`: rows too lie by their
// remainders.
typedef struct {
  int plane, pitch, by_rows;
} tsr_plane_layout;

// The shifts of `depth` taps from k on, in the walk's order, in planes whose columns lie by their remainders.
TSR_FN void tsr_tap_shifts(const tsr_conv_cpu_params *p, const tsr_plane_layout *layout, int k, int depth,
                           __local int *shift) {
  const tsr_taps_params *t = &p->taps;
  const int plane = layout->plane, pitch = layout->pitch, by_rows = layout->by_rows;
  const int top = tsr_taps_top(t), left = tsr_taps_left(t),
            channel = by_rows ? t->stride_h * t->stride_w * plane : plane;
  tsr_tap_iterator walk = tsr_tap_iterator_at(t, k);
  int base = 0;
  for (int i = 0; i < depth;) {
    // One row of the kernel.
    const int h = walk.offset.h - top;
    const int line =
        base + (by_rows ? h % t->stride_h * t->stride_w * plane + h / t->stride_h * pitch : h * pitch);
    for (; walk.kw < t->kernel_w && i < depth; walk.kw++, i++) {
      const int w = walk.kw * t->step_w + t->start_w - left;
      shift[i] = line + w % t->stride_w * (by_rows ? plane : p->phase) + w / t->stride_w;
    }
    walk.kw = 0;
    tsr_tap_next_row(t, &walk);
    if (walk.kh == 0) base += channel;
  }
}
#endif
