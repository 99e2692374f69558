// SPDX-License-Identifier: Apache-2.0
// The kernels that no case of the catalogue runs on the CPU, and operations of two operands on many more of
// them than it has: the server's bits against this machine's.
#include "bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1701;
static uint32_t draw(void) {
  uint64_t z = state += 0x9E3779B97F4A7C15ull;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ z >> 27) * 0x94D049BB133111EBull;
  return (uint32_t)(z ^ z >> 31);
}

// Zeros, denormals, the ends of the range, infinities, NaNs with payloads of either sign, quiet and
// signalling.
static const uint32_t specials[] = {0,           0x80000000u, 1,           0x80000001u, 0x007fffffu,
                                    0x00800000u, 0x80800000u, 0x7f7fffffu, 0xff7fffffu, 0x7f800000u,
                                    0xff800000u, 0x7fc00000u, 0xffc00000u, 0xffc01234u, 0x7fa00001u,
                                    0xffa00001u, 0x3f800000u, 0xbf800000u, 0x40c00000u};
enum { SPECIALS = sizeof specials / sizeof *specials, COUNT = 1 << 20, BITS = COUNT * 4 };

static uint32_t *tensor(void) {
  uint32_t *const t = aligned_alloc(64, BITS + 64);
  if (!t) abort();
  return t;
}

static int64_t compared, differing;

static void run(const char *name, const void *params, uint32_t *const *inputs, int64_t items,
                size_t outputs) {
  void *buffers[8] = {inputs[0], inputs[1], inputs[2]};
  const int place = !inputs[0] ? 0 : !inputs[1] ? 1 : 2;
  uint32_t *const results[] = {tensor(), tensor()};
  int index = 0;
  while (index < tsr_kernel_count() && strcmp(tsr_kernel_at(index).name, name)) index++;
  const int tables = tsr_cpu_table_count();
  for (int remote = 0; remote < 2; remote++) {
    memset(results[remote], 0xff, BITS);
    buffers[place] = results[remote];
    // The best of this machine's sets; two ranges that meet between vectors.
    const tsr_cpu_table *const table = tsr_cpu_table_at(remote ? tables - 1 : 0);
    const tsr_cpu_kernel function = tsr_cpu_kernel_function(table, (enum tsr_kernel)index);
    function(params, buffers, 0, items / 3);
    function(params, buffers, items / 3, items);
  }
  int64_t wrong = 0, first = -1;
  for (size_t i = 0; i < outputs; i++)
    if (results[0][i] != results[1][i] && wrong++ == 0) first = (int64_t)i;
  if (wrong)
    printf("%s: %lld of %zu differ, the first %lld: 0x%08x and 0x%08x\n", name, (long long)wrong, outputs,
           (long long)first, results[0][first], results[1][first]);
  compared += (int64_t)outputs;
  differing += wrong;
  free(results[0]);
  free(results[1]);
}

int main(void) {
  if (strcmp(tsr_cpu_table_at(tsr_cpu_table_count() - 1)->name, "arm64") != 0) {
    fputs("no server\n", stderr);
    return 1;
  }
  // A copy of the parameters of any size is taken.
  union {
    tsr_map_params map;
    tsr_random_params random;
    char room[256];
  } p = {.map = {COUNT, 1.25f, -0.75f}};
  uint32_t *const a = tensor(), *const b = tensor();
  static const char *const binary[] = {"tsr_software_divide", "tsr_binary_divide",   "tsr_binary_add",
                                       "tsr_binary_subtract", "tsr_binary_multiply", "tsr_binary_maximum",
                                       "tsr_binary_minimum",  "tsr_uncontracted"};
  // Any bits; exponents near each other; near 0, so that results are denormal; every pair of special values
  // in between.
  for (int kind = 0; kind < 3; kind++) {
    for (int i = 0; i < COUNT; i++) {
      const uint32_t near = kind == 1 ? 0x3f000000u : 0x00800000u,
                     mask = kind == 0 ? 0xffffffffu : 0x81ffffffu;
      a[i] = (draw() & mask) + (kind ? near : 0);
      b[i] = (draw() & mask) + (kind == 1 ? near : 0);
      if (i % 16 == 0) a[i] = specials[i / 16 % SPECIALS];
      if (i % 16 <= 1) b[i] = specials[i / 16 / SPECIALS % SPECIALS];
    }
    for (size_t k = 0; k < sizeof binary / sizeof *binary; k++)
      run(binary[k], &p, (uint32_t *[]){a, b, 0}, COUNT, COUNT);
    run("tsr_software_sqrt", &p, (uint32_t *[]){a, 0, 0}, COUNT, COUNT);
    run("tsr_unary_sqrt", &p, (uint32_t *[]){a, 0, 0}, COUNT, COUNT);
  }
  p.random = (tsr_random_params){COUNT, 1701, 7, 0xfffffff0u, 3, 0xffffffffu, 0, 0};
  run("tsr_random_words", &p, (uint32_t *[]){0, 0, 0}, COUNT, COUNT);
  p.map = (tsr_map_params){5, 0.999f, 0.0013f};
  a[0] = 0x3f800000u;
  run("tsr_fma_peak", &p, (uint32_t *[]){a, 0, 0}, 5, 5);
  printf("kernels apart from the catalogue: %lld values, %lld mismatches\n", (long long)compared,
         (long long)differing);
  return differing != 0;
}
