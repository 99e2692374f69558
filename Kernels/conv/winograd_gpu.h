// SPDX-License-Identifier: Apache-2.0
// What surrounds the products of a convolution by fewer multiplications on a GPU: the transforms.
//
// Algorithm  Of conv/winograd.h, for one tile in registers. The products of the points are batched matrix
//            products of tsr_matmul, in chunks of TSR_WINO_CHANNELS channels or TSR_WINO_TILES tiles. V, M
//            and D are of a part of the tiles: the host keeps them within a limit of memory. A part may go
//            on beyond the last tile, so that rows begin on borders of 16 bytes: such tiles are +0 in V and
//            D, and in no y.
// Tensors    x, y, dy as in winograd.cl; U (point, output, channel); V (point, channel, tile); M and D
//            (point, output, tile); S (group, point, output, channel). V, M, D: of the part's tiles.
// Work       A work-item a tile of a channel: dimension 0 the tiles, dimension 1 the channels; of U and of
//            S a channel (0) of an output (1). Work-groups of 64 x 1; no barriers, no local memory.
// Tuning     TSR_WINO_TAPS (2 to 5; default 3): the kernel's size.
//
//   x -> V    M[point] (outputs, tiles) = U[point] (outputs, channels) V[point] (channels, tiles)    M -> y
//   x -> V, dy -> D    S[group, point] (outputs, channels) = D[point] V[point]'                      S -> dw
//
// Rules      4, 6, 9, 11.
#pragma once

#include "conv/winograd.h"
#include "conv/winograd_cpu.h"

#ifdef TSR_GPU
#define TSR_WINO_SIDE (TSR_WINO_POINTS + 1 - TSR_WINO_TAPS)
#define TSR_WINO_ALL (TSR_WINO_POINTS * TSR_WINO_POINTS)
#define TSR_WINO_GPU_KERNEL __kernel __attribute__((reqd_work_group_size(64, 1, 1)))
// Up to six of something, written out: a loop may be unrolled only after the arrays in it went to memory.
#define TSR_WINO_EACH(STEP) STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5)

// ---- One tile in registers

// What a line or a tile is transformed by: tsr_wino_input, tsr_wino_kernel, tsr_wino_output.
enum { TSR_WINO_INPUT, TSR_WINO_KERNEL, TSR_WINO_OUTPUT };

// One line, whose values are so many floats apart.
TSR_FN void tsr_wino_line(const int kind, const int n, const float *from, const int from_step, float *to,
                          const int to_step) {
  const int in = kind == TSR_WINO_KERNEL ? n : TSR_WINO_POINTS;
  const int out = kind == TSR_WINO_OUTPUT ? n : TSR_WINO_POINTS;
  float d[6], t[6];
#define TSR_WINO_TAKE(i) \
  if (i < in) d[i] = from[i * from_step];
  TSR_WINO_EACH(TSR_WINO_TAKE)
  if (kind == TSR_WINO_INPUT) tsr_wino_input(TSR_WINO_POINTS, d, t);
  else if (kind == TSR_WINO_KERNEL) tsr_wino_kernel(TSR_WINO_POINTS, n, d, t);
  else tsr_wino_output(TSR_WINO_POINTS, n, d, t);
#define TSR_WINO_GIVE(i) \
  if (i < out) to[i * to_step] = t[i];
  TSR_WINO_EACH(TSR_WINO_GIVE)
#undef TSR_WINO_TAKE
#undef TSR_WINO_GIVE
}

// A tile of rows one after another, down the columns first.
TSR_FN void tsr_wino_tile(const int kind, const int n, const float *from, float *to) {
  const int in = kind == TSR_WINO_KERNEL ? n : TSR_WINO_POINTS;
  const int out = kind == TSR_WINO_OUTPUT ? n : TSR_WINO_POINTS;
  float done[TSR_WINO_ALL];
#define TSR_WINO_COLUMN(j) \
  if (j < in) tsr_wino_line(kind, n, from + j, in, done + j, in);
#define TSR_WINO_ROW(i) \
  if (i < out) tsr_wino_line(kind, n, done + i * in, 1, to + i * out, 1);
  TSR_WINO_EACH(TSR_WINO_COLUMN)
  TSR_WINO_EACH(TSR_WINO_ROW)
#undef TSR_WINO_COLUMN
#undef TSR_WINO_ROW
}

