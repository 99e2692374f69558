// SPDX-License-Identifier: Apache-2.0
// Max, average and adaptive average pooling, nearest upsampling, and their gradients.
//
// Algorithm  Gradients are in gather form: whoever owns an input element adds the windows that hold it in
//            ascending order, without atomics. Adaptive windows are PyTorch's: floor(o h / out) to
//            ceil((o + 1) h / out).
// Tensors    x, dx: (planes, height, width), planes = batch x channels; y, dy, indices: (planes, out_h,
//            out_w). indices: of each maximum, in its plane.
// Work       One item a row of the output, of gradients a row of the input. GPU: a work-group of 64,
//            lanes over columns; CPU device: a work-item, sixteen columns at a time (a plane at a time
//            for max pooling's gradient). The CPU's C: pooling/c.
// Tuning     None.
//
//   plane (height, width)        out (out_h, out_w)
//   +---------+                  one row of the output (of the input, for gradients) per row item
//   |[win]    |  -> [o]
//   +---------+
//
// Rules      6 (windows: one chain up to 16 elements, compensated beyond; gradients in ascending
//            windows), 9. Of equal maxima the first wins, of NaN the last.

#include "common/sums.h"
#include "common/math16.h"

#define TSR_LOW(x) ((x) < 0 ? 0 : (x))
#define TSR_UPTO(x, n) ((x) > (n) ? (n) : (x))
// First and last window that holds input position h.
#define TSR_FIRST(h, pad, kernel, stride) \
  ((h) + (pad) < (kernel) ? 0 : ((h) + (pad) - (kernel)) / (stride) + 1)
#define TSR_LAST(h, pad, stride, out) TSR_UPTO(((h) + (pad)) / (stride), (out) - 1)

#ifdef __OPENCL_VERSION__  // on the CPU: Kernels/pooling/c/pool.h, pooling/c/max_pool_grad.h
#ifdef TSR_GPU
TSR_ROWS3(tsr_max_pool, tsr_pool_params, p.planes *p.out_h, const float, x, float, y, int, indices)
  const tsr_i64 plane = i / p.out_h * p.height * p.width;
  const int h0 = (int)(i % p.out_h) * p.stride_h - p.pad_h;
  TSR_EACH_COLUMN(
      p.out_w, const int w0 = (int)j * p.stride_w - p.pad_w; int at = -1; float best = 0.0f;
      for (int h = TSR_LOW(h0); h < TSR_UPTO(h0 + p.kernel_h, p.height);
           h++) for (int w = TSR_LOW(w0); w < TSR_UPTO(w0 + p.kernel_w, p.width); w++) {
        const float v = x[plane + h * p.width + w];
        if (at < 0 || v > best || tsr_isnan(v)) {
          best = v;
          at = h * p.width + w;
        }
      } y[i * p.out_w + j] = tsr_canonical(best);
      indices[i * p.out_w + j] = at;)
TSR_END

TSR_ROWS3(tsr_max_pool_grad, tsr_pool_params, p.planes *p.height, const float, dy, const int, indices, float,
          dx)
  const tsr_i64 plane = i / p.height * p.out_h * p.out_w;
  const int h = (int)(i % p.height);
  const int o0 = TSR_FIRST(h, p.pad_h, p.kernel_h, p.stride_h),
            o1 = TSR_LAST(h, p.pad_h, p.stride_h, p.out_h);
  TSR_EACH_COLUMN(
      p.width, const int w = (int)j; float sum = 0.0f;
      const int c0 = TSR_FIRST(w, p.pad_w, p.kernel_w, p.stride_w);
      const int c1 = TSR_LAST(w, p.pad_w, p.stride_w, p.out_w);
      for (int o = o0; o <= o1; o++) for (int c = c0; c <= c1; c++) {
        const tsr_i64 at = plane + o * p.out_w + c;
        if (indices[at] == h * p.width + w) sum = tsr_add(sum, dy[at]);
      } dx[i * p.width + j] = tsr_canonical(sum);)
TSR_END
#else
// Sixteen inputs `stride` apart, the first in column w of a row; outside the row anything. `left`:
// numbers from the row's begin to the tensor's end, `before`: those before it.
TSR_FN float16 tsr_pool_inputs(__global const float *row, tsr_i64 before, tsr_i64 left, int w, int stride,
                               int width) {
  if (stride <= 2 && before + w >= 0 && w + 16 * stride <= left) {
    if (stride == 1) return vload16(0, row + w);
    const float16 a = vload16(0, row + w), b = vload16(1, row + w);
    return (float16)(a.even, b.even);
  }
  float each[16];
  for (int l = 0; l < 16; l++) {
    const int at = w + l * stride;
    each[l] = at >= 0 && at < width ? row[at] : 0.0f;
  }
  return vload16(0, each);
}

