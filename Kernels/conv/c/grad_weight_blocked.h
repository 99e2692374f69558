// SPDX-License-Identifier: Apache-2.0
// Weight gradients of convolutions with many output channels on the CPU. (OpenCL: conv/conv_blocked.cl.)
//
// Algorithm  Direct sums without an im2col matrix: lanes are output channels, rows of the register tile
//            are neighbouring taps (Georganas et al. 2018 block the same way).
// Tensors    planes (input channel, row, column): the input itself, or padded rows that a chunk of pixels
//            reaches; dy (panel, pixel, [NR channels]): the chunk's output gradients; partial sums (batch
//            group, ...).
// Work       A thread takes tasks from the plan's counter. A task is (batch group, group, block of input
//            channels); what the batch groups give is added in ascending order afterwards.
// Tuning     TSR_MAX_TAPS (5) taps a line, TSR_MAX_LINES (14) lines, TSR_MAX_STRIDE (8);
//            weight_tile_lines: lines of a tile by taps and instruction set.
//
//   sum (c, kh, kw; channel) += planes (c, pixel + (kh, kw)) * dy (pixel, channel)
//
//   rows of a tile:  up to 5 taps of a kernel row (of one remainder by the stride) x some kernel rows
//
//     3 x 3:   . . .      4 lines of 3 taps, one pointer a line      x 32 channels (AVX-512)
//              . . .
//
// Rules      4 and 6.
#pragma once

#include "common/c/transpose.h"
#include "conv/c/padded_row.h"

enum { TSR_MAX_TAPS = 5, TSR_MAX_LINES = 14, TSR_MAX_STRIDE = 8 };

typedef struct {
  int inputs, outputs, padded, taps, positions;  // of a group; outputs in whole panels
  int reach_h, reach_w, phase, pitch;            // a row of planes: stride_w phases
  int rows;                                      // of planes that a chunk reaches, at most
  int in_place;                                  // the input itself serves as planes
  int channels, blocks;                          // input channels of a task; tasks for all
} tsr_blocked_weight_shape;

static tsr_blocked_weight_shape blocked_weight_shape(const tsr_conv_params *c, int blocks) {
  tsr_blocked_weight_shape s;
  const int panel = TSR_NR;
  s.inputs = c->in_channels / c->groups;
  s.outputs = c->out_channels / c->groups;
  s.padded = (s.outputs + panel - 1) / panel * panel;
  s.taps = c->kernel_h * c->kernel_w;
  s.positions = c->out_h * c->out_w;
  s.reach_h = (c->kernel_h - 1) * c->dilation_h;
  s.reach_w = c->kernel_w - 1;
  s.phase = c->out_w + s.reach_w / c->stride_w;
  s.pitch = s.phase * c->stride_w;
  // A chunk reaches into so many samples; its pixels lie in so many rows of them.
  const int64_t pieces = s.positions > 0 ? (TSR_K_CHUNK + s.positions - 1) / s.positions + 1 : 1;
  const int64_t lines = c->out_w > 0 ? TSR_K_CHUNK / c->out_w + 2 * pieces : 1;
  const int64_t rows = lines * c->stride_h + pieces * (s.reach_h + 1);
  s.rows = rows < (1 << 20) ? (int)rows : 1 << 20;
  s.in_place = c->stride_w == 1 && c->pad_h == 0 && c->pad_w == 0 && c->out_w - 1 + s.reach_w < c->width &&
               (c->out_h - 1) * c->stride_h + s.reach_h < c->height &&
               (int64_t)c->batch * c->in_channels * c->height * c->width < (1 << 30);
  if (s.in_place) s.rows = c->height, s.pitch = c->width;
  s.channels = (s.inputs + blocks - 1) / blocks;
  s.blocks = (s.inputs + s.channels - 1) / s.channels;
  return s;
}

static int batch_groups(const tsr_conv_params *c) {
  return (c->batch + TSR_BATCH_GROUP - 1) / TSR_BATCH_GROUP;
}

// What it can compute, in buffers that are small enough. Which shapes it is the best for:
// ConvSelection.swift.
static int tsr_blocked_weight_fits(const tsr_conv_params *c) {
  if (c->dilation_w != 1 || c->stride_w > TSR_MAX_STRIDE || c->batch < 1) return 0;
  if (c->in_channels < c->groups || c->pad_w < 0) return 0;
  const tsr_blocked_weight_shape s = blocked_weight_shape(c, 1);
  return (c->kernel_w > 1 || s.in_place) && (int64_t)s.padded * TSR_K_CHUNK <= (1 << 19) &&
         (int64_t)s.rows * s.pitch * s.inputs < (1 << 26) &&
         (int64_t)s.taps * s.padded * c->in_channels * batch_groups(c) < (1 << 26);
}

