// SPDX-License-Identifier: Apache-2.0
// Convolutions that make few channels of few (depthwise, ResNeXt's; the images of a first layer), forward and for the data
// (NUMERICS.md rule 4), without packing: a padded copy of the group's planes, in which every tap is a shift.
//
//   stride 2: rows and columns are split by their remainder (phases), so that taps of one phase lie side by side
//
//     r % 2 = 0  . . . .      position q = oh * pitch + ow of the output reads, for tap (kh, kw) of plane c, at
//     r % 2 = 1  . . . .      offset(c, kh, kw) + q: one fma a tap for up to 128 outputs at once, over row ends too
//                             (what lies between two rows of the output is computed and dropped)
//
// The gradient for the data, of a stride of 1, is the same over the output's gradient, taps mirrored.
#include "isa_select.h"

#include "tessera_math.h"

#include <string.h>

// The padded planes of one (sample, group), and the tile of sums before they become rows.
typedef struct {
  int inputs, outputs;            // channels a group, of what is read and of what is made
  int rows, columns;              // of what is made
  int phase_h, phase_w;           // strides of reading: the convolution's, or 1 for the gradient
  int plane_rows, pitch;          // of a phase
  int64_t plane, planes;          // floats of a phase; of all
  int band, taps;                 // rows of the output made at once; kernel positions
} tsr_direct_shape;

enum { TSR_DIRECT_BAND = 2048, TSR_DIRECT_SLACK = 16, TSR_DIRECT_ROWS = 4, TSR_DIRECT_DEPTH = 2048 };

static tsr_direct_shape direct_shape(const tsr_conv_params *c, int kind) {
  tsr_direct_shape s;
  const int reach_h = (c->kernel_h - 1) * c->dilation_h, reach_w = (c->kernel_w - 1) * c->dilation_w;
  const int forward = kind == TSR_B_CONV;
  s.inputs = (forward ? c->in_channels : c->out_channels) / c->groups;
  s.outputs = (forward ? c->out_channels : c->in_channels) / c->groups;
  s.rows = forward ? c->out_h : c->height;
  s.columns = forward ? c->out_w : c->width;
  s.phase_h = forward ? c->stride_h : 1;
  s.phase_w = forward ? c->stride_w : 1;
  s.plane_rows = s.rows + reach_h / s.phase_h;
  s.pitch = s.columns + reach_w / s.phase_w;
  s.plane = (int64_t)s.plane_rows * s.pitch;
  s.planes = s.plane * s.inputs * s.phase_h * s.phase_w;
  // What a band of the output reads stays in the level 2 cache.
  const int band = (s.inputs > 32 ? 32 * TSR_DIRECT_BAND / s.inputs : TSR_DIRECT_BAND) / s.pitch;
  s.band = band < 1 ? 1 : band < s.rows ? band : s.rows;
  s.taps = c->kernel_h * c->kernel_w;
  return s;
}

int tsr_direct_takes(const tsr_conv_params *c, int kind) {
  const tsr_direct_shape s = direct_shape(c, kind);
  const int64_t depth = (int64_t)s.inputs * s.taps;
  const int few = c->groups > 1 ? s.outputs <= 16 && depth <= TSR_K_CHUNK
                                : kind != TSR_B_CONV && s.outputs < TSR_DIRECT_ROWS && depth <= TSR_DIRECT_DEPTH;
  return few && s.planes < (1 << 24);
}

int64_t tsr_direct_scratch_count(const tsr_direct_plan *p) {
  const tsr_direct_shape s = direct_shape(&p->conv, p->kind);
  return s.planes + TSR_DIRECT_SLACK + TSR_DIRECT_ROWS * ((int64_t)s.band * s.pitch + TSR_DIRECT_SLACK);
}

// Where tap k reads, from the place of its output.
static void direct_shifts(const tsr_conv_params *c, int kind, const tsr_direct_shape *s, int *shift) {
  for (int k = 0; k < s->inputs * s->taps; k++) {
    const int channel = k / s->taps, tap = k % s->taps;
    int kh = tap / c->kernel_w, kw = tap % c->kernel_w;
    if (kind != TSR_B_CONV) kh = c->kernel_h - 1 - kh, kw = c->kernel_w - 1 - kw;
    const int r = kh * c->dilation_h, q = kw * c->dilation_w;
    shift[k] = (int)(((channel * s->phase_h + r % s->phase_h) * s->phase_w + q % s->phase_w) * s->plane +
                     (int64_t)(r / s->phase_h) * s->pitch + q / s->phase_w);
  }
}

#define TSR_FAMILY "direct_body.h"
#include "per_isa.h"

void tsr_direct_work(tsr_direct_plan *p, float *scratch) {
  const int tasks = p->conv.batch * p->conv.groups;
  const tsr_direct_shape s = direct_shape(&p->conv, p->kind);
  int shift[TSR_DIRECT_DEPTH];
  direct_shifts(&p->conv, p->kind, &s, shift);
  memset(scratch, 0, (size_t)(s.planes + TSR_DIRECT_SLACK) * sizeof *scratch);
  for (;;) {
    const int task = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED);
    if (task >= tasks) return;
    TSR_SELECT(p->isa, direct, p, &s, shift, task / p->conv.groups, task % p->conv.groups, scratch);
  }
}
