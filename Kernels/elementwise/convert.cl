// SPDX-License-Identifier: Apache-2.0
// Conversions between binary32 and the types that elements are stored in.
//
// Algorithm  To binary16 and bfloat16: to nearest, ties to even; what is too large becomes infinity, what is
//            small a denormal or 0, a NaN the one of its type (0x7e00, 0x7fc0). From them: exact. To
//            integers: towards zero; what is beyond the type becomes its least or greatest number, NaN 0.
//            From int8 and uint8: exact; from int32: to nearest, ties to even. In integers and one addition,
//            without the device's own half precision, which it need not have.
// Tensors    x, y: (count).
// Work       One item an element; in C the compiler makes vectors of them.
// Tuning     None.
//
//   binary32   s eeeeeeee fffffffffffffffffffffff      bfloat16: the first 16 bits, rounded
//   binary16   s    eeeee ffffffffff                   exponents 112 less, 13 bits of the fraction rounded
//   below 2^-14: x + 0.5 has its last bit at 2^-24, where binary16's denormals have theirs
//
// Rules      1 (denormals kept), 9 (one NaN of each type).

#include "common/kernel_forms.h"
#include "common/math.h"

// To nearest where `bits` of the fraction are left away, ties to even: may carry into the exponent.
TSR_FN tsr_u32 tsr_round_bits(tsr_u32 a, int bits) {
  return (a + ((1u << (bits - 1)) - 1u) + ((a >> bits) & 1u)) >> bits;
}

TSR_FN tsr_u16 tsr_to_float16(float x) {
  const tsr_u32 sign = (tsr_bits(x) >> 16) & 0x8000u, a = tsr_bits(x) & 0x7fffffffu;
  const tsr_u32 normal = tsr_round_bits(a - 0x38000000u, 13);
  const tsr_u32 small = tsr_bits(tsr_float(a) + 0.5f) - 0x3f000000u;
  // 65,520 and more are nearer to 2^16, which is infinity.
  const tsr_u32 finite = a < 0x38800000u ? small : (a < 0x477ff000u ? normal : 0x7c00u);
  return (tsr_u16)(a > 0x7f800000u ? 0x7e00u : sign | finite);
}

TSR_FN float tsr_from_float16(tsr_u32 h) {
  const tsr_u32 sign = (h & 0x8000u) << 16, a = (h & 0x7fffu) << 13;
  const tsr_u32 small = tsr_bits(tsr_float(a + 0x38800000u) - 0x1p-14f);
  const tsr_u32 all = a < 0x00800000u ? small : a + (a < 0x0f800000u ? 0x38000000u : 0x70000000u);
  return tsr_float(all > 0x7f800000u ? TSR_NAN_BITS : sign | all);
}

TSR_FN tsr_u16 tsr_to_bfloat16(float x) {
  const tsr_u32 a = tsr_bits(x) & 0x7fffffffu;
  return (tsr_u16)(a > 0x7f800000u ? 0x7fc0u : tsr_round_bits(tsr_bits(x), 16));
}

// Numbers between two bounds; 0 for NaN.
TSR_FN float tsr_between(float x, float low, float high) {
  const float most = x < high ? x : high;
  return x == x ? (most > low ? most : low) : 0.0f;
}

// The greatest binary32 below 2^31 is 2^31 - 128.
TSR_FN tsr_i32 tsr_to_int32(float x) {
  const tsr_i32 whole = (tsr_i32)tsr_between(x, -0x1p31f, 0x1.fffffep30f);
  return x >= 0x1p31f ? 0x7fffffff : whole;
}

#define TSR_CONVERT(name, X, Y, expression)                   \
  TSR_ITEMS2(name, tsr_map_params, p.count, const X, x, Y, y) \
    y[i] = (expression);                                      \
  TSR_END

TSR_CONVERT(tsr_convert_to_float16, float, tsr_u16, tsr_to_float16(x[i]))
TSR_CONVERT(tsr_convert_from_float16, tsr_u16, float, tsr_from_float16(x[i]))
TSR_CONVERT(tsr_convert_to_bfloat16, float, tsr_u16, tsr_to_bfloat16(x[i]))
TSR_CONVERT(tsr_convert_from_bfloat16, tsr_u16, float, tsr_canonical(tsr_float((tsr_u32)x[i] << 16)))
TSR_CONVERT(tsr_convert_to_int8, float, tsr_i8, (tsr_i8)(tsr_i32)tsr_between(x[i], -128.0f, 127.0f))
TSR_CONVERT(tsr_convert_from_int8, tsr_i8, float, (float)x[i])
TSR_CONVERT(tsr_convert_to_uint8, float, tsr_u8, (tsr_u8)(tsr_i32)tsr_between(x[i], 0.0f, 255.0f))
TSR_CONVERT(tsr_convert_from_uint8, tsr_u8, float, (float)x[i])
TSR_CONVERT(tsr_convert_to_int32, float, tsr_i32, tsr_to_int32(x[i]))
TSR_CONVERT(tsr_convert_from_int32, tsr_i32, float, (float)x[i])
