// SPDX-License-Identifier: Apache-2.0
// Convolutions as products with taps (product.h): no im2col matrix is written. GPUs sum few channels a group
// directly; on CPU devices dense.cl and direct.cl take most shapes.
//
//   forward   A = w (co, K)           B = taps (K, out_h out_w)             K = (ci, kh, kw) ascending
//   grad x    A = w' (ci, K')         B = output gradients (K', h w)        K' = (co, kh, kw) ascending
//   grad w    A = dy (co, N)          B = taps (N, K)                       N = (sample of a group of 8, spot)
//
// Taps outside the image are +0 and take part in the sum (NUMERICS.md rule 4).

// No name begins with another kernel's: Oclgrind would count that one's local memory here too.
#include "product_rows.h"
#include "product_groups.h"

TSR_PRODUCT(tsr_conv_taps, 0, TSR_B_TAPS)
TSR_PRODUCT(tsr_conv_grad_weight, 0, TSR_B_TAPS_ACROSS)

#ifdef TSR_WIDE
// Few rows of A (channels of a group): direct sums, with the arguments of tsr_conv_taps; a product's tile would be mostly empty.
// (On CPU devices: direct.cl.)
// One output per work-item; A's k as product_groups.h reads it.
TSR_ITEMS4(tsr_conv_direct, tsr_product_params, (long)p.product.batch * p.product.m * p.product.n, const float, a, const float, b,
           const float, bias, float, c)
  const tsr_taps_params *t = &p.taps;
  const int n = p.product.n, m = p.product.m, row = (int)(i / n % m);
  const long batch = i / n / m, group = batch % p.groups;
  const tsr_site place = tsr_site_of_place(t, 0, (int)(i % n));
  __global const float *weights = a + p.product.a_offset + group * p.product.a_batch_stride + (long)row * p.product.a_row_stride;
  __global const float *image = b + p.product.b_offset + batch * p.product.b_batch_stride;
  float total = 0.0f, acc = 0.0f;
  int left = TSR_K_CHUNK, first = 1;
  for (int channel = 0; channel < t->channels; channel++, image += t->height * t->width, weights += p.a_outer_stride)
    for (int kh = 0; kh < t->kernel_h; kh++) {
      const int h = place.h + t->start_h + kh * t->step_h, inside = (uint)h < (uint)t->height;
      for (int kw = 0; kw < t->kernel_w; kw++) {
        const int w = place.w + t->start_w + kw * t->step_w;
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
  tsr_store(&p.product, bias + group * p.bias_stride, c + p.product.c_offset + batch * p.product.c_batch_stride, row,
            (int)(i % n), total, 1, 1);
TSR_END

// The gradient for weights of few rows: one weight and one part of k per work-item, with the arguments of tsr_conv_grad_weight.
TSR_ITEMS4(tsr_conv_direct_weight, tsr_product_params, (long)p.product.batch * p.slices * p.product.m * p.product.n, const float, a,
           const float, b, const float, bias, float, c)
  const tsr_taps_params *t = &p.taps;
  const int n = p.product.n, m = p.product.m, row = (int)(i / n % m), column = (int)(i % n);
  const tsr_part part = tsr_part_of(&p, (int)(i / n / m));
  const int group = part.batch % p.groups, places = t->places_h * t->places_w;
  const tsr_site tap = tsr_site_of_tap(t, column);
  __global const float *line = a + p.product.a_offset + (long)group * p.product.a_batch_stride + (long)row * p.product.a_row_stride;
  __global const float *plane = b + p.product.b_offset + part.batch * p.product.b_batch_stride + tap.plane;
  float total = 0.0f, acc = 0.0f;
  int left = p.product.chunk, first = 1;
  // By runs of places in one row of one image.
  for (int k = part.begin; k < part.end;) {
    const int sample = k / places, spot = k % places, ow = spot % t->places_w;
    const int h = spot / t->places_w * t->stride_h + tap.h, inside = (uint)h < (uint)t->height;
    int run = t->places_w - ow < part.end - k ? t->places_w - ow : part.end - k;
    if (left == 0) {
      total = first ? acc : total + acc;
      acc = 0.0f, left = p.product.chunk, first = 0;
    }
    if (run > left) run = left;
    __global const float *gradient = line + (long)(k / p.a_inner) * p.a_outer_stride + k % p.a_inner * p.product.a_col_stride;
    __global const float *image = plane + ((long)sample * p.groups * t->channels * t->height + h) * t->width;
    for (int j = 0; j < run; j++) {
      const int w = (ow + j) * t->stride_w + tap.w;
      acc = fma(gradient[j * p.product.a_col_stride], inside && (uint)w < (uint)t->width ? image[w] : 0.0f, acc);
    }
    k += run, left -= run;
  }
  total = first ? acc : total + acc;
  tsr_store(&p.product, bias, c + p.product.c_offset + part.batch * p.product.c_batch_stride + part.slice * (long)p.c_slice_stride,
            row, column, total, !p.product.accumulate, 1);
TSR_END
#endif
