// SPDX-License-Identifier: Apache-2.0
// Blocks of tiles of a convolution by fewer multiplications, on the CPU and on CPU devices: one text for C
// and OpenCL.
//
// Algorithm  Input tiles overlap: a ring of image rows, turned so that a pixel is a vector of channels, is
//            moved over the image, and every tile is transformed where it lies in the ring. Products of
//            the points are small GEMMs of one micro-kernel. Output tiles become rows of pixels, and
//            those are turned back into channels.
// Tensors    x (batch, channels, height, width); V (point, channel / LANES, tile, [LANES]); U (point, panel,
//            channel, [PANEL]); M (point, tile, [PANEL]); y (batch, outputs, rows, columns). For the
//            weights: D (point, tile, [high]) of the output's gradient; S (point, high, wide).
// Work       One thread, or work-item; tiles are numbered by (sample, tile row, tile column), and a block is
//            `count` of them from `first` on. V, U, M and the ring are its own.
// Tuning     TSR_WINO_LANES: floats of a vector. TSR_UNROLL_TILE: rows of the micro-kernel. `block`.
//
//   ring      row m ty     . . . . . . . . . .     tile tx: columns m tx ..< m tx + points
//             ...          . . . . . . . . . .
//             + points - 1 . . . . . . . . . .     8 rows of (columns, [LANES])
//
// Rules      4, 9, 11.
#pragma once

#include "conv/winograd.h"
#include "include/tessera_params.h"
#include "include/winograd_scratch.h"

#ifndef TSR_GPU

#define TSR_WINO_UNROLL _Pragma("unroll")
// A step of the work is a function that is called: a compiler would else share out registers for all steps
// at once. Each transpose is there once too: PoCL would take twice to four times as long to build.
#define TSR_WINO_STAGE static __attribute__((noinline))

// ---- Memory

// `count` pixels of a row of `live` planes, which are `plane` floats apart, become `count` vectors of
// channels; lanes from `live` on are +0. `held`: floats from `from` to the tensor's end. Up to LANES - 1
// vectors are written beyond `count`.
TSR_WINO_STAGE void tsr_wino_columns(TSR_GLOBAL const float *from, tsr_i64 plane, int live, int count,
                                     tsr_i64 held, TSR_GLOBAL float *to) {
  for (int next = 0; next < count; next += TSR_WINO_LANES) {
    // A row's last vector ends with it, where the row is long enough.
    const int over = next + TSR_WINO_LANES - count, j = over > 0 && next > 0 ? next - over : next;
    tsr_wino_vec t[TSR_WINO_LANES];
    if (live == TSR_WINO_LANES && (live - 1) * plane + j + TSR_WINO_LANES <= held) {
      TSR_WINO_UNROLL for (int i = 0; i < TSR_WINO_LANES; i++) t[i] = tsr_wino_load(from + i * plane + j);
    } else {
      TSR_WINO_UNROLL for (int i = 0; i < TSR_WINO_LANES; i++) {
        const tsr_i64 at = i * plane + j;
        t[i] = i >= live                     ? (tsr_wino_vec)(0.0f)
               : at + TSR_WINO_LANES <= held ? tsr_wino_load(from + at)
                                             : tsr_wino_load_part(from + at, count - j);
      }
    }
    tsr_wino_transpose(t);
    TSR_WINO_UNROLL for (int i = 0; i < TSR_WINO_LANES; i++)
        tsr_wino_store(t[i], to + (j + i) * TSR_WINO_LANES);
  }
}

TSR_FN void tsr_wino_zeros(int count, TSR_GLOBAL float *to) {
  for (int j = 0; j < count; j++) tsr_wino_store((tsr_wino_vec)(0.0f), to + j * TSR_WINO_LANES);
}

// Images that tiles are cut out of: `channels` planes a sample, each height x width.
typedef struct {
  TSR_GLOBAL const float *at;
  int batch, channels, height, width;
} tsr_wino_images;

