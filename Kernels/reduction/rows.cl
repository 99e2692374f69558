// SPDX-License-Identifier: Apache-2.0
// Reductions over rows, softmax, log-softmax, cross-entropy, their gradients, and sums over channels.
//
// Algorithm  Softmax and its like subtract the greatest score first. Sums run in 64 lanes
//            (common/sums.h).
// Tensors    x, y, dx: (rows, cols), row-major; one result a row: (rows); labels: (rows).
//            tsr_distance_softmax: x, y (heads, length, length), bias (heads, 2 span - 1).
//            tsr_channel_sum: x (outer, channels, inner), y (channels).
// Work       One item a row. GPU: a work-group of 64, a work-item a lane; channels: four groups of 64,
//            each with a batch group of its own. CPU device: a work-item a row. C: a thread a range of
//            rows.
// Tuning     None.
//
//   row:   [0 1 2 ... 63][64 65 ... 127] ...
//   lanes:  0 1 2 ... 63   0  1 ...  63       64 running sums in blocks, then a halving tree
//
// Rules      5 (rows); 6 (channels): samples in groups of 8; inside a group the lanes run through the
//            samples in order, element s of a sample in lane s mod 64; group results are added in
//            ascending order, compensated; 9.

#include "common/sums.h"
#include "common/math16.h"

TSR_ROWS2(tsr_row_sum, tsr_rows_params, p.rows, const float, x, float, y)
  TSR_LANE_SUM(sum)
  TSR_ACCUMULATE1(p.cols, sum, TSR_LANE(sum) = TSR_LANE(sum) + x[i * p.cols + j];)
  TSR_SUM(sum, total)
  TSR_LANE0 y[i] = tsr_canonical(total);
TSR_END

TSR_ROWS2(tsr_row_max, tsr_rows_params, p.rows, const float, x, float, y)
  TSR_LANE_ACC(best, -tsr_float(0x7f800000u))
  TSR_EACH_LANE(p.cols, TSR_LANE(best) = tsr_max(x[i * p.cols + j], TSR_LANE(best));)
  TSR_MAXIMUM(best, largest)
  TSR_LANE0 y[i] = tsr_canonical(largest);
TSR_END

TSR_ROWS2(tsr_row_argmax, tsr_rows_params, p.rows, const float, x, int, y)
  TSR_LANE0 {
    int at = 0;
    for (int c = 1; c < p.cols; c++)
      if (x[i * p.cols + c] > x[i * p.cols + at]) at = c;
    y[i] = at;
  }
TSR_END

// The greatest of a row's n scores, `largest`, and the sum of e = exp(score - largest), `total`; `keep` is
// done with each e. The one text of softmax and its like by rows, but for softmax on CPU devices, which is
// sixteen at a time (tsr_softmax_row in common/math16.h): by this text PoCL takes twice as long and Intel's
// runtime nine times (`tessera bench softmax`). Attention has its own: there a work-item or thread has whole
// columns (attention_cpu.h, c/attention.h) or eight share a row (attention_gpu.h). What a score goes through
// is the same everywhere: tsr_exp and a division of common/math_body.h.
#define TSR_ROW_EXPONENTIALS(n, score, keep)                          \
  TSR_LANE_ACC(best, -tsr_float(TSR_INF_BITS))                        \
  TSR_EACH_LANE(n, TSR_LANE(best) = tsr_max(score, TSR_LANE(best));)  \
  TSR_MAXIMUM(best, largest)                                          \
  TSR_LANE_SUM(sum)                                                   \
  TSR_ACCUMULATE1(n, sum, const float e = tsr_exp((score) - largest); \
                  keep TSR_LANE(sum) = TSR_LANE(sum) + e;)            \
  TSR_SUM(sum, total)

// eps carries the scale: y = softmax(eps x).
#if defined __OPENCL_VERSION__ && !defined TSR_GPU  // common/math16.h
TSR_ROWS2(tsr_softmax, tsr_rows_params, p.rows, const float, x, float, y)
  tsr_softmax_row(x + i * p.cols, y + i * p.cols, p.cols, p.eps);
TSR_END
#else
TSR_ROWS2(tsr_softmax, tsr_rows_params, p.rows, const float, x, float, y)
  TSR_ROW_EXPONENTIALS(p.cols, x[i * p.cols + j] * p.eps, y[i * p.cols + j] = e;)
  TSR_EACH_COLUMN(p.cols, y[i * p.cols + j] = tsr_canonical(tsr_div(y[i * p.cols + j], total));)
TSR_END
#endif

