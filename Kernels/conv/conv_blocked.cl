// SPDX-License-Identifier: Apache-2.0
// Convolutions that make many channels, on a CPU device: forward, for the data, for the weights.
//
// Algorithm  Channel-blocked direct convolution (as Georganas et al. 2018): lanes are output channels;
//            what they meet is read from padded planes in local memory, and no taps are copied. The C
//            twins: conv/c/conv_blocked.h, conv/c/grad_weight_blocked.h.
// Tensors    x (batch, channels, height, width); A: weights (panel, k, [PANEL channels]), or output
//            gradients; C: y, or (split, group, panel, tap, [PANEL channels]).
// Work       tsr_conv_blocked: a work-item has `rows` x `columns` pixels (dimension 0), `panels` panels
//            of output channels (1) of one sample and group (2).
//            tsr_grad_weight_blocked: a block of input channels (0), `panels` panels of output channels
//            (1), of one split of samples and group (2). tsr_reduce_grad_weight_blocked: 64 taps of a
//            panel. No barriers; local memory is the work-item's own.
// Tuning     TSR_VECTORS (1, 2; default 1): PANEL = 16 TSR_VECTORS. Rows, columns, panels and channels of
//            a work-item: OpenCLConvBlocked.swift, by TSR_LOCAL_PLANES, TSR_LOCAL_SUMS, TSR_LOCAL_PANELS.
//
//   forward, for the data                                  for the weights
//   planes  . . . . . .     sum (pixel r, channel) +=          planes  . . .    sum (tap, channel) +=
//           . x x x . .     planes (shift(k) + r)                      . x x    planes (pixel + shift(tap))
//           . . . . . .     * A (k, channel)                           . x x    * A (pixel, channel)
//
//   a chunk of 512 k at a time (its channels)              a chunk of 512 pixels at a time (their rows)
//
// Rules      4 (chunk sums meet in local memory in ascending order, and are transposed into rows last),
//            6, 9, 10.
#include "conv/conv_cpu.h"

#ifndef TSR_GPU

// Chains of neighbouring pixels over `depth` of k: pixel r reads x[shift[k] + r] and w[k], and goes, with
// `add` onto what is there, to row r of the sums.
typedef struct {
  int depth, add;
  __local const float *x;
  __local const int *shift;
  __global const float *w;
  __local float *sums;
} tsr_pixel_chains;