// Row h of a block of channels, `count` columns from `left` on, into a row of the ring; zeros outside.
TSR_FN void tsr_wino_ring_row(const tsr_wino_images *x, int sample, int channel, int h, int left, int count,
                              TSR_GLOBAL float *to) {
  const int lo = left < 0 ? -left : 0, end = x->width - left, hi = end < count ? end : count;
  if (h < 0 || h >= x->height || hi <= lo) {
    tsr_wino_zeros(count, to);
    return;
  }
  const int rest = x->channels - channel, live = rest < TSR_WINO_LANES ? rest : TSR_WINO_LANES;
  const tsr_i64 plane = (tsr_i64)x->height * x->width;
  const tsr_i64 at = ((tsr_i64)sample * x->channels + channel) * plane + (tsr_i64)h * x->width + left + lo;
  tsr_wino_zeros(lo, to);
  tsr_wino_columns(x->at + at, plane, live, hi - lo, (tsr_i64)x->batch * x->channels * plane - at,
                   to + lo * TSR_WINO_LANES);
  tsr_wino_zeros(count - hi, to + hi * TSR_WINO_LANES);
}

// ---- Tiles

// Neighbours in a row of tiles, of one sample.
typedef struct {
  int sample, row, column, count;
} tsr_wino_run;

// The run that begins at tile `tile`, of at most `most`.
TSR_FN tsr_wino_run tsr_wino_run_at(const tsr_winograd_params *p, int tile, int most) {
  const int row = tile / p->tile_columns, column = tile % p->tile_columns;
  const int left = p->tile_columns - column;
  const tsr_wino_run run = {row / p->tile_rows, row % p->tile_rows, column, left < most ? left : most};
  return run;
}

// What a block is transformed into: the first of its channels and how many LANES of them; floats between two
// points, and between two blocks of channels; the ring, `pitch` floats a row.
typedef struct {
  int first, count;  // tiles
  int channel, blocks;
  TSR_GLOBAL float *to;
  tsr_i64 point, step;
  TSR_GLOBAL float *ring;
  tsr_i64 pitch;
} tsr_wino_block;

// The points of `count` tiles of a run, whose rows are in the ring from column 0 on.
TSR_FN void tsr_wino_input_run(const int points, const int m, const tsr_wino_block *b,
                               TSR_GLOBAL const float *const *rows, int count, TSR_GLOBAL float *to) {
  // Columns that are transformed already, of 16: a tile has up to six, neighbours share them.
  tsr_wino_vec done[16][6];
  int next = 0;
  for (int tile = 0; tile < count; tile++, to += TSR_WINO_LANES) {
    for (; next < m * tile + points; next++) {
      tsr_wino_vec d[6];
      TSR_WINO_UNROLL for (int a = 0; a < points; a++) d[a] = tsr_wino_load(rows[a] + next * TSR_WINO_LANES);
      tsr_wino_input(points, d, done[next & 15]);
    }
    TSR_WINO_UNROLL for (int a = 0; a < points; a++) {
      tsr_wino_vec d[6], v[6];
      TSR_WINO_UNROLL for (int j = 0; j < points; j++) d[j] = done[(m * tile + j) & 15][a];
      tsr_wino_input(points, d, v);
      TSR_WINO_UNROLL for (int j = 0; j < points; j++) tsr_wino_store(v[j], to + (a * points + j) * b->point);
    }
  }
}

