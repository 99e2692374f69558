// SPDX-License-Identifier: Apache-2.0
// Elementary functions from + - * and fma alone: the same bits on every device.
//
// Algorithm  Range reduction and a polynomial; division by Newton steps with an fma remainder. No libm,
//            no OpenCL built-in. Coefficients are fitted by tools/generate/polynomials (Chebyshev nodes,
//            float64, rounded to binary32). What CPU devices also need for sixteen floats is in
//            math_body.h.
// Bounds     Over all 2^32 inputs, in ulp of the exact result. `tessera verify --exhaustive` checks them;
//            the article DeviceConformance has the values found.
//
//   division, square root, reciprocal 0.5   rsqrt 0.51   exp 1   log 1   tanh 1.5   erf 1.25 sine and cosine
//   of a turn 1.05   sigmoid 2   softplus 3   SiLU 4   GELU, GELU by tanh 2 (of the input's ulp: its tail
//   cancels)
//
// Tuning     TSR_NATIVE_DIVIDE: set for devices whose division and square root are correctly rounded;
//            else both are computed in software. The same bits.
// Rules      1, 2, 3, 9.
#pragma once

#include "include/tessera_base.h"
#include "include/tessera_params.h"

#define TSR_INF_BITS 0x7f800000u

#ifdef __OPENCL_VERSION__
TSR_FN int tsr_clz(tsr_u32 x) { return (int)clz(x); }
#else
TSR_FN int tsr_clz(tsr_u32 x) { return __builtin_clz(x); }
#endif

// Numbers from 2^-62 to 2^62: their quotients and roots, and what is left over on the way to them, are
// normal numbers.
#define TSR_LEAST_BITS 0x20800000u
#define TSR_RANGE_BITS 0x3e000000u

// sqrt(2 / pi), and 0.044715 times it (GELU by tanh).
#define TSR_GELU_TANH_SCALE 0x1.988454p-1f
#define TSR_GELU_TANH_CUBIC 0x1.2444f2p-5f

// One float at a time: the steps of common/math_body.h by these words. common/math16.h has sixteen.
#define TSR_V(name) name
#define TSR_REAL float
#define TSR_INT tsr_i32
#define TSR_UINT tsr_u32
#define TSR_SELECT(condition, yes, no) ((condition) ? (yes) : (no))
TSR_FN tsr_i32 tsr_signed(tsr_u32 x) { return (tsr_i32)x; }
TSR_FN tsr_u32 tsr_unsigned(tsr_i32 x) { return (tsr_u32)x; }
TSR_FN tsr_u32 tsr_truth(int condition) { return (tsr_u32)condition; }
#include "common/math_body.h"

// The square root of one, or of 0, the same way; all of two binades are tried, and the others are like them.
TSR_FN float tsr_sqrt_in_range(float x) {
  float r = tsr_float(0x5f3759dfu - (tsr_bits(x) >> 1));
  r = r * tsr_fma(-0.5f * x * r, r, 1.5f);
  r = r * tsr_fma(-0.5f * x * r, r, 1.5f);
  r = r * tsr_fma(-0.5f * x * r, r, 1.5f);
  float s = x * r;
  s = tsr_fma(tsr_fma(-s, s, x), 0.5f * r, s);
  return tsr_fma(tsr_fma(-s, s, x), 0.5f * r, s);
}