static int64_t tsr_blocked_weight_partial_count(const tsr_blocked_weight_plan *p) {
  const tsr_blocked_weight_shape s = blocked_weight_shape(&p->conv, 1);
  return (int64_t)s.taps * s.padded * p->conv.in_channels * batch_groups(&p->conv);
}

static int64_t tsr_blocked_weight_scratch_count(const tsr_blocked_weight_plan *p) {
  const tsr_blocked_weight_shape s = blocked_weight_shape(&p->conv, p->blocks);
  return (int64_t)s.padded * TSR_K_CHUNK + (s.in_place ? 0 : (int64_t)s.rows * s.pitch * s.channels);
}

// Runs of pixels in a row: where they begin in the planes, and how many there are.
typedef struct {
  int at, count;
} tsr_pixel_run;

// What the lines of a register tile are made of: over the runs' pixels, in order, line l reads from[l]
// and the output gradients `dy`; its taps' sums go to out[l], `step` floats apart, with `add` onto what
// is there. The first `live` lines exist.
typedef struct {
  const tsr_pixel_run *runs;
  int run_count, live, add;
  int64_t step;
  const float *dy;
  const float *from[TSR_MAX_LINES];
  float *out[TSR_MAX_LINES];
} weight_tile;

// Chains of `lines` x `taps` rows from +0 over the runs, then what `tile` says.
static inline __attribute__((always_inline)) void weight_microkernel(const int lines, const int taps,
                                                                     const weight_tile *tile) {
  const tsr_pixel_run *const runs = tile->runs;
  const int run_count = tile->run_count, live = tile->live, add = tile->add;
  const int64_t step = tile->step;
  const float *dy = tile->dy;
  vector acc[TSR_MAX_LINES][2];
  _Pragma("clang loop unroll(full)") for (int i = 0; i < lines * taps; i++) acc[i][0] = acc[i][1] = 0.0f;
  for (int r = 0; r < run_count; r++) {
    const int64_t at = runs[r].at, count = runs[r].count;
    const float *x[TSR_MAX_LINES];
    _Pragma("clang loop unroll(full)") for (int l = 0; l < lines; l++) x[l] = tile->from[l] + at;
    for (int64_t q = 0; q < count; q++, dy += TSR_NR) {
      const vector d0 = *(const unaligned_vector *)dy, d1 = *(const unaligned_vector *)(dy + TSR_VECTOR);
      _Pragma("clang loop unroll(full)") for (int l = 0; l < lines; l++)
          _Pragma("clang loop unroll(full)") for (int w = 0; w < taps; w++) {
        const vector v = x[l][q + w];
        acc[l * taps + w][0] = __builtin_elementwise_fma(v, d0, acc[l * taps + w][0]);
        acc[l * taps + w][1] = __builtin_elementwise_fma(v, d1, acc[l * taps + w][1]);
      }
    }
  }
  _Pragma("clang loop unroll(full)") for (int l = 0; l < lines; l++)
      _Pragma("clang loop unroll(full)") for (int w = 0; w < taps; w++)
          _Pragma("clang loop unroll(full)") for (int h = 0; h < 2; h++) {
    unaligned_vector *const to = (unaligned_vector *)(tile->out[l] + w * step + h * TSR_VECTOR);
    if (l < live) *to = add ? *to + acc[l * taps + w][h] : acc[l * taps + w][h];
  }
}

// Lines of 1 to 5 taps that one tile holds.
static const int weight_tile_lines[TSR_MAX_TAPS + 1] =
#if TSR_MR == 14
    {0, 8, 7, 4, 3, 2};
#elif TSR_MR == 12
    {0, 8, 6, 4, 3, 2};
#elif TSR_MR == 6
    {0, 6, 3, 2, 1, 1};
#else
    {0, 4, 2, 1, 1, 1};
#endif

static void dispatch_weight_microkernel(int taps, const weight_tile *tile) {
#define TSR_TAPS(n, lines) \
  case n: return weight_microkernel(lines, n, tile);
  switch (taps) {
#if TSR_MR == 14
    TSR_TAPS(1, 8) TSR_TAPS(2, 7) TSR_TAPS(3, 4) TSR_TAPS(4, 3) TSR_TAPS(5, 2)
#elif TSR_MR == 12
    TSR_TAPS(1, 8) TSR_TAPS(2, 6) TSR_TAPS(3, 4) TSR_TAPS(4, 3) TSR_TAPS(5, 2)
#elif TSR_MR == 6
    TSR_TAPS(1, 6) TSR_TAPS(2, 3) TSR_TAPS(3, 2) TSR_TAPS(4, 1) TSR_TAPS(5, 1)
#else
    TSR_TAPS(1, 4) TSR_TAPS(2, 2) TSR_TAPS(3, 1) TSR_TAPS(4, 1) TSR_TAPS(5, 1)
#endif
  }
#undef TSR_TAPS
}

