// SPDX-License-Identifier: Apache-2.0
// Attention on the CPU: softmax(scale q k' + bias) v of each text and head, without the matrix of scores.
// (OpenCL: attention/attention.cl.)
//
// Algorithm  Two products by the micro-kernel of gemm/c and a softmax between them (Vaswani et al. 2017).
//            Scores stand transposed: what softmax leaves is the second product's packed operand, so
//            nothing of them is ever packed.
// Tensors    x (tokens, 3, heads, width); bias (heads, 2 span - 1); y (tokens, heads, width). Scratch:
//            keys (panel, width, MR), values (panel, length, MR), scores (length, NR).
// Work       A thread takes (text, head, part of the queries) tasks from the plan's counter. A task packs
//            a head's keys and values once; then it computes a panel of NR queries at a time, whose
//            scores stay in the level 1 or 2 cache.
// Tuning     TSR_MR, TSR_NR (isa/); parts: by CPUAttention.swift.
//
//            queries: NR
//   width q' +--------+
//     k      |        |            every score is one chain of fma over width
//   +---+    +--------+
//   |   |    | scores |  softmax of columns: no lane meets another in a register
//   |   | MR |        |
//   +---+    +--------+
//    keys        B
//            +--------+
//   v' A     |  y'    |  width     transposed into y
//            +--------+
//
// Rules      4 (both products), 5 (softmax), 9: the bits are those of two products and the softmax
//            between them.
#pragma once

#include "common/c/transpose.h"
#include "common/math.h"
#include "gemm/c/dispatch_mr.h"

typedef struct {
  float *keys;     // panels of MR keys: (width, MR)
  float *values;   // panels of `high` of width: (length, MR)
  float *query;    // (width, NR)
  float *scores;   // (length, NR), and rows that a tile makes beyond
  float *lanes;    // (64, NR)
  float *out;      // (width, NR), and rows beyond
  float *reverse;  // a head's bias, by distance from a query to a key: falling as the query rises
  int high;
} attention_scratch;

static attention_scratch attention_scratch_of(float *scratch, int longest, int width) {
  const int panels = (width + TSR_MR - 1) / TSR_MR;
  const int64_t padded = longest + TSR_MR;
  attention_scratch d;
  d.scores = scratch;
  d.lanes = d.scores + padded * TSR_NR;
  d.query = d.lanes + TSR_LANES * TSR_NR;
  d.out = d.query + (int64_t)width * TSR_NR;
  d.keys = d.out + (int64_t)(width + TSR_MR) * TSR_NR;
  d.values = d.keys + padded * width;
  d.reverse = d.values + (int64_t)panels * TSR_MR * longest;
  d.high = (width + panels - 1) / panels;
  return d;
}

// A product of packed A (panels of MR rows, `high` of the MR live, `rows` in all) and B (kc, NR), into
// `to` (rows, NR). `last`: with the one NaN; a sum that is not the last may be any NaN, as none of them
// is stored.
static void attention_gemm(tile_operands operands, int rows, int high, float *to, int last) {
  for (int i = 0; i < rows; i += high, operands.a += (int64_t)operands.kc * TSR_MR) {
    const epilogue t = {
        .c = to + (int64_t)i * TSR_NR, .row = TSR_NR, .last = last, .activation = TSR_ACT_NONE};
    dispatch_mr(rows - i < high ? rows - i : high, 2, &operands, &t);
  }
}

// Packs a head's keys and values.
static void pack_head(const attention_scratch *d, const float *k, const float *v, int64_t line, int length,
                      int width) {
  for (int i = 0; i < length; i += TSR_MR) {
    const int rows = length - i < TSR_MR ? length - i : TSR_MR;
    const float *lines[TSR_MR];
    for (int r = 0; r < rows; r++) lines[r] = k + (i + r) * line;
    interleave(d->keys + (int64_t)i * width, TSR_MR, lines, rows, width);
  }
  float *to = d->values;
  for (int w = 0; w < width; w += d->high) {
    const int rows = width - w < d->high ? width - w : d->high;
    for (int j = 0; j < length; j++, to += TSR_MR) {
      const float *const from = v + j * line + w;
      for (int r = 0; r < rows; r++) to[r] = from[r];
      for (int r = rows; r < TSR_MR; r++) to[r] = 0.0f;
    }
  }
}

