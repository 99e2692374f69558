// SPDX-License-Identifier: Apache-2.0
// Convolutions that make many channels on the CPU, forward and for the data. (OpenCL:
// conv/conv_blocked.cl.)
//
// Algorithm  Channel-blocked direct convolution (as Georganas et al. 2018), without an im2col matrix or a
//            copy of its taps: lanes are output channels, rows of the register tile are neighbours in a
//            row of the output. The gradient for the data, of a stride of 1, is the same over the
//            output's gradient, with taps mirrored.
// Tensors    weights (panel, k, [NR channels]): packed once, a panel's chunk stays in the level 2 cache;
//            planes (channel, row, column): the input itself, or a padded band of it; y (batch, outputs,
//            rows, columns).
// Work       A thread takes tasks from the plan's counter. A task is a band of output rows of one
//            (sample, group), made in parts: a part's sums (pixel, channel) stay in a cache over the
//            chunks of k and are transposed into channels last.
// Tuning     TSR_MR x TSR_NR (isa/). TSR_BLOCKED_SUMS_IN_L2, TSR_BLOCKED_SUMS: floats of a part's sums,
//            beside weights that stay in the level 2 cache and beside larger ones; TSR_BLOCKED_PLANES: of
//            a band's planes.
//
//   sum (pixel r, channel) += planes (shift(k) + pixel + r) * weights (k, channel)   14 pixels x 32 channels
//
//   stride 2: columns of the band are split by their remainder: neighbours in the output lie side by side
//
//     row  0 2 4 6 | 1 3 5 7          shift(k) leads to the tap's half
//
// Rules      4, 9.
#pragma once

#include "common/c/transpose.h"
#include "conv/c/padded_row.h"
#include "gemm/c/microkernel.h"

// What is read, and what is made, of one group; `pitch` floats in a row of planes, `phase` in a part of it.
typedef struct {
  int inputs, outputs, padded, depth;  // channels; outputs in whole panels; k
  int rows, columns;                   // of what is made
  int height, width, top, left;        // of what is read: extents, zeros above and to the left
  int stride_h, stride_w;
  int reach_h, reach_w;
  int band, part;  // rows of a task, and of the sums at once
  int phase, pitch, in_place;
  int64_t plane;
} tsr_conv_blocked_shape;

// Floats: sums of a part, where the weights stay in the level 2 cache and where they do not; planes of a
// band; the longest line.
enum {
  TSR_BLOCKED_SUMS_IN_L2 = 1 << 13,
  TSR_BLOCKED_SUMS = 1 << 15,
  TSR_BLOCKED_PLANES = 1 << 17,
  TSR_BLOCKED_LINE = 1 << 18
};

// So many rows of `line` floats as `floats` hold, of `rows` about equal parts.
static int blocked_rows(int64_t floats, int64_t line, int rows) {
  const int64_t held = floats / (line > 0 ? line : 1);
  if (held <= 1 || rows <= 1) return 1;
  const int64_t parts = (rows + held - 1) / held;
  return (int)((rows + parts - 1) / parts);
}

static tsr_conv_blocked_shape blocked_shape(const tsr_conv_params *c, int kind, int workers) {
  tsr_conv_blocked_shape s;
  const int forward = kind == TSR_B_CONV, panel = TSR_NR;
  s.reach_h = (c->kernel_h - 1) * c->dilation_h;
  s.reach_w = (c->kernel_w - 1) * c->dilation_w;
  s.inputs = (forward ? c->in_channels : c->out_channels) / c->groups;
  s.outputs = (forward ? c->out_channels : c->in_channels) / c->groups;
  s.padded = (s.outputs + panel - 1) / panel * panel;
  s.depth = s.inputs * c->kernel_h * c->kernel_w;
  s.rows = forward ? c->out_h : c->height;
  s.columns = forward ? c->out_w : c->width;
  s.height = forward ? c->height : c->out_h;
  s.width = forward ? c->width : c->out_w;
  s.top = forward ? c->pad_h : s.reach_h - c->pad_h;
  s.left = forward ? c->pad_w : s.reach_w - c->pad_w;
  s.stride_h = forward ? c->stride_h : 1;
  s.stride_w = forward ? c->stride_w : 1;
  s.in_place = s.top == 0 && s.left == 0 && s.stride_w == 1 &&
               (s.rows - 1) * s.stride_h + s.reach_h < s.height && s.columns - 1 + s.reach_w < s.width;
  s.phase = s.columns + s.reach_w / s.stride_w;
  s.pitch = s.in_place ? s.width : s.phase * s.stride_w;
  const int64_t line = (int64_t)s.columns * s.padded, read = (int64_t)s.inputs * s.pitch * s.stride_h;
  s.part = blocked_rows((int64_t)s.depth * s.padded > 1 << 16 ? TSR_BLOCKED_SUMS : TSR_BLOCKED_SUMS_IN_L2,
                        line, s.rows);
  s.band = blocked_rows(TSR_BLOCKED_PLANES - (int64_t)s.inputs * s.pitch * (s.reach_h + 1), read, s.rows) /
           s.part * s.part;
  s.band = s.band < s.part ? s.part : s.band;
  // Two tasks for every worker, if there are rows enough.
  const int pairs = c->batch * c->groups;
  if (workers > 1 && pairs > 0 && s.rows > 0) {
    const int bands = (2 * workers + pairs - 1) / pairs, most = (s.rows + bands - 1) / bands;
    s.part = s.part < most ? s.part : most;
    s.band = s.band < most ? s.band : most / s.part * s.part;
  }
  s.plane = (int64_t)s.pitch * (s.in_place ? s.height : (s.band - 1) * s.stride_h + s.reach_h + 1);
  return s;
}

