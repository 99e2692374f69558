// SPDX-License-Identifier: Apache-2.0
// The CPU kernels for AVX-512: vectors of sixteen floats, a register tile of 14 x 32.
#if defined(__x86_64__)
#include "include/cpu_kernels.h"
#include <stddef.h>
#include <string.h>

// Compiled under a target attribute, so that the package needs no compiler flags.
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,bmi,bmi2"))), apply_to = function)
#define TSR_TABLE tsr_cpu_avx512
#define TSR_TABLE_NAME "avx512"
#define TSR_VECTOR 16
#define TSR_MR 14
#include "isa/kernels_of_isa.h"
#pragma clang attribute pop
#endif
