// SPDX-License-Identifier: Apache-2.0
// Max and average pooling on the CPU: a vector of output columns at a time. (OpenCL: pooling/pooling.cl.)
//
// Algorithm  Rows that a window sees are laid out by phase (column mod stride), each row once, with
//            -infinity (for means: 0) where the padding is. A tap of any stride is then a contiguous
//            load.
// Tensors    x: (planes, height, width); y, indices: (planes, out_h, out_w).
// Work       A thread has a range of output rows; the rows laid out are on its stack.
// Tuning     TSR_POOL_FLOATS (8192): floats of rows laid out; TSR_POOL_TAPS (64): the widest window laid
//            out. Larger windows are read in place.
//
//   row, stride 2, padding 1:   [-] a b c d e f        window column 0: phase 0 from 0
//   phase 0:  - b d f                                  window column 1: phase 1 from 0
//   phase 1:  a c e -                                  window column 2: phase 0 from 1
//
// Rules      6: a window is summed, and its maximum sought, in ascending (row, column). Of equal maxima
//            the first wins, of NaN the last.
#pragma once

#include "common/c/vector.h"
#include "common/sums.h"

#ifndef TSR_POOL_FLOATS
#define TSR_POOL_FLOATS 8192  // of laid out rows, on the stack
#define TSR_POOL_TAPS 64      // of a window's row
#endif

// Rows of a plane by phase; input row h stands in slot h mod `slots`. Those of the next output row are
// laid out before one is computed: what was just written is slow to read in other pieces.
typedef struct {
  float floats[TSR_POOL_FLOATS];
  int taps[TSR_POOL_TAPS];  // where a tap's row of columns begins in a slot
  int phase, slot, slots;   // floats of a phase and of a slot
  int filled;               // input rows below it stand here, if a window still sees them
  int64_t plane;            // whose rows they are
  int usable;               // whether kernel_h rows fit
} pool_rows;

static inline void pool_begin(pool_rows *r, const tsr_pool_params *p, float padding) {
  const int64_t phase = (int64_t)p->out_w + (p->kernel_w - 1) / p->stride_w + TSR_VECTOR;
  const int64_t slots = (int64_t)p->kernel_h + p->stride_h;
  r->plane = -1;
  r->usable = slots * phase * p->stride_w <= TSR_POOL_FLOATS && p->kernel_w <= TSR_POOL_TAPS;
  if (!r->usable) return;
  r->phase = (int)phase;
  r->slot = r->phase * p->stride_w;
  r->slots = (int)slots;
  for (int i = 0; i < r->slots * r->slot; i++) r->floats[i] = padding;
  for (int k = 0; k < p->kernel_w; k++) r->taps[k] = k % p->stride_w * r->phase + k / p->stride_w;
}

// Elements 0, 2, 4 ... of a row; nothing beyond the last of them is read.
static inline vector evens(const float *from) {
  const vector a = *(const unaligned_vector *)from, b = *(const unaligned_vector *)(from + TSR_VECTOR - 1);
#if TSR_VECTOR == 16
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
#elif TSR_VECTOR == 8
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 9, 11, 13, 15);
#else
  return __builtin_shufflevector(a, b, 0, 2, 5, 7);
#endif
}

// Lays out input row h of a plane; the padding stands there from the beginning.
static inline void pool_row(pool_rows *r, const tsr_pool_params *p, const float *row, int h) {
  float *const slot = r->floats + h % r->slots * r->slot;
  const int stride = p->stride_w;
  for (int phase = 0; phase < stride; phase++) {
    float *const to = slot + phase * r->phase;
    const int from = phase - p->pad_w;  // of the row, for element 0
    int first = from < 0 ? (-from + stride - 1) / stride : 0;
    int stop = p->width > from ? (p->width - from + stride - 1) / stride : 0;
    if (stop > r->phase) stop = r->phase;
    if (first > stop) first = stop;
    if (stride == 1) {
      __builtin_memcpy(to + first, row + from + first, (uint64_t)(stop - first) * 4);
    } else if (stride == 2 && stop - first >= TSR_VECTOR) {
      for (int t = first; t < stop; t += TSR_VECTOR) {
        if (t > stop - TSR_VECTOR) t = stop - TSR_VECTOR;  // the last one overlaps
        *(unaligned_vector *)(to + t) = evens(row + from + 2 * t);
      }
    } else {
      for (int t = first; t < stop; t++) to[t] = row[from + (int64_t)t * stride];
    }
  }
}

