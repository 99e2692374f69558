// SPDX-License-Identifier: Apache-2.0
// The gradient of adaptive average pooling on the CPU. (OpenCL: pooling/pooling.cl.)
//
// Algorithm  A row of the input at a time: windows in ascending order, each adds its gradient, divided by
//            its number of elements, to the columns that it holds. For every element that is the order of
//            the gather form.
// Tensors    dy: (planes, out_h, out_w); dx: (planes, height, width).
// Work       A thread has a range of input rows.
// Tuning     None.
//
//   row of dx:   [ window 0   ]
//                        [ window 1   ]        windows may share columns
//
// Rules      2 (the division), 6 (ascending windows), 9.
#pragma once

#include "common/math.h"

static inline int window_start(int o, int extent, int out) { return (int)((int64_t)o * extent / out); }
static inline int window_stop(int o, int extent, int out) {
  return (int)(((int64_t)(o + 1) * extent + out - 1) / out);
}

static void tsr_adaptive_pool_grad(const void *params, void *const *buffers, int64_t begin, int64_t end) {
  const tsr_pool_params p = *(const tsr_pool_params *)params;
  const float *const dy = (const float *)buffers[0];
  float *const dx = (float *)buffers[1];
  for (int64_t i = begin; i < end; i++) {
    const float *const plane = dy + i / p.height * p.out_h * p.out_w;
    const int h = (int)(i % p.height);
    float *const row = dx + i * p.width;
    for (int w = 0; w < p.width; w++) row[w] = 0.0f;
    // Row h lies in windows floor(h out / height) ... ceil((h + 1) out / height) - 1.
    const int last = window_stop(h, p.out_h, p.height);
    for (int o = window_start(h, p.out_h, p.height); o < last; o++) {
      const int rows = window_stop(o, p.height, p.out_h) - window_start(o, p.height, p.out_h);
      for (int c = 0; c < p.out_w; c++) {
        const int left = window_start(c, p.width, p.out_w), right = window_stop(c, p.width, p.out_w);
        const float share = tsr_div(plane[o * p.out_w + c], (float)(rows * (right - left)));
        for (int w = left; w < right; w++) row[w] = tsr_add(row[w], share);
      }
    }
    for (int w = 0; w < p.width; w++) row[w] = tsr_canonical(row[w]);
  }
}
