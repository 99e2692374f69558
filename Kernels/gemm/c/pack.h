// SPDX-License-Identifier: Apache-2.0
// Packing for gemm.h: A in panels of MR rows, B in panels of NR columns.
//
// Algorithm  Operands are stored in the order in which the micro-kernel reads them. Of a convolution,
//            panels of B are read from the image (im2col of one chunk and block).
// Tensors    A (m, k) by strides, k as (outer, inner); B (k, n) by strides, or images (in_channels,
//            height, width).
// Work       A thread packs what its task uses; a shared A is packed once, a range of panels a thread.
// Tuning     TSR_MR, TSR_NR (isa/).
//
//   A panel: [k][MR]      B panel: [k][NR]      zeros beyond the last row or column
//
// Rules      4: taps outside the image are +0 and take part in the sum.
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

// Every stride-th element from line[first] on, `run` of them, zeros where that is outside 0 ..< width.
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

// Kernel position `tap` of one input plane at output positions first ..< first + count.
static void im2col_row(const tsr_conv_params *c, const float *x, int tap, int first, int count,
                       float *restrict out) {
  const int kh = tap / c->kernel_w, kw = tap % c->kernel_w;
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

// Output gradients that input positions first ..< first + count meet through kernel position `tap`; the
// stride is 1.
static void im2col_grad_row(const tsr_conv_params *c, const float *dy, int tap, int first, int count,
                            float *restrict out) {
  const int kh = tap / c->kernel_w, kw = tap % c->kernel_w;
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

// Rows k0 ..< k0 + kc and columns j0 ..< j0 + nc of B.
typedef struct {
  int k0, kc, j0, nc;
} b_block;

// Rows of the block of the column number `column` of B, side by side: where they lie in B already, or in
// `line` (kc floats).
static const float *gemm_b_column(const tsr_gemm_plan *p, const float *b, const b_block *s, int column,
                                  float *line) {
  if (p->b_kind == TSR_B_STRIDED) {
    const float *from = b + column * p->b_col + (int64_t)s->k0 * p->b_row;
    if (p->b_row == 1) return from;
    for (int k = 0; k < s->kc; k++) line[k] = from[k * p->b_row];
    return line;
  }
  const tsr_conv_params *c = &p->conv;
  const int taps = c->kernel_h * c->kernel_w, positions = c->out_h * c->out_w;
  for (int k = 0; k < s->kc;) {
    const int sample = (s->k0 + k) / positions, position = (s->k0 + k) % positions;
    const int run = positions - position < s->kc - k ? positions - position : s->kc - k;
    const float *plane = b + ((int64_t)sample * c->in_channels + column / taps) * c->height * c->width;
    im2col_row(c, plane, column % taps, position, run, line + k);
    k += run;
  }
  return line;
}

// Row k of B, columns of the block: where they lie in B already, or in `line` (nc floats).
static const float *gemm_b_row(const tsr_gemm_plan *p, const float *b, const b_block *s, int k, float *line) {
  if (p->b_kind == TSR_B_STRIDED) return b + (int64_t)k * p->b_row + s->j0;
  const tsr_conv_params *c = &p->conv;
  const int taps = c->kernel_h * c->kernel_w, plane = k / taps, tap = k % taps;
  if (p->b_kind == TSR_B_CONV)
    im2col_row(c, b + (int64_t)plane * c->height * c->width, tap, s->j0, s->nc, line);
  else im2col_grad_row(c, b + (int64_t)plane * c->out_h * c->out_w, tap, s->j0, s->nc, line);
  return line;
}

// Floats of a row of a packed panel: the last panel has one vector if that is enough.
static inline int gemm_panel_width(const tsr_gemm_plan *p, int columns) {
  return columns <= TSR_VECTOR && !p->distance ? TSR_VECTOR : TSR_NR;
}

// Packs a block of B; `line` holds max(nc, NR * kc) floats, or is null where B is a matrix with unit stride.
static void gemm_pack_b(const tsr_gemm_plan *p, const float *b, const b_block *s, float *dst, float *line) {
  const int kc = s->kc, nc = s->nc;
  if (p->b_kind == TSR_B_CONV_GRAD_WEIGHT || (p->b_kind == TSR_B_STRIDED && p->b_col != 1)) {
    // Columns are contiguous in k: they are gathered, then interleaved.
    for (int j = 0; j < nc; j += TSR_NR) {
      const int count = nc - j < TSR_NR ? nc - j : TSR_NR;
      const float *lines[TSR_NR];
      for (int r = 0; r < count; r++)
        lines[r] = gemm_b_column(p, b, s, s->j0 + j + r, line ? line + r * kc : 0);
      if (gemm_panel_width(p, count) == TSR_NR) interleave(dst + (int64_t)j * kc, TSR_NR, lines, count, kc);
      else interleave(dst + (int64_t)j * kc, TSR_VECTOR, lines, count, kc);
    }
    return;
  }
  const int whole = nc / TSR_NR * TSR_NR, width = gemm_panel_width(p, nc - whole);
  for (int k = 0; k < kc; k++) {
    const float *from = gemm_b_row(p, b, s, s->k0 + k, line);
    for (int j = 0; j < whole; j += TSR_NR)
      memcpy(dst + (int64_t)j * kc + k * TSR_NR, from + j, TSR_NR * sizeof *dst);
    if (whole == nc) continue;
    float *to = dst + (int64_t)whole * kc + k * width;
    for (int r = 0; r < width; r++) to[r] = whole + r < nc ? from[whole + r] : 0.0f;
  }
}
