// SPDX-License-Identifier: Apache-2.0
// Layer norm, batch norm, z-normalisation and local response normalisation, with gradients.
//
// Algorithm  Layer norm: Ba, Kiros and Hinton 2016. Batch norm: Ioffe and Szegedy 2015. Local response
//            norm: Krizhevsky, Sutskever and Hinton 2012. Variances are of the differences from the mean,
//            in a second pass.
// Tensors    Layer norm: x, y (rows, cols); gamma, beta (cols); mean, rstd (rows). Batch norm: x, y
//            (outer, channels, inner); all else (channels). Response norm: x, y, scale (outer, channels,
//            inner).
// Work       Layer norm: one item a row. Batch norm's statistics and gradients for parameters: one item a
//            channel; its result and gradient for the data: one item a plane (n, c). GPU: a work-group of
//            64 (a channel: of 256) an item; CPU device: a work-item (normalization_cpu.h has layer norm
//            and statistics in vectors).
// Tuning     None.
//
//   layer norm: a row of x -> mean, rstd -> y
//
//   batch norm: planes (n, c), n = 0, 1, ... of channel c, samples in groups of 8
//
//     n:   0   1  ...  7 | 8  ... 15 | ...
//          lanes, tree   | lanes, tree          group results added in order, compensated (common/sums.h)
//
// Rules      5 (layer norm), 6 (batch norm, gradients for parameters), 4 (response norm: channels of a
//            window in ascending order), 9.

#include "common/sums.h"
#include "normalization/normalization_cpu.h"

#if defined __OPENCL_VERSION__ && !defined TSR_GPU  // normalization/normalization_cpu.h
TSR_ROWS6(tsr_layer_norm, tsr_rows_params, p.rows, const float, x, const float, gamma, const float, beta,
          float, y, float, mean, float, rstd)
  const tsr_moments moments = tsr_layer_norm_row(x + i * p.cols, gamma, beta, y + i * p.cols, p.cols, p.eps);
  mean[i] = tsr_canonical(moments.mean);
  rstd[i] = tsr_canonical(moments.rstd);
TSR_END
#else
TSR_ROWS6(tsr_layer_norm, tsr_rows_params, p.rows, const float, x, const float, gamma, const float, beta,
          float, y, float, mean, float, rstd)
  TSR_LANE_SUM(sum)
  TSR_ACCUMULATE1(p.cols, sum, TSR_LANE(sum) = TSR_LANE(sum) + x[i * p.cols + j];)
  TSR_SUM(sum, total)
  const float centre = tsr_div(total, (float)p.cols);
  TSR_LANE_SUM(squares)
  TSR_ACCUMULATE1(p.cols, squares, const float d = x[i * p.cols + j] - centre;
                  TSR_LANE(squares) = tsr_fma(d, d, TSR_LANE(squares));)
  TSR_SUM(squares, spread)
  const float scale = tsr_rsqrt(tsr_div(spread, (float)p.cols) + p.eps);
  TSR_EACH_COLUMN(p.cols, const float d = (x[i * p.cols + j] - centre) * scale;
                  y[i * p.cols + j] = tsr_canonical(tsr_fma(d, gamma[j], beta[j]));)
  TSR_SUBGROUP0 {
    mean[i] = tsr_canonical(centre);
    rstd[i] = tsr_canonical(scale);
  }
TSR_END
#endif

