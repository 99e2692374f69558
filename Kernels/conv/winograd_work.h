// SPDX-License-Identifier: Apache-2.0
// What a worker does in a convolution by fewer multiplications, on the CPU and on CPU devices: one text for C
// and OpenCL.
//
// Algorithm  Forward and for the data a block of tiles goes through all of it: V of all channels, then panel
//            by panel of output channels the products M = V U of the points, and their outputs. For the
//            weights a task has `high` channels of the output and `wide` of the input. Chunk by chunk of
//            tiles of a group of samples it makes V and D, and adds their products, point by point, to S. A
//            group's S becomes taps.
// Tensors    Those of conv/winograd_tiles.h. `partial`: (group, outputs, channels, taps).
// Work       One thread, or work-item. What is between x and y is the worker's own scratch and stays in the
//            level 2 cache.
// Tuning     `block`; high, wide.
//
//   x  -> V (36, C / LANES, block, [LANES])   per panel:  M (36, block, [PANEL]) = V U  ->  y
//
//   x  -> V (36, 64 tiles, wide) \  S (36, high, wide) += D^T V   after a group:  taps (high, wide, r r)
//   dy -> D (36, 64 tiles, high) /
//
// Rules      4, 6, 9, 11.
#pragma once

#include "conv/winograd_tiles.h"

#ifndef TSR_GPU

// STEP(points, r) of the parameters' kernel. A program of OpenCL has one size, TSR_WINO_TAPS.
#ifdef __OPENCL_VERSION__
#define TSR_WINO_BY_TAPS(p, STEP) STEP(TSR_WINO_POINTS, TSR_WINO_TAPS)
#else
#define TSR_WINO_BY_TAPS(p, STEP) \
  switch ((p)->taps) {            \
    case 2: STEP(4, 2) break;     \
    case 3: STEP(6, 3) break;     \
    case 4: STEP(6, 4) break;     \
    default: STEP(6, 5)           \
  }
#endif

// ---- Forward and for the data

TSR_WINO_STAGE void tsr_wino_make_input(const tsr_winograd_params *p, const tsr_wino_images *x,
                                        const tsr_wino_block *b) {
#ifdef __OPENCL_VERSION__
  tsr_wino_input_block(TSR_WINO_POINTS, TSR_WINO_POINTS + 1 - TSR_WINO_TAPS, p, x, b);
#else
  if (p->taps == 2) tsr_wino_input_block(4, 3, p, x, b);
  else tsr_wino_input_block(6, 7 - p->taps, p, x, b);
#endif
}

TSR_WINO_STAGE void tsr_wino_make_output(const tsr_winograd_params *p, const tsr_wino_block *b,
                                         TSR_GLOBAL const float *sums, const tsr_wino_target *o){
#define TSR_WINO_OUTPUT(points, r) tsr_wino_output_block(points, points + 1 - r, p, b, sums, o);
    TSR_WINO_BY_TAPS(p, TSR_WINO_OUTPUT)
#undef TSR_WINO_OUTPUT
}

// U of (panel, channel) pairs begin ..< end.
TSR_FN void tsr_wino_pack(const tsr_winograd_params *p, const tsr_wino_packing *o, int begin, int end) {
  while (begin < end) {
    const int panel = begin / p->channels, first = begin % p->channels;
    const int last = end - begin < p->channels - first ? first + end - begin : p->channels;
#define TSR_WINO_PACK(points, r) tsr_wino_pack_kernel(points, r, p, o, panel, first, last);
    TSR_WINO_BY_TAPS(p, TSR_WINO_PACK)
#undef TSR_WINO_PACK
    begin += last - first;
  }
}

// M of one panel, chunk by chunk of the channels. `u`: of point 0.
TSR_WINO_STAGE void tsr_wino_multiply(const tsr_winograd_params *p, const tsr_winograd_scratch *s,
                                      TSR_GLOBAL const float *v, TSR_GLOBAL const float *u, int tiles,
                                      int panel, TSR_GLOBAL float *m) {
  const int points = tsr_winograd_points(p);
  const int wide = p->outputs - (p->first_panel + panel) * TSR_WINO_PANEL > TSR_WINO_LANES;
  for (int point = 0; point < points * points; point++) {
    TSR_GLOBAL const float *const b = u + ((tsr_i64)point * p->panels + panel) * p->channels * TSR_WINO_PANEL;
    for (int channel = 0; channel < p->channels; channel += TSR_WINO_CHANNELS) {
      const int rest = p->channels - channel;
      const tsr_wino_product product = {rest < TSR_WINO_CHANNELS ? rest : TSR_WINO_CHANNELS,
                                        TSR_WINO_LANES,
                                        channel > 0,
                                        v + point * s->v_point + channel / TSR_WINO_LANES * s->v_step,
                                        s->v_step,
                                        0,
                                        b + (tsr_i64)channel * TSR_WINO_PANEL,
                                        TSR_WINO_LANES,
                                        m + point * s->m_point,
                                        TSR_WINO_PANEL};
      if (TSR_WINO_PANEL > TSR_WINO_LANES && wide) tsr_wino_rows(2, 0, product, tiles);
      else tsr_wino_rows(1, 0, product, tiles);
    }
  }
}

