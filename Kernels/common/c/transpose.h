// SPDX-License-Identifier: Apache-2.0
// Rows that become columns, in registers.
//
// Algorithm  Three rounds of shuffles transpose 8 x 8 floats. `interleave` makes panels of rows by it.
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

// dst[k][lane] = src[lane][k] for lanes < count, zero in the other lanes up to `width`: 8 x 8 at a time.
static inline __attribute__((always_inline)) void interleave(float *restrict dst, const int width,
                                                             const float *const *rows, int count,
                                                             int length) {
  int k = 0;
  for (; k + 8 <= length; k += 8)
    _Pragma("clang loop unroll(full)") for (int first = 0; first < width; first += 8) {
      const int lanes = width - first < 8 ? width - first : 8;
      vector8 t[8];
      _Pragma("clang loop unroll(full)") for (int r = 0; r < 8; r++) {
        t[r] = 0.0f;
        if (r < lanes && first + r < count) t[r] = *(const unaligned_vector8 *)(rows[first + r] + k);
      }
      transpose8x8(t);
      _Pragma("clang loop unroll(full)") for (int q = 0; q < 8; q++)
          memcpy(dst + (k + q) * width + first, &t[q], (size_t)lanes * sizeof *dst);
    }
  for (; k < length; k++)
    for (int r = 0; r < width; r++) dst[k * width + r] = r < count ? rows[r][k] : 0.0f;
}
