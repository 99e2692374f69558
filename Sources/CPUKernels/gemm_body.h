// SPDX-License-Identifier: Apache-2.0
// The loops around the register tile, per instruction set; see gemm.c.
#include "vector.h"

#include "interleave.h"

#include "register_tile.h"

#include "register_heights.h"

#include "gemm_merge.h"
#include "gemm_pack.h"

// One tile at (i, j) of the block: straight from the registers where the tile is whole and the activation simple, else by
// way of a scratch tile.
static inline void TSR_ISA(tile_at)(const tsr_gemm_plan *p, const float *bias, float *c, int64_t c_row, float *scratch,
                                    const float *a, const float *b, int kc, int rows, int columns, int row, int column,
                                    int add, int last) {
  const int height = p->distance ? TSR_MR : TSR_ISA(height)(rows);
  const int simple = p->activation != TSR_ACT_GELU && p->activation != TSR_ACT_TANH;
  if (columns == TSR_NR && rows == height && (simple || !last)) {
    const TSR_ISA(target) t = {
        c,   c_row, p->bias_kind == TSR_BIAS_ROW ? bias + row : 0, p->bias_kind == TSR_BIAS_COLUMN ? bias + column : 0,
        add, last,  p->activation};
    TSR_ISA(micro_rows)(height, p->distance, kc, a, b, &t);
    return;
  }
  const TSR_ISA(target) t = {scratch, TSR_NR, 0, 0, 0, 0, 0};
  TSR_ISA(micro_rows)(height, p->distance, kc, a, b, &t);
  TSR_ISA(merge)(p->bias_kind, p->activation, bias, c, c_row, scratch, TSR_NR, rows, columns, row, column, add, last);
}

static void TSR_ISA(pack_panels)(const tsr_gemm_plan *p, const float *a, float *packed, int begin, int end) {
  const int64_t padded = (p->m + TSR_MR - 1) / TSR_MR * TSR_MR;
  for (int g = 0; g < p->k; g += p->group_k) {
    const int stop = p->k - g < p->group_k ? p->k : g + p->group_k;
    for (int k = g; k < stop; k += p->chunk) {
      const int kc = stop - k < p->chunk ? stop - k : p->chunk;
      for (int panel = begin; panel < end; panel++)
        TSR_ISA(pack_a_panel)(p, a, panel * TSR_MR, k, kc, packed + k * padded + (int64_t)panel * TSR_MR * kc);
    }
  }
}

// One block of columns of one product.
static void TSR_ISA(block)(const tsr_gemm_plan *p, int product, int j0, float *scratch) {
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
  const int groups = p->group_k < p->k;
  float *own = group_sum + (groups ? (int64_t)p->m * width : 0);
  if (!p->packed_a) TSR_ISA(pack_panels)(p, a, own, 0, (int)(padded / TSR_MR));
  const float *packed_a = p->packed_a ? p->packed_a + inner * padded * p->k : own;
  if (p->k == 0) {
    for (int j = 0; j < TSR_MR * TSR_NR; j++) tile[j] = 0.0f;
    for (int i = 0; i < m; i += TSR_MR)
      for (int j = 0; j < nc; j += TSR_NR)
        TSR_ISA(merge)(p->bias_kind, p->activation, bias, c + i * p->c_row + j, p->c_row, tile, TSR_NR, m - i < TSR_MR ? m - i : TSR_MR,
                       nc - j < TSR_NR ? nc - j : TSR_NR, i, j0 + j, p->accumulate, 1);
    return;
  }
  for (int g = 0; g < p->k; g += p->group_k) {
    const int stop = p->k - g < p->group_k ? p->k : g + p->group_k;
    float *target = groups ? group_sum : c;
    const int64_t target_row = groups ? width : p->c_row;
    for (int k = g; k < stop; k += p->chunk) {
      const int kc = stop - k < p->chunk ? stop - k : p->chunk;
      TSR_ISA(pack_b)(p, b, k, kc, j0, nc, packed_b, line);
      for (int i = 0; i < m; i += TSR_MR) {
        const int rows = m - i < TSR_MR ? m - i : TSR_MR;
        for (int j = 0; j < nc; j += TSR_NR) {
          TSR_ISA(tile_at)(p, bias, target + i * target_row + j, target_row, tile, packed_a + k * padded + (int64_t)i * kc,
                           packed_b + (int64_t)j * kc, kc, rows, nc - j < TSR_NR ? nc - j : TSR_NR, i, j0 + j,
                           k > g || (!groups && p->accumulate), !groups && k + kc == stop);
        }
      }
    }
    if (groups)
      TSR_ISA(merge)(p->bias_kind, p->activation, bias, c, p->c_row, group_sum, width, m, nc, 0, j0, g > 0 || p->accumulate, stop == p->k);
  }
}
