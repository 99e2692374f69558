// SPDX-License-Identifier: Apache-2.0
// What CPU devices compute sixteen at a time: exponentials, GELU, divisions, and the softmax of a row.
//
// Algorithm  The steps of math_body.h with float16. The 64 running sums of a softmax are four float16.
// Tensors    x, y: a row of n elements.
// Work       One work-item a row; no barriers.
// Tuning     None.
//
//   row:    [0 ... 15][16 ... 31][32 ... 47][48 ... 63][64 ... 79] ...
//   lanes:    a          b          c          d          a           four vectors are the 64 running sums
//
// Rules      2, 3, 5, 9.
#pragma once

#include "common/math.h"
#include "common/sums.h"

#if defined __OPENCL_VERSION__ && !defined TSR_GPU

// The words of common/math_body.h, for sixteen at a time.
#define TSR_V(name) name##16
#define TSR_REAL float16
#define TSR_INT int16
#define TSR_UINT uint16
#define TSR_SELECT(condition, yes, no) select((float16)(no), (float16)(yes), condition)
TSR_FN float16 tsr_fma16(float16 a, float16 b, float16 c) { return fma(a, b, c); }
TSR_FN float16 tsr_add16(float16 sum, float16 x) { return fma(x, (float16)(1.0f), sum); }
TSR_FN int16 tsr_isnan16(float16 x) { return isnan(x); }
TSR_FN uint16 tsr_bits16(float16 x) { return as_uint16(x); }
TSR_FN float16 tsr_float16(uint16 b) { return as_float16(b); }
TSR_FN int16 tsr_signed16(uint16 x) { return as_int16(x); }
TSR_FN uint16 tsr_unsigned16(int16 x) { return as_uint16(x); }
TSR_FN uint16 tsr_truth16(int16 condition) { return as_uint16(-condition); }
#include "common/math_body.h"

TSR_FN float16 tsr_div16(float16 a, float16 b) {
#ifdef TSR_NATIVE_DIVIDE
  return a / b;
#else
  if (all(tsr_is_near16(a, b))) return tsr_div_near16(a, b);
  float each[16], by[16];
  vstore16(a, 0, each), vstore16(b, 0, by);
  for (int j = 0; j < 16; j++) each[j] = tsr_div(each[j], by[j]);
  return vload16(0, each);
#endif
}

// a / b of exponentials a (at most 1) and their sums b (at least 1, or NaN as some a is), r being 1 / b.
TSR_FN float16 tsr_softmax_divide16(float16 a, float16 b, float16 r) {
#ifdef TSR_NATIVE_DIVIDE
  return tsr_div16(a, b);
#else
  if (!all(a == 0.0f || a >= 0x1p-90f)) return tsr_div16(a, b);
  return tsr_div_newton16(a, b, r);
#endif
}

// Sixteen of a row from x on, `left` to its end (1 or more), each times `scale`; -infinity beyond it.
TSR_FN float16 tsr_load16_scaled(__global const float *x, long left, float scale) {
  if (left >= 16) return vload16(0, x) * scale;
  float each[16];
  for (int j = 0; j < 16; j++) each[j] = j < left ? x[j] * scale : -tsr_float(TSR_INF_BITS);
  return vload16(0, each);
}

TSR_FN float16 tsr_load16_tail(__global const float *x, long left) {
  if (left >= 16) return vload16(0, x);
  float each[16];
  for (int j = 0; j < 16; j++) each[j] = j < left ? x[j] : 0.0f;
  return vload16(0, each);
}

TSR_FN void tsr_store16_tail(float16 v, __global float *y, long left) {
  if (left >= 16) {
    vstore16(v, 0, y);
    return;
  }
  float each[16];
  vstore16(v, 0, each);
  for (int j = 0; j < left; j++) y[j] = each[j];
}

#define TSR_IOTA16 ((int16)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))

// The halving tree of 64 lanes, and the greatest of sixteen.
TSR_FN float tsr_lane_tree_sum(float16 a, float16 b, float16 c, float16 d) {
  const float16 half16 = (a + c) + (b + d);
  const float8 half8 = half16.lo + half16.hi;
  const float4 half4 = half8.lo + half8.hi;
  const float2 half2 = half4.lo + half4.hi;
  return half2.x + half2.y;
}
TSR_FN float tsr_hmax16(float16 v) {
  const float8 best8 = select(v.lo, v.hi, v.hi > v.lo);
  const float4 best4 = select(best8.lo, best8.hi, best8.hi > best8.lo);
  const float2 best2 = select(best4.lo, best4.hi, best4.hi > best4.lo);
  return best2.y > best2.x ? best2.y : best2.x;
}

