// SPDX-License-Identifier: Apache-2.0
// Packing for gemm/c/gemm.h: A in panels of MR rows, B in panels of NR columns.
//
//   A panel: [k][MR]      B panel: [k][NR]      zeros beyond the last row or column
#pragma once

#include "common/c/transpose.h"

// One panel of A over k0 ..< k0 + kc.
static void gemm_pack_a_panel(const tsr_gemm_plan *p, const float *a, int row, int k0, int kc, float *dst) {
  const int rows = p->m - row < TSR_MR ? p->m - row : TSR_MR;
  for (int k = 0; k < kc;) {
    const int64_t high = (k0 + k) / p->k_inner, low = (k0 + k) % p->k_inner;
    int length = (int)(p->k_inner - low < kc - k ? p->k_inner - low : kc - k);
    const float *from = a + row * p->a_row + high * p->k_outer_stride + low * p->k_inner_stride;
    float *to = dst + (int64_t)k * TSR_MR;
    if (p->k_inner_stride == 1) {
      const float *lines[TSR_MR];
      for (int r = 0; r < rows; r++) lines[r] = from + r * p->a_row;
      interleave(to, TSR_MR, lines, rows, length);
    } else if (p->a_row == 1 && rows == TSR_MR) {
      for (int q = 0; q < length; q++)
        memcpy(to + q * TSR_MR, from + q * p->k_inner_stride, TSR_MR * sizeof *to);
    } else {
      for (int q = 0; q < length; q++) {
        for (int r = 0; r < rows; r++) to[q * TSR_MR + r] = from[q * p->k_inner_stride + r * p->a_row];
        for (int r = rows; r < TSR_MR; r++) to[q * TSR_MR + r] = 0.0f;
      }
    }
    k += length;
  }
}

// line[first ..< first + run], zeros where that is outside 0 ..< width.
static inline void copy_shifted(const float *line, int width, int first, int run, float *restrict out) {
  int lo = -first, hi = width - first;
  lo = lo < 0 ? 0 : lo > run ? run : lo;
  hi = hi > run ? run : hi < lo ? lo : hi;
  for (int q = 0; q < lo; q++) out[q] = 0.0f;
  for (int q = lo; q < hi; q++) out[q] = line[first + q];
  for (int q = hi; q < run; q++) out[q] = 0.0f;
}

// The same of every stride-th element from line[first] on.
static inline void copy_strided(const float *line, int width, int first, int stride, int run,
                                float *restrict out) {
  int lo = first < 0 ? (stride - 1 - first) / stride : 0,
      hi = width > first ? (width - first + stride - 1) / stride : 0;
  lo = lo > run ? run : lo;
  hi = hi > run ? run : hi < lo ? lo : hi;
  for (int q = 0; q < lo; q++) out[q] = 0.0f;
  if (stride == 2)
    for (int q = lo; q < hi; q++) out[q] = line[first + 2 * q];
  else
    for (int q = lo; q < hi; q++) out[q] = line[first + stride * q];
  for (int q = hi; q < run; q++) out[q] = 0.0f;
}

// Taps of kernel position (kh, kw) of one input plane at output positions first ..< first + count.
static void im2col_row(const tsr_conv_params *c, const float *x, int kh, int kw, int first, int count,
                       float *restrict out) {
  const int shift = kw * c->dilation_w - c->pad_w;
  int oh = first / c->out_w, ow = first % c->out_w;
  while (count > 0) {
    const int run = c->out_w - ow < count ? c->out_w - ow : count;
    const int h = oh * c->stride_h - c->pad_h + kh * c->dilation_h;
    if (h < 0 || h >= c->height) {
      memset(out, 0, (size_t)run * sizeof *out);
    } else {
      const float *line = x + (int64_t)h * c->width;
      if (c->stride_w == 1) {
        copy_shifted(line, c->width, ow + shift, run, out);
      } else {
        copy_strided(line, c->width, ow * c->stride_w + shift, c->stride_w, run, out);
      }
    }
    out += run;
    count -= run;
    ow = 0;
    oh++;
  }
}

