// SPDX-License-Identifier: Apache-2.0
// Attention (attention.cl) on a CPU device.
//
// Algorithm  Scores stand transposed in local memory, so that softmax is over columns: no lane meets
//            another in a register. Keys and values are read in place, by the micro-kernel of
//            gemm/gemm_cpu.h's form.
// Tensors    Those of attention.cl; scores (tokens, PANEL), queries and result (width, PANEL) in local
//            memory.
// Work       A work-item a block of PANEL = 16 TSR_VECTORS queries (dimension 0) of one head (dimension
//            1). No barriers; local memory is the work-item's own.
// Tuning     TSR_MAX_TOKENS (128, 256, 512), TSR_MAX_HEAD_DIM (128), TSR_TILE_ROWS (2, 4, 6, 8): keys, or
//            columns of values, at a time; TSR_VECTORS (1, 2).
//
//                queries: 16 or 32                      queries
//    q' (width)  +--------+                             +--------+
//    +---+       | scores |  softmax of columns   v'    | scores |
//   k| > |       |        |  in vectors of 16   +-----+ |        |   y', transposed on its way out
//    +---+       +--------+                     |  >  | +--------+
//   TSR_TILE_ROWS keys at a time                +-----+ TSR_TILE_ROWS of width at a time
//
// Rules      4, 5, 9.
#pragma once

#include "gemm/gemm_cpu.h"

#ifndef TSR_GPU

typedef struct {
  float scores[TSR_MAX_TOKENS * TSR_PANEL];
  float query[TSR_MAX_HEAD_DIM * TSR_PANEL];  // (width, PANEL); y' afterwards
  float lanes[TSR_LANES * TSR_PANEL];
  float reverse[TSR_MAX_TOKENS + TSR_PANEL];
} tsr_attention_local;

// Rows of A: element k of row r at a[r gap + k step].
typedef struct {
  __global const float *a;
  long gap, step;
  int rows;
} tsr_operand_rows;

