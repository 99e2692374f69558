// SPDX-License-Identifier: Apache-2.0
// The CPU kernels for AVX2 with FMA: vectors of eight floats, a register tile of 6 x 16.
#if defined(__x86_64__)
#include "include/cpu_kernels.h"
#include <stddef.h>
#include <string.h>

// Compiled under a target attribute, so that the package needs no compiler flags.
#pragma clang attribute push(__attribute__((target("avx2,fma,bmi,bmi2"))), apply_to = function)
#define TSR_TABLE tsr_cpu_avx2
#define TSR_TABLE_NAME "avx2"
#define TSR_VECTOR 8
#define TSR_MR 6
#include "isa/kernels_of_isa.h"
#pragma clang attribute pop
#endif
