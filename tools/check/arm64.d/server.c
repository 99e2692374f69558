// SPDX-License-Identifier: Apache-2.0
// The process of the other architecture: answers client.c's calls with the kernels that it is linked with,
// those of its first table.
#define _GNU_SOURCE
#include "bridge.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static float *floats(int64_t address) { return (float *)address; }

static int64_t answer(const bridge_call *call) {
  const tsr_cpu_table *const table = tsr_cpu_table_at(0);
  const int64_t *a = call->arguments;
  void *const plan = (void *)call->plan;
  if (call->number >= BRIDGE_KERNELS) {
    // Parameters and pointers to the buffers are in the slot, one after the other.
    const enum tsr_kernel kernel = (enum tsr_kernel)(call->number - BRIDGE_KERNELS);
    tsr_cpu_kernel_function(table, kernel)(plan, (void *const *)a[0], a[1], a[2]);
    return 0;
  }
  switch (call->number) {
#define COUNT(result, name, type) \
  case number_##name: return table->name(plan);
#define WORK(name, type) \
  case number_##name: table->name(plan, (tsr_worker){(int64_t *)a[0], a[1], a[2]}, floats(a[3])); return 0;
    BRIDGE_COUNTS(COUNT)
    BRIDGE_WORKS(WORK)
    case number_tile_rows: return table->tile_rows;
    case number_tile_columns: return table->tile_columns;
    case number_gemm_pack_a: table->gemm_pack_a(plan, (int)a[0], (int)a[1], (int)a[2]); return 0;
    case number_gemm_pack_b: table->gemm_pack_b(plan, (int)a[0], (int)a[1]); return 0;
    case number_conv_grouped_fits: return table->conv_grouped_fits(plan, (int)a[0]);
    case number_conv_blocked_fits: return table->conv_blocked_fits(plan, (int)a[0]);
    case number_conv_blocked_pack: table->conv_blocked_pack(plan, (int)a[0], (int)a[1]); return 0;
    case number_grouped_weight_fits: return table->grouped_weight_fits(plan);
    case number_grouped_weight_reduce: table->grouped_weight_reduce(plan, floats(a[0]), a[1], a[2]); return 0;
    case number_blocked_weight_fits: return table->blocked_weight_fits(plan);
    case number_blocked_weight_reduce:
      table->blocked_weight_reduce(plan, floats(a[0]), (int)a[1], (int)a[2]);
      return 0;
    case number_winograd_pack: table->winograd_pack(plan, (int)a[0], (int)a[1]); return 0;
    case number_grad_weight_winograd_reduce:
      table->grad_weight_winograd_reduce(plan, floats(a[0]), a[1], a[2]);
      return 0;
    case number_mirror: tsr_mirror(floats(a[0]), a[1], a[2], a[3]); return 0;
    default: fprintf(stderr, "server: no entry %lld\n", (long long)call->number); exit(1);
  }
}

int main(void) {
  void *const wanted = (void *)BRIDGE_BASE;
  const int flags = MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE;
  if (mmap(wanted, BRIDGE_BYTES, PROT_READ | PROT_WRITE, flags, BRIDGE_MEMORY, 0) != wanted) {
    perror("server: shared memory");
    return 1;
  }
  // What client.c makes sure of first: that both have the same kernels and parameters.
  const int64_t greeting = tsr_kernel_count();
  if (write(BRIDGE_SOCKET, &greeting, sizeof greeting) != sizeof greeting) return 1;
  for (;;) {
    bridge_call call;
    if (read(BRIDGE_SOCKET, &call, sizeof call) != sizeof call) return 0;
    const int64_t result = answer(&call);
    if (write(BRIDGE_SOCKET, &result, sizeof result) != sizeof result) return 0;
  }
}