// V of a block of tiles.
TSR_FN void tsr_wino_input_block(const int points, const int m, const tsr_winograd_params *p,
                                 const tsr_wino_images *x, const tsr_wino_block *b) {
  for (int block = 0; block < b->blocks; block++) {
    const int channel = b->channel + block * TSR_WINO_LANES;
    // The rows in the ring: those of `held`, from its first column on.
    tsr_wino_run held = {-1, -1, 0, 0};
    for (int tile = 0; tile < b->count;) {
      const tsr_wino_run run = tsr_wino_run_at(p, b->first + tile, b->count - tile);
      const int below = run.sample == held.sample && run.row == held.row + 1 && run.column >= held.column &&
                        run.column + run.count <= held.column + held.count;
      if (!below) held = run;
      const int left = m * held.column - p->left, columns = m * (held.count - 1) + points;
      TSR_GLOBAL const float *rows[6];
      TSR_WINO_UNROLL for (int i = 0; i < points; i++) {
        const int row = m * run.row + i;
        TSR_GLOBAL float *const to = b->ring + (row % TSR_WINO_RING) * b->pitch;
        if (!below || i >= points - m)
          tsr_wino_ring_row(x, run.sample, channel, row - p->top, left, columns, to);
        rows[i] = to + m * (run.column - held.column) * TSR_WINO_LANES;
      }
      held.row = run.row;
      tsr_wino_input_run(points, m, b, rows, run.count,
                         b->to + block * b->step + (tsr_i64)tile * TSR_WINO_LANES);
      tile += run.count;
    }
  }
}

// D of a block of tiles: the output's gradient, m x m pixels a tile.
TSR_FN void tsr_wino_gradient_block(const int points, const int m, const tsr_winograd_params *p,
                                    const tsr_wino_images *y, const tsr_wino_block *b) {
  for (int block = 0; block < b->blocks; block++) {
    const int channel = b->channel + block * TSR_WINO_LANES;
    for (int tile = 0; tile < b->count;) {
      const tsr_wino_run run = tsr_wino_run_at(p, b->first + tile, b->count - tile);
      TSR_WINO_UNROLL for (int i = 0; i < m; i++) tsr_wino_ring_row(
          y, run.sample, channel, m * run.row + i, m * run.column, m * run.count, b->ring + i * b->pitch);
      TSR_GLOBAL float *to = b->to + block * TSR_WINO_LANES + tile * b->step;
      for (int at = 0; at < run.count; at++, to += b->step) {
        tsr_wino_vec done[TSR_WINO_MOST][6];
        TSR_WINO_UNROLL for (int j = 0; j < m; j++) {
          tsr_wino_vec d[TSR_WINO_MOST];
          TSR_WINO_UNROLL for (int i = 0; i < m; i++) d[i] =
              tsr_wino_load(b->ring + i * b->pitch + (m * at + j) * TSR_WINO_LANES);
          tsr_wino_kernel(points, m, d, done[j]);
        }
        TSR_WINO_UNROLL for (int a = 0; a < points; a++) {
          tsr_wino_vec d[TSR_WINO_MOST], v[6];
          TSR_WINO_UNROLL for (int j = 0; j < m; j++) d[j] = done[j][a];
          tsr_wino_kernel(points, m, d, v);
          TSR_WINO_UNROLL for (int j = 0; j < points; j++)
              tsr_wino_store(v[j], to + (a * points + j) * b->point);
        }
      }
      tile += run.count;
    }
  }
}

// U of one block of output channels, for channels begin ..< end. `taps`: (tap, [LANES]) of a channel, from
// `from` on; `to`: that of point 0, `point` floats before that of point 1.
TSR_FN void tsr_wino_kernel_points(const int points, const int r, TSR_GLOBAL const float *taps, int mirrored,
                                   TSR_GLOBAL float *to, tsr_i64 point) {
  tsr_wino_vec done[TSR_WINO_MOST][6];
  TSR_WINO_UNROLL for (int j = 0; j < r; j++) {
    tsr_wino_vec w[TSR_WINO_MOST];
    TSR_WINO_UNROLL for (int i = 0; i < r; i++) w[i] =
        tsr_wino_load(taps + (mirrored ? (r - 1 - i) * r + r - 1 - j : i * r + j) * TSR_WINO_LANES);
    tsr_wino_kernel(points, r, w, done[j]);
  }
  TSR_WINO_UNROLL for (int a = 0; a < points; a++) {
    tsr_wino_vec w[TSR_WINO_MOST], u[6];
    TSR_WINO_UNROLL for (int j = 0; j < r; j++) w[j] = done[j][a];
    tsr_wino_kernel(points, r, w, u);
    TSR_WINO_UNROLL for (int j = 0; j < points; j++)
        tsr_wino_store(u[j] * (tsr_wino_vec)(tsr_wino_scale(points, a) * tsr_wino_scale(points, j)),
                       to + (a * points + j) * point);
  }
}