// What a block of tiles is made of.
typedef struct {
  TSR_GLOBAL const float *x, *u, *bias;
  TSR_GLOBAL float *y;
} tsr_wino_operands;

// A task is a part of the panels of a block of tiles.
TSR_FN int tsr_wino_tasks(const tsr_winograd_params *p) {
  return (p->batch * p->tile_rows * p->tile_columns + p->block - 1) / p->block * p->parts;
}

// A task, through the scratch.
TSR_FN void tsr_wino_work(const tsr_winograd_params *p, const tsr_winograd_scratch *s,
                          const tsr_wino_operands *o, int task, TSR_GLOBAL float *scratch) {
  const int first = task / p->parts * p->block, part = task % p->parts;
  const int rest = p->batch * p->tile_rows * p->tile_columns - first,
            count = rest < p->block ? rest : p->block;
  const int end = (int)((tsr_i64)p->panels * (part + 1) / p->parts);
  TSR_GLOBAL float *const v = scratch, *const m = v + s->v, *const ring = m + s->m;
  const tsr_wino_images x = {o->x, p->batch, p->channels, p->height, p->width};
  const tsr_wino_target target = {o->y, o->bias, ring + TSR_WINO_RING * s->ring, s->line};
  tsr_wino_block block = {first, count, 0, s->blocks, v, s->v_point, s->v_step, ring, s->ring};
  tsr_wino_make_input(p, &x, &block);
  block.point = s->m_point;
  for (int panel = (int)((tsr_i64)p->panels * part / p->parts); panel < end; panel++) {
    tsr_wino_multiply(p, s, v, o->u, count, panel, m);
    for (int part = 0; part < TSR_WINO_PANEL; part += TSR_WINO_LANES) {
      block.channel = (p->first_panel + panel) * TSR_WINO_PANEL + part;
      if (block.channel < p->outputs) tsr_wino_make_output(p, &block, m + part, &target);
    }
  }
}

// ---- For the weights

TSR_WINO_STAGE void tsr_wino_make_gradient(const tsr_winograd_params *p, const tsr_wino_images *y,
                                           const tsr_wino_block *b) {
#define TSR_WINO_GRADIENT(points, r) tsr_wino_gradient_block(points, points + 1 - r, p, y, b);
  TSR_WINO_BY_TAPS(p, TSR_WINO_GRADIENT)
#undef TSR_WINO_GRADIENT
}

// What a task is: channels of the output and of the input, and its group, of those that are made.
typedef struct {
  int output, high, channel, wide, group;
} tsr_wino_weight_task;

// S of one chunk of tiles, added to what is there unless it is the group's first.
TSR_WINO_STAGE void tsr_wino_multiply_weights(const tsr_winograd_params *p,
                                              const tsr_winograd_weight_scratch *s,
                                              const tsr_wino_weight_task *t, TSR_GLOBAL float *scratch,
                                              int tiles, int add) {
  const int points = tsr_winograd_points(p), strips = (t->wide + TSR_WINO_LANES - 1) / TSR_WINO_LANES;
  TSR_GLOBAL const float *const v = scratch, *const d = v + s->v;
  TSR_GLOBAL float *const sums = scratch + s->v + s->d;
  for (int point = 0; point < points * points; point++)
    for (int strip = 0; strip < strips; strip += TSR_WINO_VECTORS) {
      const tsr_wino_product product = {tiles,
                                        tiles,
                                        add,
                                        d + point * s->d_point,
                                        0,
                                        s->high,
                                        v + point * s->v_point + strip * s->v_step,
                                        s->v_step,
                                        sums + point * s->s_point + strip * TSR_WINO_LANES,
                                        s->wide};
      if (TSR_WINO_VECTORS > 1 && strip + 1 < strips) tsr_wino_rows(2, 1, product, t->high);
      else tsr_wino_rows(1, 1, product, t->high);
    }
}

TSR_FN int tsr_wino_weight_tasks(const tsr_winograd_params *p, int groups) {
  return groups * ((p->channels + p->wide - 1) / p->wide) * ((p->outputs + p->high - 1) / p->high);
}

