// SPDX-License-Identifier: Apache-2.0
// Convolutions by fewer multiplications on the CPU, forward and for the data. (OpenCL: conv/winograd.cl.)
//
// Algorithm  A task takes a block of tiles through all of it: V of all channels, then panel by panel of
//            output channels the products M = V U of the points, and their outputs. What is between stays
//            in the level 2 cache.
// Tensors    Those of conv/winograd_tiles.h. `packed`: U.
// Work       A thread takes blocks of tiles from the plan's counter.
// Tuning     TSR_MR x TSR_NR (isa/); `block` tiles of a task (CPUWinograd.swift).
//
//   x -> V (36, C / LANES, 48, [LANES])   per panel:  M (36, 48, [NR]) = V U  ->  y, LANES channels at a time
//
// Rules      4, 9, 11.
#pragma once

#include "common/c/transpose.h"
#include "gemm/c/epilogue.h"

#define TSR_WINO_VEC vector
#define TSR_WINO_LANES TSR_VECTOR
#define TSR_WINO_PANEL TSR_NR
#define TSR_WINO_HEIGHT TSR_MR
#define tsr_wino_load(p) ((vector)(*(const unaligned_vector *)(p)))
#define tsr_wino_store(v, p) (*(unaligned_vector *)(p) = (v))
typedef float vector4 __attribute__((ext_vector_type(4)));
TSR_FN vector tsr_wino_load_part(const float *from, int count) {
  vector v = 0.0f;
  memcpy(&v, from, (size_t)(count < TSR_VECTOR ? count : TSR_VECTOR) * sizeof *from);
  return v;
}
// By halves: a copy of a length that is known only now is a call.
TSR_FN void tsr_wino_store_part(vector v, float *to, int count) {
  int at = 0;
  if (count >= TSR_VECTOR) {
    memcpy(to, &v, sizeof v);
    return;
  }
#if TSR_VECTOR > 8
  vector8 eight = v.lo;
  if (count & 8) memcpy(to, &eight, sizeof eight), eight = v.hi, at = 8;
#elif TSR_VECTOR == 8
  const vector8 eight = v;
#endif
#if TSR_VECTOR > 4
  vector4 four = eight.lo;
  if (count & 4) memcpy(to + at, &four, sizeof four), four = eight.hi, at += 4;
#else
  const vector4 four = v;
#endif
  if (count & 1) to[at] = four.x;
  if ((count & 3) == 2) to[at] = four.x, to[at + 1] = four.y;
  if ((count & 3) == 3) to[at + 1] = four.y, to[at + 2] = four.z;
}
TSR_FN void tsr_wino_transpose(vector *t) { transpose_square(t); }

#define TSR_UNROLL4(X) X(0) X(1) X(2) X(3)
#if TSR_MR == 14
#define TSR_UNROLL_TILE(X) TSR_UNROLL4(X) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
#elif TSR_MR == 12
#define TSR_UNROLL_TILE(X) TSR_UNROLL4(X) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#elif TSR_MR == 6
#define TSR_UNROLL_TILE(X) TSR_UNROLL4(X) X(4) X(5)
#else
#define TSR_UNROLL_TILE(X) TSR_UNROLL4(X)
#endif

// What of an activation is comparisons alone, with the one NaN; every other one follows in memory.
TSR_FN vector tsr_wino_finish(vector v, int activation) {
  if (activation == TSR_ACT_RELU) v = relus(v);
  if (activation == TSR_ACT_RELU6) v = relu6s(v);
  return is_simple_activation(activation) ? canonicals(v) : v;
}
TSR_FN void tsr_wino_finish_row(int activation, float *row, int count) {
  if (!is_simple_activation(activation)) activate_row(activation, row, count);
}
#if TSR_MR == 14
#define TSR_WINO_HEIGHTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)
#elif TSR_MR == 12
#define TSR_WINO_HEIGHTS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#elif TSR_MR == 6
#define TSR_WINO_HEIGHTS(X) X(1) X(2) X(3) X(4) X(5)
#else
#define TSR_WINO_HEIGHTS(X) X(1) X(2) X(3)
#endif

#include "conv/winograd_tiles.h"

static inline int wino_points(const tsr_winograd_params *p) { return p->taps == 2 ? 4 : 6; }

// Floats of a worker's parts: V, M, the ring, and the lines of output tiles.
typedef struct {
  int blocks;  // of channels
  tsr_i64 v_step, v_point, m_point, ring, line;
  tsr_i64 v, m;
} wino_scratch;

static wino_scratch wino_scratch_of(const tsr_winograd_params *p) {
  wino_scratch s;
  const int points = wino_points(p), m = points + 1 - p->taps;
  const int run = p->block < p->tile_columns ? p->block : p->tile_columns;
  s.blocks = (p->channels + TSR_VECTOR - 1) / TSR_VECTOR;
  s.v_step = (tsr_i64)p->block * TSR_VECTOR;
  // One vector more, so that points do not fall on the same lines of a cache.
  s.v_point = s.blocks * s.v_step + TSR_VECTOR;
  s.m_point = (tsr_i64)p->block * TSR_NR + TSR_VECTOR;
  s.v = points * points * s.v_point;
  s.m = points * points * s.m_point;
  s.ring = ((tsr_i64)m * (run - 1) + points + TSR_VECTOR) * TSR_VECTOR;
  s.line = ((tsr_i64)m * run + TSR_VECTOR) * TSR_VECTOR;
  return s;
}