// Sees that the rows first ..< last of a plane stand in their slots, and those that come with the next
// output row.
static inline void pool_fill(pool_rows *r, const tsr_pool_params *p, const float *x, int64_t plane, int first,
                             int last) {
  if (r->plane != plane) r->plane = plane, r->filled = first;
  if (r->filled < first) r->filled = first;
  last = last + p->stride_h < p->height ? last + p->stride_h : p->height;
  for (; r->filled < last; r->filled++)
    pool_row(r, p, x + (plane * p->height + r->filled) * p->width, r->filled);
}

static inline void pool_store(void *to, const void *from, int left) {
  __builtin_memcpy(to, from, left < TSR_VECTOR ? (uint64_t)left * 4 : sizeof(vector));
}

// One output row, one by one: windows too large for the stack.
static inline void max_pool_plain(const tsr_pool_params *p, const float *plane, int first, int last,
                                  float *out, int *places) {
  for (int j = 0; j < p->out_w; j++) {
    const int w0 = j * p->stride_w - p->pad_w;
    const int left = w0 < 0 ? 0 : w0, right = w0 + p->kernel_w > p->width ? p->width : w0 + p->kernel_w;
    int at = -1;
    float best = 0.0f;
    for (int h = first; h < last; h++)
      for (int w = left; w < right; w++) {
        const float v = plane[h * p->width + w];
        if (at < 0 || v > best || tsr_isnan(v)) best = v, at = h * p->width + w;
      }
    out[j] = tsr_canonical(best);
    places[j] = at;
  }
}

// The input rows first ..< last that one output row's windows see.
typedef struct {
  int first, last;
} window_rows;
static inline window_rows window_rows_of(const tsr_pool_params *p, int out_row) {
  const int h0 = out_row * p->stride_h - p->pad_h;
  return (window_rows){h0 < 0 ? 0 : h0, h0 + p->kernel_h > p->height ? p->height : h0 + p->kernel_h};
}

// One output row of a maximum: the values, and where in the plane they stand.
typedef struct {
  float *values;
  int *places;
} max_pool_row;

// `count` vectors of output columns from j on; side by side, for each is a chain of comparisons.
static inline __attribute__((always_inline)) void max_pool_columns(const pool_rows *rows,
                                                                   const tsr_pool_params *p, window_rows seen,
                                                                   int j, const int count, max_pool_row out) {
  const int first = seen.first, last = seen.last;
  vector best[3];
  int_vector at[3], step;
  for (int lane = 0; lane < TSR_VECTOR; lane++) step[lane] = lane * p->stride_w;
  for (int n = 0; n < count; n++) {
    // The window's first element, which -infinity everywhere leaves standing; none where all is padding.
    int_vector column = step + ((j + n * TSR_VECTOR) * p->stride_w - p->pad_w);
    const int_vector some = (column + p->kernel_w > 0) & (column < p->width) & (first < last ? -1 : 0);
    column = column > 0 ? column : 0;
    at[n] = some ? column + first * p->width : -1;
    best[n] = some ? (vector)-__builtin_inff() : (vector)0.0f;
  }
  for (int h = first; h < last; h++) {
    const float *const slot = rows->floats + h % rows->slots * rows->slot + j;
    for (int k = 0; k < p->kernel_w; k++) {
      const float *const tap = slot + rows->taps[k];
      const int_vector place = step + (h * p->width + j * p->stride_w - p->pad_w + k);
      for (int n = 0; n < count; n++) {
        const vector v = *(const unaligned_vector *)(tap + n * TSR_VECTOR);
        const int_vector take = (int_vector)(v > best[n]) | (int_vector)(v != v);
        best[n] = take ? v : best[n];
        at[n] = take ? place + n * TSR_VECTOR * p->stride_w : at[n];
      }
    }
  }
  for (int n = 0; n < count; n++) {
    const int from = j + n * TSR_VECTOR;
    best[n] = canonicals(best[n]);
    pool_store(out.values + from, &best[n], p->out_w - from);
    pool_store(out.places + from, &at[n], p->out_w - from);
  }
}

static void tsr_max_pool(const void *params, void *const *buffers, int64_t begin, int64_t end) {
  const tsr_pool_params p = *(const tsr_pool_params *)params;
  const float *const x = (const float *)buffers[0];
  pool_rows rows;
  pool_begin(&rows, &p, -__builtin_inff());
  for (int64_t i = begin; i < end; i++) {
    const int64_t plane = i / p.out_h;
    const max_pool_row out = {(float *)buffers[1] + i * p.out_w, (int *)buffers[2] + i * p.out_w};
    const window_rows seen = window_rows_of(&p, (int)(i - plane * p.out_h));
    if (!rows.usable) {
      max_pool_plain(&p, x + plane * p.height * p.width, seen.first, seen.last, out.values, out.places);
      continue;
    }
    pool_fill(&rows, &p, x, plane, seen.first, seen.last);
    int j = 0;
    for (; j + 2 * TSR_VECTOR < p.out_w; j += 3 * TSR_VECTOR) max_pool_columns(&rows, &p, seen, j, 3, out);
    if (j + TSR_VECTOR < p.out_w) max_pool_columns(&rows, &p, seen, j, 2, out);
    else if (j < p.out_w) max_pool_columns(&rows, &p, seen, j, 1, out);
  }
}

