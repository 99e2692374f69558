// SPDX-License-Identifier: Apache-2.0
// A vector of TSR_VECTOR floats, and what the micro-kernel's epilogue applies to it.
//
// Algorithm  ReLU, ReLU6 and the canonical NaN by comparisons and masks, in registers; parts of a vector by
//            the instruction set's masks.
// Work       One thread.
// Tuning     TSR_VECTOR (4, 8, 16), by instruction set (isa/).
//
//   vector: [ 0 | 1 | ... | TSR_VECTOR - 1 ]     an `unaligned_vector` may begin at any float
//
// Rules      9.
#pragma once

#include "common/math.h"

#if TSR_VECTOR > 4
#include <immintrin.h>
#endif

// Before a loop over registers.
#define TSR_UNROLL _Pragma("clang loop unroll(full)")

typedef float vector __attribute__((ext_vector_type(TSR_VECTOR)));
typedef float unaligned_vector __attribute__((ext_vector_type(TSR_VECTOR), aligned(4)));
typedef float vector8 __attribute__((ext_vector_type(8)));
typedef float unaligned_vector8 __attribute__((ext_vector_type(8), aligned(4)));
typedef int int_vector __attribute__((ext_vector_type(TSR_VECTOR)));

// The first `count` of a vector's floats (1 to TSR_VECTOR), zeros after them; and their store. No other float
// is touched.
#if TSR_VECTOR == 16
static inline __attribute__((unused)) vector load_part(const float *from, int count) {
  return (vector)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1u), from);
}
static inline __attribute__((unused)) void store_part(float *to, vector v, int count) {
  _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1u), (__m512)v);
}
#elif TSR_VECTOR == 8
static inline int_vector first_lanes(int count) { return (int_vector){0, 1, 2, 3, 4, 5, 6, 7} < count; }
static inline __attribute__((unused)) vector load_part(const float *from, int count) {
  return (vector)_mm256_maskload_ps(from, (__m256i)first_lanes(count));
}
static inline __attribute__((unused)) void store_part(float *to, vector v, int count) {
  _mm256_maskstore_ps(to, (__m256i)first_lanes(count), (__m256)v);
}
#else
static inline __attribute__((unused)) vector load_part(const float *from, int count) {
  if (count >= TSR_VECTOR) return *(const unaligned_vector *)from;
  return (vector){from[0], count > 1 ? from[1] : 0.0f, count > 2 ? from[2] : 0.0f, 0.0f};
}
static inline __attribute__((unused)) void store_part(float *to, vector v, int count) {
  for (int i = 0; i < TSR_VECTOR; i++)
    if (i < count) to[i] = v[i];
}
#endif

// Whether a register tile can apply an activation: by comparisons alone (relus, relu6s). Every other is
// applied to what stands in memory (gemm/c/epilogue.h).
static inline __attribute__((unused)) int is_simple_activation(int activation) {
  return activation == TSR_ACT_NONE || activation == TSR_ACT_RELU || activation == TSR_ACT_RELU6;
}

// tsr_relu, tsr_relu6 and tsr_canonical of each element. By masks and not by common/math_body.h: no
// rounding, no coefficient is in them, and the width is the instruction set's.
static inline __attribute__((unused)) vector relus(vector v) {
  return (vector)(~(int_vector)(v < 0.0f) & (int_vector)v);
}
static inline __attribute__((unused)) vector relu6s(vector v) {
  const int_vector over = v > 6.0f;
  const vector six = 6.0f;
  return (vector)((over & (int_vector)six) | (~over & (int_vector)relus(v)));
}
static inline vector canonicals(vector v) {
  const int_vector number = v == v;
  return (vector)((number & (int_vector)v) | (~number & (int)TSR_NAN_BITS));
}
