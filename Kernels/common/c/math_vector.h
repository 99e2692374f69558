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

#define TSR_V(name) name##_v
#define TSR_REAL vector
#define TSR_INT int_vector
#define TSR_UINT unsigned_vector
#include "common/c/math_words.h"
