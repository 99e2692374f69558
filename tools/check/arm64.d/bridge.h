// SPDX-License-Identifier: Apache-2.0
// How a process of this machine (the client, client.c) calls the CPU kernels of another architecture, which
// run in an emulator's process (the server, server.c): by messages over a socket. Every tensor lies in memory
// that both map at the same address (memory.c).
#ifndef TESSERA_BRIDGE_H
#define TESSERA_BRIDGE_H

#include "cpu_kernels.h"

// Where the shared memory is, in both; and what of it carries parameters and plans, which callers have on
// their stacks.
#define BRIDGE_BASE 0x100000000000ull
#define BRIDGE_BYTES (32ull << 30)
#define BRIDGE_SLOT (1 << 20)

// Descriptors of the server.
enum { BRIDGE_MEMORY = 3, BRIDGE_SOCKET = 4 };

// The functions of a tsr_cpu_table by form: counts of a plan; work of a worker from a plan with
// scratch; the rest by hand, with two numbers, and tsr_mirror, which is in no table.
#define BRIDGE_COUNTS(X)                                              \
  X(int64_t, gemm_packed_count, tsr_gemm_plan)                        \
  X(int64_t, gemm_packed_b_count, tsr_gemm_plan)                      \
  X(int64_t, gemm_scratch_count, tsr_gemm_plan)                       \
  X(int, gemm_streams_b, tsr_gemm_plan)                               \
  X(int64_t, conv_grouped_scratch_count, tsr_conv_grouped_plan)       \
  X(int64_t, conv_blocked_packed_count, tsr_conv_blocked_plan)        \
  X(int64_t, conv_blocked_scratch_count, tsr_conv_blocked_plan)       \
  X(int, conv_blocked_tasks, tsr_conv_blocked_plan)                   \
  X(int64_t, grouped_weight_scratch_count, tsr_grouped_weight_plan)   \
  X(int64_t, blocked_weight_partial_count, tsr_blocked_weight_plan)   \
  X(int64_t, blocked_weight_scratch_count, tsr_blocked_weight_plan)   \
  X(int, blocked_weight_tasks, tsr_blocked_weight_plan)               \
  X(int64_t, winograd_scratch_count, tsr_winograd_params)             \
  X(int64_t, grad_weight_winograd_scratch_count, tsr_winograd_params) \
  X(int64_t, attention_scratch_count, tsr_attention_plan)
#define BRIDGE_WORKS(X)                                  \
  X(gemm_work, tsr_gemm_plan)                            \
  X(conv_grouped_work, tsr_conv_grouped_plan)            \
  X(conv_blocked_work, tsr_conv_blocked_plan)            \
  X(grouped_weight_work, tsr_grouped_weight_plan)        \
  X(blocked_weight_work, tsr_blocked_weight_plan)        \
  X(winograd_work, tsr_winograd_plan)                    \
  X(grad_weight_winograd_work, tsr_winograd_weight_plan) \
  X(attention_work, tsr_attention_plan)
// clang-format off
#define BRIDGE_OTHERS(X) \
  X(tile_rows) X(tile_columns) X(gemm_pack_a) X(gemm_pack_b) X(conv_grouped_fits) \
  X(conv_blocked_fits) X(conv_blocked_pack) X(grouped_weight_fits) X(grouped_weight_reduce) \
  X(blocked_weight_fits) X(blocked_weight_reduce) \
  X(winograd_pack) X(grad_weight_winograd_reduce) X(mirror)
// clang-format on

#define BRIDGE_COUNT_NUMBER(result, name, plan) number_##name,
#define BRIDGE_WORK_NUMBER(name, plan) number_##name,
#define BRIDGE_OTHER_NUMBER(name) number_##name,
enum {
  BRIDGE_COUNTS(BRIDGE_COUNT_NUMBER) BRIDGE_WORKS(BRIDGE_WORK_NUMBER) BRIDGE_OTHERS(BRIDGE_OTHER_NUMBER)
  // Kernel k of kernels.def is called by number BRIDGE_KERNELS + k.
  BRIDGE_KERNELS
};

// `plan`: parameters in the slot; `arguments`: what else there is, in order, pointers among it.
typedef struct {
  int64_t number;
  uint64_t plan;
  int64_t arguments[9];
} bridge_call;

// The shared memory's descriptor and slot (memory.c, of the client).
int bridge_memory(void);
static inline void *bridge_slot(void) { return (void *)BRIDGE_BASE; }

#endif
