// SPDX-License-Identifier: Apache-2.0
// Which instruction sets this machine can run, the best first, and what needs no vectors of its own.
#include "include/cpu_kernels.h"

extern const tsr_cpu_table tsr_cpu_baseline;
#if defined(__x86_64__)
extern const tsr_cpu_table tsr_cpu_avx512, tsr_cpu_avx2;
static int has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}
static int has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

int tsr_cpu_table_count(void) { return 1 + has_avx2() + has_avx512(); }
const tsr_cpu_table *tsr_cpu_table_at(int index) {
  const tsr_cpu_table *const tables[] = {&tsr_cpu_avx512, &tsr_cpu_avx2, &tsr_cpu_baseline};
  return tables[index + (has_avx512() ? 0 : has_avx2() ? 1 : 2)];
}
int tsr_cpu_integer_units(const tsr_cpu_table *table) {
  if (table != &tsr_cpu_avx512 || !__builtin_cpu_supports("avx512vnni")) return TSR_INTEGER_WORDS + 1;
  return tsr_integer_has_amx() ? TSR_INTEGER_AMX + 1 : TSR_INTEGER_VNNI + 1;
}
#else
int tsr_cpu_integer_units(const tsr_cpu_table *table) { return (void)table, TSR_INTEGER_WORDS + 1; }
int tsr_cpu_table_count(void) { return 1; }
const tsr_cpu_table *tsr_cpu_table_at(int index) { return (void)index, &tsr_cpu_baseline; }
#endif

tsr_cpu_kernel tsr_cpu_kernel_function(const tsr_cpu_table *table, enum tsr_kernel kernel) {
  return table->kernels[kernel];
}

void tsr_mirror(float *d, int64_t n, int64_t begin, int64_t end) {
  for (int64_t i0 = begin; i0 < end; i0 += 32)
    for (int64_t j0 = 0; j0 < end; j0 += 32)
      for (int64_t i = i0; i < i0 + 32 && i < end; i++)
        for (int64_t j = j0; j < j0 + 32 && j < i; j++) d[i * n + j] = d[j * n + i];
}
