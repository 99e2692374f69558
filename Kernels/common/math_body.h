// SPDX-License-Identifier: Apache-2.0
// The functions that are needed both for one float and for sixteen at a time: one text, the same bits.
// common/math.h includes it with float, for all targets; common/math16.h with float16, for CPU devices.
// The loader of OpenCL programs takes a file whose name ends in `_body.h` at every include.
//
//   word                  with float                      with float16
//   TSR_V(tsr_exp)        tsr_exp                         tsr_exp16
//   TSR_REAL              float                           float16
//   TSR_INT, TSR_UINT     tsr_i32, tsr_u32                int16, uint16
//   TSR_SELECT(c, y, n)   c ? y : n                       of each element
//   tsr_fma, tsr_add, tsr_isnan, tsr_bits, tsr_float      include/tessera_base.h; of each element
//   tsr_signed, tsr_unsigned                              the other integer type with the same bits
//   tsr_truth(c)          a comparison's 1 or 0, unsigned
//
// A comparison of floats is 1 or 0, of sixteen floats -1 or 0 each: only TSR_SELECT, tsr_truth, && and ||
// may take it. Both sides of TSR_SELECT may be computed.

#define FMA TSR_V(tsr_fma)
#define BITS TSR_V(tsr_bits)
#define FLOAT TSR_V(tsr_float)
#define IS_NAN TSR_V(tsr_isnan)

TSR_FN TSR_REAL TSR_V(tsr_canonical)(TSR_REAL x) { return TSR_SELECT(IS_NAN(x), tsr_float(TSR_NAN_BITS), x); }
// The bits of |x|, and the sign's bit.
TSR_FN TSR_UINT TSR_V(tsr_magnitude)(TSR_REAL x) { return BITS(x) & 0x7fffffffu; }
TSR_FN TSR_UINT TSR_V(tsr_sign)(TSR_REAL x) { return BITS(x) & 0x80000000u; }
// Of y the magnitude, of v the sign; y is not negative.
TSR_FN TSR_REAL TSR_V(tsr_with_sign)(TSR_REAL y, TSR_REAL v) { return FLOAT(BITS(y) | TSR_V(tsr_sign)(v)); }

// What the addition sum + y rounds off whose result is `next` (Knuth's theorem B, common/sums.h): +0 beyond
// the largest number, where nothing is known of it.
TSR_FN TSR_REAL TSR_V(tsr_rounded_off)(TSR_REAL sum, TSR_REAL y, TSR_REAL next) {
  const TSR_REAL had = TSR_V(tsr_add)(next, -sum);
  const TSR_REAL lost =
      TSR_V(tsr_add)(TSR_V(tsr_add)(sum, -TSR_V(tsr_add)(next, -had)), TSR_V(tsr_add)(y, -had));
  return TSR_SELECT((BITS(lost) & TSR_INF_BITS) == TSR_INF_BITS, 0.0f, lost);
}

// The correctly rounded 1 / b of a positive number from 2^-62 to 2^62: Newton from a guess by its bits. Of
// the last number before a power of two the reciprocal is so near to the middle that Newton rounds it down.
TSR_FN TSR_REAL TSR_V(tsr_reciprocal_in_range)(TSR_REAL b) {
  TSR_REAL r = FLOAT(0x7ef311c3u - BITS(b));
  r = FMA(r, FMA(-b, r, 1.0f), r);
  r = FMA(r, FMA(-b, r, 1.0f), r);
  r = FMA(r, FMA(-b, r, 1.0f), r);
  r = FMA(r, FMA(-b, r, 1.0f), r);
  const TSR_UINT before_power = TSR_V(tsr_truth)((BITS(b) & 0x7fffffu) == 0x7fffffu);
  return FLOAT(BITS(r) + before_power);
}

// a / b by one step of Newton from the correctly rounded r = 1 / b: the correctly rounded quotient, as long
// as no remainder is below the denormals (NUMERICS.md).
TSR_FN TSR_REAL TSR_V(tsr_div_newton)(TSR_REAL a, TSR_REAL b, TSR_REAL r) {
  const TSR_REAL q = a * r;
  return FMA(FMA(-q, b, a), r, q);
}

// The correctly rounded a / b of two numbers from 2^-62 to 2^62; a may be 0.
TSR_FN TSR_REAL TSR_V(tsr_div_in_range)(TSR_REAL a, TSR_REAL b) {
  return TSR_V(tsr_div_newton)(a, b, TSR_V(tsr_reciprocal_in_range)(b));
}

