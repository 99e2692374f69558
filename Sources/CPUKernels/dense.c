// SPDX-License-Identifier: Apache-2.0
// Convolutions that make many channels, forward and for the data (NUMERICS.md rule 4), without an im2col matrix or a copy of
// its taps: lanes are output channels, rows of the register tile are neighbours in a row of the output.
//
//   weights  (panel, k, [32 channels])         packed once, a panel's chunk stays in the level 2 cache
//   planes   (channel, row, column)            the input itself, or a padded band of it
//
//   sum (place r, channel) += planes (shift(k) + place + r) * weights (k, channel)      14 places x 32 channels (AVX-512)
//
//   stride 2: columns of the band are split by their remainder, so that neighbours in the output lie side by side
//
//     row  0 2 4 6 | 1 3 5 7          shift(k) leads to the tap's half
//
// A task is a band of output rows of one (sample, group), taken in parts: a part's sums (place, channel) stay in a cache over
// the chunks of k and are turned into channels last. The gradient for the data, of a stride of 1, is the same over the
// output's gradient, taps mirrored.
#include "isa_select.h"

#include "tessera_math.h"

#include <string.h>

// What is read, and what is made, of one group; `pitch` floats in a row of planes, `phase` in a part of it.
typedef struct {
  int inputs, outputs, padded, depth;  // channels; outputs in whole panels; k
  int rows, columns;                   // of what is made
  int height, width, top, left;        // of what is read: extents, zeros above and to the left
  int stride_h, stride_w;
  int reach_h, reach_w;
  int band, part;                      // rows of a task, and of the sums at once
  int phase, pitch, in_place;
  int64_t plane;
} tsr_dense_shape;

// Floats: sums of a part, where the weights stay in the level 2 cache and where they do not; planes of a band; the longest line.
enum { TSR_DENSE_FEW = 1 << 13, TSR_DENSE_SUMS = 1 << 15, TSR_DENSE_PLANES = 1 << 17, TSR_DENSE_LINE = 1 << 18 };

// So many rows of `line` floats as `floats` hold, of `rows` about equal parts.
static int dense_rows(int64_t floats, int64_t line, int rows) {
  const int64_t held = floats / (line > 0 ? line : 1);
  if (held <= 1 || rows <= 1) return 1;
  const int64_t parts = (rows + held - 1) / held;
  return (int)((rows + parts - 1) / parts);
}

static tsr_dense_shape dense_shape(const tsr_conv_params *c, int kind, int isa, int workers) {
  tsr_dense_shape s;
  const int forward = kind == TSR_B_CONV, panel = tsr_gemm_tile_columns(isa);
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
  s.in_place = s.top == 0 && s.left == 0 && s.stride_w == 1 && (s.rows - 1) * s.stride_h + s.reach_h < s.height &&
               s.columns - 1 + s.reach_w < s.width;
  s.phase = s.columns + s.reach_w / s.stride_w;
  s.pitch = s.in_place ? s.width : s.phase * s.stride_w;
  const int64_t line = (int64_t)s.columns * s.padded, read = (int64_t)s.inputs * s.pitch * s.stride_h;
  s.part = dense_rows((int64_t)s.depth * s.padded > 1 << 16 ? TSR_DENSE_SUMS : TSR_DENSE_FEW, line, s.rows);
  s.band = dense_rows(TSR_DENSE_PLANES - (int64_t)s.inputs * s.pitch * (s.reach_h + 1), read, s.rows) / s.part * s.part;
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

int tsr_dense_takes(const tsr_conv_params *c, int kind, int isa) {
  if (c->activation == TSR_ACT_GELU || c->activation == TSR_ACT_TANH) return 0;
  const tsr_dense_shape s = dense_shape(c, kind, isa, 1);
  // Lanes that stay empty are at most a fifth.
  return c->kernel_h * c->kernel_w > 1 && s.columns >= 4 && s.depth >= 64 && s.padded * 4 <= s.outputs * 5 &&
         (int64_t)s.columns * s.padded <= TSR_DENSE_LINE && s.plane * s.inputs < (1 << 30);
}

int64_t tsr_dense_packed_count(const tsr_dense_plan *p) {
  const tsr_dense_shape s = dense_shape(&p->conv, p->kind, p->isa, p->workers);
  return (int64_t)s.padded * (s.depth + 1);
}

int64_t tsr_dense_scratch_count(const tsr_dense_plan *p) {
  const tsr_dense_shape s = dense_shape(&p->conv, p->kind, p->isa, p->workers);
  const int64_t planes = s.in_place ? 0 : s.plane * s.inputs;
  return s.depth + (int64_t)s.part * s.columns * s.padded + planes;
}

int tsr_dense_tasks(const tsr_dense_plan *p) {
  const tsr_dense_shape s = dense_shape(&p->conv, p->kind, p->isa, p->workers);
  return p->conv.batch * p->conv.groups * ((s.rows + s.band - 1) / s.band);
}

// Where k reads, from the place of its output.
static void dense_shifts(const tsr_conv_params *c, int kind, const tsr_dense_shape *s, int *shift) {
  int *at = shift;
  for (int channel = 0; channel < s->inputs; channel++)
    for (int kh = 0; kh < c->kernel_h; kh++)
      for (int kw = 0; kw < c->kernel_w; kw++) {
        int r = kh * c->dilation_h, q = kw * c->dilation_w;
        if (kind != TSR_B_CONV) r = s->reach_h - r, q = s->reach_w - q;
        *at++ = (int)(channel * s->plane + (int64_t)r * s->pitch + q % s->stride_w * s->phase + q / s->stride_w);
      }
}

#define TSR_FAMILY "dense_body.h"
#include "per_isa.h"

void tsr_dense_pack(const tsr_dense_plan *p, int begin, int end) {
  const tsr_dense_shape s = dense_shape(&p->conv, p->kind, p->isa, p->workers);
  TSR_SELECT(p->isa, dense_pack, p, &s, begin, end);
}

void tsr_dense_work(tsr_dense_plan *p, float *scratch) {
  const tsr_dense_shape s = dense_shape(&p->conv, p->kind, p->isa, p->workers);
  const int bands = (s.rows + s.band - 1) / s.band, tasks = tsr_dense_tasks(p);
  int *const shift = (int *)scratch;
  dense_shifts(&p->conv, p->kind, &s, shift);
  for (;;) {
    const int task = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED);
    if (task >= tasks) return;
    TSR_SELECT(p->isa, dense, p, &s, shift, task / bands, task % bands * s.band, scratch + s.depth);
  }
}
