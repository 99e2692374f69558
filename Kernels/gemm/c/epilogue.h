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

#include "common/c/math_vector.h"

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

static inline void add_bias_row(const finishing *f, float *restrict c, int row, int column, int columns) {
  if (f->bias_kind == TSR_BIAS_ROW) {
    const float v = f->bias[row];
    for (int j = 0; j < columns; j++) c[j] = c[j] + v;
  } else if (f->bias_kind == TSR_BIAS_COLUMN) {
    const float *v = f->bias + column;
    for (int j = 0; j < columns; j++) c[j] = c[j] + v[j];
  }
}

// Rows of `columns` elements, filled up to whole vectors, `stride` floats apart: activation and the one NaN.
static inline __attribute__((always_inline)) void activate_by(const int activation, float *c, int64_t stride,
                                                              int rows, int columns) {
  for (int r = 0; r < rows; r++, c += stride)
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

static inline void add_row(float *restrict sums, const float *restrict c, int64_t step, int columns) {
  if (step == 1)
    for (int j = 0; j < columns; j++) sums[j] = c[j] + sums[j];
  else
    for (int j = 0; j < columns; j++) sums[j] = c[j * step] + sums[j];
}

// C's part becomes the sums, or what it held plus the sums; after the last sum come bias, activation and
// the one NaN. All of it happens in the sums, whose rows are `stride` floats apart and filled up to whole
// vectors; then they are copied, to columns of C if it is written transposed.
static void store_epilogue(const finishing *f, const matrix_part *part, float *sums, int64_t stride) {
  const int columns = part->columns;
  for (int r = 0; r < part->rows; r++) {
    if (part->add) add_row(sums + r * stride, part->c + r * part->stride, part->step, columns);
    if (part->last) add_bias_row(f, sums + r * stride, part->row + r, part->column, columns);
  }
  if (part->last) activate_rows(f->activation, sums, stride, part->rows, columns);
  if (part->step == 1)
    for (int r = 0; r < part->rows; r++)
      for (int j = 0; j < columns; j++) part->c[r * part->stride + j] = sums[r * stride + j];
  else
    for (int j = 0; j < columns; j++)
      for (int r = 0; r < part->rows; r++) part->c[j * part->step + r * part->stride] = sums[r * stride + j];
}
