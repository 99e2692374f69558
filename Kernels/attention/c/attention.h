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
//            a head's keys and values once; then it computes a panel of NR queries at a time, of the last
//            ones a vector if that is enough, whose scores stay in the level 1 or 2 cache. Meanwhile it
//            asks for the next head's.
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

#include "attention/c/columns_softmax.h"
#include "common/c/transpose.h"
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

// A panel of queries, and the lines of tokens of which the next head's queries, keys and values are asked for
// meanwhile: `width` floats (0: none) from `next` on, and so much further, `hidden` floats apart. Tokens lie
// too far from each other to be foreseen.
typedef struct {
  int length, width, vectors;
  const float *next;
  int64_t line, hidden;
  int tokens, next_width;
} attention_panel;

// Asks for what the next head needs of tokens begin ..< end of a panel.
static inline void fetch_ahead(const attention_panel *p, int begin, int end) {
  if (!p->next_width) return;
  for (int r = begin; r < end; r++)
    for (int which = 0; which < 3; which++)
      for (int w = 0; w < p->next_width; w += 16)
        __builtin_prefetch(p->next + r * p->line + which * p->hidden + w);
}

// A whole tile of scores, finished in registers. A text's last tile, if it has fewer rows, is finished in
// memory (finish_scores).
static inline __attribute__((always_inline)) void score_tile(const int vectors, const tile_operands *o,
                                                             float *to, const score_finish *f) {
  const tile_form form = {TSR_MR, vectors, 0, 0};
  const float *a = o->a, *b = o->b;
  vector acc[TSR_MR][2];
  TSR_UNROLL for (int r = 0; r < TSR_MR; r++) acc[r][0] = acc[r][1] = 0.0f;
  _Pragma("clang loop unroll_count(4)") for (int k = 0; k < o->kc;
                                             k++, a += TSR_MR, b += vectors * TSR_VECTOR)
      gemm_rank1(form, acc, a, 0, 0, b);
  const vector scale = f->scale;
  TSR_UNROLL for (int h = 0; h < vectors; h++) {
    unaligned_vector *const most = (unaligned_vector *)(f->best + h * TSR_VECTOR);
    vector best = *most;
    if (f->bias)
      TSR_UNROLL for (int r = 0; r < TSR_MR; r++) acc[r][h] =
          tsr_fma_v(acc[r][h], scale, *(const unaligned_vector *)(f->bias - r + h * TSR_VECTOR));
    else TSR_UNROLL for (int r = 0; r < TSR_MR; r++) acc[r][h] = acc[r][h] * scale;
    TSR_UNROLL for (int r = 0; r < TSR_MR; r++) {
      best = greatest(acc[r][h], best);
      *(unaligned_vector *)(to + (r * vectors + h) * TSR_VECTOR) = acc[r][h];
    }
    *most = best;
  }
}
static void score_tile_one(const tile_operands *o, float *to, const score_finish *f) {
  score_tile(1, o, to, f);
}
static void score_tile_two(const tile_operands *o, float *to, const score_finish *f) {
  score_tile(2, o, to, f);
}

// Scores (length, columns) of a panel of queries: scale k q' + bias, and the greatest of each column.
static void attention_scores(const attention_scratch *d, const attention_panel *p,
                             const score_finish *finish) {
  const int columns = p->vectors * TSR_VECTOR, tiles = (p->length + TSR_MR - 1) / TSR_MR;
  tile_operands operands = {.kc = p->width, .a = d->keys, .b = d->query};
  score_finish own = *finish;
  for (int i = 0; i < tiles; i++, operands.a += (int64_t)p->width * TSR_MR) {
    fetch_ahead(p, p->tokens * i / tiles, p->tokens * (i + 1) / tiles);
    float *const to = d->scores + (int64_t)i * TSR_MR * columns;
    const int rows = p->length - i * TSR_MR;
    if (rows >= TSR_MR) {
      (p->vectors == 1 ? score_tile_one : score_tile_two)(&operands, to, &own);
    } else {
      const epilogue t = {.c = to, .row = columns, .activation = TSR_ACT_NONE};
      dispatch_mr(rows, p->vectors, &operands, &t);
      finish_scores(to, rows, p->vectors, &own);
    }
    if (own.bias) own.bias -= TSR_MR;
  }
}

// out (width, NR) = v' times what softmax left, with the one NaN.
static void attention_sums(const attention_scratch *d, const attention_panel *p) {
  tile_operands operands = {p->length, d->values, d->scores};
  for (int w = 0; w < p->width; w += d->high, operands.a += (int64_t)p->length * TSR_MR) {
    const epilogue t = {
        .c = d->out + (int64_t)w * TSR_NR, .row = TSR_NR, .last = 1, .activation = TSR_ACT_NONE};
    dispatch_mr(p->width - w < d->high ? p->width - w : d->high, p->vectors, &operands, &t);
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
  // Whole vectors, as many as a tile's rows take: what they hold beyond is written over by the next key's.
  const int vectors = line >= TSR_MR + TSR_VECTOR ? length - 1 : 0;
  float *to = d->values;
  for (int w = 0; w < width; w += d->high) {
    const int rows = width - w < d->high ? width - w : d->high;
    for (int j = 0; j < vectors; j++, to += TSR_MR)
      TSR_UNROLL for (int r = 0; r < TSR_MR; r += TSR_VECTOR) * (unaligned_vector *)(to + r) =
          *(const unaligned_vector *)(v + j * line + w + r);
    for (int j = vectors; j < length; j++, to += TSR_MR)
      for (int r = 0; r < rows; r++) to[r] = v[j * line + w + r];
  }
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
  float *const y = p->y + begin * hidden + (int64_t)head * width;
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
    const attention_panel panel = {.length = length,
                                   .width = width,
                                   .vectors = queries > TSR_VECTOR ? 2 : 1,
                                   .next = q + i * line + width,
                                   .line = line,
                                   .hidden = hidden,
                                   .tokens = queries,
                                   .next_width = head + 1 < p->params.heads ? width : 0};
    if (panel.vectors == 1) interleave(d.query, TSR_VECTOR, lines, queries, width);
    else interleave(d.query, TSR_NR, lines, queries, width);
    for (int r = 0; r < queries; r++)
      for (int w = 0; w < width; w += 16) __builtin_prefetch(y + (i + r) * hidden + w, 1);
    float best[TSR_NR];
    for (int q = 0; q < TSR_NR; q++) best[q] = -tsr_float(TSR_INF_BITS);
    const score_finish finish = {p->params.scale, span ? d.reverse + length - 1 + i : 0, best};
    attention_scores(&d, &panel, &finish);
    columns_softmax(d.scores, length, panel.vectors * TSR_VECTOR, best, d.lanes);
    attention_sums(&d, &panel);
    transpose_out(d.out, width, queries, y + i * hidden, hidden);
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