// Which shapes it is the best for: ConvSelection.swift.
static int tsr_conv_blocked_fits(const tsr_conv_params *c, int kind) {
  const tsr_conv_blocked_shape s = blocked_shape(c, kind, 1);
  return (int64_t)s.columns * s.padded <= TSR_BLOCKED_LINE && s.plane * s.inputs < (1 << 30);
}

static int64_t tsr_conv_blocked_packed_count(const tsr_conv_blocked_plan *p) {
  const tsr_conv_blocked_shape s = blocked_shape(&p->conv, p->kind, p->workers);
  return (int64_t)s.padded * (s.depth + 1);
}

static int64_t tsr_conv_blocked_scratch_count(const tsr_conv_blocked_plan *p) {
  const tsr_conv_blocked_shape s = blocked_shape(&p->conv, p->kind, p->workers);
  const int64_t planes = s.in_place ? 0 : s.plane * s.inputs;
  return s.depth + (int64_t)s.part * s.columns * s.padded + planes;
}

static int tsr_conv_blocked_tasks(const tsr_conv_blocked_plan *p) {
  const tsr_conv_blocked_shape s = blocked_shape(&p->conv, p->kind, p->workers);
  return p->conv.batch * p->conv.groups * ((s.rows + s.band - 1) / s.band);
}

// The offset of what tap k reads, from the position of the output.
static void blocked_shifts(const tsr_conv_params *c, int kind, const tsr_conv_blocked_shape *s, int *shift) {
  int *at = shift;
  for (int channel = 0; channel < s->inputs; channel++)
    for (int kh = 0; kh < c->kernel_h; kh++)
      for (int kw = 0; kw < c->kernel_w; kw++) {
        int r = kh * c->dilation_h, q = kw * c->dilation_w;
        if (kind != TSR_B_CONV) r = s->reach_h - r, q = s->reach_w - q;
        *at++ =
            (int)(channel * s->plane + (int64_t)r * s->pitch + q % s->stride_w * s->phase + q / s->stride_w);
      }
}

static void blocked_pack(const tsr_conv_blocked_plan *p, const tsr_conv_blocked_shape *s, int begin,
                         int end) {
  const int panels = s->padded / TSR_NR, taps = p->conv.kernel_h * p->conv.kernel_w;
  for (int at = begin; at < end; at++) {
    const int group = at / panels, first = at % panels * TSR_NR;
    const int count = s->outputs - first < TSR_NR ? s->outputs - first : TSR_NR;
    float *const packed = p->packed + (int64_t)group * s->padded * (s->depth + 1);
    float *to = packed + (int64_t)first * s->depth;
    const float *const w = p->w + (int64_t)group * s->outputs * s->depth;
    const float *lines[TSR_NR];
    if (p->kind == TSR_B_CONV) {
      for (int r = 0; r < count; r++) lines[r] = w + (int64_t)(first + r) * s->depth;
      interleave(to, TSR_NR, lines, count, s->depth);
    } else {
      for (int channel = 0; channel < s->inputs; channel++, to += taps * TSR_NR) {
        for (int r = 0; r < count; r++) lines[r] = w + ((int64_t)channel * s->outputs + first + r) * taps;
        interleave(to, TSR_NR, lines, count, taps);
      }
    }
    float *const bias = packed + (int64_t)s->padded * s->depth + first;
    for (int r = 0; r < TSR_NR; r++)
      bias[r] = p->bias && r < count ? p->bias[group * s->outputs + first + r] : 0.0f;
  }
}

// Rows `first` and on of the padded planes, columns split by phase: every element is written, zeros too.
static void blocked_planes(const tsr_conv_blocked_shape *s, const float *x, int first, int rows,
                           float *planes) {
  const int count = (rows - 1) * s->stride_h + s->reach_h + 1;
  const padded_plane plane = {s->height, s->width, s->left, s->stride_w, s->phase};
  for (int channel = 0; channel < s->inputs;
       channel++, x += (int64_t)s->height * s->width, planes += s->plane) {
    for (int r = 0; r < count; r++)
      padded_row(planes + (int64_t)r * s->pitch, &plane, x, first * s->stride_h + r - s->top);
  }
}

#define TSR_HEIGHT(n) \
  case n: return gemm_microkernel((tile_form){n, 2, 0, 0}, o, shift, t);
