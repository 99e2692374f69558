// SPDX-License-Identifier: Apache-2.0
// The epilogue of a contraction in memory: chunk sums, bias, activation, the one NaN.
//
// Algorithm  A loop over each row of the part, one for each activation, which the compiler makes vectors
//            of.
// Tensors    C: a part of rows x columns; sums: (rows, stride); bias: (m) or (n), whole.
// Work       One thread, the part that its tile or group made.
// Tuning     None.
//
//   sums -> C (add)  ->  last chunk?  ->  + bias  ->  activation  ->  canonical NaN
//
// Rules      4 (chunk sums in ascending order; bias and activation follow the sum), 9.
#pragma once

#include "common/math.h"

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

static inline void activate_row(int activation, float *c, int columns) {
// A loop for each, which the compiler makes a vector.
#define TSR_CASE(kind)                                                                \
  case kind:                                                                          \
    for (int j = 0; j < columns; j++) c[j] = tsr_canonical(tsr_activate(c[j], kind)); \
    break;
  switch (activation) {
    TSR_CASE(TSR_ACT_RELU)
    TSR_CASE(TSR_ACT_RELU6)
    TSR_CASE(TSR_ACT_GELU)
    TSR_CASE(TSR_ACT_TANH)
    TSR_CASE(TSR_ACT_GELU_TANH)
    default:
      for (int j = 0; j < columns; j++) c[j] = tsr_canonical(c[j]);
  }
#undef TSR_CASE
}

static inline void add_row(float *restrict c, const float *restrict sums, int columns, int add) {
  if (add)
    for (int j = 0; j < columns; j++) c[j] = c[j] + sums[j];
  else
    for (int j = 0; j < columns; j++) c[j] = sums[j];
}

// The part is the sums, or what it held plus the sums; after the last sum come bias, activation and the
// one NaN. Rows of sums are `stride` floats apart.
static void store_epilogue(const finishing *f, const matrix_part *part, const float *sums, int64_t stride) {
  float *c = part->c;
  for (int r = 0; r < part->rows; r++, c += part->stride, sums += stride) {
    add_row(c, sums, part->columns, part->add);
    if (!part->last) continue;
    add_bias_row(f, c, part->row + r, part->column, part->columns);
    activate_row(f->activation, c, part->columns);
  }
}

// The same for a C that is written transposed, whose rows of sums, TSR_NR floats apart, become columns of C.
// What C holds is fetched into the sums, which are finished there.
static void store_epilogue_transposed(const finishing *f, const matrix_part *part, float *sums) {
  for (int r = 0; r < part->rows; r++) {
    float *const line = sums + r * TSR_NR, *const c = part->c + r * part->stride;
    if (part->add)
      for (int j = 0; j < part->columns; j++) line[j] = c[j * part->step] + line[j];
    if (!part->last) continue;
    add_bias_row(f, line, part->row + r, part->column, part->columns);
    activate_row(f->activation, line, part->columns);
  }
  for (int j = 0; j < part->columns; j++)
    for (int r = 0; r < part->rows; r++) part->c[j * part->step + r * part->stride] = sums[r * TSR_NR + j];
}