// softmax(scale x + bias) of each column of x (length, NR). `bias`, or null: column q of row j has bias[q
// - j]. The greatest of a column has one value in any order: NaN never wins, and a zero's sign is lost in
// exp(x - greatest).
static inline __attribute__((always_inline)) void columns_softmax(float *restrict x, int length, float scale,
                                                                  const int biased, const float *bias,
                                                                  float *restrict lanes) {
#define TSR_SCORE(q) (biased ? tsr_fma(row[q], scale, bias[q - j]) : row[q] * scale)
#define TSR_EACH_QUERY _Pragma("clang loop vectorize(assume_safety)") for (int q = 0; q < TSR_NR; q++)
  float best[TSR_NR];
  for (int q = 0; q < TSR_NR; q++) best[q] = -tsr_float(TSR_INF_BITS);
  for (int j = 0; j < length; j++) {
    const float *const row = x + (int64_t)j * TSR_NR;
    TSR_EACH_QUERY best[q] = tsr_max(TSR_SCORE(q), best[q]);
  }
  memset(lanes, 0, sizeof(float) * TSR_LANES * TSR_NR);
  for (int j = 0; j < length; j++) {
    float *const row = x + (int64_t)j * TSR_NR, *const lane = lanes + j % TSR_LANES * TSR_NR;
    TSR_EACH_QUERY {
      const float e = tsr_exp(TSR_SCORE(q) - best[q]);
      row[q] = e;
      lane[q] = lane[q] + e;
    }
  }
  for (int h = TSR_LANES / 2; h > 0; h >>= 1)
    for (int i = 0; i < h * TSR_NR; i++) lanes[i] = lanes[i] + lanes[i + h * TSR_NR];
  for (int j = 0; j < length; j++) {
    float *const row = x + (int64_t)j * TSR_NR;
    TSR_EACH_QUERY row[q] = tsr_div(row[q], lanes[q]);
  }
#undef TSR_EACH_QUERY
#undef TSR_SCORE
}

// y (queries, width), rows `line` apart, = x' of x (width, NR).
static void transpose_out(const float *x, int width, int queries, float *y, int64_t line) {
  int w = 0;
  for (; w + 8 <= width; w += 8)
    for (int q = 0; q < queries; q += 8) {
      vector8 t[8];
      _Pragma("clang loop unroll(full)") for (int r = 0; r < 8; r++) t[r] =
          *(const unaligned_vector8 *)(x + (int64_t)(w + r) * TSR_NR + q);
      transpose8x8(t);
      for (int r = 0; r < 8 && q + r < queries; r++) *(unaligned_vector8 *)(y + (q + r) * line + w) = t[r];
    }
  for (; w < width; w++)
    for (int q = 0; q < queries; q++) y[q * line + w] = x[(int64_t)w * TSR_NR + q];
}

// One part of the queries of a text and head.
static void attention_task(const tsr_attention_plan *p, int text, int head, int part, float *scratch) {
  const int begin = p->begins[text], length = p->begins[text + 1] - begin, width = p->params.width,
            span = p->params.span;
  const int panels = (length + TSR_NR - 1) / TSR_NR;
  const int first = (int)((int64_t)panels * part / p->parts) * TSR_NR;
  const int end = (int)((int64_t)panels * (part + 1) / p->parts) * TSR_NR, last = end < length ? end : length;
  if (first >= last) return;
  const int64_t hidden = (int64_t)p->params.heads * width, line = 3 * hidden;
  const float *const q = p->x + begin * line + (int64_t)head * width;
  const attention_scratch d = attention_scratch_of(scratch, p->longest, width);
  pack_head(&d, q + hidden, q + 2 * hidden, line, length, width);
  if (span) {
    // From key - query = length - 1 down; columns of queries that do not exist read what follows.
    const float *const from = p->bias + (int64_t)head * (2 * span - 1) + span - 1;
    for (int i = 0; i < 2 * length - 1; i++) d.reverse[i] = from[length - 1 - i];
    for (int i = 2 * length - 1; i < 2 * length + TSR_NR; i++) d.reverse[i] = 0.0f;
  }
  for (int i = first; i < last; i += TSR_NR) {
    const int queries = last - i < TSR_NR ? last - i : TSR_NR;
    const float *lines[TSR_NR];
    for (int r = 0; r < queries; r++) lines[r] = q + (i + r) * line;
    interleave(d.query, TSR_NR, lines, queries, width);
    attention_gemm((tile_operands){width, d.keys, d.query}, length, TSR_MR, d.scores, 0);
    if (span) columns_softmax(d.scores, length, p->params.scale, 1, d.reverse + length - 1 + i, d.lanes);
    else columns_softmax(d.scores, length, p->params.scale, 0, 0, d.lanes);
    attention_gemm((tile_operands){length, d.values, d.scores}, width, d.high, d.out, 1);
    transpose_out(d.out, width, queries, p->y + (begin + i) * hidden + (int64_t)head * width, hidden);
  }
}

// Values stand in panels of equal height, of at most a tile's rows.
static int64_t panels_of(int width, int rows) { return (width + rows - 1) / rows; }

static int64_t tsr_attention_scratch_count(const tsr_attention_plan *p) {
  const int64_t rows = TSR_MR, columns = TSR_NR;
  const int64_t width = p->params.width, length = p->longest, padded = length + rows;
  return padded * width + panels_of(p->params.width, (int)rows) * rows * length + width * columns +
         padded * columns + TSR_LANES * columns + (width + rows) * columns + 2 * length + columns;
}

static void tsr_attention_work(const tsr_attention_plan *p, tsr_worker worker, float *scratch) {
  const int heads = p->params.heads, tasks = p->texts * heads * p->parts;
  for (int64_t task; (task = tsr_next_task(&worker, tasks)) >= 0;) {
    attention_task(p, task / p->parts / heads, task / p->parts % heads, task % p->parts, scratch);
  }
}
