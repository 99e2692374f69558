// SPDX-License-Identifier: Apache-2.0
// Rows of an image with zeros around, for the convolutions of this folder.
//
// Algorithm  Columns are split by their remainder by the stride (phases), so that what neighbouring
//            outputs read lies side by side.
// Tensors    plane: (height, width); a padded row: (phase, column).
// Work       One thread.
// Tuning     None.
//
//   row, stride 2, padding 1:   0 a b c d 0     ->     0 b d | a c 0
//
// Rules      4: the zeros take part in the sum.
#pragma once

#include "common/c/vector.h"

// to[q] = from[q stride] for lo <= q < hi, zero elsewhere in 0 ..< count.
static inline void phase_row(float *restrict to, int count, int lo, int hi, const float *from, int stride) {
  int q = lo;
  if (count >= TSR_VECTOR && lo <= TSR_VECTOR && count - hi <= TSR_VECTOR) {
    *(unaligned_vector *)to = 0.0f;
    *(unaligned_vector *)(to + count - TSR_VECTOR) = 0.0f;
  } else {
    for (int i = 0; i < lo; i++) to[i] = 0.0f;
    for (int i = hi; i < count; i++) to[i] = 0.0f;
  }
  // Strides that are known become shuffles.
  if (stride == 2)
    for (; q < hi; q++) to[q] = from[2 * q];
  else if (stride == 4)
    for (; q < hi; q++) to[q] = from[4 * q];
  else if (stride != 1)
    for (; q < hi; q++) to[q] = from[(int64_t)q * stride];
  for (; q + TSR_VECTOR <= hi; q += TSR_VECTOR)
    *(unaligned_vector *)(to + q) = *(const unaligned_vector *)(from + q);
  if (q < hi && hi - lo >= TSR_VECTOR)
    *(unaligned_vector *)(to + hi - TSR_VECTOR) = *(const unaligned_vector *)(from + hi - TSR_VECTOR);
  else
    for (; q < hi; q++) to[q] = from[q];
}

// Floats lo ..< hi of part `phase` of a row lie in the plane: pixel q is column q stride + phase - left.
typedef struct {
  int lo, hi;
} column_span;
static inline column_span column_span_of(int phase, int stride, int left, int width, int count) {
  const int lo = left > phase ? (left - phase + stride - 1) / stride : 0, end = width + left - phase;
  const int hi = end > 0 ? (end - 1) / stride + 1 : 0;
  column_span s;
  s.hi = hi > count ? count : hi;
  s.lo = lo > s.hi ? s.hi : lo;
  return s;
}

// A plane of height x width with `left` zeros before every row, whose columns are split by their remainder by
// `stride` into so many parts of `count` floats.
typedef struct {
  int height, width, left;
  int stride, count;
} padded_plane;

// Row h of the plane, each of its parts after the other; zeros where the plane has no row h.
static inline void padded_row(float *to, const padded_plane *p, const float *plane, int h) {
  const float *const line = plane + (int64_t)h * p->width;
  for (int phase = 0; phase < p->stride; phase++, to += p->count) {
    const column_span none = {p->count, p->count};
    const column_span s =
        h < 0 || h >= p->height ? none : column_span_of(phase, p->stride, p->left, p->width, p->count);
    phase_row(to, p->count, s.lo, s.hi, line + phase - p->left, p->stride);
  }
}
