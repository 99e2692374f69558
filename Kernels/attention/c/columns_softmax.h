// SPDX-License-Identifier: Apache-2.0
// The softmax between attention's two products, of a panel of queries' scores.
//
// Algorithm  Scores stand transposed, so that softmax is of columns: no lane meets another in a register.
//            Three passes: scale, bias and the greatest as a tile of scores is made; exponentials and
//            their 64 running sums; the division. An exponential whose argument is not far below 0 needs
//            neither clamps nor two steps to its exponent, and its quotient is one Newton step from the
//            sum's reciprocal. Four vectors at a time, whatever rows they are of.
// Tensors    scores (length, columns), best (columns), lanes (64, columns).
// Work       One thread, one panel.
// Tuning     TSR_VECTOR (isa/); columns: two vectors, or one for the last of a text's queries.
//
//            queries: columns
//          +----+----+
//     j    |    |    |   row j adds to running sum j mod 64
//          +----+----+
//
// Rules      2, 3, 5, 9.
#pragma once

#include "common/c/math_wide.h"

// What happens to scores as they are made: row r is scaled, and has bias[q - r] added if there is one; best
// becomes the greatest of each column. NaN never is.
typedef struct {
  float scale;
  const float *bias;
  float *best;
} score_finish;

static inline vector greatest(vector x, vector y) { return x > y ? x : y; }

static void finish_scores(float *x, int rows, int vectors, const score_finish *f) {
  for (int h = 0; h < vectors; h++) {
    unaligned_vector *const most = (unaligned_vector *)(f->best + h * TSR_VECTOR);
    vector best = *most;
    const vector scale = f->scale;
    for (int r = 0; r < rows; r++) {
      unaligned_vector *const at = (unaligned_vector *)(x + (r * vectors + h) * TSR_VECTOR);
      *at = f->bias ? tsr_fma_v(*at, scale, *(const unaligned_vector *)(f->bias - r + h * TSR_VECTOR))
                    : *at * scale;
      best = greatest(*at, best);
    }
    *most = best;
  }
}

// e^x of x <= 0. From -62 on, e^x > 2^-90.
#define TSR_FAR_BELOW (-62.0f)
#define TSR_LEAST_NEWTON 0x1p-90f

// Exponentials that take all steps.
static __attribute__((noinline)) void far_exponentials(float *x, const float *best, int floats) {
  for (int i = 0; i < floats; i += TSR_VECTOR) {
    unaligned_vector *const at = (unaligned_vector *)(x + i);
    *at = tsr_exp_v(*at - *(const unaligned_vector *)(best + i));
  }
}

// x = exp(x - best) of each column; lanes: the 64 running sums. Those that no row adds to are +0.
// best: that of each column, over and over, for TSR_WIDE_FLOATS.
static void columns_exponentials(float *x, int floats, const float *best, float *lanes, int lanes_floats) {
  const wide bests = *(const unaligned_wide *)best;
  int i = 0;
  for (; i + TSR_WIDE_FLOATS <= floats; i += TSR_WIDE_FLOATS) {
    unaligned_wide *const at = (unaligned_wide *)(x + i);
    unaligned_wide *const lane = (unaligned_wide *)(lanes + i % lanes_floats);
    const wide below = *at - bests;
    if (__builtin_expect(all_of_w(below >= TSR_FAR_BELOW), 1)) *at = tsr_exp_normal_w(below);
    else far_exponentials(x + i, best, TSR_WIDE_FLOATS);
    const wide e = *at;
    *lane = i < lanes_floats ? e : *lane + e;
  }
  const int rest = i;
  far_exponentials(x + rest, best, floats - rest);
  for (; i < floats; i += TSR_VECTOR) {
    unaligned_vector *const lane = (unaligned_vector *)(lanes + i % lanes_floats);
    const vector e = *(const unaligned_vector *)(x + i);
    *lane = i < lanes_floats ? e : *lane + e;
  }
  if (floats < lanes_floats) memset(lanes + floats, 0, sizeof(float) * (size_t)(lanes_floats - floats));
}

// Each column's `values`, over and over for TSR_WIDE_FLOATS.
static inline wide repeated(const float *values, int columns) {
  wide_parts w;
  TSR_UNROLL for (int i = 0; i < TSR_WIDE; i++) w.part[i] =
      *(const unaligned_vector *)(values + i * TSR_VECTOR % columns);
  return w.all;
}

// x = x / sum of each column. Whether a quotient is one Newton step away is seen from x, an exponential.
static void columns_quotients(float *x, int floats, wide sums) {
  const wide reciprocals = 1.0f / sums;
  int i = 0;
  for (; i + TSR_WIDE_FLOATS <= floats; i += TSR_WIDE_FLOATS) {
    unaligned_wide *const at = (unaligned_wide *)(x + i);
    const wide e = *at;
    *at = __builtin_expect(all_of_w((e >= TSR_LEAST_NEWTON) | (e == 0.0f)), 1)
              ? tsr_div_newton_w(e, sums, reciprocals)
              : e / sums;
  }
  const wide_parts each = {sums};
  for (int v = 0; i < floats; i += TSR_VECTOR, v++) {
    unaligned_vector *const at = (unaligned_vector *)(x + i);
    *at = *at / each.part[v];
  }
}

// softmax of each column of scores x (length, columns), the greatest of which is `best`.
static void columns_softmax(float *x, int length, int columns, const float *best, float *lanes) {
  const int floats = length * columns, lanes_floats = TSR_LANES * columns;
  const wide_parts bests = {repeated(best, columns)};
  columns_exponentials(x, floats, (const float *)&bests, lanes, lanes_floats);
  for (int h = lanes_floats / 2; h >= columns; h >>= 1)
    for (int i = 0; i < h; i += TSR_VECTOR) {
      unaligned_vector *const lane = (unaligned_vector *)(lanes + i);
      *lane = *lane + *(const unaligned_vector *)(lanes + i + h);
    }
  columns_quotients(x, floats, repeated(lanes, columns));
}
