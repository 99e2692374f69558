// SPDX-License-Identifier: Apache-2.0
// The micro-kernel: a tile of sums in registers that products and convolutions are made of.
//
// Algorithm  Rank-1 updates: for each k, a row of packed B (two vectors) times each of `rows` elements of
//            A, one fma an element of the tile. Then the epilogue, as far as it is comparisons alone. On
//            the way it asks for lines that are needed soon: C's, where C is large, and a later A's.
// Tensors    a: (kc, MR), or with `shift` rows of planes that are read where they lie; b: (kc, NR); tile:
//            (rows, NR).
// Work       One thread, registers alone. `rows` and `distance` are known at compile time.
// Tuning     TSR_MR, TSR_VECTOR (isa/): rows x 2 vectors of sums; two registers for b, one for an element
//            of a.
//
//            b[k]: NR = 2 vectors
//   a[k][0]  [ acc 0.0 ][ acc 0.1 ]
//   a[k][1]  [ acc 1.0 ][ acc 1.1 ]     rows <= MR
//
// Rules      4 (each sum one chain from +0 in ascending k), 9.
#pragma once

#include "common/c/vector.h"

// Where a register tile goes: `c` (or a scratch tile, with last and add 0), and what is done to it on the
// way.
typedef struct {
  float *c;
  int64_t row;
  const float *row_bias, *column_bias;  // of the tile's first row and column, or null
  int add, last, activation;            // relu, relu6 or none
  int fetch;                            // whether C's lines are asked for before the sums are made
} epilogue;

// The factors of a register tile, over kc of k. A is packed, or its rows are read where they lie, `a_row`
// floats apart; then so many rows from `ahead` on, which a later tile needs, are fetched on the way: rows
// are more streams than processors foresee.
typedef struct {
  int kc;
  const float *a, *b;
  int64_t a_row;
  const float *ahead;
  int ahead_rows;
} tile_operands;

// What is known of a tile at compile time: its rows and vectors of columns, whether differences are squared,
// and whether A is read in place.
typedef struct {
  int rows, vectors, distance, in_place;
} tile_form;

// One k of a tile: element r of A, at[r] or lines[r / 3][r % 3 * a_row], times a row of B.
static inline __attribute__((always_inline)) void gemm_rank1(const tile_form form, vector acc[TSR_MR][2],
                                                             const float *at, const float *const *lines,
                                                             int64_t a_row, const float *b) {
  const vector b0 = *(const unaligned_vector *)b;
  const vector b1 = form.vectors > 1 ? *(const unaligned_vector *)(b + TSR_VECTOR) : b0;
  TSR_UNROLL for (int r = 0; r < form.rows; r++) {
    const vector v = form.in_place ? lines[r / 3][r % 3 * a_row] : at[r];
    if (form.distance) {
      const vector d0 = v - b0, d1 = v - b1;
      acc[r][0] = __builtin_elementwise_fma(d0, d0, acc[r][0]);
      if (form.vectors > 1) acc[r][1] = __builtin_elementwise_fma(d1, d1, acc[r][1]);
    } else {
      acc[r][0] = __builtin_elementwise_fma(v, b0, acc[r][0]);
      if (form.vectors > 1) acc[r][1] = __builtin_elementwise_fma(v, b1, acc[r][1]);
    }
  }
}

// The tile's sums: one fma chain from +0 in ascending k for each element of rows x vectors; then the target's
// part. Row r's factor at k is a[k][r], or with `shift` (null at compile time otherwise) a[shift[k] + r], or
// in place a[r * a_row + k].
static inline __attribute__((always_inline)) void gemm_microkernel(const tile_form form,
                                                                   const tile_operands *o,
                                                                   const int *restrict shift,
                                                                   const epilogue *t) {
  const int kc = o->kc;
  const float *const a = o->a, *b = o->b;
  // An address is a register plus once or twice another: five registers reach fourteen rows.
  const int64_t a_row = o->a_row;
  const float *lines[(TSR_MR + 2) / 3];
  if (form.in_place) TSR_UNROLL for (int r = 0; r < form.rows; r += 3) lines[r / 3] = a + r * a_row;
  vector acc[TSR_MR][2];
  TSR_UNROLL for (int r = 0; r < form.rows; r++) acc[r][0] = acc[r][1] = 0.0f;
  if (t->fetch)
    for (int r = 0; r < form.rows; r++)
      for (int h = 0; h < form.vectors; h++) __builtin_prefetch(t->c + r * t->row + h * TSR_VECTOR, 1);
#define TSR_EACH_K                                                                          \
  for (int k = 0; k < kc; k++, b += form.vectors * TSR_VECTOR) {                            \
    if (form.in_place && k % 16 == 0)                                                       \
      for (int r = 0; r < o->ahead_rows; r++) __builtin_prefetch(o->ahead + r * a_row + k); \
    gemm_rank1(form, acc, a + (shift ? shift[k] : (int64_t)k * TSR_MR), lines, a_row, b);   \
    if (form.in_place) TSR_UNROLL for (int r = 0; r < form.rows; r += 3) lines[r / 3]++;    \
  }
  // Of a whole tile four k at a time: additions to addresses take a port that fma takes.
  if (form.rows == TSR_MR) {
    _Pragma("clang loop unroll_count(4)") TSR_EACH_K;
  } else {
    TSR_EACH_K;
  }
#undef TSR_EACH_K
  float *const c = t->c;
  const int64_t row = t->row;
#define TSR_TILE(...)                                                                                \
  TSR_UNROLL for (int r = 0; r < form.rows; r++) TSR_UNROLL for (int h = 0; h < form.vectors; h++) { \
    unaligned_vector *const at = (unaligned_vector *)(c + r * row + h * TSR_VECTOR);                 \
    (void)at;                                                                                        \
    __VA_ARGS__;                                                                                     \
  }
  if (t->add) TSR_TILE(acc[r][h] = *at + acc[r][h])
  if (t->last) {
    if (t->row_bias) TSR_TILE(acc[r][h] = acc[r][h] + t->row_bias[r])
    if (t->column_bias)
      TSR_TILE(acc[r][h] = acc[r][h] + *(const unaligned_vector *)(t->column_bias + h * TSR_VECTOR))
    if (t->activation == TSR_ACT_RELU) TSR_TILE(acc[r][h] = relus(acc[r][h]))
    if (t->activation == TSR_ACT_RELU6) TSR_TILE(acc[r][h] = relu6s(acc[r][h]))
    TSR_TILE(acc[r][h] = canonicals(acc[r][h]))
  }
  TSR_TILE(*at = acc[r][h])
#undef TSR_TILE
}