// Rows first ..< first + count of one sample.
typedef struct {
  int first, count;
} row_range;

// Rows of one sample, of the block's `channels` channels, with the convolution's zeros.
static void weight_planes(const tsr_conv_params *c, const tsr_blocked_weight_shape *s, const float *x,
                          int channels, row_range rows, float *planes) {
  const int64_t floats = (int64_t)s->rows * s->pitch;
  const padded_plane plane = {c->height, c->width, c->pad_w, c->stride_w, s->phase};
  for (int channel = 0; channel < channels; channel++, x += (int64_t)c->height * c->width, planes += floats)
    for (int r = 0; r < rows.count; r++)
      padded_row(planes + (int64_t)r * s->pitch, &plane, x, rows.first + r - c->pad_h);
}

// A chunk of `count` pixels: their runs in `planes`, and their output gradients (panel, pixel, [NR
// channels]).
typedef struct {
  tsr_pixel_run runs[TSR_K_CHUNK];
  int run_count, count;
  const float *planes;
  float *dy;
} pixel_chunk;

static inline void append_run(pixel_chunk *chunk, int at, int count) {
  chunk->runs[chunk->run_count].at = at;
  chunk->runs[chunk->run_count++].count = count;
}

// All taps of the block's `channels` channels over one chunk of pixels.
static void weight_chunk(const tsr_conv_params *c, const tsr_blocked_weight_shape *s,
                         const pixel_chunk *chunk, int channels, float *out, int add) {
  const int64_t plane = (int64_t)s->rows * s->pitch;
  weight_tile tile = {.runs = chunk->runs,
                      .run_count = chunk->run_count,
                      .add = add,
                      .step = (int64_t)c->stride_w * s->padded};
  for (int m = 0; m < s->padded; m += TSR_NR)
    for (int phase = 0; phase < c->stride_w && phase < c->kernel_w; phase++) {
      const int taps = (c->kernel_w - phase + c->stride_w - 1) / c->stride_w;
      for (int tap = 0; tap < taps;) {
        // So many taps are left: none of the tiles should have to take a single one.
        const int left = taps - tap, width = left <= TSR_MAX_TAPS ? left : left == TSR_MAX_TAPS + 1 ? 3 : 4;
        const int lines = weight_tile_lines[width], all = channels * c->kernel_h;
        tile.dy = chunk->dy + (int64_t)m * chunk->count;
        for (int line = 0; line < all; line += lines) {
          const int live = all - line < lines ? all - line : lines;
          tile.live = live;
          for (int l = 0; l < lines; l++) {
            const int at = line + (l < live ? l : live - 1), channel = at / c->kernel_h,
                      kh = at % c->kernel_h;
            tile.from[l] = chunk->planes + channel * plane + (int64_t)kh * c->dilation_h * s->pitch +
                           phase * s->phase + tap;
            tile.out[l] = out + ((int64_t)at * c->kernel_w + phase + tap * c->stride_w) * s->padded + m;
          }
          dispatch_weight_microkernel(width, &tile);
        }
        tap += width;
      }
    }
}

// Output gradients of pixels position ..< position + part of one sample: the chunk's from `done` on.
static void weight_chunk_dy(const tsr_blocked_weight_shape *s, const pixel_chunk *chunk, const float *dy,
                            int done, int part) {
  const float *lines[TSR_NR];
  for (int m = 0; m < s->padded; m += TSR_NR) {
    const int lanes = s->outputs - m < TSR_NR ? s->outputs - m : TSR_NR;
    for (int l = 0; l < lanes; l++) lines[l] = dy + (int64_t)(m + l) * s->positions;
    interleave(chunk->dy + (int64_t)m * chunk->count + (int64_t)done * TSR_NR, TSR_NR, lines, lanes, part);
  }
}