TSR_FN tsr_wino_weight_task tsr_wino_weight_task_at(const tsr_winograd_params *p, int task) {
  const int columns = (p->channels + p->wide - 1) / p->wide, rows = (p->outputs + p->high - 1) / p->high;
  const int output = task / columns % rows * p->high, channel = task % columns * p->wide;
  const int high = p->outputs - output, wide = p->channels - channel;
  const tsr_wino_weight_task t = {output, high < p->high ? high : p->high, channel,
                                  wide < p->wide ? wide : p->wide, task / columns / rows};
  return t;
}

// Taps of a group's sums, at `to`.
TSR_FN void tsr_wino_store_taps(const int points, const int r, const tsr_winograd_params *p,
                                const tsr_winograd_weight_scratch *s, const tsr_wino_weight_task *t,
                                TSR_GLOBAL const float *sums, TSR_GLOBAL float *to) {
  for (int output = 0; output < t->high; output++)
    for (int channel = 0; channel < t->wide; channel += TSR_WINO_LANES) {
      tsr_wino_vec taps[TSR_WINO_MOST * TSR_WINO_MOST];
      tsr_wino_taps(points, r, sums + (tsr_i64)output * s->wide + channel, s->s_point, taps);
      TSR_GLOBAL float *at =
          to + ((tsr_i64)(t->output + output) * p->channels + t->channel + channel) * r * r;
      const int live = t->wide - channel < TSR_WINO_LANES ? t->wide - channel : TSR_WINO_LANES;
      for (int lane = 0; lane < live; lane++)
        TSR_WINO_UNROLL for (int tap = 0; tap < r * r; tap++) *at++ = tsr_wino_lane(taps, tap, lane);
    }
}

TSR_WINO_STAGE void tsr_wino_make_taps(const tsr_winograd_params *p, const tsr_winograd_weight_scratch *s,
                                       const tsr_wino_weight_task *t, TSR_GLOBAL const float *sums,
                                       TSR_GLOBAL float *to) {
#define TSR_WINO_TAPS_OF(points, r) tsr_wino_store_taps(points, r, p, s, t, sums, to);
  TSR_WINO_BY_TAPS(p, TSR_WINO_TAPS_OF)
#undef TSR_WINO_TAPS_OF
}

// What a gradient is made of, and where the groups' taps go.
typedef struct {
  TSR_GLOBAL const float *x, *dy;
  TSR_GLOBAL float *partial;
} tsr_wino_weight_operands;

// A task: S of its group, chunk by chunk of tiles, then its taps. `first_group`: the first of `partial`.
TSR_FN void tsr_wino_weight_work(const tsr_winograd_params *p, const tsr_winograd_weight_scratch *s,
                                 const tsr_wino_weight_task *t, const tsr_wino_weight_operands *o,
                                 int first_group, TSR_GLOBAL float *scratch) {
  const int sample = (first_group + t->group) * TSR_BATCH_GROUP, rest = p->batch - sample;
  const int plane = p->tile_rows * p->tile_columns;
  const int begin = sample * plane, end = begin + (rest < TSR_BATCH_GROUP ? rest : TSR_BATCH_GROUP) * plane;
  const tsr_wino_images x = {o->x, p->batch, p->channels, p->height, p->width};
  const tsr_wino_images y = {o->dy, p->batch, p->outputs, p->rows, p->columns};
  TSR_GLOBAL float *const ring = scratch + s->v + s->d + s->s;
  const int strips = (t->wide + TSR_WINO_LANES - 1) / TSR_WINO_LANES;
  const int blocks = (t->high + TSR_WINO_LANES - 1) / TSR_WINO_LANES;
  for (int first = begin; first < end; first += TSR_WINO_TILES) {
    const int tiles = end - first < TSR_WINO_TILES ? end - first : TSR_WINO_TILES;
    const tsr_wino_block in = {first,      tiles,     t->channel, strips, scratch,
                               s->v_point, s->v_step, ring,       s->ring};
    tsr_wino_make_input(p, &x, &in);
    const tsr_wino_block out = {first,      tiles,   t->output, blocks, scratch + s->v,
                                s->d_point, s->high, ring,      s->ring};
    tsr_wino_make_gradient(p, &y, &out);
    tsr_wino_multiply_weights(p, s, t, scratch, tiles, first > begin);
  }
  const tsr_i64 weights = (tsr_i64)p->outputs * p->channels * p->taps * p->taps;
  tsr_wino_make_taps(p, s, t, scratch + s->v + s->d, o->partial + t->group * weights);
}
#endif
