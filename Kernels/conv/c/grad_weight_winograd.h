// SPDX-License-Identifier: Apache-2.0
// Weight gradients of convolutions by fewer multiplications on the CPU. (OpenCL: conv/winograd.cl.)
//
// Algorithm  A task has `high` channels of the output and `wide` of the input. Chunk by chunk of tiles of a
//            group of samples it makes V and D, and adds their products, point by point, to S. A group's S
//            becomes taps.
// Tensors    Those of conv/winograd_tiles.h. `partial`: (group, outputs, channels, taps), or dw itself, where
//            tasks go through the groups one after the other.
// Work       A thread takes (group, block of outputs, block of inputs) tasks from the plan's counter.
// Tuning     high, wide (CPUWinograd.swift): S, V and D stay near the level 2 cache.
//
//   x  -> V (36, 64 tiles, wide) \  S (36, high, wide) += D^T V   last chunk of a group:  taps (high, wide, r r)
//   dy -> D (36, 64 tiles, high) /
//
// Rules      6, 9, 11.
#pragma once

#include "conv/c/winograd.h"

typedef struct {
  int high, wide, strips;  // channels in whole vectors; of the input in vectors
  tsr_i64 v_step, v_point, d_point, s_point, ring;
  tsr_i64 v, d, s;
} wino_weight_scratch;

static wino_weight_scratch wino_weight_scratch_of(const tsr_winograd_params *p) {
  wino_weight_scratch s;
  const int points = wino_points(p), m = points + 1 - p->taps;
  const int run = TSR_WINO_TILES < p->tile_columns ? TSR_WINO_TILES : p->tile_columns;
  s.high = (p->high + TSR_VECTOR - 1) / TSR_VECTOR * TSR_VECTOR;
  s.strips = (p->wide + TSR_VECTOR - 1) / TSR_VECTOR;
  s.wide = s.strips * TSR_VECTOR;
  s.v_step = TSR_WINO_TILES * TSR_VECTOR;
  s.v_point = s.strips * s.v_step + TSR_VECTOR;
  s.d_point = TSR_WINO_TILES * s.high + TSR_VECTOR;
  s.s_point = (tsr_i64)s.high * s.wide + TSR_VECTOR;
  s.v = points * points * s.v_point;
  s.d = points * points * s.d_point;
  s.s = points * points * s.s_point;
  s.ring = ((tsr_i64)m * (run - 1) + points + TSR_VECTOR) * TSR_VECTOR;
  return s;
}

static int64_t tsr_grad_weight_winograd_scratch_count(const tsr_winograd_params *p) {
  const wino_weight_scratch s = wino_weight_scratch_of(p);
  return s.v + s.d + s.s + TSR_WINO_RING * s.ring;
}

static __attribute__((noinline)) void wino_gradient(const tsr_winograd_params *p, const tsr_wino_images *y,
                                                    const tsr_wino_block *b) {
  switch (p->taps) {
    case 2: tsr_wino_gradient_block(4, 3, p, y, b); break;
    case 3: tsr_wino_gradient_block(6, 4, p, y, b); break;
    case 4: tsr_wino_gradient_block(6, 3, p, y, b); break;
    default: tsr_wino_gradient_block(6, 2, p, y, b);
  }
}

// S of one chunk of tiles, added to what is there unless it is the group's first.
static __attribute__((noinline)) void wino_weight_products(const tsr_winograd_params *p,
                                                           const wino_weight_scratch *s, float *scratch,
                                                           int tiles, int add) {
  const int points = wino_points(p);
  const float *const v = scratch, *const d = v + s->v;
  float *const sums = scratch + s->v + s->d;
  for (int point = 0; point < points * points; point++)
    for (int strip = 0; strip < s->strips; strip += 2) {
      const tsr_wino_product product = {.depth = tiles,
                                        .per = tiles,
                                        .add = add,
                                        .a = d + point * s->d_point,
                                        .a_step = s->high,
                                        .b = v + point * s->v_point + strip * s->v_step,
                                        .second = s->v_step,
                                        .sums = sums + point * s->s_point + strip * TSR_VECTOR,
                                        .pitch = s->wide};
      if (strip + 1 < s->strips) tsr_wino_rows(2, 1, product, p->high);
      else tsr_wino_rows(1, 1, product, p->high);
    }
}

// What a task is: channels of the output and of the input, and the first of its groups.
typedef struct {
  int output, high, channel, wide, group;
} wino_weight_task;