static void blocked_weight_task(const tsr_blocked_weight_plan *p, const tsr_blocked_weight_shape *s,
                                int batch_group, int group, int channel, float *scratch) {
  const tsr_conv_params *c = &p->conv;
  const int channels = s->inputs - channel < s->channels ? s->inputs - channel : s->channels;
  float *const copy = scratch + (int64_t)s->padded * TSR_K_CHUNK;
  const int64_t image = (int64_t)c->height * c->width;
  const float *const x = p->x + ((int64_t)group * s->inputs + channel) * image;
  float *const out =
      p->partial + (((int64_t)batch_group * c->groups + group) * s->inputs + channel) * s->taps * s->padded;
  const int from = batch_group * TSR_BATCH_GROUP;
  const int samples = c->batch - from < TSR_BATCH_GROUP ? c->batch - from : TSR_BATCH_GROUP;
  const int64_t pixels = (int64_t)samples * s->positions;
  pixel_chunk chunk;
  chunk.planes = s->in_place ? x : copy;
  chunk.dy = scratch;
  for (int64_t k = 0; k < pixels; k += TSR_K_CHUNK) {
    const int count = pixels - k < TSR_K_CHUNK ? (int)(pixels - k) : TSR_K_CHUNK;
    int row = 0;
    chunk.count = count;
    chunk.run_count = 0;
    for (int done = 0; done < count;) {
      const int sample = from + (int)((k + done) / s->positions), position = (int)((k + done) % s->positions);
      const int part = s->positions - position < count - done ? s->positions - position : count - done;
      const int first = position / c->out_w, last = (position + part - 1) / c->out_w;
      const int64_t plane = (int64_t)sample * c->out_channels + (int64_t)group * s->outputs;
      weight_chunk_dy(s, &chunk, p->dy + plane * s->positions + position, done, part);
      done += part;
      if (s->in_place) row = sample * c->in_channels * c->height + first * c->stride_h;
      if (s->in_place && c->out_w == c->width && c->stride_h == 1) {
        // The rows of the output follow each other in the input too.
        append_run(&chunk, row * s->pitch + position % c->out_w, part);
        continue;
      }
      for (int oh = first; oh <= last; oh++) {
        const int begin = oh == first ? position % c->out_w : 0;
        const int end = oh == last ? (position + part - 1) % c->out_w + 1 : c->out_w;
        append_run(&chunk, (row + (oh - first) * c->stride_h) * s->pitch + begin, end - begin);
      }
      const int rows = (last - first) * c->stride_h + s->reach_h + 1;
      if (!s->in_place)
        weight_planes(c, s, x + sample * c->in_channels * image, channels,
                      (row_range){first * c->stride_h, rows}, copy + (int64_t)row * s->pitch);
      row += rows;
    }
    weight_chunk(c, s, &chunk, channels, out, k > 0);
  }
}

// dw of input channels begin ..< end of all groups: the batch groups' sums, transposed.
static void blocked_weight_reduce(const tsr_blocked_weight_plan *p, const tsr_blocked_weight_shape *s,
                                  float *dw, int begin, int end) {
  const tsr_conv_params *c = &p->conv;
  const int groups = (c->batch + TSR_BATCH_GROUP - 1) / TSR_BATCH_GROUP;
  const int64_t depth = (int64_t)s->inputs * s->taps, step = (int64_t)c->groups * depth * s->padded;
  for (int at = begin; at < end; at++) {
    const int group = at / s->inputs, channel = at % s->inputs;
    const float *const sums = p->partial + (int64_t)at * s->taps * s->padded;
    float *const to = dw + (int64_t)group * s->outputs * depth + (int64_t)channel * s->taps;
    for (int m = 0; m < s->outputs; m += 8) {
      const int lanes = s->outputs - m < 8 ? s->outputs - m : 8;
      for (int tap = 0; tap < s->taps; tap++) {
        const float *const one = sums + (int64_t)tap * s->padded + m;
        vector8 v = *(const unaligned_vector8 *)one;
        for (int g = 1; g < groups; g++) v = v + *(const unaligned_vector8 *)(one + g * step);
        for (int l = 0; l < lanes; l++) to[(m + l) * depth + tap] = tsr_canonical(v[l]);
      }
    }
  }
}

static int tsr_blocked_weight_tasks(const tsr_blocked_weight_plan *p) {
  return batch_groups(&p->conv) * p->conv.groups * blocked_weight_shape(&p->conv, p->blocks).blocks;
}

static void tsr_blocked_weight_work(const tsr_blocked_weight_plan *p, tsr_worker worker, float *scratch) {
  const tsr_blocked_weight_shape s = blocked_weight_shape(&p->conv, p->blocks);
  const int tasks = tsr_blocked_weight_tasks(p);
  for (int64_t task; (task = tsr_next_task(&worker, tasks)) >= 0;) {
    const int pair = task / s.blocks;
    blocked_weight_task(p, &s, pair / p->conv.groups, pair % p->conv.groups, task % s.blocks * s.channels,
                        scratch);
  }
}

static void tsr_blocked_weight_reduce(const tsr_blocked_weight_plan *p, float *dw, int begin, int end) {
  const tsr_blocked_weight_shape s = blocked_weight_shape(&p->conv, p->blocks);
  blocked_weight_reduce(p, &s, dw, begin, end);
}