// The means of large windows (rule 6) from column j on: tsr_plus of each (common/sums.h). `count` vectors go
// side by side, because an element waits for all seven additions of the one before it.
static inline __attribute__((always_inline)) void large_windows(const pool_rows *rows,
                                                                const tsr_pool_params *p, window_rows seen,
                                                                int j, const int count, float *out) {
  const int first = seen.first, last = seen.last;
  vector sum[3], lost[3];
  for (int c = 0; c < count; c++) sum[c] = lost[c] = (vector){0.0f};
  for (int h = first; h < last; h++) {
    const float *const slot = rows->floats + h % rows->slots * rows->slot + j;
    for (int k = 0; k < p->kernel_w; k++)
      for (int c = 0; c < count; c++) {
        const vector x = *(const unaligned_vector *)(slot + rows->taps[k] + c * TSR_VECTOR);
        const vector y = lost[c] + x, next = sum[c] + y, had = next - sum[c];
        const vector all = (sum[c] - (next - had)) + (y - had);
        lost[c] = ((int_vector)all & TSR_INF_BITS) != TSR_INF_BITS ? all : 0.0f;
        sum[c] = next;
      }
  }
  for (int c = 0; c < count; c++) {
    sum[c] = canonicals(sum[c] / (float)(p->kernel_h * p->kernel_w));
    pool_store(out + j + c * TSR_VECTOR, &sum[c], p->out_w - j - c * TSR_VECTOR);
  }
}

static void tsr_average_pool(const void *params, void *const *buffers, int64_t begin, int64_t end) {
  const tsr_pool_params p = *(const tsr_pool_params *)params;
  const float *const x = (const float *)buffers[0];
  pool_rows rows;
  pool_begin(&rows, &p, 0.0f);
  const float area = (float)(p.kernel_h * p.kernel_w);
  const int is_large = p.kernel_h * p.kernel_w > TSR_WINDOW_CHAIN;
  for (int64_t i = begin; i < end; i++) {
    const int64_t plane = i / p.out_h;
    float *const out = (float *)buffers[1] + i * p.out_w;
    const window_rows seen = window_rows_of(&p, (int)(i - plane * p.out_h));
    const int first = seen.first, last = seen.last;
    if (!rows.usable) {
      const float *const from = x + plane * p.height * p.width;
      for (int j = 0; j < p.out_w; j++) {
        const int w0 = j * p.stride_w - p.pad_w;
        const int left = w0 < 0 ? 0 : w0, right = w0 + p.kernel_w > p.width ? p.width : w0 + p.kernel_w;
        tsr_compensated sum = {0.0f, 0.0f};
        for (int h = first; h < last; h++)
          for (int w = left; w < right; w++) {
            if (is_large) sum = tsr_plus(sum, from[h * p.width + w]);
            else sum.sum = tsr_add(sum.sum, from[h * p.width + w]);
          }
        out[j] = tsr_canonical(tsr_div(sum.sum, area));
      }
      continue;
    }
    pool_fill(&rows, &p, x, plane, first, last);
    // The padding's zeros change no bit of a sum that began with +0.
    int j = 0;
    if (is_large) {
      for (; j + 2 * TSR_VECTOR < p.out_w; j += 3 * TSR_VECTOR) large_windows(&rows, &p, seen, j, 3, out);
      if (j + TSR_VECTOR < p.out_w) large_windows(&rows, &p, seen, j, 2, out);
      else if (j < p.out_w) large_windows(&rows, &p, seen, j, 1, out);
      continue;
    }
    for (; j < p.out_w; j += TSR_VECTOR) {
      vector sum = 0.0f;
      for (int h = first; h < last; h++) {
        const float *const slot = rows.floats + h % rows.slots * rows.slot + j;
        for (int k = 0; k < p.kernel_w; k++) sum += *(const unaligned_vector *)(slot + rows.taps[k]);
      }
      sum = canonicals(sum / area);
      pool_store(out + j, &sum, p.out_w - j);
    }
  }
}
