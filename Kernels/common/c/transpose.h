// SPDX-License-Identifier: Apache-2.0
// Rows that become columns, in registers.
//
// Algorithm  Rounds of shuffles transpose squares of floats. `interleave` makes panels of rows by them.
// Tensors    src: `count` rows of `length` floats; dst: (length, width), zeros in lanes from `count` on.
// Work       One thread.
// Tuning     None.
//
//   src  a0 a1 a2 ...        dst  a0 b0 c0 ...
//        b0 b1 b2 ...   ->        a1 b1 c1 ...
//
// Rules      None: bits pass unchanged.
#pragma once

#include "common/c/vector.h"

// Transposes 8 rows of 8 floats into 8 columns, in registers.
static inline __attribute__((always_inline)) void transpose8x8(vector8 *r) {
  vector8 a[8], b[8];
  _Pragma("clang loop unroll(full)") for (int i = 0; i < 4; i++) {
    a[2 * i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    a[2 * i + 1] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  _Pragma("clang loop unroll(full)") for (int i = 0; i < 8; i += 4)
      _Pragma("clang loop unroll(full)") for (int j = 0; j < 2; j++) {
    b[i + 2 * j] = __builtin_shufflevector(a[i + j], a[i + 2 + j], 0, 1, 8, 9, 4, 5, 12, 13);
    b[i + 2 * j + 1] = __builtin_shufflevector(a[i + j], a[i + 2 + j], 2, 3, 10, 11, 6, 7, 14, 15);
  }
  _Pragma("clang loop unroll(full)") for (int i = 0; i < 4; i++) {
    r[i] = __builtin_shufflevector(b[i], b[4 + i], 0, 1, 2, 3, 8, 9, 10, 11);
    r[i + 4] = __builtin_shufflevector(b[i], b[4 + i], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

// Transposes TSR_VECTOR rows of so many floats, in registers.
static inline __attribute__((always_inline, unused)) void transpose_square(vector *r) {
#if TSR_VECTOR == 8
  transpose8x8(r);
#elif TSR_VECTOR == 4
  vector t[4];
  _Pragma("clang loop unroll(full)") for (int i = 0; i < 4; i += 2) {
    t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 4, 1, 5);
    t[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 2, 6, 3, 7);
  }
  _Pragma("clang loop unroll(full)") for (int i = 0; i < 2; i++) {
    r[2 * i] = __builtin_shufflevector(t[i], t[i + 2], 0, 1, 4, 5);
    r[2 * i + 1] = __builtin_shufflevector(t[i], t[i + 2], 2, 3, 6, 7);
  }
#else
  vector t[16];
  _Pragma("clang loop unroll(full)") for (int i = 0; i < 16; i += 2) {
    t[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
    t[i + 1] =
        __builtin_shufflevector(r[i], r[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
  }
  _Pragma("clang loop unroll(full)") for (int i = 0; i < 16; i += 4)
      _Pragma("clang loop unroll(full)") for (int j = 0; j < 2; j++) {
    r[i + 2 * j] = __builtin_shufflevector(t[i + j], t[i + 2 + j], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25,
                                           12, 13, 28, 29);
    r[i + 2 * j + 1] = __builtin_shufflevector(t[i + j], t[i + 2 + j], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26,
                                               27, 14, 15, 30, 31);
  }
  _Pragma("clang loop unroll(full)") for (int i = 0; i < 16; i += 8)
      _Pragma("clang loop unroll(full)") for (int j = 0; j < 4; j++) {
    t[i + j] = __builtin_shufflevector(r[i + j], r[i + j + 4], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24,
                                       25, 26, 27);
    t[i + j + 4] = __builtin_shufflevector(r[i + j], r[i + j + 4], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23,
                                           28, 29, 30, 31);
  }
  _Pragma("clang loop unroll(full)") for (int j = 0; j < 8; j++) {
    r[j] = __builtin_shufflevector(t[j], t[j + 8], 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27);
    r[j + 8] =
        __builtin_shufflevector(t[j], t[j + 8], 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  }
#endif
}

// A square of `interleave`: lanes first and on of `columns` (at most TSR_VECTOR) of k.
static inline __attribute__((always_inline)) void interleave_square(float *restrict dst, const int width,
                                                                    const float *const *rows, int count,
                                                                    const int first, int64_t from,
                                                                    const int columns) {
  const int lanes = width - first < TSR_VECTOR ? width - first : TSR_VECTOR;
  vector t[TSR_VECTOR];
  TSR_UNROLL for (int r = 0; r < TSR_VECTOR; r++) {
    t[r] = 0.0f;
    if (r < lanes && first + r < count) t[r] = load_part(rows[first + r] + from, columns);
  }
  transpose_square(t);
  float *const to = dst + from * width + first;
  TSR_UNROLL for (int q = 0; q < TSR_VECTOR; q++) if (q < columns) store_part(to + q * width, t[q], lanes);
}

// dst[k][lane] = src[lane][k] for lanes < count, zero in the other lanes up to `width`: a square at a time,
// the squares of all rows one after another, so that rows which share a set of the cache are read once. So
// many rows are more streams than processors prefetch by themselves: 512 bytes ahead are asked for.
static inline __attribute__((always_inline)) void interleave(float *restrict dst, const int width,
                                                             const float *const *rows, int count,
                                                             int length) {
  int k = 0;
  for (; k + TSR_VECTOR <= length; k += TSR_VECTOR)
    TSR_UNROLL for (int first = 0; first < width; first += TSR_VECTOR) {
      TSR_UNROLL for (int r = first; r < first + TSR_VECTOR && r < width; r++) if (r < count)
          __builtin_prefetch(rows[r] + k + 128);
      interleave_square(dst, width, rows, count, first, k, TSR_VECTOR);
    }
  if (k == length) return;
  TSR_UNROLL for (int first = 0; first < width; first += TSR_VECTOR)
      interleave_square(dst, width, rows, count, first, k, length - k);
}