// The 64 lanes of a sum, in blocks (common/sums.h): what ended joins the blocks before it, and at the end
// all of them.
typedef struct {
  float16 a, b, c, d;
} tsr_lanes;
TSR_FN float tsr_lanes_tree_sum(tsr_lanes s) { return tsr_lane_tree_sum(s.a, s.b, s.c, s.d); }
TSR_FN tsr_lanes tsr_no_lanes() {
  const tsr_lanes none = {0.0f, 0.0f, 0.0f, 0.0f};
  return none;
}
TSR_FN tsr_lanes tsr_lanes_joined(tsr_lanes s, const tsr_lanes *part) {
  const float16 one = 1.0f;
  const tsr_lanes sum = {fma(part->a, one, s.a), fma(part->b, one, s.b), fma(part->c, one, s.c),
                         fma(part->d, one, s.d)};
  return sum;
}
TSR_FN void tsr_fold_lanes(tsr_lanes block, tsr_lanes *parts, tsr_u32 blocks) {
  int level = 0;
  for (; blocks & 1u; blocks >>= 1) block = tsr_lanes_joined(block, parts + level++);
  parts[level] = block;
}
TSR_FN tsr_lanes tsr_join_lanes(tsr_lanes block, const tsr_lanes *parts, tsr_u32 blocks) {
  for (int level = 0; blocks != 0u; blocks >>= 1, level++)
    if (blocks & 1u) block = tsr_lanes_joined(block, parts + level);
  return block;
}
#define TSR_BLOCK (TSR_BLOCK_STEPS * TSR_LANES)

// softmax(scale x) of n elements. The greatest has one value in any order: NaN never wins, and a zero's
// sign is lost in exp(x - greatest). Beyond the end stands exp(-infinity) = +0, which changes no sum.
TSR_FN void tsr_softmax_row(__global const float *x, __global float *y, long n, float scale) {
  float16 a = -tsr_float(TSR_INF_BITS), b = a, c = a, d = a;
#define TSR_BEST(s, at)                                                 \
  if (j + at < n) {                                                     \
    const float16 v = tsr_load16_scaled(x + j + at, n - j - at, scale); \
    s = select(s, v, v > s);                                            \
  }
  for (long j = 0; j < n; j += TSR_LANES) { TSR_BEST(a, 0) TSR_BEST(b, 16) TSR_BEST(c, 32) TSR_BEST(d, 48) }
  a = select(a, b, b > a), c = select(c, d, d > c);
  const float best = tsr_hmax16(select(a, c, c > a));
  a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
#define TSR_EXPONENTIALS(s, at)                                                           \
  if (j + at < n) {                                                                       \
    const float16 e = tsr_exp16(tsr_load16_scaled(x + j + at, n - j - at, scale) - best); \
    tsr_store16_tail(e, y + j + at, n - j - at);                                          \
    s = fma(e, (float16)(1.0f), s); /* tsr_add of each */                                 \
  }
  tsr_lanes parts[TSR_LEVELS];
  tsr_u32 blocks = 0;
  for (long begin = 0; begin < n; begin += TSR_BLOCK) {
    if (begin > 0) {
      const tsr_lanes block = {a, b, c, d};
      tsr_fold_lanes(block, parts, blocks++);
      a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
    }
    const long end = n - begin < TSR_BLOCK ? n : begin + TSR_BLOCK;
    for (long j = begin; j < end; j += TSR_LANES) {
      TSR_EXPONENTIALS(a, 0) TSR_EXPONENTIALS(b, 16) TSR_EXPONENTIALS(c, 32) TSR_EXPONENTIALS(d, 48)
    }
  }
  const tsr_lanes last = {a, b, c, d};
  const float total = tsr_lanes_tree_sum(tsr_join_lanes(last, parts, blocks));
  const float16 r = tsr_div(1.0f, total);
  for (long j = 0; j < n; j += 16) {
    const float16 quotient = tsr_softmax_divide16(tsr_load16_tail(y + j, n - j), total, r);
    tsr_store16_tail(tsr_canonical16(quotient), y + j, n - j);
  }
}
#endif
