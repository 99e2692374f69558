// SPDX-License-Identifier: Apache-2.0
// How the scratch of a convolution by fewer multiplications lies: one text for C, OpenCL and Swift.
//
// Tensors    A worker's, or a work-item's, floats, one part after another. Forward and for the data: V, M,
//            the ring, and the lines of output tiles. For the weights: V, D, S, and the ring. Packing:
//            taps. Of all work-items in one buffer: item i's begin at i times `count`.
// Rules      10: where a number lies changes no bit.
//
// Whoever includes this includes tessera_base.h and tessera_params.h before: Swift's module and OpenCL's
// programs find them under different names.
#pragma once

// Rows of the ring, and of those that output tiles lie in.
enum { TSR_WINO_RING = 8, TSR_WINO_MOST = 5 };

TSR_FN int tsr_winograd_points(const tsr_winograd_params *p) { return p->taps == 2 ? 4 : 6; }

// Floats in which a channel's taps lie while U is made of them.
TSR_FN int tsr_winograd_taps(int lanes) { return (25 + 2 * lanes) * lanes; }

// A whole number of lines of a cache, and one more: neighbours' scratch does not fall on the same sets.
TSR_FN tsr_i64 tsr_winograd_whole(tsr_i64 count) { return (count + 15) / 16 * 16 + 16; }

// Floats between two of V's blocks of channels, between two points of V and of M, and of a row of the ring
// and a line; of V and M; of all. `blocks`: of channels.
typedef struct {
  int blocks;
  tsr_i64 v_step, v_point, m_point, ring, line;
  tsr_i64 v, m, count;
} tsr_winograd_scratch;

// Through a pointer: a struct that is returned comes with a note for optimizers that Oclgrind does not know.
TSR_FN void tsr_winograd_lay_out(const tsr_winograd_params *p, int lanes, int panel,
                                 tsr_winograd_scratch *s) {
  const int points = tsr_winograd_points(p), m = points + 1 - p->taps;
  const int run = p->block < p->tile_columns ? p->block : p->tile_columns;
  s->blocks = (p->channels + lanes - 1) / lanes;
  s->v_step = (tsr_i64)p->block * lanes;
  // One vector more, so that points do not fall on the same lines of a cache.
  s->v_point = s->blocks * s->v_step + lanes;
  s->m_point = (tsr_i64)p->block * panel + lanes;
  s->v = points * points * s->v_point;
  s->m = points * points * s->m_point;
  s->ring = ((tsr_i64)m * (run - 1) + points + lanes) * lanes;
  s->line = ((tsr_i64)m * run + lanes) * lanes;
  s->count = tsr_winograd_whole(s->v + s->m + TSR_WINO_RING * s->ring + TSR_WINO_MOST * s->line);
}

// Of a gradient for the weights: a task's channels of the output, `high`, and of the input, `wide` or
// `strips`, in whole vectors; floats between two of V's strips, between two points of V, D and S, and of a
// row of the ring; of V, D and S; of all.
typedef struct {
  int high, wide, strips;
  tsr_i64 v_step, v_point, d_point, s_point, ring;
  tsr_i64 v, d, s, count;
} tsr_winograd_weight_scratch;

TSR_FN void tsr_winograd_weight_lay_out(const tsr_winograd_params *p, int lanes,
                                        tsr_winograd_weight_scratch *s) {
  const int points = tsr_winograd_points(p), m = points + 1 - p->taps;
  const int run = TSR_WINO_TILES < p->tile_columns ? TSR_WINO_TILES : p->tile_columns;
  s->strips = (p->wide + lanes - 1) / lanes;
  s->high = (p->high + lanes - 1) / lanes * lanes;
  s->wide = s->strips * lanes;
  s->v_step = TSR_WINO_TILES * lanes;
  s->v_point = s->strips * s->v_step + lanes;
  s->d_point = TSR_WINO_TILES * s->high + lanes;
  s->s_point = (tsr_i64)s->high * s->wide + lanes;
  s->v = points * points * s->v_point;
  s->d = points * points * s->d_point;
  s->s = points * points * s->s_point;
  s->ring = ((tsr_i64)m * (run - 1) + points + lanes) * lanes;
  s->count = tsr_winograd_whole(s->v + s->d + s->s + TSR_WINO_RING * s->ring);
}
