// SPDX-License-Identifier: Apache-2.0
// The epilogue of a contraction in memory: chunk sums, bias, activation, the one NaN.
//
// Algorithm  Loops over each row of the part; activations by vectors, a loop for each of them.
// Tensors    C: a part of rows x columns; sums: (rows, stride); bias: (m) or (n), whole.
// Work       One thread, the part that its tile or group made.
// Tuning     None.
//
//   sums -> C (add)  ->  last chunk?  ->  + bias  ->  activation  ->  canonical NaN
//
// Rules      4 (chunk sums in ascending order; bias and activation follow the sum), 9.
#pragma once

#include "common/c/math_wide.h"
#include "common/c/transpose.h"

// A part of C: rows x columns elements from (row, column) of the whole matrix on, the first of them at
// `c`, rows `stride` floats apart and columns `step` (1, unless C is written transposed). `add`: the
// sums are added to what C holds; `last`: no sum comes after these.
typedef struct {
  float *c;
  int64_t stride, step;
  int row, column, rows, columns;
  int add, last;
} matrix_part;

// What is applied to a whole sum. `bias` is the whole vector.
typedef struct {
  int bias_kind, activation;
  const float *bias;
} finishing;

// Rows of `columns` elements, filled up to whole vectors, `stride` floats apart: activation and the one NaN.
static inline __attribute__((always_inline)) void activate_by(const int activation, float *c, int64_t stride,
                                                              int rows, int columns) {
  int r = 0;
  for (; columns == TSR_NR && r + 2 <= rows; r += 2, c += 2 * stride)
    store_two_rows(c, stride, tsr_canonical_w(tsr_activate_w(load_two_rows(c, stride), activation)));
  for (; r < rows; r++, c += stride)
    for (int j = 0; j < columns; j += TSR_VECTOR) {
      unaligned_vector *const at = (unaligned_vector *)(c + j);
      *at = canonicals(tsr_activate_v(*at, activation));
    }
}
static __attribute__((noinline)) void activate_rows(int activation, float *c, int64_t stride, int rows,
                                                    int columns) {
#define TSR_CASE(kind) \
  case kind: return activate_by(kind, c, stride, rows, columns);
  switch (activation) {
    TSR_CASE(TSR_ACT_RELU)
    TSR_CASE(TSR_ACT_RELU6)
    TSR_CASE(TSR_ACT_GELU)
    TSR_CASE(TSR_ACT_TANH)
    TSR_CASE(TSR_ACT_GELU_TANH)
    default: activate_by(TSR_ACT_NONE, c, stride, rows, columns);
  }
#undef TSR_CASE
}

// A row of sums, in whole vectors, plus what C holds, and plus the bias.
static inline void add_row(const finishing *f, const matrix_part *part, int r, float *sums) {
  const float *const c = part->c + r * part->stride;
  if (part->add && part->step != 1)
    for (int j = 0; j < part->columns; j++) sums[j] = c[j * part->step] + sums[j];
  const int bias = part->last ? f->bias_kind : TSR_BIAS_NONE;
  for (int j = 0; j < part->columns; j += TSR_VECTOR) {
    const int left = part->columns - j, count = left < TSR_VECTOR ? left : TSR_VECTOR;
    vector v = *(unaligned_vector *)(sums + j);
    if (part->add && part->step == 1) v = load_part(c + j, count) + v;
    if (bias == TSR_BIAS_ROW) v = v + f->bias[part->row + r];
    if (bias == TSR_BIAS_COLUMN) v = v + load_part(f->bias + part->column + j, count);
    *(unaligned_vector *)(sums + j) = v;
  }
}

// Stores rows of sums as rows of C, or if it is written transposed as columns, by squares.
static inline void store_rows(const matrix_part *part, const float *sums, int64_t stride) {
  for (int r = 0; r < part->rows; r++)
    for (int j = 0; j < part->columns; j += TSR_VECTOR) {
      const int left = part->columns - j;
      store_part(part->c + r * part->stride + j, *(const unaligned_vector *)(sums + r * stride + j),
                 left < TSR_VECTOR ? left : TSR_VECTOR);
    }
}
static inline void store_columns(const matrix_part *part, const float *sums, int64_t stride) {
  for (int i = 0; i < part->rows; i += TSR_VECTOR)
    for (int j = 0; j < part->columns; j += TSR_VECTOR) {
      const int rows = part->rows - i < TSR_VECTOR ? part->rows - i : TSR_VECTOR;
      vector square[TSR_VECTOR];
      TSR_UNROLL for (int r = 0; r < TSR_VECTOR; r++) square[r] =
          r < rows ? *(const unaligned_vector *)(sums + (i + r) * stride + j) : (vector)0.0f;
      transpose_square(square);
      TSR_UNROLL for (int q = 0; q < TSR_VECTOR; q++) if (j + q < part->columns)
          store_part(part->c + (j + q) * part->step + i, square[q], rows);
    }
}

// C's part becomes the sums, or what it held plus the sums; after the last sum come bias, activation and
// the one NaN. All of it happens in the sums, whose rows are `stride` floats apart and filled up to whole
// vectors; then they are stored. Where C is written transposed, its elements of a column lie side by side.
static void store_epilogue(const finishing *f, const matrix_part *part, float *sums, int64_t stride) {
  if (part->add || (part->last && f->bias_kind != TSR_BIAS_NONE))
    for (int r = 0; r < part->rows; r++) add_row(f, part, r, sums + r * stride);
  if (part->last) activate_rows(f->activation, sums, stride, part->rows, part->columns);
  if (part->step == 1) store_rows(part, sums, stride);
  else store_columns(part, sums, stride);
}
