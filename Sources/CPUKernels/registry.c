// SPDX-License-Identifier: Apache-2.0
// The CPU's functions of the kernels of kernels.def, for each instruction set.
#include "cpu_kernels.h"

#include <stddef.h>

#define TSR_DECLARE(function, set) void function##_##set(const void *, void *const *, int64_t, int64_t);
#if defined(__x86_64__)
#define TSR_DECLARE_BOTH(function) \
  TSR_DECLARE(function, avx512) TSR_DECLARE(function, avx2) TSR_DECLARE(function, baseline)
#define TSR_ROW_BOTH(function) {function##_avx512, function##_avx2, function##_baseline},
#else
#define TSR_DECLARE_BOTH(function) TSR_DECLARE(function, baseline)
#define TSR_ROW_BOTH(function) {function##_baseline, function##_baseline, function##_baseline},
#endif
// What OpenCL alone has is no function here, but has its place in the table.
#define TSR_DECLARE_OPENCL(function)
#define TSR_ROW_OPENCL(function) {NULL, NULL, NULL},

#define TSR_KERNEL(name, function, family, form, targets) TSR_DECLARE_##targets(function)
#include "kernels.def"
#undef TSR_KERNEL

static const tsr_cpu_kernel kernels[][3] = {
#define TSR_KERNEL(name, function, family, form, targets) TSR_ROW_##targets(function)
#include "kernels.def"
#undef TSR_KERNEL
};

tsr_cpu_kernel tsr_cpu_kernel_function(enum tsr_kernel kernel, int isa) {
  return kernels[kernel][3 - tsr_isa_count() + isa];
}