// Output gradients that input positions first ..< first + count meet through kernel position (kh, kw);
// the stride is 1.
static void im2col_grad_row(const tsr_conv_params *c, const float *dy, int kh, int kw, int first, int count,
                            float *restrict out) {
  const int shift = c->pad_w - kw * c->dilation_w;
  int h = first / c->width, w = first % c->width;
  while (count > 0) {
    const int run = c->width - w < count ? c->width - w : count;
    const int oh = h + c->pad_h - kh * c->dilation_h;
    if (oh < 0 || oh >= c->out_h) memset(out, 0, (size_t)run * sizeof *out);
    else copy_shifted(dy + (int64_t)oh * c->out_w, c->out_w, w + shift, run, out);
    out += run;
    count -= run;
    w = 0;
    h++;
  }
}

// A block of B: rows k0 ..< k0 + kc, columns j0 ..< j0 + nc; `line` holds max(nc, NR * kc) floats.
static void gemm_pack_b(const tsr_gemm_plan *p, const float *b, int k0, int kc, int j0, int nc, float *dst,
                        float *line) {
  const tsr_conv_params *c = &p->conv;
  const int taps = c->kernel_h * c->kernel_w, positions = c->out_h * c->out_w;
  if (p->b_kind == TSR_B_CONV_GRAD_WEIGHT || (p->b_kind == TSR_B_STRIDED && p->b_col != 1)) {
    // Columns are contiguous in k: gather lines, then interleave.
    for (int j = 0; j < nc; j += TSR_NR) {
      const int count = nc - j < TSR_NR ? nc - j : TSR_NR;
      const float *lines[TSR_NR];
      for (int r = 0; r < count; r++) {
        const int column = j0 + j + r;
        if (p->b_kind == TSR_B_STRIDED) {
          const float *from = b + column * p->b_col + (int64_t)k0 * p->b_row;
          lines[r] = from;
          if (p->b_row != 1) {
            for (int k = 0; k < kc; k++) line[r * kc + k] = from[k * p->b_row];
            lines[r] = line + r * kc;
          }
          continue;
        }
        const int tap = column % taps;
        for (int k = 0; k < kc;) {
          const int sample = (k0 + k) / positions, position = (k0 + k) % positions;
          const int run = positions - position < kc - k ? positions - position : kc - k;
          const float *plane = b + ((int64_t)sample * c->in_channels + column / taps) * c->height * c->width;
          im2col_row(c, plane, tap / c->kernel_w, tap % c->kernel_w, position, run, line + r * kc + k);
          k += run;
        }
        lines[r] = line + r * kc;
      }
      interleave(dst + (int64_t)j * kc, TSR_NR, lines, count, kc);
    }
    return;
  }
  for (int k = 0; k < kc; k++) {
    const float *from = line;
    if (p->b_kind == TSR_B_STRIDED) {
      from = b + (int64_t)(k0 + k) * p->b_row + j0;
    } else {
      const int plane = (k0 + k) / taps, tap = (k0 + k) % taps;
      if (p->b_kind == TSR_B_CONV)
        im2col_row(c, b + (int64_t)plane * c->height * c->width, tap / c->kernel_w, tap % c->kernel_w, j0, nc,
                   line);
      else
        im2col_grad_row(c, b + (int64_t)plane * positions, tap / c->kernel_w, tap % c->kernel_w, j0, nc,
                        line);
    }
    int j = 0;
    for (; j + TSR_NR <= nc; j += TSR_NR)
      memcpy(dst + (int64_t)j * kc + k * TSR_NR, from + j, TSR_NR * sizeof *dst);
    if (j < nc) {
      float *to = dst + (int64_t)j * kc + k * TSR_NR;
      for (int r = 0; r < TSR_NR; r++) to[r] = j + r < nc ? from[j + r] : 0.0f;
    }
  }
}
