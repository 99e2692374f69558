// SPDX-License-Identifier: Apache-2.0
// One task of dense.c, per instruction set.
#include "vector.h"

#include "interleave.h"
#include "padded_row.h"
#include "register_tile.h"

// Panels begin ..< end of all groups: weights (k, channel), and the bias behind a group's panels.
static void TSR_ISA(dense_pack)(const tsr_dense_plan *p, const tsr_dense_shape *s, int begin, int end) {
  const int panels = s->padded / TSR_NR, taps = p->conv.kernel_h * p->conv.kernel_w;
  for (int at = begin; at < end; at++) {
    const int group = at / panels, first = at % panels * TSR_NR;
    const int count = s->outputs - first < TSR_NR ? s->outputs - first : TSR_NR;
    float *const packed = p->packed + (int64_t)group * s->padded * (s->depth + 1);
    float *to = packed + (int64_t)first * s->depth;
    const float *const w = p->w + (int64_t)group * s->outputs * s->depth;
    const float *lines[TSR_NR];
    if (p->kind == TSR_B_CONV) {
      for (int r = 0; r < count; r++) lines[r] = w + (int64_t)(first + r) * s->depth;
      TSR_ISA(interleave)(to, TSR_NR, lines, count, s->depth);
    } else {
      for (int channel = 0; channel < s->inputs; channel++, to += taps * TSR_NR) {
        for (int r = 0; r < count; r++) lines[r] = w + ((int64_t)channel * s->outputs + first + r) * taps;
        TSR_ISA(interleave)(to, TSR_NR, lines, count, taps);
      }
    }
    float *const bias = packed + (int64_t)s->padded * s->depth + first;
    for (int r = 0; r < TSR_NR; r++) bias[r] = p->bias && r < count ? p->bias[group * s->outputs + first + r] : 0.0f;
  }
}

// Rows `first` and on of the padded planes, columns split by phase: every element is written, zeros too.
static void TSR_ISA(dense_planes)(const tsr_dense_shape *s, const float *x, int first, int rows, float *planes) {
  const int count = (rows - 1) * s->stride_h + s->reach_h + 1;
  for (int channel = 0; channel < s->inputs; channel++, x += (int64_t)s->height * s->width, planes += s->plane) {
    for (int r = 0; r < count; r++)
      TSR_ISA(padded_row)(planes + (int64_t)r * s->pitch, s->phase, s->stride_w, x, first * s->stride_h + r - s->top, s->height,
                          s->width, s->left);
  }
}

#define TSR_HEIGHT(n) case n: return TSR_ISA(micro)(n, 0, kc, x, shift, w, t);
static void TSR_ISA(dense_tile)(int rows, int kc, const float *x, const int *shift, const float *w, const TSR_ISA(target) *t) {
  switch (rows) {
    TSR_HEIGHT(1) TSR_HEIGHT(2) TSR_HEIGHT(3)
#if TSR_MR > 4
    TSR_HEIGHT(4) TSR_HEIGHT(5)
#endif
#if TSR_MR > 6
    TSR_HEIGHT(6) TSR_HEIGHT(7) TSR_HEIGHT(8) TSR_HEIGHT(9) TSR_HEIGHT(10) TSR_HEIGHT(11)
#endif
#if TSR_MR > 12
    TSR_HEIGHT(12) TSR_HEIGHT(13)
#endif
    default: return TSR_ISA(micro)(TSR_MR, 0, kc, x, shift, w, t);
  }
}
#undef TSR_HEIGHT

// Sums (place, channel) become rows of places.
static void TSR_ISA(dense_turn)(const float *sums, int padded, int channels, int places, float *y, int64_t row) {
  for (int m = 0; m < channels; m += 8) {
    const int count = channels - m < 8 ? channels - m : 8;
    int at = 0;
    for (; at + 8 <= places; at += 8) {
      TSR_ISA(eight) t[8];
      _Pragma("clang loop unroll(full)") for (int q = 0; q < 8; q++)
        t[q] = *(const TSR_ISA(loose_eight) *)(sums + (int64_t)(at + q) * padded + m);
      TSR_ISA(turn)(t);
      _Pragma("clang loop unroll(full)") for (int q = 0; q < 8; q++)
        if (q < count) *(TSR_ISA(loose_eight) *)(y + (m + q) * row + at) = t[q];
    }
    for (; at < places; at++)
      for (int q = 0; q < count; q++) y[(m + q) * row + at] = sums[(int64_t)at * padded + m + q];
  }
}

// Rows first ..< first + band of one (sample, group).
static void TSR_ISA(dense)(const tsr_dense_plan *p, const tsr_dense_shape *s, const int *shift, int pair, int first,
                           float *sums) {
  const int group = pair % p->conv.groups, end = s->rows - first < s->band ? s->rows : first + s->band;
  const float *const x = p->x + (int64_t)pair * s->inputs * s->height * s->width;
  float *const band = sums + (int64_t)s->part * s->columns * s->padded;
  if (!s->in_place) TSR_ISA(dense_planes)(s, x, first, end - first, band);
  const float *const planes = s->in_place ? x + (int64_t)first * s->stride_h * s->pitch : band;
  const float *const packed = p->packed + (int64_t)group * s->padded * (s->depth + 1);
  const int tiles = (s->columns + TSR_MR - 1) / TSR_MR;
  const int64_t made = (int64_t)s->rows * s->columns;
  for (int row = first; row < end; row += s->part) {
    const int rows = end - row < s->part ? end - row : s->part;
    const float *const from = planes + (int64_t)(row - first) * s->stride_h * s->pitch;
    for (int k = 0; k < s->depth; k += TSR_K_CHUNK) {
      const int kc = s->depth - k < TSR_K_CHUNK ? s->depth - k : TSR_K_CHUNK;
      for (int m = 0; m < s->padded; m += TSR_NR) {
        const float *const w = packed + (int64_t)m * s->depth + (int64_t)k * TSR_NR;
        const float *const bias = p->bias ? packed + (int64_t)s->padded * s->depth + m : 0;
        TSR_ISA(target) t = {0,     s->padded,           0, bias,
                             k > 0, k + kc == s->depth, p->kind == TSR_B_CONV ? p->conv.activation : TSR_ACT_NONE};
        for (int r = 0; r < rows; r++)
          // Tiles of about the same width.
          for (int i = 0, column = 0; i < tiles; i++) {
            const int width = (s->columns - column) / (tiles - i);
            t.c = sums + ((int64_t)r * s->columns + column) * s->padded + m;
            TSR_ISA(dense_tile)(width, kc, from + (int64_t)r * s->stride_h * s->pitch + column, shift + k, w, &t);
            column += width;
          }
      }
    }
    TSR_ISA(dense_turn)(sums, s->padded, s->outputs, rows * s->columns,
                        p->y + pair * s->outputs * made + (int64_t)row * s->columns, made);
  }
}