// Any other a / b: the significands' quotient, its exponent; denormal results are rounded once, by what
// is exactly left over.
TSR_COLD float tsr_div_full_range(float a, float b) {
  tsr_u32 ua = tsr_bits(a) & 0x7fffffffu, ub = tsr_bits(b) & 0x7fffffffu;
  const tsr_u32 sign = (tsr_bits(a) ^ tsr_bits(b)) & 0x80000000u;
  const int infinite = ua == TSR_INF_BITS || ub == 0, zero = ua == 0 || ub == TSR_INF_BITS;
  if (ua > TSR_INF_BITS || ub > TSR_INF_BITS || (infinite && zero)) return tsr_float(TSR_NAN_BITS);
  if (infinite || zero) return tsr_float(infinite ? sign | TSR_INF_BITS : sign);
  int ea = (int)(ua >> 23), eb = (int)(ub >> 23);
  if (ea == 0) {
    const int s = tsr_clz(ua) - 8;
    ua <<= s;
    ea = 1 - s;
  }
  if (eb == 0) {
    const int s = tsr_clz(ub) - 8;
    ub <<= s;
    eb = 1 - s;
  }
  float x = tsr_float((ua & 0x7fffffu) | 0x3f800000u);
  const float y = tsr_float((ub & 0x7fffffu) | 0x3f800000u);
  int e = ea - eb;
  if (x < y) {
    x = x * 2.0f;
    e = e - 1;
  }
  const float q = tsr_div_in_range(x, y), left = tsr_fma(-q, y, x);
  if (e + 127 >= 255) return tsr_float(sign | TSR_INF_BITS);
  if (e + 127 >= 1) return tsr_float(sign | (tsr_bits(q) + ((tsr_u32)e << 23)));
  const int shift = 1 - (e + 127);
  if (shift > 25) return tsr_float(sign);
  const tsr_u32 m = (tsr_bits(q) & 0x7fffffu) | 0x800000u;
  tsr_u32 keep = m >> shift;
  const tsr_u32 rest = m & ((1u << shift) - 1u), midpoint = 1u << (shift - 1);
  if (rest > midpoint || (rest == midpoint && (left > 0.0f || (left == 0.0f && (keep & 1u)))))
    keep = keep + 1u;
  return tsr_float(sign | keep);
}

// Any other square root: the significand's, half its exponent.
TSR_COLD float tsr_sqrt_full_range(float a) {
  tsr_u32 ua = tsr_bits(a);
  if ((ua & 0x7fffffffu) == 0) return a;
  if (ua > TSR_INF_BITS) return tsr_float(TSR_NAN_BITS);
  if (ua == TSR_INF_BITS) return a;
  int e = (int)(ua >> 23);
  if (e == 0) {
    const int s = tsr_clz(ua) - 8;
    ua <<= s;
    e = 1 - s;
  }
  e = e - 127;
  float x = tsr_float((ua & 0x7fffffu) | 0x3f800000u);
  if (e & 1) {
    x = x * 2.0f;
    e = e - 1;
  }
  return tsr_float(tsr_bits(tsr_sqrt_in_range(x)) + ((tsr_u32)(e / 2) << 23));
}

// Correctly rounded a / b and square root without instructions for them.
TSR_FN float tsr_soft_div(float a, float b) {
  const int near = tsr_is_near(a, b);
  float q = tsr_div_near(a, b);
  if (!near) q = tsr_div_full_range(a, b);
  return q;
}
TSR_FN float tsr_soft_sqrt(float a) {
  const int near = tsr_bits(a) == 0 || tsr_bits(a) - TSR_LEAST_BITS < TSR_RANGE_BITS;
  float s = tsr_sqrt_in_range(a);
  if (!near) s = tsr_sqrt_full_range(a);
  return s;
}

#ifdef __OPENCL_VERSION__
#ifdef TSR_NATIVE_DIVIDE
TSR_FN float tsr_div(float a, float b) { return a / b; }
TSR_FN float tsr_sqrt(float a) { return sqrt(a); }
#else
TSR_FN float tsr_div(float a, float b) { return tsr_soft_div(a, b); }
TSR_FN float tsr_sqrt(float a) { return tsr_soft_sqrt(a); }
#endif
#else
TSR_FN float tsr_div(float a, float b) { return a / b; }
TSR_FN float tsr_sqrt(float a) { return __builtin_elementwise_sqrt(a); }
#endif

