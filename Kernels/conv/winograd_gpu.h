// SPDX-License-Identifier: Apache-2.0
// What surrounds the products of a convolution by fewer multiplications on a GPU: the transforms.
//
// Algorithm  Of conv/winograd.h, for one tile in registers. The products of the points are batched matrix
//            products of tsr_matmul, in chunks of TSR_WINO_CHANNELS channels or TSR_WINO_TILES tiles. V and M
//            are of a part of the tiles, so that they keep within the host's limit of memory.
// Tensors    x, y, dy as in winograd.cl; U (point, output, channel); V (point, channel, tile); M and D (point,
//            output, tile); S (group, point, output, channel). Tiles of V, M and D: those of the part.
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
#define TSR_WINO_KERNEL __kernel __attribute__((reqd_work_group_size(64, 1, 1))) void
#define TSR_WINO_EACH(i, n) _Pragma("unroll") for (int i = 0; i < n; i++)

// Where tile `tile` of all samples is: its sample, and its first row and column, `step` pixels a tile.
typedef struct {
  int sample, row, column;
} tsr_wino_place;
TSR_FN tsr_wino_place tsr_wino_place_of(const tsr_winograd_params *p, int tile, int step) {
  const int row = tile / p->tile_columns;
  const tsr_wino_place place = {row / p->tile_rows, row % p->tile_rows * step, tile % p->tile_columns * step};
  return place;
}

// count x count pixels of a plane from (row, column) on, d[i][j] at i * count + j; +0 outside.
TSR_FN void tsr_wino_load_tile(const int count, __global const float *plane, int height, int width, int row,
                               int column, float *d) {
  TSR_WINO_EACH(i, count) {
    const int h = row + i, inside = h >= 0 && h < height;
    __global const float *line = plane + (long)(inside ? h : 0) * width;
    TSR_WINO_EACH(j, count) {
      const int w = column + j;
      d[i * count + j] = inside && w >= 0 && w < width ? line[w] : 0.0f;
    }
  }
}

// A tile's values, `step` floats apart.
TSR_FN void tsr_wino_store_points(const float *v, long step, __global float *to) {
  TSR_WINO_EACH(i, TSR_WINO_ALL) {
    *to = v[i];
    to += step;
  }
}

// n x n values become points x points, down the columns first.
TSR_FN void tsr_wino_kernel_tile(const int n, const float *w, float *u) {
  float done[TSR_WINO_ALL];
  TSR_WINO_EACH(j, n) {
    float column[TSR_WINO_MOST], values[6];
    TSR_WINO_EACH(i, n) column[i] = w[i * n + j];
    tsr_wino_kernel(TSR_WINO_POINTS, n, column, values);
    TSR_WINO_EACH(a, TSR_WINO_POINTS) done[a * n + j] = values[a];
  }
  TSR_WINO_EACH(a, TSR_WINO_POINTS)
    tsr_wino_kernel(TSR_WINO_POINTS, n, done + a * n, u + a * TSR_WINO_POINTS);
}

// points x points sums become n x n values, down the columns first. Column j is made of s[a][j].
TSR_FN void tsr_wino_output_tile(const int n, const float *s, float *y) {
  float done[TSR_WINO_MOST * 6];
  TSR_WINO_EACH(j, TSR_WINO_POINTS) {
    float column[6], values[TSR_WINO_MOST];
    TSR_WINO_EACH(a, TSR_WINO_POINTS) column[a] = s[a * TSR_WINO_POINTS + j];
    tsr_wino_output(TSR_WINO_POINTS, n, column, values);
    TSR_WINO_EACH(i, n) done[i * TSR_WINO_POINTS + j] = values[i];
  }
  TSR_WINO_EACH(i, n) tsr_wino_output(TSR_WINO_POINTS, n, done + i * TSR_WINO_POINTS, y + i * n);
}

// U of all outputs and channels.
TSR_WINO_KERNEL tsr_winograd_pack_gpu(const tsr_winograd_params p, __global const float *w,
                                      __global float *u) {
  const int channel = (int)get_global_id(0), output = (int)get_global_id(1), r = TSR_WINO_TAPS;
  if (channel >= p.channels) return;
  const long at = p.mirrored ? (long)channel * p.outputs + output : (long)output * p.channels + channel;
  w += at * r * r;
  float taps[TSR_WINO_TAPS * TSR_WINO_TAPS], values[TSR_WINO_ALL];
  TSR_WINO_EACH(i, r * r) taps[i] = w[p.mirrored ? r * r - 1 - i : i];
  tsr_wino_kernel_tile(r, taps, values);
  TSR_WINO_EACH(a, TSR_WINO_POINTS)
    TSR_WINO_EACH(j, TSR_WINO_POINTS)
      values[a * TSR_WINO_POINTS + j] =
          values[a * TSR_WINO_POINTS + j] *
          (tsr_wino_scale(TSR_WINO_POINTS, a) * tsr_wino_scale(TSR_WINO_POINTS, j));
  tsr_wino_store_points(values, (long)p.outputs * p.channels, u + (long)output * p.channels + channel);
}

