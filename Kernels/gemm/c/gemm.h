// SPDX-License-Identifier: Apache-2.0
// Contractions on the CPU: matrix products, convolutions with their gradients, pairwise distances.
//
// Algorithm  Goto and van de Geijn 2008, with the blocking of k frozen by the contract. Convolutions
//            never build an im2col matrix: packing B reads the taps from the image. Convolutions with
//            many channels (conv/c/conv_blocked.h) or with few of them a group (conv/c/conv_grouped.h)
//            have kernels of their own.
// Tensors    A (m, k) by strides, B (k, n) by strides or images (tsr_gemm_plan), C (m, n), bias (m) or
//            (n).
// Work       A thread takes (product, block of nc columns) tasks from the plan's counter. A task owns its
//            columns of C.
// Tuning     TSR_MR x TSR_NR: the register tile, by instruction set (isa/): 14 x 32 (AVX-512), 6 x 16
//            (AVX2), 4 x 8, 12 x 8 (arm64). nc (at most 256): by CPUContractions.swift.
//
//            j0      j0+nc
//   B  k +-----[======]------+   a block of B (chunk x nc) is packed in panels of NR columns (level 2 cache)
//        |                   |
//   A  k            C
//   [====]   i +---[======]--+   a panel of A (MR x chunk) stays in level 1 while the block streams by
//   [====]     |             |   MR x NR accumulators live in registers
//
// Rules      4 and 6 (k in groups of k_group, chunks inside), 9.
#pragma once

#include "gemm/c/microkernel.h"
#include "gemm/c/dispatch_mr.h"
#include "gemm/c/epilogue.h"
#include "gemm/c/pack.h"

// One register tile: a part of C, or where the part is no whole tile `scratch` first.
static inline void gemm_tile(const tsr_gemm_plan *p, const finishing *f, const tile_operands *operands,
                             const matrix_part *part, float *scratch) {
  const int height = p->distance ? TSR_MR : round_up_mr(part->rows);
  const int simple = is_simple_activation(f->activation);
  if (part->columns == TSR_NR && part->rows == height && (simple || !part->last)) {
    const epilogue t = {.c = part->c,
                        .row = part->stride,
                        .row_bias = f->bias_kind == TSR_BIAS_ROW ? f->bias + part->row : 0,
                        .column_bias = f->bias_kind == TSR_BIAS_COLUMN ? f->bias + part->column : 0,
                        .add = part->add,
                        .last = part->last,
                        .activation = f->activation};
    dispatch_mr(height, p->distance, operands, &t);
    return;
  }
  const epilogue t = {.c = scratch, .row = TSR_NR};
  dispatch_mr(height, p->distance, operands, &t);
  store_epilogue(f, part, scratch, TSR_NR);
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

// The part of `block` that the register tile from its element (i, j) on takes.
static inline matrix_part tile_part(const matrix_part *block, int i, int j) {
  return (matrix_part){.c = block->c + i * block->stride + j,
                       .stride = block->stride,
                       .row = block->row + i,
                       .column = block->column + j,
                       .rows = block->rows - i < TSR_MR ? block->rows - i : TSR_MR,
                       .columns = block->columns - j < TSR_NR ? block->columns - j : TSR_NR,
                       .add = block->add,
                       .last = block->last};
}

// A block of a product whose k is 0: every sum is +0.
static void gemm_empty_block(const finishing *f, const matrix_part *block, float *tile) {
  for (int j = 0; j < TSR_MR * TSR_NR; j++) tile[j] = 0.0f;
  for (int i = 0; i < block->rows; i += TSR_MR)
    for (int j = 0; j < block->columns; j += TSR_NR) {
      const matrix_part part = tile_part(block, i, j);
      store_epilogue(f, &part, tile, TSR_NR);
    }
}

// One block of columns of one product.
static void gemm_block(const tsr_gemm_plan *p, int product, int j0, float *scratch) {
  const int outer = product / p->inner, inner = product % p->inner;
  const float *a = p->a + outer * p->a_outer + inner * p->a_inner;
  const float *b = p->b + outer * p->b_outer + inner * p->b_inner;
  const finishing f = {p->bias_kind, p->activation, p->bias ? p->bias + inner * p->bias_inner : 0};
  const int nc = p->n - j0 < p->nc ? p->n - j0 : p->nc;
  const int m = p->upper && j0 + nc < p->m ? j0 + nc : p->m;
  matrix_part block = {.c = p->c + outer * p->c_outer + inner * p->c_inner + j0,
                       .stride = p->c_row,
                       .column = j0,
                       .rows = m,
                       .columns = nc,
                       .add = p->accumulate,
                       .last = 1};
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
  if (p->k == 0) return gemm_empty_block(&f, &block, tile);
  for (int g = 0; g < p->k; g += p->k_group) {
    const int stop = p->k - g < p->k_group ? p->k : g + p->k_group;
    matrix_part target = block;
    if (groups) target.c = group_sum, target.stride = width;
    for (int k = g; k < stop; k += p->chunk) {
      const int kc = stop - k < p->chunk ? stop - k : p->chunk;
      gemm_pack_b(p, b, &(b_block){k, kc, j0, nc}, packed_b, line);
      target.add = k > g || (!groups && p->accumulate);
      target.last = !groups && k + kc == stop;
      for (int i = 0; i < m; i += TSR_MR)
        for (int j = 0; j < nc; j += TSR_NR) {
          const tile_operands operands = {
              .kc = kc, .a = packed_a + k * padded + (int64_t)i * kc, .b = packed_b + (int64_t)j * kc};
          const matrix_part part = tile_part(&target, i, j);
          gemm_tile(p, &f, &operands, &part, tile);
        }
    }
    if (!groups) continue;
    block.add = g > 0 || p->accumulate;
    block.last = stop == p->k;
    store_epilogue(&f, &block, group_sum, width);
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