// dx = rstd (g - mean(g) - xhat mean(g xhat)), g = dy gamma.
TSR_ROWS6(tsr_layer_norm_grad_data, tsr_rows_params, p.rows, const float, x, const float, gamma, const float,
          mean, const float, rstd, const float, dy, float, dx)
  const float centre = mean[i], scale = rstd[i];
  TSR_LANE_SUM(sum)
  TSR_LANE_SUM(along)
  TSR_ACCUMULATE2(p.cols, sum, along, const float g = dy[i * p.cols + j] * gamma[j];
                  const float h = (x[i * p.cols + j] - centre) * scale; TSR_LANE(sum) = TSR_LANE(sum) + g;
                  TSR_LANE(along) = tsr_fma(g, h, TSR_LANE(along));)
  TSR_SUM(sum, total)
  TSR_SUM(along, projected)
  const float a = tsr_div(total, (float)p.cols), b = tsr_div(projected, (float)p.cols);
  TSR_EACH_COLUMN(p.cols, const float g = dy[i * p.cols + j] * gamma[j];
                  const float h = (x[i * p.cols + j] - centre) * scale;
                  dx[i * p.cols + j] = tsr_canonical(scale * tsr_fma(-h, b, g - a));)
TSR_END

// Columns are independent; rows in groups of 8 (a sample of one element: lane 0 alone).
TSR_ITEMS6(tsr_layer_norm_grad_parameters, tsr_rows_params, p.cols, const float, x, const float, mean,
           const float, rstd, const float, dy, float, gamma, float, beta)
  tsr_compensated total = {0.0f, 0.0f}, shift = {0.0f, 0.0f};
  for (int n0 = 0; n0 < p.rows; n0 += TSR_BATCH_GROUP) {
    float s = 0.0f, b = 0.0f;
    const int n1 = n0 + TSR_BATCH_GROUP < p.rows ? n0 + TSR_BATCH_GROUP : p.rows;
    for (int n = n0; n < n1; n++) {
      const tsr_i64 at = (tsr_i64)n * p.cols + i;
      s = tsr_fma(dy[at], (x[at] - mean[n]) * rstd[n], s);
      b = tsr_add(b, dy[at]);
    }
    total = tsr_plus(total, s);
    shift = tsr_plus(shift, b);
  }
  gamma[i] = tsr_canonical(total.sum);
  beta[i] = tsr_canonical(shift.sum);
TSR_END

#if defined __OPENCL_VERSION__ && !defined TSR_GPU  // normalization/normalization_cpu.h
TSR_CHANNELS3(tsr_batch_norm_statistics, tsr_channels_params, p.channels, const float, x, float, mean, float,
              variance)
  const float count = (float)((tsr_i64)p.outer * p.inner);
  const long stride = (long)p.channels * p.inner;
  const float centre =
      tsr_div(tsr_batch_group_sum(x + i * p.inner, p.outer, stride, p.inner, 0, 0.0f), count);
  const float spread = tsr_batch_group_sum(x + i * p.inner, p.outer, stride, p.inner, 1, centre);
  mean[i] = tsr_canonical(centre);
  variance[i] = tsr_canonical(tsr_div(spread, count));
TSR_END
#else
TSR_CHANNELS3(tsr_batch_norm_statistics, tsr_channels_params, p.channels, const float, x, float, mean, float,
              variance)
  const float count = (float)((tsr_i64)p.outer * p.inner);
  tsr_compensated total = {0.0f, 0.0f};
  TSR_EACH_GROUP(p.outer)
  TSR_LANE_SUM(sum)
  for (int n = n0; n < n1; n++) {
    const tsr_i64 at = ((tsr_i64)n * p.channels + i) * p.inner;
    TSR_ACCUMULATE_SAMPLE1(p.inner, sum, TSR_LANE(sum) = TSR_LANE(sum) + x[at + j];)
  }
  TSR_SUBGROUP_SUM(sum, total, p.outer)
}
const float centre = tsr_div(total.sum, count);
tsr_compensated spread = {0.0f, 0.0f};
TSR_EACH_GROUP(p.outer)
TSR_LANE_SUM(sum)
for (int n = n0; n < n1; n++) {
  const tsr_i64 at = ((tsr_i64)n * p.channels + i) * p.inner;
  TSR_ACCUMULATE_SAMPLE1(p.inner, sum, const float d = x[at + j] - centre;
                         TSR_LANE(sum) = tsr_fma(d, d, TSR_LANE(sum));)
}
TSR_SUBGROUP_SUM(sum, spread, p.outer)
}
TSR_SUBGROUP0 {
  mean[i] = tsr_canonical(centre);
  variance[i] = tsr_canonical(tsr_div(spread.sum, count));
}
TSR_END
#endif

