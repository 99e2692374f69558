// SPDX-License-Identifier: Apache-2.0
// Contractions on the CPU: matrix products, convolutions with their gradients, pairwise distances
// (NUMERICS.md rules 4 and 6). Goto and van de Geijn 2008, with the k blocking frozen by the contract:
//
//            j0      j0+nc
//   B  k +-----[======]------+   a block of B (chunk x nc) is packed in panels of NR columns (level 2 cache)
//        |                   |
//   A  k            C
//   [====]   i +---[======]--+   a panel of A (MR x chunk) stays in level 1 while the block streams by
//   [====]     |             |   MR x NR accumulators live in registers: 14 x 32 (AVX-512), 6 x 16 (AVX2)
//
// Convolutions never build an im2col matrix: packing B reads the taps from the image. Those with many channels (dense.c) or
// few of them a group (direct.c) have ways of their own.
#include "isa_select.h"

#include "tessera_math.h"

#include <string.h>

#define TSR_FAMILY "gemm_body.h"
#include "per_isa.h"

#if defined(__x86_64__)
int tsr_gemm_tile_rows(int isa) { return tsr_set_of(isa) == 0 ? 14 : tsr_set_of(isa) == 1 ? 6 : 4; }
int tsr_gemm_tile_columns(int isa) { return tsr_set_of(isa) == 0 ? 32 : tsr_set_of(isa) == 1 ? 16 : 8; }
#else
#if defined(__aarch64__)
int tsr_gemm_tile_rows(int isa) { return (void)isa, 12; }
#else
int tsr_gemm_tile_rows(int isa) { return (void)isa, 4; }
#endif
int tsr_gemm_tile_columns(int isa) { return (void)isa, 8; }
#endif

int64_t tsr_gemm_packed_count(const tsr_gemm_plan *p) {
  const int64_t rows = tsr_gemm_tile_rows(p->isa);
  return (p->m + rows - 1) / rows * rows * p->k;
}

int64_t tsr_gemm_scratch_count(const tsr_gemm_plan *p) {
  const int64_t rows = tsr_gemm_tile_rows(p->isa), columns = tsr_gemm_tile_columns(p->isa);
  const int64_t width = (p->nc + columns - 1) / columns * columns;
  return p->chunk * width + columns * p->chunk + width + rows * columns +
         (p->group_k < p->k ? p->m * width : 0) + (p->packed_a ? 0 : tsr_gemm_packed_count(p));
}

void tsr_gemm_pack_a(const tsr_gemm_plan *p, int inner, int begin, int end) {
  const float *a = p->a + inner * p->a_inner;
  float *packed = p->packed_a + inner * tsr_gemm_packed_count(p);
  TSR_SELECT(p->isa, pack_panels, p, a, packed, begin, end);
}

void tsr_gemm_work(tsr_gemm_plan *p, float *scratch) {
  const int blocks = (p->n + p->nc - 1) / p->nc;
  const int tasks = p->outer * p->inner * blocks;
  for (;;) {
    const int task = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED);
    if (task >= tasks) return;
    // Of the upper half the last columns are the longest: they come first, so that no thread is left with them.
    const int at = p->upper ? blocks - 1 - task % blocks : task % blocks;
    TSR_SELECT(p->isa, block, p, task / blocks, at * p->nc, scratch);
  }
}

void tsr_mirror(float *d, int64_t n, int64_t begin, int64_t end) {
  for (int64_t i0 = begin; i0 < end; i0 += 32)
    for (int64_t j0 = 0; j0 < end; j0 += 32)
      for (int64_t i = i0; i < i0 + 32 && i < end; i++)
        for (int64_t j = j0; j < j0 + 32 && j < i; j++) d[i * n + j] = d[j * n + i];
}
