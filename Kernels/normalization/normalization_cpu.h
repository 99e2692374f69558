// SPDX-License-Identifier: Apache-2.0
// Layer norm and batch norm (normalization.cl) on a CPU device: sixteen lanes at a time.
//
// Algorithm  That of normalization.cl. The 64 running sums of rule 5 are four float16 in registers.
// Tensors    A row of x (cols); or a sample's plane of x (inner) of one channel.
// Work       A work-item has a whole row, or a whole channel; no barriers.
// Tuning     None.
//
//   row, or a sample's plane:   [0 ... 15][16 ... 31][32 ... 47][48 ... 63][64 ... 79] ...
//   lanes:                          a          b          c          d          a
//
// Rules      5 and 6.
#pragma once

#include "common/math16.h"

#if defined __OPENCL_VERSION__ && !defined TSR_GPU

// The lanes of a row's sums: + x, and + (x - mean)^2, of n elements. Beyond the end +0 is added, which
// changes none: no sum is -0.
TSR_FN tsr_lanes tsr_lanes_plus(tsr_lanes s, __global const float *x, int n) {
  const float16 one = 1.0f;
  int j = 0;
  for (; j + TSR_LANES <= n; j += TSR_LANES) {
    s.a = fma(vload16(0, x + j), one, s.a), s.b = fma(vload16(1, x + j), one, s.b);
    s.c = fma(vload16(2, x + j), one, s.c), s.d = fma(vload16(3, x + j), one, s.d);
  }
#define TSR_PLUS_SOME(s, at) \
  if (j + at < n) s = fma(tsr_load16_tail(x + j + at, n - j - at), (float16)(1.0f), s);  // tsr_add of each
  for (; j < n; j += TSR_LANES) {
    TSR_PLUS_SOME(s.a, 0) TSR_PLUS_SOME(s.b, 16) TSR_PLUS_SOME(s.c, 32) TSR_PLUS_SOME(s.d, 48)
  }
  return s;
}
TSR_FN tsr_lanes tsr_lanes_squares(tsr_lanes s, __global const float *x, int n, float mean) {
  int j = 0;
  for (; j + TSR_LANES <= n; j += TSR_LANES) {
    const float16 a = vload16(0, x + j) - mean, b = vload16(1, x + j) - mean;
    const float16 c = vload16(2, x + j) - mean, d = vload16(3, x + j) - mean;
    s.a = fma(a, a, s.a), s.b = fma(b, b, s.b), s.c = fma(c, c, s.c), s.d = fma(d, d, s.d);
  }
#define TSR_PLUS_SQUARE(s, at)                                                    \
  if (j + at < n) {                                                               \
    float16 v = tsr_load16_tail(x + j + at, n - j - at) - mean;                   \
    if (n - j - at < 16) v = select((float16)(0.0f), v, TSR_IOTA16 < n - j - at); \
    s = fma(v, v, s);                                                             \
  }
  for (; j < n; j += TSR_LANES) {
    TSR_PLUS_SQUARE(s.a, 0) TSR_PLUS_SQUARE(s.b, 16) TSR_PLUS_SQUARE(s.c, 32) TSR_PLUS_SQUARE(s.d, 48)
  }
  return s;
}

// Blocks of the lanes' steps that a row, or the samples of a group one after the other, fill; sums of whole
// blocks are in `parts` (TSR_LEVELS).
typedef struct {
  tsr_u32 blocks;
  int steps;
  tsr_lanes *parts;
} tsr_filled;
TSR_FN tsr_lanes tsr_lanes_through(tsr_lanes s, tsr_filled *filled, __global const float *x, int n,
                                   const int squares, float mean) {
  for (int j = 0; j < n;) {
    if (filled->steps == TSR_BLOCK_STEPS) {
      tsr_fold_lanes(s, filled->parts, filled->blocks++);
      s = tsr_no_lanes(), filled->steps = 0;
    }
    const int room = (TSR_BLOCK_STEPS - filled->steps) * TSR_LANES, count = n - j < room ? n - j : room;
    s = squares ? tsr_lanes_squares(s, x + j, count, mean) : tsr_lanes_plus(s, x + j, count);
    filled->steps += (count + TSR_LANES - 1) / TSR_LANES;
    j += count;
  }
  return s;
}
TSR_FN float tsr_row_sum_of(__global const float *x, int n, const int squares, float mean) {
  tsr_lanes parts[TSR_LEVELS];
  tsr_filled filled = {0, 0, parts};
  const tsr_lanes s = tsr_lanes_through(tsr_no_lanes(), &filled, x, n, squares, mean);
  return tsr_lanes_tree_sum(tsr_join_lanes(s, parts, filled.blocks));
}

// Layer norm of a row (normalization/normalization.cl): its mean and 1 / its standard deviation.
typedef struct {
  float mean, rstd;
} tsr_moments;
TSR_FN tsr_moments tsr_layer_norm_row(__global const float *x, __global const float *gamma,
                                      __global const float *beta, __global float *y, int n, float eps) {
  const float mean = tsr_div(tsr_row_sum_of(x, n, 0, 0.0f), (float)n);
  const float scale = tsr_rsqrt(tsr_div(tsr_row_sum_of(x, n, 1, mean), (float)n) + eps);
  for (int j = 0; j < n; j += 16) {
    const float16 v = (tsr_load16_tail(x + j, n - j) - mean) * scale;
    tsr_store16_tail(
        tsr_canonical16(fma(v, tsr_load16_tail(gamma + j, n - j), tsr_load16_tail(beta + j, n - j))), y + j,
        n - j);
  }
  const tsr_moments moments = {mean, scale};
  return moments;
}

// A channel's sum over groups of samples, of x or, with `squares`, of (x - mean)^2.
TSR_FN float tsr_batch_group_sum(__global const float *x, int outer, long stride, int inner,
                                 const int squares, float mean) {
  tsr_compensated total = {0.0f, 0.0f};
  for (int group = 0; group < outer; group += TSR_BATCH_GROUP) {
    tsr_lanes s = tsr_no_lanes(), parts[TSR_LEVELS];
    tsr_filled filled = {0, 0, parts};
    for (int n = group; n < group + TSR_BATCH_GROUP && n < outer; n++)
      s = tsr_lanes_through(s, &filled, x + n * stride, inner, squares, mean);
    total = tsr_plus(total, tsr_lanes_tree_sum(tsr_join_lanes(s, parts, filled.blocks)));
  }
  return total.sum;
}
#endif
