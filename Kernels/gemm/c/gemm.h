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
// Convolutions never build an im2col matrix: packing B reads the taps from the image. Those with many channels (conv/c/conv_blocked.h) or
// few of them a group (conv/c/conv_grouped.h) have ways of their own.
#pragma once

#include "gemm/c/microkernel.h"
#include "gemm/c/dispatch_mr.h"
#include "gemm/c/epilogue.h"
#include "gemm/c/pack.h"

static inline void gemm_tile(const tsr_gemm_plan *p, const float *bias, float *c, int64_t c_row,
                             float *scratch, const float *a, const float *b, int kc, int rows, int columns,
                             int row, int column, int add, int last) {
  const int height = p->distance ? TSR_MR : round_up_mr(rows);
  const int simple = is_simple_activation(p->activation);
  if (columns == TSR_NR && rows == height && (simple || !last)) {
    const epilogue t = {c,
                        c_row,
                        p->bias_kind == TSR_BIAS_ROW ? bias + row : 0,
                        p->bias_kind == TSR_BIAS_COLUMN ? bias + column : 0,
                        add,
                        last,
                        p->activation};
    dispatch_mr(height, p->distance, kc, a, b, &t);
    return;
  }
  const epilogue t = {scratch, TSR_NR, 0, 0, 0, 0, 0};
  dispatch_mr(height, p->distance, kc, a, b, &t);
  store_epilogue(p->bias_kind, p->activation, bias, c, c_row, scratch, TSR_NR, rows, columns, row, column,
                 add, last);
}

static void gemm_pack_panels(const tsr_gemm_plan *p, const float *a, float *packed, int begin, int end) {
  const int64_t padded = (p->m + TSR_MR - 1) / TSR_MR * TSR_MR;
  for (int g = 0; g < p->k; g += p->k_group) {
    const int stop = p->k - g < p->k_group ? p->k : g + p->k_group;
    for (int k = g; k < stop; k += p->chunk) {
      const int kc = stop - k < p->chunk ? stop - k : p->chunk;
      for (int panel = begin; panel < end; panel++)
        gemm_pack_a_panel(p, a, panel * TSR_MR, k, kc, packed + k * padded + (int64_t)panel * TSR_MR * kc);
    }
  }
}

// One block of columns of one product.
static void gemm_block(const tsr_gemm_plan *p, int product, int j0, float *scratch) {
  const int outer = product / p->inner, inner = product % p->inner;
  const float *a = p->a + outer * p->a_outer + inner * p->a_inner;
  const float *b = p->b + outer * p->b_outer + inner * p->b_inner;
  const float *bias = p->bias ? p->bias + inner * p->bias_inner : 0;
  float *c = p->c + outer * p->c_outer + inner * p->c_inner + j0;
  const int nc = p->n - j0 < p->nc ? p->n - j0 : p->nc;
  const int m = p->upper && j0 + nc < p->m ? j0 + nc : p->m;
  const int64_t padded = (p->m + TSR_MR - 1) / TSR_MR * TSR_MR;
  const int width = (p->nc + TSR_NR - 1) / TSR_NR * TSR_NR;
  float *packed_b = scratch;
  float *line = packed_b + (int64_t)p->chunk * width;
  float *tile = line + (int64_t)TSR_NR * p->chunk + width;
  float *group_sum = tile + TSR_MR * TSR_NR;
  const int groups = p->k_group < p->k;
  float *own = group_sum + (groups ? (int64_t)p->m * width : 0);
  if (!p->packed_a) gemm_pack_panels(p, a, own, 0, (int)(padded / TSR_MR));
  const float *packed_a = p->packed_a ? p->packed_a + inner * padded * p->k : own;
  if (p->k == 0) {
    for (int j = 0; j < TSR_MR * TSR_NR; j++) tile[j] = 0.0f;
    for (int i = 0; i < m; i += TSR_MR)
      for (int j = 0; j < nc; j += TSR_NR)
        store_epilogue(p->bias_kind, p->activation, bias, c + i * p->c_row + j, p->c_row, tile, TSR_NR,
                       m - i < TSR_MR ? m - i : TSR_MR, nc - j < TSR_NR ? nc - j : TSR_NR, i, j0 + j,
                       p->accumulate, 1);
    return;
  }
  for (int g = 0; g < p->k; g += p->k_group) {
    const int stop = p->k - g < p->k_group ? p->k : g + p->k_group;
    float *target = groups ? group_sum : c;
    const int64_t target_row = groups ? width : p->c_row;
    for (int k = g; k < stop; k += p->chunk) {
      const int kc = stop - k < p->chunk ? stop - k : p->chunk;
      gemm_pack_b(p, b, k, kc, j0, nc, packed_b, line);
      for (int i = 0; i < m; i += TSR_MR) {
        const int rows = m - i < TSR_MR ? m - i : TSR_MR;
        for (int j = 0; j < nc; j += TSR_NR) {
          gemm_tile(p, bias, target + i * target_row + j, target_row, tile,
                    packed_a + k * padded + (int64_t)i * kc, packed_b + (int64_t)j * kc, kc, rows,
                    nc - j < TSR_NR ? nc - j : TSR_NR, i, j0 + j, k > g || (!groups && p->accumulate),
                    !groups && k + kc == stop);
        }
      }
    }
    if (groups)
      store_epilogue(p->bias_kind, p->activation, bias, c, p->c_row, group_sum, width, m, nc, 0, j0,
                     g > 0 || p->accumulate, stop == p->k);
  }
}

static int64_t tsr_gemm_packed_count(const tsr_gemm_plan *p) {
  const int64_t rows = TSR_MR;
  return (p->m + rows - 1) / rows * rows * p->k;
}

static int64_t tsr_gemm_scratch_count(const tsr_gemm_plan *p) {
  const int64_t rows = TSR_MR, columns = TSR_NR;
  const int64_t width = (p->nc + columns - 1) / columns * columns;
  return p->chunk * width + columns * p->chunk + width + rows * columns +
         (p->k_group < p->k ? p->m * width : 0) + (p->packed_a ? 0 : tsr_gemm_packed_count(p));
}

static void tsr_gemm_pack_a(const tsr_gemm_plan *p, int inner, int begin, int end) {
  const float *a = p->a + inner * p->a_inner;
  float *packed = p->packed_a + inner * tsr_gemm_packed_count(p);
  gemm_pack_panels(p, a, packed, begin, end);
}

static void tsr_gemm_work(tsr_gemm_plan *p, float *scratch) {
  const int blocks = (p->n + p->nc - 1) / p->nc;
  const int tasks = p->outer * p->inner * blocks;
  for (;;) {
    const int task = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED);
    if (task >= tasks) return;
    // Of the upper half the last columns are the longest: they come first, so that no thread is left with
    // them.
    const int at = p->upper ? blocks - 1 - task % blocks : task % blocks;
    gemm_block(p, task / blocks, at * p->nc, scratch);
  }
}
