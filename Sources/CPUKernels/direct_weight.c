// SPDX-License-Identifier: Apache-2.0
// Weight gradients of convolutions with few channels a group (depthwise, ResNeXt's), NUMERICS.md rules 4 and 6: a product
// would have one to sixteen rows. Here a vector holds as many groups, and every element of it one chain of fma:
//
//   x   (row, column, [group 0 | group 1 | ...])     planes with the convolution's padding, of one sample
//   dy  (spot, [group 0 | group 1 | ...])            up to a chunk of spots
//
//   sum (m, tap) += dy (m, spot) * x (spot + tap)    4 outputs x 3 taps or 1 x 9 in registers
//
// A task is (batch group, vector of groups); what the batch groups give is added in ascending order afterwards.
#include "isa_select.h"

#include "tessera_math.h"

#include <string.h>

// Extents of one group; rows and columns of the padded plane that the taps reach.
typedef struct {
  int inputs, outputs, taps, depth, spots;
  int rows, pitch;
} tsr_weight_shape;

static tsr_weight_shape weight_shape(const tsr_conv_params *c) {
  tsr_weight_shape s;
  s.inputs = c->in_channels / c->groups;
  s.outputs = c->out_channels / c->groups;
  s.taps = c->kernel_h * c->kernel_w;
  s.depth = s.inputs * s.taps;
  s.spots = c->out_h * c->out_w;
  s.rows = (c->out_h - 1) * c->stride_h + (c->kernel_h - 1) * c->dilation_h + 1;
  s.pitch = (c->out_w - 1) * c->stride_w + (c->kernel_w - 1) * c->dilation_w + 1;
  return s;
}

#define TSR_FAMILY "direct_weight_body.h"
#include "per_isa.h"

static int weight_lanes(int isa) { return tsr_set_of(isa) == 0 ? 16 : tsr_set_of(isa) == 1 ? 8 : 4; }

int tsr_direct_weight_takes(const tsr_conv_params *c) {
  const tsr_weight_shape s = weight_shape(c);
  return c->groups >= 4 && s.outputs <= 16 && s.depth <= TSR_K_CHUNK && c->batch > 0 && s.spots > 0 &&
         (int64_t)s.rows * s.pitch * s.inputs < (1 << 18);
}

static int64_t planes_count(const tsr_weight_shape *s, int lanes) { return (int64_t)s->inputs * s->rows * s->pitch * lanes; }

int64_t tsr_direct_weight_scratch_count(const tsr_direct_weight_plan *p) {
  const tsr_weight_shape s = weight_shape(&p->conv);
  const int lanes = weight_lanes(p->isa);
  return planes_count(&s, lanes) + (int64_t)lanes * s.outputs * (TSR_K_CHUNK + 2 * s.depth);
}

void tsr_direct_weight_work(tsr_direct_weight_plan *p, float *scratch) {
  const tsr_weight_shape s = weight_shape(&p->conv);
  const int lanes = weight_lanes(p->isa), blocks = (p->conv.groups + lanes - 1) / lanes;
  const int tasks = (p->conv.batch + TSR_BATCH_GROUP - 1) / TSR_BATCH_GROUP * blocks;
  // What lies around the images stays zero: every task writes the same places.
  memset(scratch, 0, (size_t)planes_count(&s, lanes) * sizeof *scratch);
  for (;;) {
    const int task = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED);
    if (task >= tasks) return;
    TSR_SELECT(p->isa, direct_weight, p, &s, task / blocks, task % blocks, scratch);
  }
}

void tsr_direct_weight_sum(const tsr_direct_weight_plan *p, float *dw, int64_t begin, int64_t end) {
  const int groups = (p->conv.batch + TSR_BATCH_GROUP - 1) / TSR_BATCH_GROUP;
  const int64_t count = (int64_t)p->conv.out_channels * weight_shape(&p->conv).depth;
  for (int64_t i = begin; i < end; i++) {
    float v = p->partial[i];
    for (int g = 1; g < groups; g++) v = v + p->partial[g * count + i];
    dw[i] = tsr_canonical(v);
  }
}
