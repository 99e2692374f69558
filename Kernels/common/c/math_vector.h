// SPDX-License-Identifier: Apache-2.0
// The elementary functions of a vector of TSR_VECTOR floats.
//
// Algorithm  The steps of common/math_body.h, the same bits for each element.
// Work       One thread, registers alone.
// Tuning     TSR_VECTOR (4, 8, 16), by instruction set (isa/).
//
//   tsr_exp_v([ x0 | x1 | ... ]) = [ tsr_exp(x0) | tsr_exp(x1) | ... ]
//
// Rules      1, 2, 3, 9.
#pragma once

#include "common/c/vector.h"

typedef unsigned unsigned_vector __attribute__((ext_vector_type(TSR_VECTOR)));

// The words of common/math_body.h, for a vector.
#define TSR_V(name) name##_v
#define TSR_REAL vector
#define TSR_INT int_vector
#define TSR_UINT unsigned_vector
#define TSR_SELECT(condition, yes, no) ((condition) ? (vector)(yes) : (vector)(no))
TSR_FN vector tsr_fma_v(vector a, vector b, vector c) { return __builtin_elementwise_fma(a, b, c); }
TSR_FN vector tsr_add_v(vector sum, vector x) { return sum + x; }
TSR_FN int_vector tsr_isnan_v(vector x) { return x != x; }
TSR_FN unsigned_vector tsr_bits_v(vector x) { return (unsigned_vector)x; }
TSR_FN vector tsr_float_v(unsigned_vector b) { return (vector)b; }
TSR_FN int_vector tsr_signed_v(unsigned_vector x) { return (int_vector)x; }
TSR_FN unsigned_vector tsr_unsigned_v(int_vector x) { return (unsigned_vector)x; }
TSR_FN unsigned_vector tsr_truth_v(int_vector condition) { return (unsigned_vector)-condition; }
#include "common/math_body.h"

TSR_FN vector tsr_div_v(vector a, vector b) { return a / b; }

// Whether a comparison holds for every element.
TSR_FN int all_of(int_vector condition) { return __builtin_reduce_and(condition) != 0; }
