// SPDX-License-Identifier: Apache-2.0
// Max pooling's gradient on the CPU. (OpenCL: pooling/pooling.cl.)
//
// Algorithm  Scatter form: windows in ascending order, each adds its gradient to the element that was its
//            maximum. For every element that is the order of the gather form.
// Tensors    dy, indices: (planes, out_h, out_w); dx: (planes, height, width).
// Work       A thread has a range of input rows, and passes the windows that reach them; what falls
//            outside its rows it leaves to others.
// Tuning     None.
//
//   windows o = 0, 1, 2 ...:   dx[indices[o]] += dy[o]
//
// Rules      6 (ascending windows), 9.
#pragma once

#include "common/sums.h"

static void tsr_max_pool_grad(const void *params, void *const *buffers, int64_t begin, int64_t end) {
  const tsr_pool_params p = *(const tsr_pool_params *)params;
  const float *const dy = (const float *)buffers[0];
  const int *const indices = (const int *)buffers[1];
  float *const dx = (float *)buffers[2];
  for (int64_t i = begin; i < end;) {
    const int64_t plane = i / p.height;
    const int h0 = (int)(i % p.height), rows = p.height - h0 < end - i ? p.height - h0 : (int)(end - i);
    const int low = h0 * p.width, high = low + rows * p.width;
    float *const out = dx + plane * p.height * p.width;
    for (int at = low; at < high; at++) out[at] = 0.0f;
    // Windows that reach these rows.
    const int first = h0 + p.pad_h < p.kernel_h ? 0 : (h0 + p.pad_h - p.kernel_h) / p.stride_h + 1;
    int last = (h0 + rows - 1 + p.pad_h) / p.stride_h;
    last = last > p.out_h - 1 ? p.out_h - 1 : last;
    const int64_t stop = (plane * p.out_h + last + 1) * p.out_w;
    for (int64_t o = (plane * p.out_h + first) * p.out_w; o < stop; o++) {
      const int at = indices[o];
      if (at >= low && at < high) out[at] = tsr_add(out[at], dy[o]);
    }
    for (int at = low; at < high; at++) out[at] = tsr_canonical(out[at]);
    i += rows;
  }
}