// Chains of `height` pixels from +0, the first of them `column`; the live ones are stored or added.
TSR_FN void tsr_blocked_microkernel(const int height, const tsr_pixel_chains *chains, int column, int live) {
  const int depth = chains->depth, add = chains->add;
  __local const float *x = chains->x + column;
  __local const int *shift = chains->shift;
  __global const float *w = chains->w;
  __local float *sums = chains->sums + column * TSR_PANEL;
#define TSR_BEGIN(r)   \
  float16 s##r = 0.0f; \
  TSR_IF_TWO_VECTORS(float16 z##r = 0.0f;)
  TSR_UNROLL_TILE(TSR_BEGIN)
  for (int k = 0; k < depth; k++) {
    __local const float *at = x + shift[k];
    const float16 y = vload16(TSR_VECTORS * k, w);
    TSR_IF_TWO_VECTORS(const float16 second = vload16(2 * k + 1, w);)
#define TSR_STEP(r)                                  \
  if (r < height) {                                  \
    const float16 v = at[r];                         \
    s##r = fma(v, y, s##r);                          \
    TSR_IF_TWO_VECTORS(z##r = fma(v, second, z##r);) \
  }
    TSR_UNROLL_TILE(TSR_STEP)
  }
#define TSR_END_ROW(r)                                                       \
  if (r < height && r < live) {                                              \
    __local float *to = sums + r * TSR_PANEL;                                \
    vstore16(add ? vload16(0, to) + s##r : s##r, 0, to);                     \
    TSR_IF_TWO_VECTORS(vstore16(add ? vload16(1, to) + z##r : z##r, 1, to);) \
  }
  TSR_UNROLL_TILE(TSR_END_ROW)
#undef TSR_STEP
#undef TSR_END_ROW
}

// One row of pixels by tiles of about the same width, an even number of pixels.
TSR_FN void tsr_blocked_row(int columns, const tsr_pixel_chains *chains) {
  const int most = TSR_VECTORS == 2 ? 12 : 6;
  int left = (columns + most - 1) / most;
  for (int column = 0; column < columns; left--) {
    const int live = (columns - column + left - 1) / left;
#define TSR_WIDTH(n)                                               \
  if (live <= n) tsr_blocked_microkernel(n, chains, column, live); \
  else
#if TSR_VECTORS == 2
    TSR_WIDTH(4)
    TSR_WIDTH(6)
    TSR_WIDTH(8)
    TSR_WIDTH(10)
#else
    TSR_WIDTH(2)
    TSR_WIDTH(4)
#endif
    tsr_blocked_microkernel(most, chains, column, live);
    column += live;
  }
}

TSR_SINGLE_ITEM_KERNEL void tsr_conv_blocked(const tsr_conv_cpu_params q, __global const float *a,
                                             __global const float *b, __global const float *bias,
                                             __global float *c) {
  __local float planes[TSR_LOCAL_PLANES], sums[TSR_LOCAL_SUMS];
  __local int shift[TSR_K_CHUNK];
  const tsr_matmul_params *p = &q.gemm;
  const tsr_taps_params *t = &q.taps;
  const int parts = (t->out_w + q.columns - 1) / q.columns, part = (int)get_global_id(0);
  const int row = part / parts * q.rows, column = part % parts * q.columns;
  const int rows = t->out_h - row < q.rows ? t->out_h - row : q.rows;
  const int columns = t->out_w - column < q.columns ? t->out_w - column : q.columns;
  const long batch = get_global_id(2), group = batch % q.groups,
             image = (long)t->channels * t->height * t->width;
  const int panels = (p->m + TSR_PANEL - 1) / TSR_PANEL, first = (int)get_global_id(1) * q.panels;
  const int last = first + q.panels < panels ? first + q.panels : panels;
  const int taps = t->kernel_h * t->kernel_w, pitch = q.phase * t->stride_w,
            plane = q.plane_rows * pitch + 16;
  const int top = tsr_taps_top(t), left = tsr_taps_left(t);
  const int high = (rows - 1) * t->stride_h + q.plane_rows - (q.rows - 1) * t->stride_h;
  const tsr_plane_layout layout = {plane, pitch, 0};
  tsr_plane_rows read = {
      b, 0, p->batch * image, row * t->stride_h + top, 1, high, column * t->stride_w + left, t->stride_w};
  a += group * panels * TSR_PANEL * p->k;
  for (int k = 0; k < p->k; k += TSR_K_CHUNK) {
    const int depth = p->k - k < TSR_K_CHUNK ? p->k - k : TSR_K_CHUNK, channel = k / taps,
              end = (k + depth - 1) / taps + 1;
    for (int each = channel; each < end; each++) {
      read.at = p->b_offset + batch * image + (long)each * t->height * t->width;
      tsr_load_plane(&q, &read, planes + (each - channel) * plane);
    }
    tsr_tap_shifts(&q, &layout, k, depth, shift);
    for (int panel = first; panel < last; panel++) {
      __global const float *w = a + ((long)panel * p->k + k) * TSR_PANEL;
      __local float *to = sums + (panel - first) * q.rows * q.columns * TSR_PANEL;
      for (int r = 0; r < rows; r++) {
        const tsr_pixel_chains chains = {depth, k > 0, planes + r * t->stride_h * pitch,
                                         shift, w,     to + r * columns * TSR_PANEL};
        tsr_blocked_row(columns, &chains);
      }
    }
  }
  const tsr_output output = {p, bias + p->bias_offset + group * q.bias_stride,
                             c + p->c_offset + batch * p->c_batch_stride, !p->accumulate, 1};
  for (int panel = first; panel < last; panel++) {
    __local const float *from = sums + (panel - first) * q.rows * q.columns * TSR_PANEL;
    if (columns == t->out_w) {
      tsr_store_channels(&output, panel * TSR_PANEL, row * columns, rows * columns, from);
      continue;
    }
    for (int r = 0; r < rows; r++)
      tsr_store_channels(&output, panel * TSR_PANEL, (row + r) * t->out_w + column, columns,
                         from + r * columns * TSR_PANEL);
  }
}

// A chunk of pixels: their runs in planes, and their output gradients. `add`: onto the sums of the chunks
// before.
typedef struct {
  tsr_pixel_runs list;
  __local const float *planes, *dy;
  int add;
} tsr_weight_pixels;

// Where sums of lines of taps go: the first `live` lines exist, taps are `step` floats apart.
typedef struct {
  __global float *sums;
  int live, step;
} tsr_weight_lines;

// Chains of `lines` x `taps` rows from +0 over the pixels; the live lines' are stored or added. Line l reads
// planes from from[l] on and goes to to[l].
TSR_FN void tsr_blocked_weight_microkernel(const int lines, const int taps, const tsr_weight_pixels *pixels,
                                           const tsr_weight_lines *out, const int *from, const int *to) {
  const int runs = pixels->list.runs, add = pixels->add, live = out->live, step = out->step;
  __local const int *run = pixels->list.run;
  __local const float *planes = pixels->planes, *dy = pixels->dy;
  __global float *sums = out->sums;
  TSR_UNROLL_TILE(TSR_BEGIN)
  for (int i = 0; i < runs; i++) {
    __local const float *at = planes + run[2 * i];
    const int count = run[2 * i + 1];
    for (long j = 0; j < count; j++, dy += TSR_PANEL) {
      const float16 y = vload16(0, dy);
      TSR_IF_TWO_VECTORS(const float16 second = vload16(1, dy);)
#define TSR_STEP(r)                                      \
  if (r < lines * taps) {                                \
    const float16 v = at[from[r / taps] + j + r % taps]; \
    s##r = fma(v, y, s##r);                              \
    TSR_IF_TWO_VECTORS(z##r = fma(v, second, z##r);)     \
  }
      TSR_UNROLL_TILE(TSR_STEP)
    }
  }
#define TSR_END_TAP(r)                                                       \
  if (r < lines * taps && r / taps < live) {                                 \
    __global float *at = sums + to[r / taps] + r % taps * step;              \
    vstore16(add ? vload16(0, at) + s##r : s##r, 0, at);                     \
    TSR_IF_TWO_VECTORS(vstore16(add ? vload16(1, at) + z##r : z##r, 1, at);) \
  }
  TSR_UNROLL_TILE(TSR_END_TAP)
#undef TSR_STEP
#undef TSR_END_TAP
}

// Chains of the one tap of `lines` channels, `plane` floats apart, where pixels follow each other in the
// image as in the output: read where they lie.
TSR_FN void tsr_pointwise_weight_microkernel(const int lines, const tsr_weight_pixels *pixels,
                                             __global const float *image, long plane, __global float *sums) {
  const int runs = pixels->list.runs, add = pixels->add;
  __local const int *run = pixels->list.run;
  __local const float *dy = pixels->dy;
  TSR_UNROLL_TILE(TSR_BEGIN)
  for (int i = 0; i < runs; i++) {
    __global const float *at = image + run[2 * i], *beyond = at + run[2 * i + 1];
    for (; at < beyond; at++, dy += TSR_PANEL) {
      const float16 y = vload16(0, dy);
      TSR_IF_TWO_VECTORS(const float16 second = vload16(1, dy);)
#define TSR_STEP(r)                                  \
  if (r < lines) {                                   \
    const float16 v = at[r * plane];                 \
    s##r = fma(v, y, s##r);                          \
    TSR_IF_TWO_VECTORS(z##r = fma(v, second, z##r);) \
  }
      TSR_UNROLL_TILE(TSR_STEP)
    }
  }
#define TSR_END_POINT(r)                                                     \
  if (r < lines) {                                                           \
    __global float *to = sums + r * TSR_PANEL;                               \
    vstore16(add ? vload16(0, to) + s##r : s##r, 0, to);                     \
    TSR_IF_TWO_VECTORS(vstore16(add ? vload16(1, to) + z##r : z##r, 1, to);) \
  }
  TSR_UNROLL_TILE(TSR_END_POINT)
#undef TSR_STEP
#undef TSR_BEGIN
}

// The one tap of some channels over a chunk of pixels.
TSR_FN void tsr_pointwise_weight_chunk(const tsr_taps_params *t, const tsr_weight_pixels *pixels,
                                       int channels, __global const float *x, __global float *sums) {
  const int plane_size = t->height * t->width;
  for (int line = 0; line < channels;) {
#define TSR_POINTS(n)                                                                    \
  if (channels - line >= n) {                                                            \
    tsr_pointwise_weight_microkernel(n, pixels, x + (long)line * plane_size, plane_size, \
                                     sums + line * TSR_PANEL);                           \
    line += n;                                                                           \
  } else
#if TSR_VECTORS == 2
    TSR_POINTS(8)
#else
    TSR_POINTS(6)
#endif
    TSR_POINTS(4) TSR_POINTS(2) TSR_POINTS(1) {}
  }
}

// All taps of some channels over a chunk of pixels.
TSR_FN void tsr_blocked_weight_chunk(const tsr_conv_cpu_params *q, const tsr_weight_pixels *pixels,
                                     int channels, __global float *sums) {
  const tsr_taps_params *t = &q->taps;
  const int pitch = q->phase * t->stride_w, plane = q->plane_rows * pitch + 16, all = channels * t->kernel_h;
  for (int phase = 0; phase < t->stride_w && phase < t->kernel_w; phase++) {
    const int wide = (t->kernel_w - phase + t->stride_w - 1) / t->stride_w;
    for (int tap = 0; tap < wide;) {
      // None of the tiles should have to take a single tap.
      const int left = wide - tap, width = left <= 5 ? left : left == 6 ? 3 : 4;
      const int lines = TSR_VECTORS == 2 ? (width == 1 ? 8 : 12 / width) : width < 4 ? 6 / width : 1;
      for (int line = 0; line < all; line += lines) {
        const int live = all - line < lines ? all - line : lines;
        int from[8], to[8];
        for (int l = 0; l < 8; l++) {
          const int at = line + (l < live ? l : live - 1);
          from[l] = at / t->kernel_h * plane + at % t->kernel_h * t->step_h * pitch + phase * q->phase + tap;
          to[l] = (at * t->kernel_w + phase + tap * t->stride_w) * TSR_PANEL;
        }
        const tsr_weight_lines out = {sums, live, t->stride_w * TSR_PANEL};
#define TSR_TAPS(n, lines) \
  if (width == n) tsr_blocked_weight_microkernel(lines, n, pixels, &out, from, to);
#if TSR_VECTORS == 2
        TSR_TAPS(1, 8) TSR_TAPS(2, 6) TSR_TAPS(3, 4) TSR_TAPS(4, 3) TSR_TAPS(5, 2)
#else
        TSR_TAPS(1, 6) TSR_TAPS(2, 3) TSR_TAPS(3, 2) TSR_TAPS(4, 1) TSR_TAPS(5, 1)
#endif
      }
      tap += width;
    }
  }
}

// What a work-item of a gradient for weights takes: pixels `begin` ..< `end` (a split of samples) of one
// group, input channels `channel` ..< `beyond`, panels `first` ..< `last` of output channels.
typedef struct {
  int split, group, begin, end, channel, beyond, first, last, panels;
  int pitch, plane;  // floats of a plane's row and of a plane in local memory
  int whole,
      points;  // rows of the output follow each other in the planes too; planes are read where they lie
} tsr_weight_task;
TSR_FN tsr_weight_task tsr_weight_task_of(const tsr_conv_cpu_params *q) {
  const tsr_matmul_params *p = &q->gemm;
  const tsr_taps_params *t = &q->taps;
  tsr_weight_task w;
  w.split = (int)get_global_id(2) / p->batch;
  w.group = (int)get_global_id(2) % p->batch;
  w.begin = w.split * q->split_k;
  w.end = w.begin + q->split_k < p->k ? w.begin + q->split_k : p->k;
  const int blocks = (int)get_global_size(0), block = (t->channels + blocks - 1) / blocks;
  w.channel = (int)get_global_id(0) * block;
  w.beyond = w.channel + block < t->channels ? w.channel + block : t->channels;
  w.panels = (p->m + TSR_PANEL - 1) / TSR_PANEL;
  w.first = (int)get_global_id(1) * q->panels;
  w.last = w.first + q->panels < w.panels ? w.first + q->panels : w.panels;
  w.pitch = q->phase * t->stride_w;
  w.plane = q->plane_rows * w.pitch + 16;
  w.whole = t->stride_w == 1 && t->stride_h == 1 && w.pitch == t->out_w;
  w.points = w.whole && t->kernel_h * t->kernel_w == 1 && t->height == t->out_h && t->width == t->out_w;
  return w;
}

// Output gradients of a span of pixels, transposed into the chunk's from pixel `done` on.
TSR_FN void tsr_load_gradients(const tsr_conv_cpu_params *q, const tsr_weight_task *w,
                               const tsr_sample_span *span, int done, __global const float *a,
                               __local float *transposed) {
  const tsr_matmul_params *p = &q->gemm;
  const int positions = q->taps.out_h * q->taps.out_w;
  const long gradients = (long)p->k * p->batch * p->m;
  for (int panel = w->first; panel < w->last; panel++)
    for (int lane = 0; lane < TSR_PANEL; lane += 16) {
      const int made = panel * TSR_PANEL + lane;
      const long at = (((long)span->sample * p->batch + w->group) * p->m + made) * positions + span->position;
      const tsr_matrix_rows rows = {a + at, positions, gradients - at, p->m - made};
      tsr_load_transposed(
          &rows, span->part,
          transposed + (panel - w->first) * (TSR_K_CHUNK + 16) * TSR_PANEL + done * TSR_PANEL + lane,
          TSR_PANEL);
    }
}

// c (split, group, panel, tap of a channel, [PANEL channels]): what each split of samples gives. `bias`
// is not read.
TSR_SINGLE_ITEM_KERNEL void tsr_grad_weight_blocked(const tsr_conv_cpu_params q, __global const float *a,
                                                    __global const float *b, __global const float *bias,
                                                    __global float *c) {
  __local float planes[TSR_LOCAL_PLANES];
  // 16 pixels more, for vectors that end beyond the chunk.
  __local float transposed[TSR_LOCAL_PANELS * (TSR_K_CHUNK + 16) * TSR_PANEL];
  __local int run[2 * TSR_K_CHUNK];
  const tsr_matmul_params *p = &q.gemm;
  const tsr_taps_params *t = &q.taps;
  const tsr_weight_task w = tsr_weight_task_of(&q);
  const int taps = t->kernel_h * t->kernel_w, plane_size = t->height * t->width;
  const long image = (long)p->batch * t->channels * plane_size;
  tsr_plane_rows read = {b,          0,          (long)(p->k / (t->out_h * t->out_w)) * image, 0, 1, 0,
                         t->start_w, t->stride_w};
  for (int k = w.begin; k < w.end; k += TSR_K_CHUNK) {
    const int count = w.end - k < TSR_K_CHUNK ? w.end - k : TSR_K_CHUNK;
    for (int each = w.channel; each < w.beyond; each += q.channels) {
      const int channels = w.beyond - each < q.channels ? w.beyond - each : q.channels;
      tsr_pixel_runs list = {run, 0};
      int row = 0;
      for (int done = 0; done < count;) {
        const tsr_sample_span span = tsr_sample_span_of(t, k + done, count - done);
        read.first = span.high * t->stride_h + t->start_h;
        read.rows = span.rows;
        for (int i = 0; i < channels && !w.points; i++) {
          read.at = p->b_offset + span.sample * image + ((long)w.group * t->channels + each + i) * plane_size;
          tsr_load_plane(&q, &read, planes + i * w.plane + row * w.pitch);
        }
        if (each == w.channel) tsr_load_gradients(&q, &w, &span, done, a, transposed);
        if (w.whole) {
          run[2 * list.runs] =
              w.points ? span.sample * (int)image + span.position : row * w.pitch + span.position % t->out_w;
          run[2 * list.runs++ + 1] = span.part;
        } else {
          tsr_append_runs(t, &span, row, w.pitch, 1, &list);
        }
        row += span.rows;
        done += span.part;
      }
      for (int panel = w.first; panel < w.last; panel++) {
        __local const float *dy = transposed + (panel - w.first) * (TSR_K_CHUNK + 16) * TSR_PANEL;
        const tsr_weight_pixels pixels = {list, planes, dy, k > w.begin};
        __global float *sums =
            c + ((((long)w.split * p->batch + w.group) * w.panels + panel) * p->n + each * taps) * TSR_PANEL;
        __global const float *x = b + p->b_offset + ((long)w.group * t->channels + each) * plane_size;
        if (w.points) tsr_pointwise_weight_chunk(t, &pixels, channels, x, sums);
        else tsr_blocked_weight_chunk(&q, &pixels, channels, sums);
      }
    }
  }
}

// The splits' sums in ascending order, transposed: sixty-four taps of a panel in a work-item.
TSR_SINGLE_ITEM_KERNEL void tsr_reduce_grad_weight_blocked(const tsr_conv_cpu_params q,
                                                           __global const float *parts,
                                                           __global const float *bias, __global float *c) {
  __local float sums[64 * TSR_PANEL];
  const tsr_matmul_params *p = &q.gemm;
  const int column = (int)get_global_id(0) * 64, count = p->n - column < 64 ? p->n - column : 64;
  const int panel = (int)get_global_id(1), group = (int)get_global_id(2),
            panels = (p->m + TSR_PANEL - 1) / TSR_PANEL;
  const long split = (long)p->batch * panels * p->n * TSR_PANEL;
  const int splits = (p->k + q.split_k - 1) / q.split_k;
  parts += (((long)group * panels + panel) * p->n + column) * TSR_PANEL;
  for (int i = 0; i < count * TSR_VECTORS; i++) {
    float16 sum = vload16(i, parts);
    for (int s = 1; s < splits; s++) sum = sum + vload16(i, parts + s * split);
    vstore16(sum, i, sums);
  }
  const tsr_output output = {p, bias, c + p->c_offset + (long)group * p->c_batch_stride, !p->accumulate, 1};
  tsr_store_channels(&output, panel * TSR_PANEL, column, count, sums);
}
#endif