// Where kernels come from and U goes. `taps`: room for LANES channels' taps, and LANES more.
typedef struct {
  TSR_GLOBAL const float *w;
  TSR_GLOBAL float *u, *taps;
} tsr_wino_packing;

// U of panel `panel`, channels begin ..< end.
TSR_FN void tsr_wino_pack_kernel(const int points, const int r, const tsr_winograd_params *p,
                                 const tsr_wino_packing *o, int panel, int begin, int end) {
  const tsr_i64 of_output = (p->mirrored ? 1 : (tsr_i64)p->channels) * r * r;
  const tsr_i64 of_channel = (p->mirrored ? (tsr_i64)p->outputs : 1) * r * r;
  const tsr_i64 count = (tsr_i64)p->outputs * p->channels * r * r;
  const tsr_i64 point = (tsr_i64)p->panels * p->channels * TSR_WINO_PANEL;
  for (int part = 0; part < TSR_WINO_PANEL; part += TSR_WINO_LANES) {
    const int output = (p->first_panel + panel) * TSR_WINO_PANEL + part, rest = p->outputs - output;
    const int live = rest < 0 ? 0 : rest < TSR_WINO_LANES ? rest : TSR_WINO_LANES;
    TSR_GLOBAL float *to = o->u + ((tsr_i64)panel * p->channels + begin) * TSR_WINO_PANEL + part;
    for (int channel = begin; channel < end; channel++, to += TSR_WINO_PANEL) {
      const tsr_i64 at = live > 0 ? output * of_output + channel * of_channel : 0;
      tsr_wino_columns(o->w + at, of_output, live, r * r, count - at, o->taps);
      tsr_wino_kernel_points(points, r, o->taps, p->mirrored, to, point);
    }
  }
}

// ---- Products

// Sums of a tile of the micro-kernel, over `depth` steps of k in blocks of `per`: row r's factor at step i of
// a block is a[r row + i step], those of the columns b[i] and b[i + second].
typedef struct {
  int depth, per, add;
  TSR_GLOBAL const float *a;
  tsr_i64 a_block, a_step;
  TSR_GLOBAL const float *b;
  tsr_i64 second;
  TSR_GLOBAL float *sums;
  tsr_i64 pitch;
} tsr_wino_product;

