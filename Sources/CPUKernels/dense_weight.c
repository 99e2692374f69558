// SPDX-License-Identifier: Apache-2.0
// Weight gradients of convolutions with many output channels (NUMERICS.md rules 4 and 6) without an im2col matrix: lanes are
// output channels, rows of the register tile are neighbouring taps.
//
//   planes   (input channel, row, column)   the input itself, or padded rows that a chunk of places reaches
//   dy       (panel, place, [32 channels])  the chunk's output gradients
//
//   sum (c, kh, kw; channel) += planes (c, place + (kh, kw)) * dy (place, channel)
//
//   rows of a tile:  up to 5 taps of a kernel row (of one remainder by the stride) x some kernel rows
//
//     3 x 3:   . . .      4 lines of 3 taps, one pointer a line      x 32 channels (AVX-512)
//              . . .
//
// A task is (batch group, group, block of input channels); what the batch groups give is added in ascending order afterwards.
#include "isa_select.h"

#include "tessera_math.h"

#include <string.h>

enum { TSR_WIDEST = 5, TSR_MOST_LINES = 14, TSR_LARGEST_STRIDE = 8 };

typedef struct {
  int inputs, outputs, padded, taps, spots;  // of a group; outputs in whole panels
  int reach_h, reach_w, phase, pitch;        // a row of planes: stride_w phases
  int rows;                                  // of planes that a chunk reaches, at most
  int in_place;                              // the input itself serves as planes
  int channels, blocks;                      // input channels of a task; tasks for all
} tsr_dense_weight_shape;

static tsr_dense_weight_shape dense_weight_shape(const tsr_conv_params *c, int isa, int blocks) {
  tsr_dense_weight_shape s;
  const int panel = tsr_gemm_tile_columns(isa);
  s.inputs = c->in_channels / c->groups;
  s.outputs = c->out_channels / c->groups;
  s.padded = (s.outputs + panel - 1) / panel * panel;
  s.taps = c->kernel_h * c->kernel_w;
  s.spots = c->out_h * c->out_w;
  s.reach_h = (c->kernel_h - 1) * c->dilation_h;
  s.reach_w = c->kernel_w - 1;
  s.phase = c->out_w + s.reach_w / c->stride_w;
  s.pitch = s.phase * c->stride_w;
  // A chunk reaches into so many samples; its places lie in so many rows of them.
  const int64_t pieces = s.spots > 0 ? (TSR_K_CHUNK + s.spots - 1) / s.spots + 1 : 1;
  const int64_t lines = c->out_w > 0 ? TSR_K_CHUNK / c->out_w + 2 * pieces : 1;
  const int64_t rows = lines * c->stride_h + pieces * (s.reach_h + 1);
  s.rows = rows < (1 << 20) ? (int)rows : 1 << 20;
  s.in_place = c->stride_w == 1 && c->pad_h == 0 && c->pad_w == 0 && c->out_w - 1 + s.reach_w < c->width &&
               (c->out_h - 1) * c->stride_h + s.reach_h < c->height &&
               (int64_t)c->batch * c->in_channels * c->height * c->width < (1 << 30);
  if (s.in_place) s.rows = c->height, s.pitch = c->width;
  s.channels = (s.inputs + blocks - 1) / blocks;
  s.blocks = (s.inputs + s.channels - 1) / s.channels;
  return s;
}

static int batch_groups(const tsr_conv_params *c) { return (c->batch + TSR_BATCH_GROUP - 1) / TSR_BATCH_GROUP; }

int tsr_dense_weight_takes(const tsr_conv_params *c, int isa) {
  if (c->dilation_w != 1 || c->stride_w > TSR_LARGEST_STRIDE || c->batch < 1) return 0;
  if (c->in_channels < c->groups || c->pad_w < 0) return 0;
  const tsr_dense_weight_shape s = dense_weight_shape(c, isa, 1);
  return c->out_w >= 4 && (c->kernel_w > 1 || s.in_place) && s.padded * 4 <= s.outputs * 5 && (int64_t)s.padded * TSR_K_CHUNK <= (1 << 19) &&
         (int64_t)s.rows * s.pitch * s.inputs < (1 << 26) &&
         (int64_t)s.taps * s.padded * c->in_channels * batch_groups(c) < (1 << 26);
}

int64_t tsr_dense_weight_partial_count(const tsr_dense_weight_plan *p) {
  const tsr_dense_weight_shape s = dense_weight_shape(&p->conv, p->isa, 1);
  return (int64_t)s.taps * s.padded * p->conv.in_channels * batch_groups(&p->conv);
}

int64_t tsr_dense_weight_scratch_count(const tsr_dense_weight_plan *p) {
  const tsr_dense_weight_shape s = dense_weight_shape(&p->conv, p->isa, p->blocks);
  return (int64_t)s.padded * TSR_K_CHUNK + (s.in_place ? 0 : (int64_t)s.rows * s.pitch * s.channels);
}

// Runs of places in a row: where they begin in the planes, and how many there are.
typedef struct {
  int at, count;
} tsr_dense_run;

#define TSR_FAMILY "dense_weight_body.h"
#include "per_isa.h"

int tsr_dense_weight_tasks(const tsr_dense_weight_plan *p) {
  return batch_groups(&p->conv) * p->conv.groups * dense_weight_shape(&p->conv, p->isa, p->blocks).blocks;
}

void tsr_dense_weight_work(tsr_dense_weight_plan *p, float *scratch) {
  const tsr_dense_weight_shape s = dense_weight_shape(&p->conv, p->isa, p->blocks);
  const int tasks = tsr_dense_weight_tasks(p);
  for (;;) {
    const int task = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED);
    if (task >= tasks) return;
    const int pair = task / s.blocks;
    TSR_SELECT(p->isa, dense_weight, p, &s, pair / p->conv.groups, pair % p->conv.groups, task % s.blocks * s.channels,
               scratch);
  }
}

void tsr_dense_weight_sum(const tsr_dense_weight_plan *p, float *dw, int begin, int end) {
  const tsr_dense_weight_shape s = dense_weight_shape(&p->conv, p->isa, p->blocks);
  TSR_SELECT(p->isa, dense_weight_sum, p, &s, dw, begin, end);
}
