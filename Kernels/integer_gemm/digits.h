// SPDX-License-Identifier: Apache-2.0
// Products as exact integers: the arithmetic that C and OpenCL share, one number at a time.
//
// Algorithm  Ozaki et al. 2012, with digits of 8 bits and balanced columns: a row of an operand becomes
//            integers times one power of two; the sum of their products is exact, so it has no order.
// Tensors    None: numbers alone.
// Work       Whoever has the row.
// Tuning     None: every constant is the contract's.
//
//   x ->  y = x 2^t  ->  q = rint(y 2^s)  ->  digits d0 d1 (d2)  ->  T  ->  (T 2^h) 2^(e - h)
//
// Rules      9, 12, 13.
#pragma once

#include "common/math.h"

// The scale of a row with an infinity or a NaN.
#define TSR_SCALE_NONE 16384

TSR_FN tsr_u32 tsr_magnitude_bits(float x) { return tsr_bits(x) & 0x7fffffffu; }
// The same, and 0 for what is not finite.
TSR_FN tsr_u32 tsr_finite_magnitude_bits(float x) {
  const tsr_u32 m = tsr_magnitude_bits(x);
  return m < 0x7f800000u ? m : 0u;
}
// |y|, infinity for what is not finite.
TSR_FN float tsr_size(float y) {
  const tsr_u32 m = tsr_magnitude_bits(y);
  return tsr_float(m < 0x7f800000u ? m : 0x7f800000u);
}

// The biased exponent of a row of B by its greatest finite magnitude: 0 if that is 0, else 1 to 254.
TSR_FN int tsr_balance_exponent(tsr_u32 greatest) {
  const int exponent = (int)(greatest >> 23);
  return greatest == 0u || exponent > 0 ? exponent : 1;
}
// t of a row of B among those whose greatest exponent is `greatest`.
TSR_FN int tsr_balance_shift(int exponent, int greatest) {
  return exponent - greatest > -126 ? exponent - greatest : -126;
}
// What A's column and B's row are multiplied by: 2^t and 2^-t; 0 and 1 where B's row is 0.
TSR_FN float tsr_balance_a(int exponent, int greatest) {
  const float factor = tsr_float((tsr_u32)(127 + tsr_balance_shift(exponent, greatest)) << 23);
  return exponent == 0 ? 0.0f : factor;
}
TSR_FN float tsr_balance_b(int exponent, int greatest) {
  const float factor = tsr_float((tsr_u32)(127 - tsr_balance_shift(exponent, greatest)) << 23);
  return exponent == 0 ? 1.0f : factor;
}

// The scale s of a balanced row by its greatest magnitude: of three digits |q| <= 8,355,711, of two 32,639.
TSR_FN int tsr_digit_scale(tsr_u32 greatest, int digits) {
  if (greatest >= 0x7f800000u) return TSR_SCALE_NONE;
  const int s =
      digits == 3 ? 149 - (int)((greatest + 0x10101u) >> 23) : 141 - (int)((greatest + 0x10100u) >> 23);
  return s < 126 ? s : 126;
}
// 2^s; 0 for a row with an infinity or a NaN, whose results do not depend on its digits.
TSR_FN float tsr_scale_factor(int s) {
  return s == TSR_SCALE_NONE ? 0.0f : tsr_float((tsr_u32)(127 + s) << 23);
}
// y to the nearest integer, to the even one of two; |y| < 2^23.
TSR_FN int tsr_rint_even(float y) {
  const int q = (int)(tsr_bits(tsr_float(tsr_magnitude_bits(y)) + 8388608.0f) - 0x4b000000u);
  const int sign = -(int)(tsr_bits(y) >> 31);
  return (q ^ sign) - sign;
}
// What is added to q so that its bytes are its digits plus 128 (the highest: what is above the lowest two
// or one bytes).
TSR_FN int tsr_digit_offset(int digits) { return digits == 3 ? 0x808080 : 0x8080; }

// The result of an exact sum, as a number of binary32, of rows with scales a and b.
TSR_FN float tsr_integer_scaled(float value, int a, int b, int digits) {
  if (a == TSR_SCALE_NONE || b == TSR_SCALE_NONE) return tsr_float(TSR_NAN_BITS);
  const int e = (digits == 3 ? 16 : 0) - a - b, h = e >> 1;
  return value * tsr_float((tsr_u32)(127 + h) << 23) * tsr_float((tsr_u32)(127 + e - h) << 23);
}
// The result of an exact sum T.
TSR_FN float tsr_integer_result(tsr_i64 sum, int a, int b, int digits) {
#ifdef __OPENCL_VERSION__
  return tsr_integer_scaled(convert_float_rte(sum), a, b, digits);
#else
  return tsr_integer_scaled((float)sum, a, b, digits);
#endif
}