// The same of either sign, and whether a and b are such numbers.
TSR_FN TSR_REAL TSR_V(tsr_div_near)(TSR_REAL a, TSR_REAL b) {
  const TSR_UINT ua = TSR_V(tsr_magnitude)(a), ub = TSR_V(tsr_magnitude)(b),
                 sign = (BITS(a) ^ BITS(b)) & 0x80000000u;
  const TSR_REAL q = TSR_V(tsr_div_in_range)(FLOAT(ua), FLOAT(ub));
  return FLOAT(sign | BITS(q));
}
TSR_FN TSR_INT TSR_V(tsr_is_near)(TSR_REAL a, TSR_REAL b) {
  const TSR_UINT ua = TSR_V(tsr_magnitude)(a), ub = TSR_V(tsr_magnitude)(b);
  return (ua == 0u || ua - TSR_LEAST_BITS < TSR_RANGE_BITS) && ub - TSR_LEAST_BITS < TSR_RANGE_BITS;
}

// e^x = 2^k y: x = k ln 2 + r, |r| <= ln 2 / 2, y = e^r = 1 + r + r^2 q(r) with what the roundings of r
// and of 1 + r left over.
typedef struct {
  TSR_REAL y;
  TSR_INT k;
} TSR_V(tsr_power);
TSR_FN TSR_V(tsr_power) TSR_V(tsr_exp_reduced)(TSR_REAL x) {
  const TSR_REAL shifted = FMA(x, 0x1.715476p+0f, 12582912.0f);
  const TSR_REAL k = shifted - 12582912.0f;
  const TSR_REAL whole = FMA(-k, 0x1.62e4p-1f, x);
  const TSR_REAL r = FMA(-k, 0x1.7f7d1cp-20f, whole);
  const TSR_REAL left = FMA(-k, 0x1.7f7d1cp-20f, whole - r);
  TSR_REAL q = 0.000198910798644647f;
  q = FMA(q, r, 0.0013933731243014336f);
  q = FMA(q, r, 0.00833331048488617f);
  q = FMA(q, r, 0.041666463017463684f);
  q = FMA(q, r, 0.1666666716337204f);
  q = FMA(q, r, 0.5f);
  const TSR_REAL sum = 1.0f + r;
  const TSR_V(tsr_power) power = {sum + (FMA(r * r, q, left) + (r - (sum - 1.0f))),
                                  TSR_V(tsr_signed)(BITS(shifted) - 0x4b400000u)};
  return power;
}
// 2^k y of a normal y, whose result is one too: by the exponent's bits.
TSR_FN TSR_REAL TSR_V(tsr_times_power)(TSR_REAL y, TSR_INT k) {
  return FLOAT(BITS(y) + (TSR_V(tsr_unsigned)(k) << 23));
}

// e^x. 2^k in two factors, so that denormal results are rounded once; the first is exact.
TSR_FN TSR_REAL TSR_V(tsr_exp)(TSR_REAL v) {
  TSR_REAL x = TSR_SELECT(v > 89.0f, 89.0f, v);
  x = TSR_SELECT(x < -105.0f, -105.0f, x);
  const TSR_V(tsr_power) p = TSR_V(tsr_exp_reduced)(x);
  const TSR_INT k1 = p.k >> 1, k2 = p.k - k1;
  const TSR_REAL scaled = TSR_V(tsr_times_power)(p.y, k1) * FLOAT(TSR_V(tsr_unsigned)(k2 + 127) << 23);
  return TSR_SELECT(IS_NAN(v), tsr_float(TSR_NAN_BITS), scaled);
}

// The same bits for -87 <= x <= 88, where results are normal.
TSR_FN TSR_REAL TSR_V(tsr_exp_normal)(TSR_REAL x) {
  const TSR_V(tsr_power) p = TSR_V(tsr_exp_reduced)(x);
  return TSR_V(tsr_times_power)(p.y, p.k);
}

// The includer's own, after this text: correctly rounded.
TSR_FN TSR_REAL TSR_V(tsr_div)(TSR_REAL a, TSR_REAL b);