static int64_t tsr_winograd_packed_count(const tsr_winograd_params *p) {
  const int points = wino_points(p);
  return (int64_t)points * points * p->panels * p->channels * TSR_NR;
}

static int64_t tsr_winograd_scratch_count(const tsr_winograd_params *p) {
  const wino_scratch s = wino_scratch_of(p);
  return s.v + s.m + TSR_WINO_RING * s.ring + TSR_WINO_MOST * s.line;
}

// U of panels begin / channels ..< end / channels; a task is a channel of a panel.
static void tsr_winograd_pack(const tsr_winograd_plan *plan, int begin, int end) {
  const tsr_winograd_params *p = &plan->params;
  float taps[(25 + 2 * TSR_VECTOR) * TSR_VECTOR];
  while (begin < end) {
    const int panel = begin / p->channels, first = begin % p->channels;
    const int last = end - begin < p->channels - first ? first + end - begin : p->channels;
#define TSR_WINO_PACK(points, r)                                                                 \
  tsr_wino_pack_kernel(points, r, p, plan->w, plan->packed, panel, first, last, taps);
    switch (p->taps) {
      case 2: TSR_WINO_PACK(4, 2) break;
      case 3: TSR_WINO_PACK(6, 3) break;
      case 4: TSR_WINO_PACK(6, 4) break;
      default: TSR_WINO_PACK(6, 5)
    }
#undef TSR_WINO_PACK
    begin += last - first;
  }
}

static __attribute__((noinline)) void wino_input(const tsr_winograd_params *p, const tsr_wino_images *x,
                                                 const tsr_wino_block *b) {
  if (p->taps == 2) tsr_wino_input_block(4, p, x, b);
  else tsr_wino_input_block(6, p, x, b);
}

static __attribute__((noinline)) void wino_output(const tsr_winograd_params *p, const tsr_wino_block *b,
                                                  const float *sums, const tsr_wino_target *o) {
  switch (p->taps) {
    case 2: tsr_wino_output_block(4, 3, p, b, sums, o); break;
    case 3: tsr_wino_output_block(6, 4, p, b, sums, o); break;
    case 4: tsr_wino_output_block(6, 3, p, b, sums, o); break;
    default: tsr_wino_output_block(6, 2, p, b, sums, o);
  }
}

// M of one panel, chunk by chunk of the channels.
static __attribute__((noinline)) void wino_products(const tsr_winograd_plan *plan, const wino_scratch *s,
                                                    const float *v, int tiles, int panel, float *m) {
  const tsr_winograd_params *p = &plan->params;
  const int points = wino_points(p);
  const int wide = p->outputs - (p->first_panel + panel) * TSR_NR > TSR_VECTOR;
  for (int point = 0; point < points * points; point++) {
    const float *const u = plan->packed + ((int64_t)point * p->panels + panel) * p->channels * TSR_NR;
    for (int channel = 0; channel < p->channels; channel += TSR_WINO_CHANNELS) {
      const int rest = p->channels - channel;
      const tsr_wino_product product = {.depth = rest < TSR_WINO_CHANNELS ? rest : TSR_WINO_CHANNELS,
                                        .per = TSR_VECTOR,
                                        .add = channel > 0,
                                        .a = v + point * s->v_point + channel / TSR_VECTOR * s->v_step,
                                        .a_block = s->v_step,
                                        .b = u + (int64_t)channel * TSR_NR,
                                        .second = TSR_VECTOR,
                                        .sums = m + point * s->m_point,
                                        .pitch = TSR_NR};
      if (wide) tsr_wino_rows(2, 0, product, tiles);
      else tsr_wino_rows(1, 0, product, tiles);
    }
  }
}

static void tsr_winograd_work(tsr_winograd_plan *plan, float *scratch) {
  const tsr_winograd_params *p = &plan->params;
  const wino_scratch s = wino_scratch_of(p);
  const int tiles = p->batch * p->tile_rows * p->tile_columns;
  float *const v = scratch, *const m = v + s.v, *const ring = m + s.m;
  const tsr_wino_images x = {plan->x, p->batch, p->channels, p->height, p->width};
  const tsr_wino_target target = {plan->y, plan->bias, ring + TSR_WINO_RING * s.ring, s.line};
  for (;;) {
    const int first = __atomic_fetch_add(&plan->next, 1, __ATOMIC_RELAXED) * p->block;
    if (first >= tiles) return;
    tsr_wino_block block = {first, tiles - first < p->block ? tiles - first : p->block, 0, s.blocks, v,
                            s.v_point, s.v_step, ring, s.ring};
    wino_input(p, &x, &block);
    block.point = s.m_point;
    for (int panel = 0; panel < p->panels; panel++) {
      wino_products(plan, &s, v, block.count, panel, m);
      for (int half = 0; half < 2; half++) {
        block.channel = (p->first_panel + panel) * TSR_NR + half * TSR_VECTOR;
        if (block.channel < p->outputs) wino_output(p, &block, m + half * TSR_VECTOR, &target);
      }
    }
  }
}