// ---- Memory

// Where tile `tile` of all samples is: its sample, whether there is one, and its first row and column, `step`
// pixels a tile.
typedef struct {
  int sample, exists, row, column;
} tsr_wino_place;
TSR_FN tsr_wino_place tsr_wino_place_of(const tsr_winograd_params *p, int tile, int step) {
  const int row = tile / p->tile_columns, sample = row / p->tile_rows;
  const tsr_wino_place place = {sample, sample < p->batch, row % p->tile_rows * step,
                                tile % p->tile_columns * step};
  return place;
}

// An image's plane, of which a tile is read from (row, column) on.
typedef struct {
  __global const float *at;
  int height, width, row, column;
} tsr_wino_plane;

// `count` pixels of the tile's row i; +0 outside.
TSR_FN void tsr_wino_load_line(const int count, const int i, const tsr_wino_plane *x, float *d) {
  const int h = x->row + i, inside = h >= 0 && h < x->height;
  __global const float *line = x->at + (long)(inside ? h : 0) * x->width;
#define TSR_WINO_PIXEL(j)                                                 \
  if (j < count) {                                                        \
    const int w = x->column + j;                                          \
    d[i * count + j] = inside && w >= 0 && w < x->width ? line[w] : 0.0f; \
  }
  TSR_WINO_EACH(TSR_WINO_PIXEL)
#undef TSR_WINO_PIXEL
}
TSR_FN void tsr_wino_load_tile(const int count, const tsr_wino_plane *x, float *d){
#define TSR_WINO_LINE(i) \
  if (i < count) tsr_wino_load_line(count, i, x, d);
    TSR_WINO_EACH(TSR_WINO_LINE)
#undef TSR_WINO_LINE
}

// A tile's points, `step` floats apart; with `scaled` each times its factor (tsr_wino_scale).
#define TSR_WINO_EACH_POINT(STEP, a) STEP(a, 0) STEP(a, 1) STEP(a, 2) STEP(a, 3) STEP(a, 4) STEP(a, 5)
TSR_FN float tsr_wino_scaled(const int scaled, const int a, const int j, float v) {
  return scaled ? v * (tsr_wino_scale(TSR_WINO_POINTS, a) * tsr_wino_scale(TSR_WINO_POINTS, j)) : v;
}
TSR_FN void tsr_wino_load_points(const int scaled, __global const float *from, long step, float *s) {
  __global const float *at = from;
#define TSR_WINO_POINT(a, j)                                         \
  if (a < TSR_WINO_POINTS && j < TSR_WINO_POINTS) {                  \
    s[a * TSR_WINO_POINTS + j] = tsr_wino_scaled(scaled, a, j, *at); \
    at += step;                                                      \
  }
#define TSR_WINO_POINTS_OF(a) TSR_WINO_EACH_POINT(TSR_WINO_POINT, a)
  TSR_WINO_EACH(TSR_WINO_POINTS_OF)
#undef TSR_WINO_POINT
}
TSR_FN void tsr_wino_store_points(const int scaled, const float *v, long step, __global float *to) {
  __global float *at = to;
#define TSR_WINO_POINT(a, j)                                         \
  if (a < TSR_WINO_POINTS && j < TSR_WINO_POINTS) {                  \
    *at = tsr_wino_scaled(scaled, a, j, v[a * TSR_WINO_POINTS + j]); \
    at += step;                                                      \
  }
  TSR_WINO_EACH(TSR_WINO_POINTS_OF)
#undef TSR_WINO_POINT
#undef TSR_WINO_POINTS_OF
}