static void blocked_dispatch(int rows, const tile_operands *o, const int *shift, const epilogue *t) {
  switch (rows) {
    TSR_HEIGHT(1)
    TSR_HEIGHT(2)
    TSR_HEIGHT(3)
#if TSR_MR > 4
    TSR_HEIGHT(4)
    TSR_HEIGHT(5)
#endif
#if TSR_MR > 6
    TSR_HEIGHT(6)
    TSR_HEIGHT(7)
    TSR_HEIGHT(8)
    TSR_HEIGHT(9)
    TSR_HEIGHT(10)
    TSR_HEIGHT(11)
#endif
#if TSR_MR > 12
    TSR_HEIGHT(12)
    TSR_HEIGHT(13)
#endif
    default: return gemm_microkernel((tile_form){TSR_MR, 2, 0, 0}, o, shift, t);
  }
}
#undef TSR_HEIGHT

// Sums (pixel, channel) become rows of pixels.
static void transpose_store(const float *sums, int padded, int channels, int pixels, float *y, int64_t row) {
  for (int m = 0; m < channels; m += 8) {
    const int count = channels - m < 8 ? channels - m : 8;
    int at = 0;
    for (; at + 8 <= pixels; at += 8) {
      vector8 t[8];
      _Pragma("clang loop unroll(full)") for (int q = 0; q < 8; q++) t[q] =
          *(const unaligned_vector8 *)(sums + (int64_t)(at + q) * padded + m);
      transpose8x8(t);
      _Pragma("clang loop unroll(full)") for (int q = 0; q < 8; q++) if (q < count) *
          (unaligned_vector8 *)(y + (m + q) * row + at) = t[q];
    }
    for (; at < pixels; at++)
      for (int q = 0; q < count; q++) y[(m + q) * row + at] = sums[(int64_t)at * padded + m + q];
  }
}

// Rows first ..< first + band of one (sample, group).
static void blocked_task(const tsr_conv_blocked_plan *p, const tsr_conv_blocked_shape *s, const int *shift,
                         int pair, int first, float *sums) {
  const int group = pair % p->conv.groups, end = s->rows - first < s->band ? s->rows : first + s->band;
  const float *const x = p->x + (int64_t)pair * s->inputs * s->height * s->width;
  float *const band = sums + (int64_t)s->part * s->columns * s->padded;
  if (!s->in_place) blocked_planes(s, x, first, end - first, band);
  const float *const planes = s->in_place ? x + (int64_t)first * s->stride_h * s->pitch : band;
  const float *const packed = p->packed + (int64_t)group * s->padded * (s->depth + 1);
  const int tiles = (s->columns + TSR_MR - 1) / TSR_MR;
  const int64_t made = (int64_t)s->rows * s->columns;
  for (int row = first; row < end; row += s->part) {
    const int rows = end - row < s->part ? end - row : s->part;
    const float *const from = planes + (int64_t)(row - first) * s->stride_h * s->pitch;
    for (int k = 0; k < s->depth; k += TSR_K_CHUNK) {
      const int kc = s->depth - k < TSR_K_CHUNK ? s->depth - k : TSR_K_CHUNK;
      for (int m = 0; m < s->padded; m += TSR_NR) {
        const float *const w = packed + (int64_t)m * s->depth + (int64_t)k * TSR_NR;
        const float *const bias = p->bias ? packed + (int64_t)s->padded * s->depth + m : 0;
        epilogue t = {.row = s->padded,
                      .column_bias = bias,
                      .add = k > 0,
                      .last = k + kc == s->depth,
                      .activation = p->kind == TSR_B_CONV ? p->conv.activation : TSR_ACT_NONE};
        tile_operands operands = {.kc = kc, .b = w};
        for (int r = 0; r < rows; r++)
          // Tiles of about the same width.
          for (int i = 0, column = 0; i < tiles; i++) {
            const int width = (s->columns - column) / (tiles - i);
            t.c = sums + ((int64_t)r * s->columns + column) * s->padded + m;
            operands.a = from + (int64_t)r * s->stride_h * s->pitch + column;
            blocked_dispatch(width, &operands, shift + k, &t);
            column += width;
          }
      }
    }
    transpose_store(sums, s->padded, s->outputs, rows * s->columns,
                    p->y + pair * s->outputs * made + (int64_t)row * s->columns, made);
  }
}

static void tsr_conv_blocked_pack(const tsr_conv_blocked_plan *p, int begin, int end) {
  const tsr_conv_blocked_shape s = blocked_shape(&p->conv, p->kind, p->workers);
  blocked_pack(p, &s, begin, end);
}

static void tsr_conv_blocked_work(const tsr_conv_blocked_plan *p, tsr_worker worker, float *scratch) {
  const tsr_conv_blocked_shape s = blocked_shape(&p->conv, p->kind, p->workers);
  const int bands = (s.rows + s.band - 1) / s.band, tasks = tsr_conv_blocked_tasks(p);
  int *const shift = (int *)scratch;
  blocked_shifts(&p->conv, p->kind, &s, shift);
  for (int64_t task; (task = tsr_next_task(&worker, tasks)) >= 0;) {
    blocked_task(p, &s, shift, task / bands, task % bands * s.band, scratch + s.depth);
  }
}
