// SPDX-License-Identifier: Apache-2.0
// Weight gradients of convolutions with few channels a group (depthwise, ResNeXt's) on the CPU. (OpenCL:
// conv/conv_grouped.cl.)
//
// Algorithm  Direct sums. A product would have one to sixteen rows; here a vector holds as many groups as
//            it has lanes, and every element of it is one chain of fma.
// Tensors    x (row, column, [group 0 | group 1 | ...]): planes with the convolution's padding, of one
//            sample; dy (position, [group 0 | group 1 | ...]): up to a chunk of positions; dw (outputs,
//            inputs, taps).
// Work       A thread takes tasks from the plan's counter. A task is (batch group, vector of groups);
//            what the batch groups give is added in ascending order afterwards.
// Tuning     None but TSR_VECTOR (isa/): 4 outputs x 3 taps, or 1 x 9, in registers.
//
//   sum (m, tap) += dy (m, position) * x (position + tap)      for as many groups as a vector has lanes
//
// Rules      4 and 6.
#pragma once

#include "common/c/transpose.h"

// Extents of one group; rows and columns of the padded plane that the taps reach.
typedef struct {
  int inputs, outputs, taps, depth, positions;
  int rows, pitch;
} tsr_grouped_weight_shape;

static tsr_grouped_weight_shape grouped_weight_shape(const tsr_conv_params *c) {
  tsr_grouped_weight_shape s;
  s.inputs = c->in_channels / c->groups;
  s.outputs = c->out_channels / c->groups;
  s.taps = c->kernel_h * c->kernel_w;
  s.depth = s.inputs * s.taps;
  s.positions = c->out_h * c->out_w;
  s.rows = (c->out_h - 1) * c->stride_h + (c->kernel_h - 1) * c->dilation_h + 1;
  s.pitch = (c->out_w - 1) * c->stride_w + (c->kernel_w - 1) * c->dilation_w + 1;
  return s;
}

// `count` positions from the output's position `first` on, of one input channel's planes; `fresh`: chains
// begin with +0 and not with the sums so far. Rows of sums are `depth` vectors, rows of planes `pitch`.
typedef struct {
  const tsr_conv_params *conv;
  const float *x;
  int pitch, depth, first, count, fresh;
} grouped_weight_pixels;

// Chains of `outputs` outputs x `taps` taps, continued over the positions.
static inline __attribute__((always_inline)) void grouped_weight_microkernel(const int outputs,
                                                                             const int taps,
                                                                             const grouped_weight_pixels *p,
                                                                             const int *shift,
                                                                             const float *dy, float *sums) {
  const tsr_conv_params *const c = p->conv;
  const int pitch = p->pitch, depth = p->depth, fresh = p->fresh;
  int count = p->count;
  vector acc[4][9];
#define TSR_EACH_CHAIN(...)                                                                 \
  _Pragma("clang loop unroll(full)") for (int m = 0; m < outputs; m++)                      \
      _Pragma("clang loop unroll(full)") for (int t = 0; t < taps; t++) {                   \
    unaligned_vector *const at = (unaligned_vector *)(sums + (m * depth + t) * TSR_VECTOR); \
    __VA_ARGS__;                                                                            \
  }
  TSR_EACH_CHAIN(acc[m][t] = *at)
  if (fresh) TSR_EACH_CHAIN((void)at; acc[m][t] = 0.0f)
  int oh = p->first / c->out_w, ow = p->first % c->out_w;
  const int64_t step = (int64_t)c->stride_w * TSR_VECTOR;
  while (count > 0) {
    const int run = c->out_w - ow < count ? c->out_w - ow : count;
    const float *from = p->x + ((int64_t)oh * c->stride_h * pitch + (int64_t)ow * c->stride_w) * TSR_VECTOR;
    for (int q = 0; q < run; q++, from += step, dy += TSR_VECTOR) {
      _Pragma("clang loop unroll(full)") for (int t = 0; t < taps; t++) {
        const vector v = *(const unaligned_vector *)(from + shift[t]);
        _Pragma("clang loop unroll(full)") for (int m = 0; m < outputs; m++) acc[m][t] =
            __builtin_elementwise_fma(*(const unaligned_vector *)(dy + m * TSR_K_CHUNK * TSR_VECTOR), v,
                                      acc[m][t]);
      }
    }
    count -= run;
    ow = 0;
    oh++;
  }
  TSR_EACH_CHAIN(*at = acc[m][t])
#undef TSR_EACH_CHAIN
}

