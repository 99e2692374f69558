// SPDX-License-Identifier: Apache-2.0
#include "cpu_kernels.h"

#if defined(__x86_64__)
static int has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#else
static int has_avx512(void) { return 0; }
static int has_avx2(void) { return 0; }
#endif

int tsr_isa_count(void) { return 1 + has_avx2() + has_avx512(); }
const char *tsr_isa_name(int index) {
  static const char *const names[] = {"avx512", "avx2", "baseline"};
  return names[index + (has_avx512() ? 0 : has_avx2() ? 1 : 2)];
}