// ln x: x = 2^e m, m in [sqrt .5, sqrt 2), f = m - 1, ln m = f - f^2/2 + f^3 l(f).
TSR_FN float tsr_log(float v) {
  const int denormal = v < 0x1p-126f;
  const float x = denormal ? v * 0x1p23f : v;
  const tsr_u32 shifted = tsr_bits(x) - 0x3f3504f3u;
  const int e = (int)shifted >> 23;
  const float k = (float)(denormal ? e - 23 : e);
  const float f = tsr_float((shifted & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
  float l = 0.06971611827611923f;
  l = tsr_fma(l, f, -0.11479733884334564f);
  l = tsr_fma(l, f, 0.11685419827699661f);
  l = tsr_fma(l, f, -0.12425687164068222f);
  l = tsr_fma(l, f, 0.14249058067798615f);
  l = tsr_fma(l, f, -0.1666780263185501f);
  l = tsr_fma(l, f, 0.20000715553760529f);
  l = tsr_fma(l, f, -0.2499999701976776f);
  l = tsr_fma(l, f, 0.3333333134651184f);
  const float s = f * f;
  float small = tsr_fma(f * s, l, -0.5f * s);
  small = tsr_fma(k, 0x1.7f7d1cp-20f, small);
  float y = tsr_fma(k, 0x1.62e4p-1f, f + small);
  y = tsr_bits(v) == TSR_INF_BITS ? v : y;
  y = v == 0.0f ? -tsr_float(TSR_INF_BITS) : y;
  return v < 0.0f || tsr_isnan(v) ? tsr_float(TSR_NAN_BITS) : y;
}

// 1 / sqrt(x): two correctly rounded steps, then what both left over: with s = sqrt(v) and y = 1 / s
// rounded, the exact result is y (1 + (1 - y s) - y^2 (v - s^2) / 2 + ...). Small inputs are scaled up by
// 2^48 first: there the remainders would not be exact.
TSR_FN float tsr_rsqrt(float v) {
  const int small = v < 0x1p-64f;
  const float x = small ? v * 0x1p48f : v;
  const float s = tsr_sqrt(x), y = tsr_div(1.0f, s);
  const float left = tsr_fma(-y, s, 1.0f), under = tsr_fma(-s, s, x);
  const float better = tsr_fma(y, tsr_fma(-0.5f * y * y, under, left), y);
  const float r = x > 0.0f && x < tsr_float(TSR_INF_BITS) ? better : y;
  return small ? r * 0x1p24f : r;
}

// sin(2 pi f) and cos(2 pi f) for |f| <= 1/8.
TSR_FN float tsr_sin_octant(float f) {
  const float s = f * f;
  float p = -14.946135520935059f;
  p = tsr_fma(p, s, 42.05666732788086f);
  p = tsr_fma(p, s, -76.70584869384766f);
  p = tsr_fma(p, s, 81.6052474975586f);
  p = tsr_fma(p, s, -41.34170150756836f);
  return tsr_fma(f, 0x1.921fb6p+2f, tsr_fma(f * s, p, f * -0x1.777a5cp-23f));
}
TSR_FN float tsr_cos_octant(float f) {
  const float s = f * f;
  float p = -26.119218826293945f;
  p = tsr_fma(p, s, 60.24045181274414f);
  p = tsr_fma(p, s, -85.45679473876953f);
  p = tsr_fma(p, s, 64.93939208984375f);
  p = tsr_fma(p, s, -19.739208221435547f);
  return tsr_fma(p, s, 1.0f);
}
// sin and cos of 2 pi x (a turn is 1): exact reduction to the nearest quarter, so no accuracy is lost for
// large x. From 2^23 on x is a whole number of turns. `quarter` shifts the phase: 0 sine, 1 cosine. Zeros
// as IEEE 754's sinPi and cosPi have them: that of the sine has the sign of x, that of the cosine is +0.
TSR_FN float tsr_turn(float v, int quarter) {
  const float a = tsr_float(tsr_bits(v) & 0x7fffffffu);
  const float x = a < 8388608.0f ? a : 0.0f;
  const float whole = (x + 8388608.0f) - 8388608.0f;
  const float part = x - whole;  // exact, in [-1/2, 1/2]
  const float shifted = part * 4.0f + 12582912.0f;
  const float k = shifted - 12582912.0f;
  const float f = tsr_fma(k, -0.25f, part);  // exact, in [-1/8, 1/8]
  const tsr_u32 q = tsr_bits(shifted) + (tsr_u32)quarter;
  const float y = (q & 1u) ? tsr_cos_octant(f) : tsr_sin_octant(f);
  const float turned = tsr_float(tsr_bits(y) ^ ((q & 2u) << 30)) + 0.0f;
  const tsr_u32 sign = quarter ? 0u : tsr_bits(v) & 0x80000000u;
  return a < tsr_float(TSR_INF_BITS) ? tsr_float(tsr_bits(turned) ^ sign) : tsr_float(TSR_NAN_BITS);
}
TSR_FN float tsr_sin_turn(float v) { return tsr_turn(v, 0); }
TSR_FN float tsr_cos_turn(float v) { return tsr_turn(v, 1); }

// What is made of them.
// 1 / (1 + e^-v); in the lower tail e^v - e^2v, whose next term is below an ulp.
TSR_FN float tsr_sigmoid(float v) {
  const float e = tsr_exp(v < -9.0f ? v : -v);
  const float r = tsr_div(1.0f, 1.0f + e);
  return v < -9.0f ? tsr_fma(-e, e, e) : r;
}
TSR_FN float tsr_gelu_grad(float v) {
  const float density = 0x1.988454p-2f * tsr_exp(-0.5f * v * v);
  return tsr_fma(v, density, 0.5f * (1.0f + tsr_erf(v * 0x1.6a09e6p-1f)));
}
// The bound keeps v (1 - t^2) finite, beyond which t is 1.
TSR_FN float tsr_gelu_tanh_grad(float v) {
  float x = v > 10.0f ? 10.0f : v;
  x = x < -10.0f ? -10.0f : x;
  const float s = x * x, t = tsr_tanh(x * tsr_fma(s, TSR_GELU_TANH_CUBIC, TSR_GELU_TANH_SCALE));
  const float slope = tsr_fma(s, 3.0f * TSR_GELU_TANH_CUBIC, TSR_GELU_TANH_SCALE);
  return tsr_fma(0.5f * x * tsr_fma(-t, t, 1.0f), slope, 0.5f * (1.0f + t));
}
// ln(1 + e^v) = max(v, 0) + ln(1 + e^-|v|). What 1 + e rounds off is made good by a factor (Goldberg 1991,
// theorem 4); where all of e is rounded off, e itself is the logarithm.
TSR_FN float tsr_softplus(float v) {
  const float e = tsr_exp(-tsr_float(tsr_bits(v) & 0x7fffffffu));
  const float u = 1.0f + e, had = u - 1.0f;
  const float tail = had == 0.0f ? e : tsr_log(u) * tsr_div(e, had);
  return v > 0.0f ? v + tail : tail;
}
// v sigmoid(v). Far below 0 that is v e^v (1 - e^v), where e^v may be denormal: by the root of it.
TSR_FN float tsr_silu(float v) {
  const float root = tsr_exp(0.5f * v);
  const float far = (v * root) * tsr_fma(-(root * root), root, root);
  return v < -9.0f ? far : v * tsr_sigmoid(v);
}
// s (1 + v (1 - s)) of s = sigmoid(v). The bound keeps v (1 - s) finite, beyond which s is 0 or 1.
TSR_FN float tsr_silu_grad(float v) {
  float x = v > 120.0f ? 120.0f : v;
  x = x < -120.0f ? -120.0f : x;
  const float s = tsr_sigmoid(x);
  return s * tsr_fma(x, tsr_sigmoid(-x), 1.0f);
}
