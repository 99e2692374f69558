// SPDX-License-Identifier: Apache-2.0
// The transforms of a convolution by fewer multiplications, for one tile, in one dimension: what C and OpenCL
// share.
//
// Algorithm  Winograd's minimal filtering (Lavin and Gray 2016) by the construction of Cook and Toom: an
//            input tile of TSR_WINO_POINTS and a kernel of r taps are evaluated at so many points, the values
//            are multiplied point by point, and the products are interpolated to m = points - r + 1 outputs.
//            The points are 0, 1, -1, 1/2, -2 and infinity, or 0, 1, -1 and infinity of kernels of 2 taps.
// Tensors    A dimension's values: d (points) -> v (points); w (n) -> u (points); s (points) -> y (n).
//            `tsr_wino_vec` is a vector of channels, of which each lane is a tile of its own.
// Work       Straight code in registers; `points` and `n` are known at compile time.
// Tuning     None.
//
//   two dimensions, down the columns first, then along the rows:
//
//     d 6 x 6  ->  v 6 x 6   *   u 6 x 6  <-  w r x r        sums over channels, point by point
//                            s 6 x 6  ->  y m x m
//
// Rules      11 (each fma and addition is in its place), 1.
#pragma once

#include "include/tessera_base.h"

// A vector of channels. Whoever includes this in C defines TSR_WINO_VEC.
#ifdef __OPENCL_VERSION__
#ifdef TSR_GPU
typedef float tsr_wino_vec;
#else
typedef float16 tsr_wino_vec;
#endif
#define tsr_wino_fma(factor, x, y) fma((tsr_wino_vec)(factor), x, y)
#else
typedef TSR_WINO_VEC tsr_wino_vec;
#define tsr_wino_fma(factor, x, y) __builtin_elementwise_fma((tsr_wino_vec)(factor), x, y)
#endif

// Values of the points at a tile's input, d[0] the first pixel.
TSR_FN void tsr_wino_input(const int points, const tsr_wino_vec *d, tsr_wino_vec *v) {
  if (points == 4) {
    v[0] = d[0] - d[2];
    v[1] = d[2] + d[1];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
    return;
  }
  const tsr_wino_vec h0 = d[3] - d[1], h1 = d[4] - d[2];
  const tsr_wino_vec q0 = tsr_wino_fma(1.5f, d[2], h0), q1 = tsr_wino_fma(1.5f, d[3], h1);
  v[0] = tsr_wino_fma(1.5f, h0, h1) + (d[0] - d[2]);
  v[1] = q1 + q0;
  v[2] = q1 - q0;
  v[3] = tsr_wino_fma(2.0f, h0, h1);
  v[4] = tsr_wino_fma(-0.5f, h0, h1);
  v[5] = tsr_wino_fma(1.5f, h1, (d[5] - d[3]) - h0);
}

// Values of the points of a kernel's n taps; or, in a gradient for the kernel, of n gradients of outputs.
TSR_FN void tsr_wino_kernel(const int points, const int n, const tsr_wino_vec *w, tsr_wino_vec *u) {
  tsr_wino_vec even = w[0], odd = w[1];
  if (n > 2) even = even + w[2];
  if (n > 3) odd = odd + w[3];
  if (n > 4) even = even + w[4];
  u[0] = w[0];
  u[1] = even + odd;
  u[2] = even - odd;
  if (points == 6) {
    tsr_wino_vec at_half = tsr_wino_fma(0.5f, w[1], w[0]), at_two = tsr_wino_fma(-2.0f, w[1], w[0]);
    if (n > 2) at_half = tsr_wino_fma(0.25f, w[2], at_half), at_two = tsr_wino_fma(4.0f, w[2], at_two);
    if (n > 3) at_half = tsr_wino_fma(0.125f, w[3], at_half), at_two = tsr_wino_fma(-8.0f, w[3], at_two);
    if (n > 4) at_half = tsr_wino_fma(0.0625f, w[4], at_half), at_two = tsr_wino_fma(16.0f, w[4], at_two);
    u[3] = at_half;
    u[4] = at_two;
  }
  u[points - 1] = w[n - 1];
}

// The n outputs of sums at the points; or, in a gradient for the kernel, its n taps.
TSR_FN void tsr_wino_output(const int points, const int n, const tsr_wino_vec *s, tsr_wino_vec *y) {
  const tsr_wino_vec even = s[1] + s[2], odd = s[1] - s[2];
  y[0] = even;
  y[1] = odd;
  if (n > 2) y[2] = even;
  if (n > 3) y[3] = odd;
  if (n > 4) y[4] = even;
  if (points == 6) {
    y[0] = (y[0] + s[3]) + s[4];
    y[1] = tsr_wino_fma(-2.0f, s[4], tsr_wino_fma(0.5f, s[3], y[1]));
    if (n > 2) y[2] = tsr_wino_fma(4.0f, s[4], tsr_wino_fma(0.25f, s[3], y[2]));
    if (n > 3) y[3] = tsr_wino_fma(-8.0f, s[4], tsr_wino_fma(0.125f, s[3], y[3]));
    if (n > 4) y[4] = tsr_wino_fma(16.0f, s[4], tsr_wino_fma(0.0625f, s[3], y[4]));
  }
  y[0] = y[0] + s[0];
  y[n - 1] = y[n - 1] + s[points - 1];
}

// What a point's value of a kernel is multiplied by, in one dimension: 1 over the product of the differences
// to the finite points. The factor of point (a, b) of two dimensions is the product, one binary32 number.
TSR_FN float tsr_wino_scale(const int points, const int point) {
  if (points == 4) return point == 1 || point == 2 ? 0.5f : 1.0f;
  // The numbers nearest 1/3, -1/3, -16/15 and 1/15.
  return point == 1   ? 0.333333343f
         : point == 2 ? -0.333333343f
         : point == 3 ? -1.06666672f
         : point == 4 ? 0.0666666701f
                      : 1.0f;
}