// A tile of rows of A times the panel (depth, PANEL), into `to` (rows, PANEL). Rows beyond the last are the
// last one's again, and not stored.
TSR_FN void tsr_attention_tile(const tsr_operand_rows operand, int depth, __local const float *panel,
                               __local float *to) {
  __global const float *a = operand.a;
  const long gap = operand.gap, step = operand.step;
  const int rows = operand.rows;
#define TSR_LINE(r)                                                 \
  __global const float *a##r = a + (r < rows ? r : rows - 1) * gap; \
  float16 s##r = 0.0f;                                              \
  TSR_IF_TWO_VECTORS(float16 z##r = 0.0f;)
  TSR_UNROLL_ROWS(TSR_LINE)
  long at = 0;
  for (int k = 0; k < depth; k++, at += step) {
    const float16 y = vload16(TSR_VECTORS * k, panel);
    TSR_IF_TWO_VECTORS(const float16 second = vload16(2 * k + 1, panel);)
#define TSR_CHAIN(r)                                 \
  {                                                  \
    const float16 x = a##r[at];                      \
    s##r = fma(x, y, s##r);                          \
    TSR_IF_TWO_VECTORS(z##r = fma(x, second, z##r);) \
  }
    TSR_UNROLL_ROWS(TSR_CHAIN)
  }
#define TSR_KEEP(r)                                    \
  if (r < rows) {                                      \
    vstore16(s##r, TSR_VECTORS *r, to);                \
    TSR_IF_TWO_VECTORS(vstore16(z##r, 2 * r + 1, to);) \
  }
  TSR_UNROLL_ROWS(TSR_KEEP)
}

// softmax(scale x + bias) of 16 columns from `column` on. The greatest of a column has one value in any
// order: NaN never wins, and a zero's sign is lost in exp(x - greatest).
TSR_FN void tsr_columns_softmax(__local tsr_attention_local *d, int column, int length, float scale,
                                int biased) {
  __local float *x = d->scores + column, *lanes = d->lanes + column;
  // Column q of row j has the bias reverse[q - j + length - 1].
  __local const float *reverse = d->reverse + column + length - 1;
#define TSR_SCORE(v, j) \
  (biased ? fma(v, (float16)(scale), vload16(0, reverse - (j))) : (v) * (float16)(scale))
  float16 best = -tsr_float(TSR_INF_BITS);
  for (int j = 0; j < length; j++) {
    const float16 v = TSR_SCORE(vload16(0, x + j * TSR_PANEL), j);
    best = select(best, v, v > best);
  }
  for (int l = 0; l < TSR_LANES; l++) vstore16((float16)(0.0f), 0, lanes + l * TSR_PANEL);
  for (int j = 0; j < length; j++) {
    __local float *lane = lanes + j % TSR_LANES * TSR_PANEL;
    const float16 e = tsr_exp16(TSR_SCORE(vload16(0, x + j * TSR_PANEL), j) - best);
    vstore16(e, 0, x + j * TSR_PANEL);
    vstore16(vload16(0, lane) + e, 0, lane);
  }
  for (int h = TSR_LANES / 2; h > 0; h >>= 1)
    for (int l = 0; l < h; l++) {
      __local float *lane = lanes + l * TSR_PANEL;
      vstore16(vload16(0, lane) + vload16(0, lane + h * TSR_PANEL), 0, lane);
    }
  const float16 total = vload16(0, lanes), r = tsr_div16((float16)(1.0f), total);
  for (int j = 0; j < length; j++)
    vstore16(tsr_softmax_divide16(vload16(0, x + j * TSR_PANEL), total, r), 0, x + j * TSR_PANEL);
}

// blocks: (first token, tokens, first query) of each.
TSR_SINGLE_ITEM_KERNEL void tsr_attention(const tsr_packed_attention_params p, __global const float *x,
                                          __global const int *blocks, __global const float *bias,
                                          __global float *y) {
  __local tsr_attention_local d;
  const int block = 3 * (int)get_global_id(0), head = (int)get_global_id(1);
  const int begin = blocks[block], length = blocks[block + 1], first = blocks[block + 2], width = p.width;
  const int queries = length - first < TSR_PANEL ? length - first : TSR_PANEL;
  const long hidden = (long)p.heads * width, line = 3 * hidden;
  __global const float *q = x + begin * line + (long)head * width, *k = q + hidden, *v = k + hidden;
  for (int i = 0; i < TSR_PANEL; i++)
    for (int w = 0; w < width; w++)
      d.query[w * TSR_PANEL + i] = i < queries ? q[(first + i) * line + w] : 0.0f;
  if (p.span)
    for (int i = 0; i < length + TSR_PANEL; i++) {
      // From key - query = length - 1 - first down; queries that do not exist have none.
      const int distance = length - 1 - first - i;
      d.reverse[i] =
          i < length - 1 + queries ? bias[(long)head * (2 * p.span - 1) + p.span - 1 + distance] : 0.0f;
    }
  for (int j = 0; j < length; j += TSR_TILE_ROWS) {
    const tsr_operand_rows keys = {k + j * line, line, 1, length - j};
    tsr_attention_tile(keys, width, d.query, d.scores + j * TSR_PANEL);
  }
  // Sixteen columns without a query are never looked at.
  for (int i = 0; i < queries; i += 16) tsr_columns_softmax(&d, i, length, p.scale, p.span != 0);
  for (int w = 0; w < width; w += TSR_TILE_ROWS) {
    const tsr_operand_rows values = {v + w, 1, line, width - w};
    tsr_attention_tile(values, length, d.scores, d.query + w * TSR_PANEL);
  }
  __global float *out = y + (begin + first) * hidden + (long)head * width;
  for (int i = 0; i < queries; i++)
    for (int w = 0; w < width; w++) out[i * hidden + w] = tsr_canonical(d.query[w * TSR_PANEL + i]);
}
#endif
