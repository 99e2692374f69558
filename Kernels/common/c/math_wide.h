// SPDX-License-Identifier: Apache-2.0
// The elementary functions of four vectors at a time.
//
// Algorithm  The steps of common/math_body.h, the same bits for each element. A function is one chain of some
//            thirty dependent steps: of one vector after another most of the time is waiting. The compiler
//            makes a step of all four before the next one.
// Work       One thread, registers alone.
// Tuning     TSR_WIDE: vectors at a time.
//
//   tsr_exp_w([ v0 | v1 | v2 | v3 ]) = [ tsr_exp_v(v0) | tsr_exp_v(v1) | ... ]
//
// Rules      1, 2, 3, 9.
#pragma once

#include "common/c/math_vector.h"

// What is so wide is only ever an argument of what becomes part of its caller.
#pragma clang diagnostic ignored "-Wpsabi"

enum { TSR_WIDE = 4, TSR_WIDE_FLOATS = TSR_WIDE * TSR_VECTOR };

typedef float wide __attribute__((ext_vector_type(TSR_WIDE_FLOATS)));
typedef float unaligned_wide __attribute__((ext_vector_type(TSR_WIDE_FLOATS), aligned(4)));
typedef int int_wide __attribute__((ext_vector_type(TSR_WIDE_FLOATS)));
typedef unsigned unsigned_wide __attribute__((ext_vector_type(TSR_WIDE_FLOATS)));
typedef union {
  wide all;
  vector part[TSR_WIDE];
} wide_parts;

#define TSR_V(name) name##_w
#define TSR_REAL wide
#define TSR_INT int_wide
#define TSR_UINT unsigned_wide
#include "common/c/math_words.h"

// Two rows of two vectors, `stride` floats apart.
TSR_FN wide load_two_rows(const float *from, int64_t stride) {
  wide_parts w;
  TSR_UNROLL for (int i = 0; i < TSR_WIDE; i++) w.part[i] =
      *(const unaligned_vector *)(from + i / 2 * stride + i % 2 * TSR_VECTOR);
  return w.all;
}
TSR_FN void store_two_rows(float *to, int64_t stride, wide v) {
  const wide_parts w = {v};
  TSR_UNROLL for (int i = 0; i < TSR_WIDE; i++) *
      (unaligned_vector *)(to + i / 2 * stride + i % 2 * TSR_VECTOR) = w.part[i];
}