// V of the part's tiles.
TSR_WINO_KERNEL tsr_winograd_input_gpu(const tsr_winograd_part_params q, __global const float *x,
                                       __global float *v) {
  const tsr_winograd_params *p = &q.conv;
  const int tile = (int)get_global_id(0), channel = (int)get_global_id(1);
  if (tile >= q.count) return;
  const tsr_wino_place at = tsr_wino_place_of(p, q.first + tile, TSR_WINO_SIDE);
  x += ((long)at.sample * p->channels + channel) * p->height * p->width;
  float values[TSR_WINO_ALL];
  tsr_wino_load_tile(TSR_WINO_POINTS, x, p->height, p->width, at.row - p->top, at.column - p->left, values);
  TSR_WINO_EACH(j, TSR_WINO_POINTS) {
    float column[6], made[6];
    TSR_WINO_EACH(a, TSR_WINO_POINTS) column[a] = values[a * TSR_WINO_POINTS + j];
    tsr_wino_input(TSR_WINO_POINTS, column, made);
    TSR_WINO_EACH(a, TSR_WINO_POINTS) values[a * TSR_WINO_POINTS + j] = made[a];
  }
  TSR_WINO_EACH(a, TSR_WINO_POINTS) {
    float made[6];
    tsr_wino_input(TSR_WINO_POINTS, values + a * TSR_WINO_POINTS, made);
    TSR_WINO_EACH(j, TSR_WINO_POINTS) values[a * TSR_WINO_POINTS + j] = made[j];
  }
  tsr_wino_store_points(values, (long)p->channels * q.count, v + (long)channel * q.count + tile);
}

// Whether an activation is comparisons alone; every other one follows in memory, where its text is there once.
#define TSR_WINO_SIMPLE(activation) \
  ((activation) == TSR_ACT_NONE || (activation) == TSR_ACT_RELU || (activation) == TSR_ACT_RELU6)

// y of the part's tiles. `bias` is read if the parameters say so.
TSR_WINO_KERNEL tsr_winograd_output_gpu(const tsr_winograd_part_params q, __global const float *sums,
                                        __global const float *bias, __global float *y) {
  const tsr_winograd_params *p = &q.conv;
  const int tile = (int)get_global_id(0), output = (int)get_global_id(1), m = TSR_WINO_SIDE;
  if (tile >= q.count) return;
  const long step = (long)p->outputs * q.count;
  sums += (long)output * q.count + tile;
  float values[TSR_WINO_ALL], made[TSR_WINO_SIDE * TSR_WINO_SIDE];
  TSR_WINO_EACH(i, TSR_WINO_ALL) values[i] = sums[i * step];
  tsr_wino_output_tile(m, values, made);
  const tsr_wino_place at = tsr_wino_place_of(p, q.first + tile, m);
  const int rows = p->rows - at.row, columns = p->columns - at.column, activation = p->activation;
  const float shift = p->bias ? bias[output] : 0.0f;
  y += (((long)at.sample * p->outputs + output) * p->rows + at.row) * p->columns + at.column;
  TSR_WINO_EACH(i, m)
    TSR_WINO_EACH(j, m) {
      float v = made[i * m + j];
      if (p->bias) v = v + shift;
      if (activation == TSR_ACT_RELU) v = tsr_relu(v);
      if (activation == TSR_ACT_RELU6) v = tsr_relu6(v);
      if (i < rows && j < columns) y[(long)i * p->columns + j] = tsr_canonical(v);
    }
  if (TSR_WINO_SIMPLE(activation)) return;
#pragma unroll 1
  for (int i = 0; i < m * m; i++) {
    __global float *to = y + (long)(i / m) * p->columns + i % m;
    if (i / m < rows && i % m < columns) *to = tsr_canonical(tsr_activate(*to, activation));
  }
}

// D of the part's tiles.
TSR_WINO_KERNEL tsr_winograd_gradient_gpu(const tsr_winograd_part_params q, __global const float *dy,
                                          __global float *d) {
  const tsr_winograd_params *p = &q.conv;
  const int tile = (int)get_global_id(0), output = (int)get_global_id(1), m = TSR_WINO_SIDE;
  if (tile >= q.count) return;
  const tsr_wino_place at = tsr_wino_place_of(p, q.first + tile, m);
  dy += ((long)at.sample * p->outputs + output) * p->rows * p->columns;
  float pixels[TSR_WINO_SIDE * TSR_WINO_SIDE], values[TSR_WINO_ALL];
  tsr_wino_load_tile(m, dy, p->rows, p->columns, at.row, at.column, pixels);
  tsr_wino_kernel_tile(m, pixels, values);
  tsr_wino_store_points(values, (long)p->outputs * q.count, d + (long)output * q.count + tile);
}

// dw of S of `count` groups of samples from the first on, in ascending order onto dw, those of group 0 to +0.
TSR_WINO_KERNEL tsr_winograd_taps_gpu(const tsr_winograd_part_params q, __global const float *sums,
                                      __global float *dw) {
  const tsr_winograd_params *p = &q.conv;
  const int channel = (int)get_global_id(0), output = (int)get_global_id(1), r = TSR_WINO_TAPS;
  if (channel >= p->channels) return;
  const long step = (long)p->outputs * p->channels, at = (long)output * p->channels + channel;
  dw += at * r * r;
  float total[TSR_WINO_TAPS * TSR_WINO_TAPS];
  TSR_WINO_EACH(i, r * r) total[i] = q.first > 0 ? dw[i] : 0.0f;
  sums += at;
#pragma unroll 1
  for (int group = 0; group < q.count; group++) {
    float values[TSR_WINO_ALL], taps[TSR_WINO_TAPS * TSR_WINO_TAPS];
    TSR_WINO_EACH(i, TSR_WINO_ALL) {
      values[i] = *sums * (tsr_wino_scale(TSR_WINO_POINTS, i / TSR_WINO_POINTS) *
                           tsr_wino_scale(TSR_WINO_POINTS, i % TSR_WINO_POINTS));
      sums += step;
    }
    tsr_wino_output_tile(r, values, taps);
    TSR_WINO_EACH(i, r * r) total[i] = tsr_add(total[i], taps[i]);
  }
  TSR_WINO_EACH(i, r * r) dw[i] = tsr_canonical(total[i]);
}
#endif