// Taps of a group's sums, into the group's part of `partial`.
TSR_FN void wino_store_taps(const int points, const int r, const tsr_winograd_params *p,
                            const wino_weight_scratch *s, const wino_weight_task *t, const float *sums,
                            float *to) {
  for (int output = 0; output < t->high; output++)
    for (int channel = 0; channel < t->wide; channel += TSR_VECTOR) {
      vector taps[TSR_WINO_MOST * TSR_WINO_MOST];
      tsr_wino_taps(points, r, sums + (tsr_i64)output * s->wide + channel, s->s_point, taps);
      float *at = to + ((tsr_i64)(t->output + output) * p->channels + t->channel + channel) * r * r;
      const int live = t->wide - channel < TSR_VECTOR ? t->wide - channel : TSR_VECTOR;
      for (int lane = 0; lane < live; lane++)
        TSR_WINO_UNROLL for (int tap = 0; tap < r * r; tap++)* at++ = taps[tap][lane];
    }
}

static __attribute__((noinline)) void wino_weight_taps(const tsr_winograd_params *p,
                                                       const wino_weight_scratch *s, const wino_weight_task *t,
                                                       const float *sums, float *to) {
  switch (p->taps) {
    case 2: wino_store_taps(4, 2, p, s, t, sums, to); break;
    case 3: wino_store_taps(6, 3, p, s, t, sums, to); break;
    case 4: wino_store_taps(6, 4, p, s, t, sums, to); break;
    default: wino_store_taps(6, 5, p, s, t, sums, to);
  }
}

// S of a group, chunk by chunk of its tiles.
static void wino_weight_group(const tsr_winograd_weight_plan *plan, const wino_weight_scratch *s,
                              const wino_weight_task *t, float *scratch) {
  const tsr_winograd_params *p = &plan->params;
  const int sample = t->group * TSR_BATCH_GROUP, rest = p->batch - sample;
  const int plane = p->tile_rows * p->tile_columns;
  const int begin = sample * plane, end = begin + (rest < TSR_BATCH_GROUP ? rest : TSR_BATCH_GROUP) * plane;
  const tsr_wino_images x = {plan->x, p->batch, p->channels, p->height, p->width};
  const tsr_wino_images y = {plan->dy, p->batch, p->outputs, p->rows, p->columns};
  float *const ring = scratch + s->v + s->d + s->s;
  for (int first = begin; first < end; first += TSR_WINO_TILES) {
    const int tiles = end - first < TSR_WINO_TILES ? end - first : TSR_WINO_TILES;
    const tsr_wino_block in = {first, tiles, t->channel, (t->wide + TSR_VECTOR - 1) / TSR_VECTOR, scratch,
                               s->v_point, s->v_step, ring, s->ring};
    wino_input(p, &x, &in);
    const tsr_wino_block out = {first, tiles, t->output, (t->high + TSR_VECTOR - 1) / TSR_VECTOR,
                                scratch + s->v, s->d_point, s->high, ring, s->ring};
    wino_gradient(p, &y, &out);
    wino_weight_products(p, s, scratch, tiles, first > begin);
  }
}

static void tsr_grad_weight_winograd_work(tsr_winograd_weight_plan *plan, float *scratch) {
  const tsr_winograd_params *p = &plan->params;
  const wino_weight_scratch s = wino_weight_scratch_of(p);
  const int columns = (p->channels + p->wide - 1) / p->wide, rows = (p->outputs + p->high - 1) / p->high;
  const tsr_i64 weights = (tsr_i64)p->outputs * p->channels * p->taps * p->taps;
  for (;;) {
    const int task = __atomic_fetch_add(&plan->next, 1, __ATOMIC_RELAXED);
    if (task >= plan->groups * rows * columns) return;
    const int output = task / columns % rows * p->high, channel = task % columns * p->wide;
    const int high = p->outputs - output, wide = p->channels - channel;
    const int group = task / columns / rows;
    const wino_weight_task t = {output, high < p->high ? high : p->high, channel,
                                wide < p->wide ? wide : p->wide, plan->first_group + group};
    wino_weight_group(plan, &s, &t, scratch);
    wino_weight_taps(p, &s, &t, scratch + s.v + s.d, plan->partial + group * weights);
  }
}

// Groups' results in ascending order, the first to +0: elements begin ..< end.
static void tsr_grad_weight_winograd_reduce(const tsr_winograd_weight_plan *plan, float *dw, int64_t begin,
                                            int64_t end) {
  const tsr_winograd_params *p = &plan->params;
  const tsr_i64 weights = (tsr_i64)p->outputs * p->channels * p->taps * p->taps;
  for (int64_t i = begin; i < end; i++) {
    float sum = plan->first_group > 0 ? dw[i] : 0.0f;
    for (int group = 0; group < plan->groups; group++) sum = sum + plan->partial[group * weights + i];
    dw[i] = tsr_canonical(sum);
  }
}