// A vector of groups from `channel` on, `lanes` of which exist, and where its operands and sums stand.
typedef struct {
  int channel, lanes;
  float *planes, *dy, *chains, *sums;
  int shift[TSR_K_CHUNK];  // of each tap, in the planes
} grouped_weight_vector;

static grouped_weight_vector grouped_weight_vector_of(const tsr_conv_params *c,
                                                      const tsr_grouped_weight_shape *s, int block,
                                                      float *scratch) {
  grouped_weight_vector v;
  v.channel = block * TSR_VECTOR;
  v.lanes = c->groups - v.channel < TSR_VECTOR ? c->groups - v.channel : TSR_VECTOR;
  v.planes = scratch;
  v.dy = v.planes + (int64_t)s->inputs * s->rows * s->pitch * TSR_VECTOR;
  v.chains = v.dy + (int64_t)s->outputs * TSR_K_CHUNK * TSR_VECTOR;
  v.sums = v.chains + (int64_t)s->outputs * s->depth * TSR_VECTOR;
  for (int t = 0; t < s->taps; t++)
    v.shift[t] = (t / c->kernel_w * c->dilation_h * s->pitch + t % c->kernel_w * c->dilation_w) * TSR_VECTOR;
  return v;
}

// Sample n's planes, inside the padding.
static void grouped_weight_planes(const tsr_grouped_weight_plan *p, const tsr_grouped_weight_shape *s,
                                  const grouped_weight_vector *v, int n) {
  const tsr_conv_params *c = &p->conv;
  const int64_t image = (int64_t)c->height * c->width;
  const int columns = s->pitch - c->pad_w < c->width ? s->pitch - c->pad_w : c->width;
  const float *lines[TSR_VECTOR];
  for (int i = 0; i < s->inputs; i++)
    for (int h = 0; h < c->height && h + c->pad_h < s->rows && columns > 0; h++) {
      for (int l = 0; l < v->lanes; l++)
        lines[l] = p->x + ((int64_t)n * c->in_channels + (v->channel + l) * s->inputs + i) * image +
                   (int64_t)h * c->width;
      interleave(v->planes + (((int64_t)i * s->rows + h + c->pad_h) * s->pitch + c->pad_w) * TSR_VECTOR,
                 TSR_VECTOR, lines, v->lanes, columns);
    }
}

// Sample n's output gradients of positions position ..< position + count.
static void grouped_weight_dy(const tsr_grouped_weight_plan *p, const tsr_grouped_weight_shape *s,
                              const grouped_weight_vector *v, int n, int position, int count) {
  const float *lines[TSR_VECTOR];
  for (int m = 0; m < s->outputs; m++) {
    for (int l = 0; l < v->lanes; l++)
      lines[l] = p->dy +
                 ((int64_t)n * p->conv.out_channels + (v->channel + l) * s->outputs + m) * s->positions +
                 position;
    interleave(v->dy + (int64_t)m * TSR_K_CHUNK * TSR_VECTOR, TSR_VECTOR, lines, v->lanes, count);
  }
}

// Chains of all outputs and taps of one input channel, continued over the positions.
static void grouped_weight_channel(const tsr_grouped_weight_shape *s, const grouped_weight_vector *v,
                                   const grouped_weight_pixels *pixels, float *chains) {
#define TSR_STEP(high, wide)                                                  \
  for (; t + wide <= s->taps; t += wide)                                      \
    grouped_weight_microkernel(high, wide, pixels, v->shift + t,              \
                               v->dy + (int64_t)m * TSR_K_CHUNK * TSR_VECTOR, \
                               chains + ((int64_t)m * s->depth + t) * TSR_VECTOR);
  int m = 0;
  for (; m + 4 <= s->outputs; m += 4) {
    int t = 0;
    TSR_STEP(4, 3) TSR_STEP(4, 1)
  }
  for (; m < s->outputs; m++) {
    int t = 0;
    TSR_STEP(1, 9) TSR_STEP(1, 4) TSR_STEP(1, 1)
  }
#undef TSR_STEP
}