// tanh: an odd polynomial near 0, else 1 - 2 / (e^2|x| + 1).
TSR_FN TSR_REAL TSR_V(tsr_tanh)(TSR_REAL v) {
  const TSR_REAL a = FLOAT(TSR_V(tsr_magnitude)(v));
  const TSR_REAL s = a * a;
  TSR_REAL t = 0.0023707656655460596f;
  t = FMA(t, s, -0.008410071022808552f);
  t = FMA(t, s, 0.021788321435451508f);
  t = FMA(t, s, -0.05396155267953873f);
  t = FMA(t, s, 0.13333313167095184f);
  t = FMA(t, s, -0.3333333432674408f);
  const TSR_REAL near = FMA(a * s, t, a);
  const TSR_REAL bounded = TSR_SELECT(a > 10.0f, 10.0f, a);
  const TSR_REAL far = 1.0f - TSR_V(tsr_div)(2.0f, TSR_V(tsr_exp_normal)(2.0f * bounded) + 1.0f);
  const TSR_REAL y = TSR_SELECT(a < 0.6f, near, far);
  return TSR_SELECT(IS_NAN(v), tsr_float(TSR_NAN_BITS), TSR_V(tsr_with_sign)(y, v));
}

// erf: x + x e(x^2) near 0, else 1 - exp(-t - t g(t)); 1 from 4 on.
TSR_FN TSR_REAL TSR_V(tsr_erf)(TSR_REAL v) {
  const TSR_REAL a = FLOAT(TSR_V(tsr_magnitude)(v));
  const TSR_REAL s = a * a;
  TSR_REAL e = 8.334718586411327e-05f;
  e = FMA(e, s, -0.000813470920547843f);
  e = FMA(e, s, 0.005200368817895651f);
  e = FMA(e, s, -0.02685915119946003f);
  e = FMA(e, s, 0.11283691227436066f);
  e = FMA(e, s, -0.37612634897232056f);
  e = FMA(e, s, 0.12837916612625122f);
  const TSR_REAL near = FMA(a, e, a);
  const TSR_REAL b = TSR_SELECT(a > 3.95f, 3.95f, a);
  TSR_REAL g = -3.0463408506875567e-07f;
  g = FMA(g, b, 5.015459464630112e-06f);
  g = FMA(g, b, -1.695821265457198e-05f);
  g = FMA(g, b, -0.0002575912221800536f);
  g = FMA(g, b, 0.0036181423447343442f);
  g = FMA(g, b, -0.02393559366464615f);
  g = FMA(g, b, 0.10658348351716995f);
  g = FMA(g, b, 0.6348861455917358f);
  g = FMA(g, b, 0.1287231296300888f);
  const TSR_REAL far = TSR_SELECT(a > 3.95f, 1.0f, 1.0f - TSR_V(tsr_exp_normal)(-FMA(b, g, b)));
  const TSR_REAL y = TSR_SELECT(a < 0.93f, near, far);
  return TSR_SELECT(IS_NAN(v), tsr_float(TSR_NAN_BITS), TSR_V(tsr_with_sign)(y, v));
}

TSR_FN TSR_REAL TSR_V(tsr_gelu)(TSR_REAL v) { return 0.5f * v * (1.0f + TSR_V(tsr_erf)(v * 0x1.6a09e6p-1f)); }

// 0.5 v (1 + tanh(sqrt(2 / pi) (v + 0.044715 v^3))): Hendrycks and Gimpel 2016, arXiv 1606.08415.
TSR_FN TSR_REAL TSR_V(tsr_gelu_tanh)(TSR_REAL v) {
  const TSR_REAL slope = FMA(v * v, TSR_GELU_TANH_CUBIC, TSR_GELU_TANH_SCALE);
  return 0.5f * v * (1.0f + TSR_V(tsr_tanh)(v * slope));
}

TSR_FN TSR_REAL TSR_V(tsr_relu)(TSR_REAL v) { return TSR_SELECT(v < 0.0f, 0.0f, v); }
TSR_FN TSR_REAL TSR_V(tsr_relu6)(TSR_REAL v) {
  return TSR_SELECT(v < 0.0f, 0.0f, TSR_SELECT(v > 6.0f, 6.0f, v));
}

// TSR_ACT_* after a contraction.
TSR_FN TSR_REAL TSR_V(tsr_activate)(TSR_REAL v, int activation) {
  if (activation == TSR_ACT_RELU) return TSR_V(tsr_relu)(v);
  if (activation == TSR_ACT_RELU6) return TSR_V(tsr_relu6)(v);
  if (activation == TSR_ACT_GELU) return TSR_V(tsr_gelu)(v);
  if (activation == TSR_ACT_TANH) return TSR_V(tsr_tanh)(v);
  if (activation == TSR_ACT_GELU_TANH) return TSR_V(tsr_gelu_tanh)(v);
  return v;
}

#undef FMA
#undef BITS
#undef FLOAT
#undef IS_NAN
#undef TSR_V
#undef TSR_REAL
#undef TSR_INT
#undef TSR_UINT
#undef TSR_SELECT
