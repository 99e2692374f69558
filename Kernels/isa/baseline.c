// SPDX-License-Identifier: Apache-2.0
// The CPU kernels for any x86-64 or arm64 machine: vectors of four floats, a register tile of 4 x 8, or
// 12 x 8 of NEON.
#include "include/cpu_kernels.h"
#include <stddef.h>
#include <string.h>

#define TSR_TABLE tsr_cpu_baseline
#define TSR_TABLE_NAME "baseline"
#define TSR_VECTOR 4
#if defined(__aarch64__)
#define TSR_MR 12
#else
#define TSR_MR 4
#endif
#include "isa/kernels_of_isa.h"