TSR_ROWS3(tsr_max_pool, tsr_pool_params, p.planes *p.out_h, const float, x, float, y, int, indices)
  const tsr_i64 plane = i / p.out_h * p.height * p.width, total = (tsr_i64)p.planes * p.height * p.width;
  const int h0 = (int)(i % p.out_h) * p.stride_h - p.pad_h;
  for (int j = 0; j < p.out_w; j += 16) {
    const int first = j * p.stride_w - p.pad_w;
    float16 best = 0.0f;
    int16 at = -1;
    for (int h = TSR_LOW(h0); h < TSR_UPTO(h0 + p.kernel_h, p.height); h++) {
      const tsr_i64 row = plane + (tsr_i64)h * p.width;
      for (int k = 0; k < p.kernel_w; k++) {
        const float16 v = tsr_pool_inputs(x + row, row, total - row, first + k, p.stride_w, p.width);
        const int16 w = first + k + p.stride_w * TSR_IOTA16;
        const int16 better = (w >= 0) & (w < p.width) & ((at < 0) | (v > best) | isnan(v));
        best = select(best, v, better);
        at = select(at, h * p.width + w, better);
      }
    }
    const int left = p.out_w - j;
    tsr_store16_tail(tsr_canonical16(best), y + i * p.out_w + j, left);
    tsr_store16_tail(as_float16(at), (__global float *)indices + i * p.out_w + j, left);
  }
TSR_END

// A plane is one work-item's, which takes the windows in ascending order.
TSR_ROWS3(tsr_max_pool_grad, tsr_pool_params, p.planes *p.height, const float, dy, const int, indices, float,
          dx)
  if (i % p.height == 0) {
    __global float *plane = dx + i * p.width;
    const int places = p.height * p.width, windows = p.out_h * p.out_w;
    const tsr_i64 from = i / p.height * windows;
    for (int j = 0; j < places; j++) plane[j] = 0.0f;
    for (int j = 0; j < windows; j++) {
      const int at = indices[from + j];
      if (at >= 0 && at < places) plane[at] = tsr_add(plane[at], dy[from + j]);
    }
    for (int j = 0; j < places; j++) plane[j] = tsr_canonical(plane[j]);
  }
TSR_END
#endif

#ifdef TSR_GPU
TSR_ROWS2(tsr_average_pool, tsr_pool_params, p.planes *p.out_h, const float, x, float, y)
  const tsr_i64 plane = i / p.out_h * p.height * p.width;
  const int h0 = (int)(i % p.out_h) * p.stride_h - p.pad_h;
  const int area = p.kernel_h * p.kernel_w;
  TSR_EACH_COLUMN(
      p.out_w, const int w0 = (int)j * p.stride_w - p.pad_w;
      const float sum = tsr_window_sum(x + plane, p.width, area,
                                       ((tsr_window){TSR_LOW(h0), TSR_UPTO(h0 + p.kernel_h, p.height),
                                                     TSR_LOW(w0), TSR_UPTO(w0 + p.kernel_w, p.width)}));
      y[i * p.out_w + j] = tsr_canonical(tsr_div(sum, (float)area));)
TSR_END
#else
// Sums of sixteen windows whose first columns are `first` and every stride on; of large ones compensated
// (rule 6).
TSR_FN float16 tsr_window_sums(const tsr_pool_params *p, __global const float *x, tsr_i64 plane, int h0,
                               int first, const int is_large) {
  const tsr_i64 total = (tsr_i64)p->planes * p->height * p->width;
  float16 sum = 0.0f, lost = 0.0f;
  for (int h = TSR_LOW(h0); h < TSR_UPTO(h0 + p->kernel_h, p->height); h++) {
    const tsr_i64 row = plane + (tsr_i64)h * p->width;
    for (int k = 0; k < p->kernel_w; k++) {
      const float16 v = tsr_pool_inputs(x + row, row, total - row, first + k, p->stride_w, p->width);
      const int16 w = first + k + p->stride_w * TSR_IOTA16, inside = (w >= 0) & (w < p->width);
      const float16 y = is_large ? fma(lost, (float16)(1.0f), v) : v;
      const float16 next = fma(y, (float16)(1.0f), sum);
      if (is_large) lost = select(lost, tsr_rounded_off16(sum, y, next), inside);
      sum = select(sum, next, inside);
    }
  }
  return sum;
}

TSR_ROWS2(tsr_average_pool, tsr_pool_params, p.planes *p.out_h, const float, x, float, y)
  const tsr_i64 plane = i / p.out_h * p.height * p.width;
  const int h0 = (int)(i % p.out_h) * p.stride_h - p.pad_h;
  const int area = p.kernel_h * p.kernel_w;
  for (int j = 0; j < p.out_w; j += 16) {
    const int first = j * p.stride_w - p.pad_w;
    // Two texts: within one loop small windows would pay for the question.
    const float16 sum = area > TSR_WINDOW_CHAIN ? tsr_window_sums(&p, x, plane, h0, first, 1)
                                                : tsr_window_sums(&p, x, plane, h0, first, 0);
    const float16 mean = tsr_div16(sum, (float16)((float)area));
    tsr_store16_tail(tsr_canonical16(mean), y + i * p.out_w + j, p.out_w - j);
  }