static void grouped_weight_task(const tsr_grouped_weight_plan *p, const tsr_grouped_weight_shape *shape,
                                int batch_group, int block, float *scratch) {
  const tsr_conv_params *c = &p->conv;
  const tsr_grouped_weight_shape s = *shape;
  const grouped_weight_vector v = grouped_weight_vector_of(c, &s, block, scratch);
  const int64_t elements = (int64_t)s.outputs * s.depth * TSR_VECTOR;
  const int first = batch_group * TSR_BATCH_GROUP;
  const int last = c->batch - first < TSR_BATCH_GROUP ? c->batch : first + TSR_BATCH_GROUP;
  int at = 0, chunks = 0;
  for (int n = first; n < last; n++) {
    grouped_weight_planes(p, &s, &v, n);
    for (int position = 0; position < s.positions;) {
      const int count = s.positions - position < TSR_K_CHUNK - at ? s.positions - position : TSR_K_CHUNK - at;
      grouped_weight_dy(p, &s, &v, n, position, count);
      for (int i = 0; i < s.inputs; i++) {
        const grouped_weight_pixels pixels = {.conv = c,
                                              .x = v.planes + (int64_t)i * s.rows * s.pitch * TSR_VECTOR,
                                              .pitch = s.pitch,
                                              .depth = s.depth,
                                              .first = position,
                                              .count = count,
                                              .fresh = at == 0};
        grouped_weight_channel(&s, &v, &pixels, v.chains + (int64_t)i * s.taps * TSR_VECTOR);
      }
      position += count;
      at += count;
      if (at < TSR_K_CHUNK && (position < s.positions || n + 1 < last)) continue;
      for (int64_t e = 0; e < elements; e++) v.sums[e] = chunks ? v.sums[e] + v.chains[e] : v.chains[e];
      chunks++;
      at = 0;
    }
  }
  float *out = p->partial + ((int64_t)batch_group * c->out_channels + v.channel * s.outputs) * s.depth;
  const int made = s.outputs * s.depth;
  for (int l = 0; l < v.lanes; l++)
    for (int e = 0; e < made; e++) out[(int64_t)l * made + e] = v.sums[(int64_t)e * TSR_VECTOR + l];
}

// What it can compute, in buffers that are small enough. Which shapes it is the best for:
// ConvSelection.swift.
static int tsr_grouped_weight_fits(const tsr_conv_params *c) {
  const tsr_grouped_weight_shape s = grouped_weight_shape(c);
  return s.depth <= TSR_K_CHUNK && c->batch > 0 && s.positions > 0 &&
         (int64_t)s.rows * s.pitch * s.inputs < (1 << 18);
}

static int64_t planes_count(const tsr_grouped_weight_shape *s, int lanes) {
  return (int64_t)s->inputs * s->rows * s->pitch * lanes;
}

static int64_t tsr_grouped_weight_scratch_count(const tsr_grouped_weight_plan *p) {
  const tsr_grouped_weight_shape s = grouped_weight_shape(&p->conv);
  const int lanes = TSR_VECTOR;
  return planes_count(&s, lanes) + (int64_t)lanes * s.outputs * (TSR_K_CHUNK + 2 * s.depth);
}

static void tsr_grouped_weight_work(const tsr_grouped_weight_plan *p, tsr_worker worker, float *scratch) {
  const tsr_grouped_weight_shape s = grouped_weight_shape(&p->conv);
  const int lanes = TSR_VECTOR, blocks = (p->conv.groups + lanes - 1) / lanes;
  const int tasks = (p->conv.batch + TSR_BATCH_GROUP - 1) / TSR_BATCH_GROUP * blocks;
  // What lies around the images stays zero: every task writes the same pixels.
  memset(scratch, 0, (size_t)planes_count(&s, lanes) * sizeof *scratch);
  for (int64_t task; (task = tsr_next_task(&worker, tasks)) >= 0;) {
    grouped_weight_task(p, &s, task / blocks, task % blocks, scratch);
  }
}

static void tsr_grouped_weight_reduce(const tsr_grouped_weight_plan *p, float *dw, int64_t begin,
                                      int64_t end) {
  const int groups = (p->conv.batch + TSR_BATCH_GROUP - 1) / TSR_BATCH_GROUP;
  const int64_t count = (int64_t)p->conv.out_channels * grouped_weight_shape(&p->conv).depth;
  for (int64_t i = begin; i < end; i++) {
    float v = p->partial[i];
    for (int g = 1; g < groups; g++) v = v + p->partial[g * count + i];
    dw[i] = tsr_canonical(v);
  }
}
