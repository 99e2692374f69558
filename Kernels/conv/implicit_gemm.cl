// SPDX-License-Identifier: Apache-2.0
// Convolutions and their gradients as products with taps; sums of one output a work-item.
//
// Algorithm  Implicit GEMM (Chetlur et al. 2014): the product of gemm/gemm.h, whose operand B is read
//            from the images, so no im2col matrix is written. GPUs compute few channels a group by one
//            output a work-item (tsr_conv_per_output, tsr_grad_weight_per_output). CPU devices compute
//            most shapes by conv_blocked.cl and conv_grouped.cl.
// Tensors    x (batch, ci, h, w), w (co, ci, kh, kw), y (batch, co, out_h, out_w), each by group:
//
//   forward   A = w (co, K)           B = taps (K, out_h out_w)          K = (ci, kh, kw) ascending
//   grad x    A = w' (ci, K')         B = output gradients (K', h w)     K' = (co, kh, kw) ascending
//   grad w    A = dy (co, N)          B = taps (N, K)                    N = (sample of 8, pixel)
//
// Work       As in gemm_cpu.h and gemm_gpu.h; per output: one item an element of y, of a gradient an
//            element of dw and a part of k.
// Tuning     Those of gemm_cpu.h and gemm_gpu.h.
// Rules      4: taps outside the image are +0 and take part in the sum; 6 (grad w), 9, 10.

// No name begins with another kernel's: Oclgrind would count that one's local memory here too.
#include "gemm/gemm_cpu.h"
#include "gemm/gemm_gpu.h"

TSR_GEMM_KERNEL(tsr_conv_implicit_gemm, 0, TSR_B_IM2COL)
TSR_GEMM_KERNEL(tsr_grad_weight_implicit_gemm, 0, TSR_B_IM2COL_TRANSPOSED)

#ifdef TSR_GPU
// A convolution with few output channels a group, one output a work-item: the tile of a product would be
// mostly empty. The arguments are those of tsr_conv_implicit_gemm, and A has the strides that gemm/gemm_gpu.h
// reads. (On CPU devices: conv/conv_grouped.cl.)
TSR_ITEMS4(tsr_conv_per_output, tsr_gemm_params, (long)p.gemm.batch *p.gemm.m *p.gemm.n, const float, a,
           const float, b, const float, bias, float, c)
  const tsr_taps_params *t = &p.taps;
  const int n = p.gemm.n, m = p.gemm.m, row = (int)(i / n % m);
  const long batch = i / n / m, group = batch % p.groups;
  const tsr_image_offset pixel = tsr_offset_of_pixel(t, 0, (int)(i % n));
  __global const float *weights =
      a + p.gemm.a_offset + group * p.gemm.a_batch_stride + (long)row * p.gemm.a_row_stride;
  __global const float *image = b + p.gemm.b_offset + batch * p.gemm.b_batch_stride;
  float total = 0.0f, acc = 0.0f;
  int left = TSR_K_CHUNK, first = 1;
  for (int channel = 0; channel < t->channels;
       channel++, image += t->height * t->width, weights += p.a_outer_stride)
    for (int kh = 0; kh < t->kernel_h; kh++) {
      const int h = pixel.h + t->start_h + kh * t->step_h, inside = (uint)h < (uint)t->height;
      for (int kw = 0; kw < t->kernel_w; kw++) {
        const int w = pixel.w + t->start_w + kw * t->step_w;
        const float v = inside && (uint)w < (uint)t->width ? image[h * t->width + w] : 0.0f;
        if (left == 0) {
          total = first ? acc : total + acc;
          acc = 0.0f, left = TSR_K_CHUNK, first = 0;
        }
        acc = fma(weights[kh * t->kernel_w + kw], v, acc);
        left--;
      }
    }
  total = first ? acc : total + acc;
  const tsr_output output = {&p.gemm, bias + group * p.bias_stride,
                             c + p.gemm.c_offset + batch * p.gemm.c_batch_stride, 1, 1};
  tsr_epilogue(&output, row, (int)(i % n), total);
TSR_END

// The gradient for weights of few rows: one weight and one part of k per work-item, with the arguments of
// tsr_grad_weight_implicit_gemm.
TSR_ITEMS4(tsr_grad_weight_per_output, tsr_gemm_params, (long)p.gemm.batch *p.splits *p.gemm.m *p.gemm.n,
           const float, a, const float, b, const float, bias, float, c)
  const tsr_taps_params *t = &p.taps;
  const int n = p.gemm.n, m = p.gemm.m, row = (int)(i / n % m), column = (int)(i % n);
  const tsr_k_range range = tsr_k_range_of(&p, (int)(i / n / m));
  const int group = range.batch % p.groups, pixels = t->out_h * t->out_w;
  const tsr_image_offset tap = tsr_offset_of_tap(t, column);
  __global const float *line =
      a + p.gemm.a_offset + (long)group * p.gemm.a_batch_stride + (long)row * p.gemm.a_row_stride;
  __global const float *plane = b + p.gemm.b_offset + range.batch * p.gemm.b_batch_stride + tap.plane;
  float total = 0.0f, acc = 0.0f;
  int left = p.gemm.chunk, first = 1;
  // By runs of pixels in one row of one image.
  for (int k = range.begin; k < range.end;) {
    const int sample = k / pixels, position = k % pixels, ow = position % t->out_w;
    const int h = position / t->out_w * t->stride_h + tap.h, inside = (uint)h < (uint)t->height;
    int run = t->out_w - ow < range.end - k ? t->out_w - ow : range.end - k;
    if (left == 0) {
      total = first ? acc : total + acc;
      acc = 0.0f, left = p.gemm.chunk, first = 0;
    }
    if (run > left) run = left;
    __global const float *gradient =
        line + (long)(k / p.a_inner) * p.a_outer_stride + k % p.a_inner * p.gemm.a_col_stride;
    __global const float *image = plane + ((long)sample * p.groups * t->channels * t->height + h) * t->width;
    for (int j = 0; j < run; j++) {
      const int w = (ow + j) * t->stride_w + tap.w;
      acc = fma(gradient[j * p.gemm.a_col_stride], inside && (uint)w < (uint)t->width ? image[w] : 0.0f, acc);
    }
    k += run, left -= run;
  }
  total = first ? acc : total + acc;
  const tsr_output output = {
      &p.gemm, bias,
      c + p.gemm.c_offset + range.batch * p.gemm.c_batch_stride + range.split * (long)p.c_split_stride,
      !p.gemm.accumulate, 1};
  tsr_epilogue(&output, row, column, total);
TSR_END
#endif