// y = softmax(scale x + bias by distance) over keys j; row i is a head's query i mod length. One fma a score.
//
//   bias of a head:  [ 1 - span ... -1  0  1 ... span - 1 ]
//   query q reads              [ -q ... 0 ... length - 1 - q ]
TSR_ROWS3(tsr_distance_softmax, tsr_attention_params, p.heads *p.length, const float, x, const float, bias,
          float, y)
  const tsr_i64 at = (tsr_i64)i * p.length;
  const tsr_i64 from = i / p.length * (2 * p.span - 1) + p.span - 1 - i % p.length;
  TSR_ROW_EXPONENTIALS(p.length, tsr_fma(x[at + j], p.scale, bias[from + j]), y[at + j] = e;)
  TSR_EACH_COLUMN(p.length, y[at + j] = tsr_canonical(tsr_div(y[at + j], total));)
TSR_END

TSR_ROWS2(tsr_log_softmax, tsr_rows_params, p.rows, const float, x, float, y)
  TSR_ROW_EXPONENTIALS(p.cols, x[i * p.cols + j], (void)0;)
  // x - (largest + log) would round the logarithm away where |x| is large.
  const float norm = tsr_log(total);
  TSR_EACH_COLUMN(p.cols, y[i * p.cols + j] = tsr_canonical((x[i * p.cols + j] - largest) - norm);)
TSR_END

// dx = eps y (dy - sum(y dy)).
TSR_ROWS3(tsr_softmax_grad, tsr_rows_params, p.rows, const float, y, const float, dy, float, dx)
  TSR_LANE_SUM(sum)
  TSR_ACCUMULATE1(p.cols, sum, TSR_LANE(sum) = tsr_fma(y[i * p.cols + j], dy[i * p.cols + j], TSR_LANE(sum));)
  TSR_SUM(sum, total)
  TSR_EACH_COLUMN(p.cols, const long at = i * p.cols + j;
                  dx[at] = tsr_canonical(p.eps * (y[at] * (dy[at] - total)));)
TSR_END

TSR_ROWS3(tsr_log_softmax_grad, tsr_rows_params, p.rows, const float, y, const float, dy, float, dx)
  TSR_LANE_SUM(sum)
  TSR_ACCUMULATE1(p.cols, sum, TSR_LANE(sum) = TSR_LANE(sum) + dy[i * p.cols + j];)
  TSR_SUM(sum, total)
  TSR_EACH_COLUMN(p.cols, const long at = i * p.cols + j;
                  dx[at] = tsr_canonical(tsr_fma(-tsr_exp(y[at]), total, dy[at]));)
TSR_END

// A label outside 0..<cols gives NaN, never a read outside the row.
TSR_ROWS3(tsr_cross_entropy, tsr_rows_params, p.rows, const float, x, const int, labels, float, y)
  TSR_ROW_EXPONENTIALS(p.cols, x[i * p.cols + j], (void)0;)
  TSR_LANE_SUM(rest)
  TSR_ACCUMULATE1(p.cols, rest, TSR_LANE(rest) = TSR_LANE(rest) + (x[i * p.cols + j] - largest);)
  TSR_SUM(rest, apart)
  TSR_LANE0 {
    const int label = labels[i];
    const int known = label >= 0 && label < p.cols;
    const float loss = known ? tsr_log(total) - (x[i * p.cols + label] - largest) : tsr_float(TSR_NAN_BITS);
    const float even = tsr_log(total) - tsr_div(apart, (float)p.cols);
    y[i] = tsr_canonical(p.eps > 0.0f ? tsr_fma(p.eps, even - loss, loss) : loss);
  }
TSR_END

TSR_ROWS3(tsr_cross_entropy_grad, tsr_rows_params, p.rows, const float, x, const int, labels, float, dx)
  TSR_ROW_EXPONENTIALS(p.cols, x[i * p.cols + j], dx[i * p.cols + j] = e;)
  const int label = labels[i];
  const float even = tsr_div(p.eps, (float)p.cols), full = (1.0f - p.eps) + even;
  TSR_EACH_COLUMN(
      p.cols, const float q = tsr_div(dx[i * p.cols + j], total);
      dx[i * p.cols + j] = tsr_canonical(tsr_div(q - (j == label ? full : even), (float)p.batch));)
TSR_END

// y[c] = sum over outer and inner of x (outer, channels, inner).
TSR_CHANNELS2(tsr_channel_sum, tsr_channels_params, p.channels, const float, x, float, y)
  tsr_compensated total = {0.0f, 0.0f};
  TSR_EACH_GROUP(p.outer)
  TSR_LANE_SUM(sum)
  for (int n = n0; n < n1; n++) {
    const tsr_i64 at = ((tsr_i64)n * p.channels + i) * p.inner;
    TSR_ACCUMULATE_SAMPLE1(p.inner, sum, TSR_LANE(sum) = TSR_LANE(sum) + x[at + j];)
  }
  TSR_SUBGROUP_SUM(sum, total, p.outer)
}
TSR_SUBGROUP0 y[i] = tsr_canonical(total.sum);
TSR_END
