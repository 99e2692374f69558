// SPDX-License-Identifier: Apache-2.0
// The elementary functions of a vector type: the words of common/math_body.h, then that text.
//
// Algorithm  Operators of the compiler's vector types, element by element.
// Work       One thread, registers alone.
// Tuning     None. An includer defines TSR_V, TSR_REAL, TSR_INT and TSR_UINT, and includes it once for each
//            type: common/c/math_vector.h, common/c/math_wide.h.
//
//   TSR_V(tsr_exp)([ x0 | x1 | ... ]) = [ tsr_exp(x0) | tsr_exp(x1) | ... ]
//
// Rules      1, 2, 3, 9.
#define TSR_SELECT(condition, yes, no) ((condition) ? (TSR_REAL)(yes) : (TSR_REAL)(no))
TSR_FN TSR_REAL TSR_V(tsr_fma)(TSR_REAL a, TSR_REAL b, TSR_REAL c) {
  return __builtin_elementwise_fma(a, b, c);
}
TSR_FN TSR_REAL TSR_V(tsr_add)(TSR_REAL sum, TSR_REAL x) { return sum + x; }
TSR_FN TSR_REAL TSR_V(tsr_div)(TSR_REAL a, TSR_REAL b) { return a / b; }
TSR_FN TSR_INT TSR_V(tsr_isnan)(TSR_REAL x) { return x != x; }
TSR_FN TSR_UINT TSR_V(tsr_bits)(TSR_REAL x) { return (TSR_UINT)x; }
TSR_FN TSR_REAL TSR_V(tsr_float)(TSR_UINT b) { return (TSR_REAL)b; }
TSR_FN TSR_INT TSR_V(tsr_signed)(TSR_UINT x) { return (TSR_INT)x; }
TSR_FN TSR_UINT TSR_V(tsr_unsigned)(TSR_INT x) { return (TSR_UINT)x; }
TSR_FN TSR_UINT TSR_V(tsr_truth)(TSR_INT condition) { return (TSR_UINT)-condition; }
// Whether a comparison holds for every element.
TSR_FN int TSR_V(all_of)(TSR_INT condition) { return __builtin_reduce_and(condition) != 0; }
#include "common/math_body.h"