// One row per plane (n, c).
TSR_ROWS6(tsr_batch_norm, tsr_channels_params, p.outer *p.channels, const float, x, const float, mean,
          const float, variance, const float, gamma, const float, beta, float, y)
  const int c = (int)(i % p.channels);
  const float scale = gamma[c] * tsr_rsqrt(variance[c] + p.eps), centre = mean[c], shift = beta[c];
#if defined __OPENCL_VERSION__ && !defined TSR_GPU
  x += i * p.inner, y += i * p.inner;
  for (int j = 0; j < p.inner; j += 16) {
    const int left = p.inner - j;
    tsr_store16_tail(
        tsr_canonical16(fma(tsr_load16_tail(x + j, left) - centre, (float16)(scale), (float16)(shift))),
        y + j, left);
  }
#else
  TSR_EACH_COLUMN(p.inner,
                  y[i * p.inner + j] = tsr_canonical(tsr_fma(x[i * p.inner + j] - centre, scale, shift));)
#endif
TSR_END

TSR_CHANNELS6(tsr_batch_norm_grad_parameters, tsr_channels_params, p.channels, const float, x, const float,
              mean, const float, variance, const float, dy, float, gamma, float, beta)
  const float centre = mean[i], scale = tsr_rsqrt(variance[i] + p.eps);
  tsr_compensated total = {0.0f, 0.0f}, shift = {0.0f, 0.0f};
  TSR_EACH_GROUP(p.outer)
  TSR_LANE_SUM(along)
  TSR_LANE_SUM(sum)
  for (int n = n0; n < n1; n++) {
    const tsr_i64 at = ((tsr_i64)n * p.channels + i) * p.inner;
    TSR_ACCUMULATE_SAMPLE2(
        p.inner, along, sum, const float g = dy[at + j]; const float h = (x[at + j] - centre) * scale;
        TSR_LANE(along) = tsr_fma(g, h, TSR_LANE(along)); TSR_LANE(sum) = TSR_LANE(sum) + g;)
  }
  TSR_SUBGROUP_SUM(along, total, p.outer)
  TSR_SUBGROUP_SUM(sum, shift, p.outer)
}
TSR_SUBGROUP0 {
  gamma[i] = tsr_canonical(total.sum);
  beta[i] = tsr_canonical(shift.sum);
}
TSR_END

// Training: gamma rstd (dy - dbeta / N - xhat dgamma / N). Evaluation: gamma rstd dy. One row per plane
// (n, c).
TSR_ROWS8(tsr_batch_norm_grad_data, tsr_channels_params, p.outer *p.channels, const float, x, const float,
          mean, const float, variance, const float, gamma, const float, dgamma, const float, dbeta,
          const float, dy, float, dx)
  const int c = (int)(i % p.channels);
  const float rstd = tsr_rsqrt(variance[c] + p.eps), centre = mean[c];
  const float count = (float)((tsr_i64)p.batch * p.inner);
  const float along = tsr_div(dgamma[c], count), shift = tsr_div(dbeta[c], count), scale = gamma[c] * rstd;
#if defined __OPENCL_VERSION__ && !defined TSR_GPU
  x += i * p.inner, dy += i * p.inner, dx += i * p.inner;
  for (int j = 0; j < p.inner; j += 16) {
    const int left = p.inner - j;
    float16 g = tsr_load16_tail(dy + j, left);
    if (p.training) g = fma(-((tsr_load16_tail(x + j, left) - centre) * rstd), (float16)(along), g - shift);
    tsr_store16_tail(tsr_canonical16(scale * g), dx + j, left);
  }
