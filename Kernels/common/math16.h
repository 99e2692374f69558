// SPDX-License-Identifier: Apache-2.0
// What CPU devices compute sixteen at a time: exponentials, GELU, divisions and the softmax of a row, without barriers.
//
//   row:    [0 ... 15][16 ... 31][32 ... 47][48 ... 63][64 ... 79] ...
//   lanes:    a          b          c          d          a           four vectors are the 64 running sums
#pragma once

#include "common/math.h"
#include "common/sums.h"

#if defined __OPENCL_VERSION__ && !defined TSR_GPU

// The steps of tsr_exp_reduced and tsr_exp (common/math.h).
typedef struct {
  float16 y;
  int16 k;
} tsr_power16;
TSR_FN tsr_power16 tsr_exp_reduced16(float16 x) {
  const float16 shifted = fma(x, (float16)(0x1.715476p+0f), (float16)(12582912.0f));
  const float16 k = shifted - 12582912.0f;
  const float16 whole = fma(-k, (float16)(0x1.62e4p-1f), x);
  const float16 r = fma(-k, (float16)(0x1.7f7d1cp-20f), whole);
  const float16 left = fma(-k, (float16)(0x1.7f7d1cp-20f), whole - r);
  float16 q = 0.000198910798644647f;
  q = fma(q, r, (float16)(0.0013933731243014336f));
  q = fma(q, r, (float16)(0.00833331048488617f));
  q = fma(q, r, (float16)(0.041666463017463684f));
  q = fma(q, r, (float16)(0.1666666716337204f));
  q = fma(q, r, (float16)(0.5f));
  const float16 sum = 1.0f + r;
  const tsr_power16 power = {sum + (fma(r * r, q, left) + (r - (sum - 1.0f))),
                             as_int16(shifted) - 0x4b400000};
  return power;
}

TSR_FN float16 tsr_exp16(float16 v) {
  float16 x = select(v, (float16)(89.0f), v > 89.0f);
  x = select(x, (float16)(-105.0f), x < -105.0f);
  const tsr_power16 power = tsr_exp_reduced16(x);
  const int16 first = power.k >> 1;
  const float16 scaled =
      as_float16(as_int16(power.y) + (first << 23)) * as_float16((power.k - first + 127) << 23);
  return select(scaled, (float16)(tsr_float(TSR_NAN_BITS)), isnan(v));
}

// The steps of tsr_gelu and of tsr_erf and tsr_exp_normal within it; from 3.95 on the exponential may be
// anything.
TSR_FN float16 tsr_gelu16(float16 u) {
  const float16 v = u * 0x1.6a09e6p-1f;
  const float16 a = fabs(v), s = a * a;
  float16 e = 8.334718586411327e-05f;
  e = fma(e, s, (float16)(-0.000813470920547843f));
  e = fma(e, s, (float16)(0.005200368817895651f));
  e = fma(e, s, (float16)(-0.02685915119946003f));
  e = fma(e, s, (float16)(0.11283691227436066f));
  e = fma(e, s, (float16)(-0.37612634897232056f));
  e = fma(e, s, (float16)(0.12837916612625122f));
  const float16 near = fma(a, e, a);
  float16 g = -3.0463408506875567e-07f;
  g = fma(g, a, (float16)(5.015459464630112e-06f));
  g = fma(g, a, (float16)(-1.695821265457198e-05f));
  g = fma(g, a, (float16)(-0.0002575912221800536f));
  g = fma(g, a, (float16)(0.0036181423447343442f));
  g = fma(g, a, (float16)(-0.02393559366464615f));
  g = fma(g, a, (float16)(0.10658348351716995f));
  g = fma(g, a, (float16)(0.6348861455917358f));
  g = fma(g, a, (float16)(0.1287231296300888f));
  const tsr_power16 power = tsr_exp_reduced16(-fma(a, g, a));
  const float16 far =
      select(1.0f - as_float16(as_int16(power.y) + (power.k << 23)), (float16)(1.0f), a > 3.95f);
  const float16 y = select(far, near, a < 0.93f);
  const float16 erf = select(as_float16(as_int16(y) | (as_int16(v) & (int)0x80000000)),
                             (float16)(tsr_float(TSR_NAN_BITS)), isnan(v));
  return 0.5f * u * (1.0f + erf);
}

TSR_FN float16 tsr_canonical16(float16 v) { return select(v, (float16)(tsr_float(TSR_NAN_BITS)), isnan(v)); }

// The steps of tsr_soft_div.
TSR_FN float16 tsr_div16(float16 a, float16 b) {
#ifdef TSR_NATIVE_DIVIDE
  return a / b;
#else
  const uint16 ua = as_uint16(a) & 0x7fffffffu, ub = as_uint16(b) & 0x7fffffffu,
               sign = (as_uint16(a) ^ as_uint16(b)) & 0x80000000u;
  const float16 x = as_float16(ua), y = as_float16(ub);
  float16 r = as_float16(0x7ef311c3u - ub);
  r = fma(r, fma(-y, r, (float16)(1.0f)), r);
  r = fma(r, fma(-y, r, (float16)(1.0f)), r);
  r = fma(r, fma(-y, r, (float16)(1.0f)), r);
  r = fma(r, fma(-y, r, (float16)(1.0f)), r);
  r = as_float16(as_int16(r) - ((ub & 0x7fffffu) == 0x7fffffu));
  const float16 q = x * r;
  const float16 quotient = as_float16(sign | as_uint16(fma(fma(-q, y, x), r, q)));
  if (all((ua == 0u || ua - TSR_LEAST_BITS < TSR_RANGE_BITS) && ub - TSR_LEAST_BITS < TSR_RANGE_BITS))
    return quotient;
  float each[16], by[16];
  vstore16(a, 0, each), vstore16(b, 0, by);
  for (int j = 0; j < 16; j++) each[j] = tsr_div(each[j], by[j]);
  return vload16(0, each);
#endif
}

// a / b of exponentials a (at most 1) and their sums b (at least 1, or NaN as some a is), r being 1 / b.
// Where a device has no division of its own, a step of Newton from the correctly rounded r is the
// correctly rounded quotient (NUMERICS.md), as long as no remainder is below the denormals.
TSR_FN float16 tsr_softmax_divide16(float16 a, float16 b, float16 r) {
#ifdef TSR_NATIVE_DIVIDE
  return tsr_div16(a, b);
#else
  if (!all(a == 0.0f || a >= 0x1p-90f)) return tsr_div16(a, b);
  const float16 q = a * r;
  return fma(fma(-q, b, a), r, q);
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

// What an addition rounds off whose result is `next` (tsr_plus, common/sums.h).
TSR_FN float16 tsr_lost16(float16 sum, float16 y, float16 next) {
  const float16 one = 1.0f, had = fma(sum, -one, next);
  const float16 lost = fma(had, -one, next), all = fma(fma(lost, -one, sum), one, fma(had, -one, y));
  return select((float16)(0.0f), all, isfinite(all));
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