TSR_END
#endif
#endif

TSR_ROWS2(tsr_average_pool_grad, tsr_pool_params, p.planes *p.height, const float, dy, float, dx)
  const tsr_i64 plane = i / p.height * p.out_h * p.out_w;
  const int h = (int)(i % p.height);
  const int o0 = TSR_FIRST(h, p.pad_h, p.kernel_h, p.stride_h),
            o1 = TSR_LAST(h, p.pad_h, p.stride_h, p.out_h);
  const float area = (float)(p.kernel_h * p.kernel_w);
  TSR_EACH_COLUMN(p.width, float sum = 0.0f;
                  const int c0 = TSR_FIRST((int)j, p.pad_w, p.kernel_w, p.stride_w);
                  const int c1 = TSR_LAST((int)j, p.pad_w, p.stride_w, p.out_w);
                  for (int o = o0; o <= o1; o++) for (int c = c0; c <= c1; c++) sum =
                      tsr_add(sum, dy[plane + o * p.out_w + c]);
                  dx[i * p.width + j] = tsr_canonical(tsr_div(sum, area));)
TSR_END

// Window o of an adaptive pooling: [floor(o h / out), ceil((o + 1) h / out)).
#define TSR_START(o, extent, out) ((int)((tsr_i64)(o) * (extent) / (out)))
#define TSR_STOP(o, extent, out) ((int)(((tsr_i64)((o) + 1) * (extent) + (out) - 1) / (out)))

TSR_ROWS2(tsr_adaptive_pool, tsr_pool_params, p.planes *p.out_h, const float, x, float, y)
  const tsr_i64 plane = i / p.out_h * p.height * p.width;
  const int o = (int)(i % p.out_h);
  const int h0 = TSR_START(o, p.height, p.out_h), h1 = TSR_STOP(o, p.height, p.out_h);
  TSR_EACH_COLUMN(p.out_w, const int w0 = TSR_START((int)j, p.width, p.out_w);
                  const int w1 = TSR_STOP((int)j, p.width, p.out_w); const int area = (h1 - h0) * (w1 - w0);
                  const float sum = tsr_window_sum(x + plane, p.width, area, ((tsr_window){h0, h1, w0, w1}));
                  y[i * p.out_w + j] = tsr_canonical(tsr_div(sum, (float)area));)
TSR_END

#ifdef __OPENCL_VERSION__  // on the CPU: Kernels/pooling/c/adaptive_pool_grad.h
// Input row h lies in windows floor(h out / height) ... ceil((h + 1) out / height) - 1.
TSR_ROWS2(tsr_adaptive_pool_grad, tsr_pool_params, p.planes *p.height, const float, dy, float, dx)
  const tsr_i64 plane = i / p.height * p.out_h * p.out_w;
  const int h = (int)(i % p.height);
  const int o0 = TSR_START(h, p.out_h, p.height), o1 = TSR_STOP(h, p.out_h, p.height);
  TSR_EACH_COLUMN(
      p.width, const int c0 = TSR_START((int)j, p.out_w, p.width);
      const int c1 = TSR_STOP((int)j, p.out_w, p.width); float sum = 0.0f;
      for (int o = o0; o < o1; o++) for (int c = c0; c < c1; c++) {
        const int rows = TSR_STOP(o, p.height, p.out_h) - TSR_START(o, p.height, p.out_h);
        const int columns = TSR_STOP(c, p.width, p.out_w) - TSR_START(c, p.width, p.out_w);
        sum = tsr_add(sum, tsr_div(dy[plane + o * p.out_w + c], (float)(rows * columns)));
      } dx[i * p.width + j] = tsr_canonical(sum);)
TSR_END
#endif

TSR_ROWS2(tsr_upsample, tsr_upsample_params, p.planes *p.height *p.scale, const float, x, float, y)
  const tsr_i64 row = i / p.scale * p.width;
  TSR_EACH_COLUMN(p.width * p.scale, y[i * p.width * p.scale + j] = tsr_canonical(x[row + (int)j / p.scale]);)
TSR_END

TSR_ROWS2(tsr_upsample_grad, tsr_upsample_params, p.planes *p.height, const float, dy, float, dx)
  const int wide = p.width * p.scale;
  TSR_EACH_COLUMN(p.width, float sum = 0.0f;
                  for (int h = 0; h < p.scale; h++) for (int w = 0; w < p.scale; w++) sum =
                      tsr_add(sum, dy[(i * p.scale + h) * wide + j * p.scale + w]);
                  dx[i * p.width + j] = tsr_canonical(sum);)
TSR_END