// `height` rows, of which `live` are stored, by `vectors` vectors; for the weights rows lie side by side.
TSR_FN void tsr_wino_microkernel(const int height, const int vectors, const int weights,
                                 const tsr_wino_product *o, int live) {
  const int row = weights ? 1 : TSR_WINO_LANES, b_step = weights ? TSR_WINO_LANES : TSR_WINO_PANEL;
  const int add = o->add;
  TSR_GLOBAL const float *a = o->a, *b = o->b;
  const tsr_i64 second = o->second, step = weights ? o->a_step : 1;
#define TSR_WINO_BEGIN(r) tsr_wino_vec s##r = (tsr_wino_vec)(0.0f), z##r = (tsr_wino_vec)(0.0f);
  TSR_UNROLL_TILE(TSR_WINO_BEGIN)
  for (int left = o->depth; left > 0; left -= o->per, a += o->a_block) {
    const int steps = left < o->per ? left : o->per;
    TSR_GLOBAL const float *at = a;
    for (int i = 0; i < steps; i++, at += step, b += b_step) {
      const tsr_wino_vec y = tsr_wino_load(b), x = vectors > 1 ? tsr_wino_load(b + second) : y;
#define TSR_WINO_STEP(r)                                \
  if (r < height) {                                     \
    const tsr_wino_vec v = (tsr_wino_vec)(at[r * row]); \
    s##r = tsr_wino_fma(v, y, s##r);                    \
    if (vectors > 1) z##r = tsr_wino_fma(v, x, z##r);   \
  }
      TSR_UNROLL_TILE(TSR_WINO_STEP)
    }
  }
#define TSR_WINO_END(r)                                                                            \
  if (r < height && r < live) {                                                                    \
    TSR_GLOBAL float *const to = o->sums + r * o->pitch;                                           \
    tsr_wino_store(add ? tsr_wino_load(to) + s##r : s##r, to);                                     \
    if (vectors > 1)                                                                               \
      tsr_wino_store(add ? tsr_wino_load(to + TSR_WINO_LANES) + z##r : z##r, to + TSR_WINO_LANES); \
  }
  TSR_UNROLL_TILE(TSR_WINO_END)
#undef TSR_WINO_BEGIN
#undef TSR_WINO_STEP
#undef TSR_WINO_END
}

// The micro-kernel of at least `live` rows.
TSR_FN void tsr_wino_dispatch(const int vectors, const int weights, const tsr_wino_product *o, int live) {
#define TSR_WINO_CASE(n)                                             \
  if (live <= n) tsr_wino_microkernel(n, vectors, weights, o, live); \
  else
  TSR_WINO_HEIGHTS(TSR_WINO_CASE) tsr_wino_microkernel(TSR_WINO_HEIGHT, vectors, weights, o, live);
#undef TSR_WINO_CASE
}

// `tiles` rows of sums, each over `depth` of k, by tiles of the micro-kernel of about the same height.
TSR_FN void tsr_wino_rows(const int vectors, const int weights, tsr_wino_product o, int rows) {
  TSR_GLOBAL const float *const a = o.a;
  TSR_GLOBAL float *const sums = o.sums;
  const tsr_i64 row = weights ? 1 : TSR_WINO_LANES;
  const int parts = (rows + TSR_WINO_HEIGHT - 1) / TSR_WINO_HEIGHT;
  for (int i = 0, first = 0; i < parts; i++) {
    const int live = (rows - first) / (parts - i);
    o.a = a + first * row;
    o.sums = sums + first * o.pitch;
    tsr_wino_dispatch(vectors, weights, &o, live);
    first += live;
  }
}

// ---- Outputs

// Where output tiles go: y, its bias or null, and rows of (columns, [LANES]) in which they are collected.
typedef struct {
  TSR_GLOBAL float *y;
  TSR_GLOBAL const float *bias;
  TSR_GLOBAL float *lines;
  tsr_i64 pitch;
} tsr_wino_target;

// A row of `count` pixels of `live` channels, `plane` floats apart.
TSR_WINO_STAGE void tsr_wino_store_row(TSR_GLOBAL const float *line, int count, int live, tsr_i64 plane,
                                       int activation, TSR_GLOBAL float *to) {
  for (int next = 0; next < count; next += TSR_WINO_LANES) {
    const int over = next + TSR_WINO_LANES - count, j = over > 0 && next > 0 ? next - over : next;
    tsr_wino_vec t[TSR_WINO_LANES];
    TSR_WINO_UNROLL for (int i = 0; i < TSR_WINO_LANES; i++) t[i] =
        tsr_wino_load(line + (j + i) * TSR_WINO_LANES);
    tsr_wino_transpose(t);
    if (live == TSR_WINO_LANES && count - j >= TSR_WINO_LANES) {
      TSR_WINO_UNROLL for (int i = 0; i < TSR_WINO_LANES; i++) tsr_wino_store(t[i], to + i * plane + j);
    } else {
      TSR_WINO_UNROLL for (int i = 0; i < TSR_WINO_LANES; i++) if (i < live)
          tsr_wino_store_part(t[i], to + i * plane + j, count - j);
    }
  }
  for (int i = 0; i < live; i++) tsr_wino_finish_row(activation, to + i * plane, count);
}

// Outputs of a block of tiles and LANES channels from `channel` on; `sums`: of the first tile and point.
TSR_FN void tsr_wino_output_block(const int points, const int m, const tsr_winograd_params *p,
                                  const tsr_wino_block *b, TSR_GLOBAL const float *sums,
                                  const tsr_wino_target *o) {
  const int rest = p->outputs - b->channel, live = rest < TSR_WINO_LANES ? rest : TSR_WINO_LANES;
  const tsr_i64 plane = (tsr_i64)p->rows * p->columns;
  const tsr_wino_vec bias = p->bias ? tsr_wino_load_part(o->bias + b->channel, live) : (tsr_wino_vec)(0.0f);
  for (int tile = 0; tile < b->count;) {
    const tsr_wino_run run = tsr_wino_run_at(p, b->first + tile, b->count - tile);
    for (int at = 0; at < run.count; at++) {
      TSR_GLOBAL const float *from = sums + (tsr_i64)(tile + at) * TSR_WINO_PANEL;
      tsr_wino_vec done[6][TSR_WINO_MOST];
      TSR_WINO_UNROLL for (int j = 0; j < points; j++) {
        tsr_wino_vec s[6];
        TSR_WINO_UNROLL for (int a = 0; a < points; a++) s[a] =
            tsr_wino_load(from + (a * points + j) * b->point);
        tsr_wino_output(points, m, s, done[j]);
      }
      TSR_WINO_UNROLL for (int i = 0; i < m; i++) {
        tsr_wino_vec s[6], y[TSR_WINO_MOST];
        TSR_WINO_UNROLL for (int j = 0; j < points; j++) s[j] = done[j][i];
        tsr_wino_output(points, m, s, y);
        TSR_WINO_UNROLL for (int j = 0; j < m; j++) {
          tsr_wino_vec v = y[j];
          if (p->bias) v = v + bias;
          tsr_wino_store(tsr_wino_finish(v, p->activation),
                         o->lines + i * o->pitch + (m * at + j) * TSR_WINO_LANES);
        }
      }
    }
    const int column = m * run.column, right = p->columns - column;
    const int columns = right < m * run.count ? right : m * run.count;
    TSR_GLOBAL float *to = o->y + ((tsr_i64)run.sample * p->outputs + b->channel) * plane + column;
    for (int i = 0; i < m && m * run.row + i < p->rows; i++)
      tsr_wino_store_row(o->lines + i * o->pitch, columns, live, plane, p->activation,
                         to + (tsr_i64)(m * run.row + i) * p->columns);
    tile += run.count;
  }
}

// The taps of LANES input channels and one output channel, (tap, [LANES]), of sums at the points.
TSR_FN void tsr_wino_taps(const int points, const int r, TSR_GLOBAL const float *sums, tsr_i64 point,
                          tsr_wino_vec *taps) {
  tsr_wino_vec done[6][TSR_WINO_MOST];
  TSR_WINO_UNROLL for (int j = 0; j < points; j++) {
    tsr_wino_vec s[6];
    TSR_WINO_UNROLL for (int a = 0; a < points; a++) s[a] =
        tsr_wino_load(sums + (a * points + j) * point) *
        (tsr_wino_vec)(tsr_wino_scale(points, a) * tsr_wino_scale(points, j));
    tsr_wino_output(points, r, s, done[j]);
  }
  TSR_WINO_UNROLL for (int i = 0; i < r; i++) {
    tsr_wino_vec s[6];
    TSR_WINO_UNROLL for (int j = 0; j < points; j++) s[j] = done[j][i];
    tsr_wino_output(points, r, s, taps + i * r);
  }
}
#endif
