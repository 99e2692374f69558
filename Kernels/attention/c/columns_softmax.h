// SPDX-License-Identifier: Apache-2.0
// The softmax between attention's two products, of a panel of queries' scores.
//
// Algorithm  Scores stand transposed, so that softmax is of columns: no lane meets another in a register.
//            Three passes: scale, bias and the greatest as a tile of scores is made; exponentials and
//            their 64 running sums; the division. An exponential whose argument is not far below 0 needs
//            neither clamps nor two steps to its exponent, and its quotient is one Newton step from the
//            sum's reciprocal.
// Tensors    scores (length, NR), best (NR), lanes (64, NR).
// Work       One thread, one panel.
// Tuning     TSR_VECTOR (isa/).
//
//            queries: NR = 2 vectors
//          +----+----+
//     j    |    |    |   row j adds to running sum j mod 64
//          +----+----+
//
// Rules      2, 3, 5, 9.
#pragma once

#include "common/c/math_vector.h"

// What happens to scores as they are made: row r is scaled, and has bias[q - r] added if there is one; best
// becomes the greatest of each column. NaN never is.
typedef struct {
  float scale;
  const float *bias;
  float *best;
} score_finish;

static inline vector greatest(vector x, vector y) { return x > y ? x : y; }

static void finish_scores(float *x, int rows, const score_finish *f) {
  unaligned_vector *const best = (unaligned_vector *)f->best;
  vector best0 = best[0], best1 = best[1];
  const vector scale = f->scale;
  for (int r = 0; r < rows; r++) {
    unaligned_vector *const row = (unaligned_vector *)(x + (int64_t)r * TSR_NR);
    vector x0, x1;
    if (f->bias) {
      const unaligned_vector *const bias = (const unaligned_vector *)(f->bias - r);
      x0 = tsr_fma_v(row[0], scale, bias[0]), x1 = tsr_fma_v(row[1], scale, bias[1]);
    } else {
      x0 = row[0] * scale, x1 = row[1] * scale;
    }
    row[0] = x0, row[1] = x1;
    best0 = greatest(x0, best0), best1 = greatest(x1, best1);
  }
  best[0] = best0, best[1] = best1;
}

// e^x of x <= 0. From -62 on, e^x > 2^-90.
#define TSR_FAR_BELOW (-62.0f)
#define TSR_LEAST_NEWTON 0x1p-90f

// Rows whose exponentials take all steps.
static __attribute__((noinline)) void far_exponentials(unaligned_vector *row, vector x0, vector x1) {
  row[0] = tsr_exp_v(x0), row[1] = tsr_exp_v(x1);
}

// x = exp(x - best) of each column; lanes: the 64 running sums. Those that no row adds to are +0.
static void columns_exponentials(float *x, int length, const float *best, float *lanes) {
  const vector best0 = *(const unaligned_vector *)best,
               best1 = *(const unaligned_vector *)(best + TSR_VECTOR);
  for (int j = 0; j < length; j++) {
    unaligned_vector *const row = (unaligned_vector *)(x + (int64_t)j * TSR_NR);
    unaligned_vector *const lane = (unaligned_vector *)(lanes + j % TSR_LANES * TSR_NR);
    const vector x0 = row[0] - best0, x1 = row[1] - best1;
    if (__builtin_expect(all_of((x0 >= TSR_FAR_BELOW) & (x1 >= TSR_FAR_BELOW)), 1)) {
      row[0] = tsr_exp_normal_v(x0), row[1] = tsr_exp_normal_v(x1);
    } else {
      far_exponentials(row, x0, x1);
    }
    const vector e0 = row[0], e1 = row[1];
    lane[0] = j < TSR_LANES ? e0 : lane[0] + e0;
    lane[1] = j < TSR_LANES ? e1 : lane[1] + e1;
  }
  if (length < TSR_LANES)
    memset(lanes + length * TSR_NR, 0, sizeof(float) * (size_t)(TSR_LANES - length) * TSR_NR);
}

// Whether the quotient of x, an exponential, and a sum is one Newton step away.
static inline int is_newton(vector x0, vector x1) {
  return all_of(((x0 >= TSR_LEAST_NEWTON) | (x0 == 0.0f)) & ((x1 >= TSR_LEAST_NEWTON) | (x1 == 0.0f)));
}

// softmax of each column of scores x (length, NR), the greatest of which is `best`.
static void columns_softmax(float *x, int length, const float *best, float *lanes) {
  columns_exponentials(x, length, best, lanes);
  for (int h = TSR_LANES / 2; h > 0; h >>= 1)
    for (int i = 0; i < h * TSR_NR; i += TSR_VECTOR) {
      unaligned_vector *const lane = (unaligned_vector *)(lanes + i);
      *lane = *lane + *(const unaligned_vector *)(lanes + i + h * TSR_NR);
    }
  const vector sum0 = *(const unaligned_vector *)lanes,
               sum1 = *(const unaligned_vector *)(lanes + TSR_VECTOR);
  const vector r0 = 1.0f / sum0, r1 = 1.0f / sum1;
  for (int j = 0; j < length; j++) {
    unaligned_vector *const row = (unaligned_vector *)(x + (int64_t)j * TSR_NR);
    const vector x0 = row[0], x1 = row[1];
    if (__builtin_expect(is_newton(x0, x1), 1)) {
      row[0] = tsr_div_newton_v(x0, sum0, r0), row[1] = tsr_div_newton_v(x1, sum1, r1);
    } else {
      row[0] = x0 / sum0, row[1] = x1 / sum1;
    }
  }
}