// STEP(i) of the r x r taps or m x m pixels, which are at most 25.
#define TSR_WINO_EACH5(STEP, i) STEP(i) STEP((i + 1)) STEP((i + 2)) STEP((i + 3)) STEP((i + 4))
#define TSR_WINO_EACH25(STEP) \
  TSR_WINO_EACH5(STEP, 0)     \
  TSR_WINO_EACH5(STEP, 5) TSR_WINO_EACH5(STEP, 10) TSR_WINO_EACH5(STEP, 15) TSR_WINO_EACH5(STEP, 20)

// ---- Kernels

// U of all outputs and channels.
TSR_WINO_GPU_KERNEL void tsr_winograd_pack_gpu(const tsr_winograd_params p, __global const float *w,
                                               __global float *u) {
  const int channel = (int)get_global_id(0), output = (int)get_global_id(1), r = TSR_WINO_TAPS;
  if (channel >= p.channels) return;
  const long at = p.mirrored ? (long)channel * p.outputs + output : (long)output * p.channels + channel;
  const int last = p.mirrored ? r * r - 1 : 0, sign = p.mirrored ? -1 : 1;
  w += at * r * r + last;
  float taps[TSR_WINO_MOST * TSR_WINO_MOST], values[TSR_WINO_ALL];
#define TSR_WINO_TAP(i) \
  if (i < r * r) taps[i] = w[sign * i];
  TSR_WINO_EACH25(TSR_WINO_TAP)
#undef TSR_WINO_TAP
  tsr_wino_tile(TSR_WINO_KERNEL, r, taps, values);
  tsr_wino_store_points(1, values, (long)p.outputs * p.channels, u + (long)output * p.channels + channel);
}

// V of the part's tiles.
TSR_WINO_GPU_KERNEL void tsr_winograd_input_gpu(const tsr_winograd_part_params q, __global const float *x,
                                                __global float *v) {
  const tsr_winograd_params *p = &q.conv;
  const int tile = (int)get_global_id(0), channel = (int)get_global_id(1);
  if (tile >= q.count) return;
  const tsr_wino_place at = tsr_wino_place_of(p, q.first + tile, TSR_WINO_SIDE);
  const tsr_wino_plane plane = {x + ((long)at.sample * p->channels + channel) * p->height * p->width,
                                at.exists ? p->height : 0, p->width, at.row - p->top, at.column - p->left};
  float pixels[TSR_WINO_ALL], values[TSR_WINO_ALL];
  tsr_wino_load_tile(TSR_WINO_POINTS, &plane, pixels);
  tsr_wino_tile(TSR_WINO_INPUT, TSR_WINO_POINTS, pixels, values);
  tsr_wino_store_points(0, values, (long)p->channels * q.count, v + (long)channel * q.count + tile);
}