#else
  if (p.training) {
    TSR_EACH_COLUMN(p.inner, const float h = (x[i * p.inner + j] - centre) * rstd;
                    const float g = tsr_fma(-h, along, dy[i * p.inner + j] - shift);
                    dx[i * p.inner + j] = tsr_canonical(scale * g);)
  } else {
    TSR_EACH_COLUMN(p.inner, dx[i * p.inner + j] = tsr_canonical(scale * dy[i * p.inner + j]);)
  }
#endif
TSR_END

// running = momentum batch + (1 - momentum) running; the variance unbiased.
TSR_ITEMS4(tsr_batch_norm_update, tsr_channels_params, p.channels, const float, mean, const float, variance,
           float, running_mean, float, running_variance)
  const float count = (float)((tsr_i64)p.outer * p.inner);
  const float unbiased = tsr_div(variance[i] * count, count - 1.0f);
  const float keep = 1.0f - p.momentum;
  running_mean[i] = tsr_canonical(tsr_fma(p.momentum, mean[i], keep * running_mean[i]));
  running_variance[i] = tsr_canonical(tsr_fma(p.momentum, unbiased, keep * running_variance[i]));
TSR_END

// y = (x - mean) / sqrt(variance + alpha), one mean and variance for all.
TSR_ITEMS4(tsr_standardize, tsr_map_params, p.count, const float, x, const float, mean, const float, variance,
           float, y)
  y[i] = tsr_canonical(tsr_div(x[i] - mean[0], tsr_sqrt(variance[0] + p.alpha)));
TSR_END

// Local response normalisation over channels: s = k + alpha / size sum x^2 over the channels c - size/2
// ... c + (size-1)/2 inside, ascending (rule 4); y = x s^-beta. The scale s is kept for the gradient. A
// plane (n, c) per item:
//
//   channel:   c-2  c-1   c   c+1  c+2        size 5: one pixel of y needs a column of five of x
TSR_ROWS3(tsr_response_norm, tsr_response_params, p.outer *p.channels, const float, x, float, y, float, scale)
  const int c = (int)(i % p.channels);
  const int first = c - p.size / 2 > 0 ? c - p.size / 2 : 0;
  const int last = c + (p.size - 1) / 2 < p.channels - 1 ? c + (p.size - 1) / 2 : p.channels - 1;
  const float share = tsr_div(p.alpha, (float)p.size);
  TSR_EACH_COLUMN(
      p.inner, float sum = 0.0f; const tsr_i64 at = i * p.inner + j; for (int q = first; q <= last; q++) {
        const float v = x[at + (tsr_i64)(q - c) * p.inner];
        sum = tsr_fma(v, v, sum);
      } const float s = tsr_fma(share, sum, p.k);
      scale[at] = tsr_canonical(s); y[at] = tsr_canonical(x[at] * tsr_exp(-p.beta * tsr_log(s)));)
TSR_END

// dx_c = dy_c s_c^-beta - 2 alpha beta / size x_c sum over the windows q that hold c of dy_q x_q
// s_q^-beta / s_q.
TSR_ROWS4(tsr_response_norm_grad, tsr_response_params, p.outer *p.channels, const float, x, const float, dy,
          const float, scale, float, dx)
  const int c = (int)(i % p.channels);
  const int first = c - (p.size - 1) / 2 > 0 ? c - (p.size - 1) / 2 : 0;
  const int last = c + p.size / 2 < p.channels - 1 ? c + p.size / 2 : p.channels - 1;
  const float factor = -2.0f * p.beta * tsr_div(p.alpha, (float)p.size);
  TSR_EACH_COLUMN(
      p.inner, float sum = 0.0f; const tsr_i64 at = i * p.inner + j; for (int q = first; q <= last; q++) {
        const tsr_i64 there = at + (tsr_i64)(q - c) * p.inner;
        const float s = scale[there];
        sum = tsr_fma(dy[there] * x[there], tsr_div(tsr_exp(-p.beta * tsr_log(s)), s), sum);
      } dx[at] = tsr_canonical(tsr_fma(factor * x[at], sum, dy[at] * tsr_exp(-p.beta * tsr_log(scale[at]))));)
TSR_END