// y of the part's tiles. `bias` is read if the parameters say so.
TSR_WINO_GPU_KERNEL void tsr_winograd_output_gpu(const tsr_winograd_part_params q, __global const float *sums,
                                                 __global const float *bias, __global float *y) {
  const tsr_winograd_params *p = &q.conv;
  const int tile = (int)get_global_id(0), output = (int)get_global_id(1), m = TSR_WINO_SIDE;
  if (tile >= q.count) return;
  float values[TSR_WINO_ALL], made[TSR_WINO_MOST * TSR_WINO_MOST];
  tsr_wino_load_points(0, sums + (long)output * q.count + tile, (long)p->outputs * q.count, values);
  tsr_wino_tile(TSR_WINO_OUTPUT, m, values, made);
  const tsr_wino_place at = tsr_wino_place_of(p, q.first + tile, m);
  const int rows = at.exists ? p->rows - at.row : 0, columns = p->columns - at.column,
            activation = p->activation;
  const float shift = p->bias ? bias[output] : 0.0f;
  y += (((long)at.sample * p->outputs + output) * p->rows + at.row) * p->columns + at.column;
#define TSR_WINO_PIXEL(i)                                                                       \
  if (i < m * m && i / m < rows && i % m < columns) {                                           \
    float v = made[i];                                                                          \
    if (p->bias) v = v + shift;                                                                 \
    if (activation == TSR_ACT_RELU) v = tsr_relu(v);                                            \
    if (activation == TSR_ACT_RELU6) v = tsr_relu6(v);                                          \
    y[(long)(i / m) * p->columns + i % m] = TSR_WINO_SIMPLE(activation) ? tsr_canonical(v) : v; \
  }
  TSR_WINO_EACH25(TSR_WINO_PIXEL)
#undef TSR_WINO_PIXEL
  if (TSR_WINO_SIMPLE(activation)) return;
#pragma unroll 1
  for (int i = 0; i < m * m; i++) {
    __global float *to = y + (long)(i / m) * p->columns + i % m;
    if (i / m < rows && i % m < columns) *to = tsr_canonical(tsr_activate(*to, activation));
  }
}

// D of the part's tiles.
TSR_WINO_GPU_KERNEL void tsr_winograd_gradient_gpu(const tsr_winograd_part_params q, __global const float *dy,
                                                   __global float *d) {
  const tsr_winograd_params *p = &q.conv;
  const int tile = (int)get_global_id(0), output = (int)get_global_id(1), m = TSR_WINO_SIDE;
  if (tile >= q.count) return;
  const tsr_wino_place at = tsr_wino_place_of(p, q.first + tile, m);
  const tsr_wino_plane plane = {dy + ((long)at.sample * p->outputs + output) * p->rows * p->columns,
                                at.exists ? p->rows : 0, p->columns, at.row, at.column};
  float pixels[TSR_WINO_MOST * TSR_WINO_MOST], values[TSR_WINO_ALL];
  tsr_wino_load_tile(m, &plane, pixels);
  tsr_wino_tile(TSR_WINO_KERNEL, m, pixels, values);
  tsr_wino_store_points(0, values, (long)p->outputs * q.count, d + (long)output * q.count + tile);
}

// dw of `count` groups of samples from the first on: in ascending order onto dw, those of group 0 to +0.
TSR_WINO_GPU_KERNEL void tsr_winograd_taps_gpu(const tsr_winograd_part_params q, __global const float *sums,
                                               __global float *dw) {
  const tsr_winograd_params *p = &q.conv;
  const int channel = (int)get_global_id(0), output = (int)get_global_id(1), r = TSR_WINO_TAPS;
  if (channel >= p->channels) return;
  const long step = (long)p->outputs * p->channels, at = (long)output * p->channels + channel;
  dw += at * r * r;
  sums += at;
  float total[TSR_WINO_MOST * TSR_WINO_MOST];
#define TSR_WINO_BEGIN(i) \
  if (i < r * r) total[i] = q.first > 0 ? dw[i] : 0.0f;
  TSR_WINO_EACH25(TSR_WINO_BEGIN)
#pragma unroll 1
  for (int group = 0; group < q.count; group++, sums += TSR_WINO_ALL * step) {
    float values[TSR_WINO_ALL], taps[TSR_WINO_MOST * TSR_WINO_MOST];
    tsr_wino_load_points(1, sums, step, values);
    tsr_wino_tile(TSR_WINO_OUTPUT, r, values, taps);
#define TSR_WINO_ADD(i) \
  if (i < r * r) total[i] = tsr_add(total[i], taps[i]);
    TSR_WINO_EACH25(TSR_WINO_ADD)
  }
#define TSR_WINO_END(i) \
  if (i < r * r) dw[i] = tsr_canonical(total[i]);
  TSR_WINO_EACH25(TSR_WINO_END)
#undef TSR_WINO_BEGIN
#undef TSR_WINO_ADD
#undef TSR_WINO_END
}
#endif
