// SPDX-License-Identifier: Apache-2.0
// Convolutions that make few channels (depthwise, ResNeXt's, gradients of images, shallow first layers),
// on a CPU device.
//
// Algorithm  Direct convolution. The tile of a product would be mostly empty; here lanes are pixels, or
//            groups. The C twins: conv/c/conv_grouped.h, conv/c/grad_weight_grouped.h.
// Tensors    x (batch, channels, height, width), y (batch, outputs, out_h, out_w), dw (groups, outputs,
//            inputs, taps).
// Work       tsr_conv_grouped: a work-item has `rows` x `columns` pixels (dimension 0), some outputs (1),
//            of `images` samples (2); planes (channel, remainder, row, column).
//            tsr_grad_weight_grouped: sixteen groups (0), `channels` of their inputs (1), a split of
//            samples (2); planes (row, column, [16 groups]). No barriers; local memory is the work-item's
//            own.
// Tuning     TSR_OUTPUTS_PER_TILE (forward 1 to 4, gradient 1, 2, 4; default 4): outputs of a group at a
//            time. TSR_VECTORS (1, 2; default 1). Pixels, images and channels of a work-item:
//            OpenCLConvGrouped.swift.
//
//   position q = row * pitch + column of the output reads, for tap (kh, kw) of a plane, at shift + q: one
//   fma a tap for up to 96 positions at once, over row ends too (what lies between two rows is dropped)
//
// Rules      4 (chunks of 512 terms), 6, 9, 10.
#include "conv/conv_cpu.h"

#ifndef TSR_GPU

// Outputs of a block; of a gradient for weights they are a multiple of it.
#ifndef TSR_OUTPUTS_PER_TILE
#define TSR_OUTPUTS_PER_TILE 4
#endif

// Chains over `depth` of k, a part of a chunk: position q of output m reads x[shift[k] + q] and w[k][m].
// They begin with +0 (`fresh`) or where `chains` left them, and go back there, or where the chunk ends
// (`end`) into `sums`, with `add` onto those of the chunks before; an output's are `row` floats from the
// one before.
typedef struct {
  int depth, row, fresh, end, add;
  __local const float *x;
  __local const int *shift;
  __global const float *w;
  __local float *chains, *sums;
} tsr_grouped_chains;

// 16 `vectors` positions from q on, of `high` outputs.
TSR_FN void tsr_grouped_microkernel(const int high, const int vectors, const tsr_grouped_chains *g, int q) {
  const int depth = g->depth, row = g->row, fresh = g->fresh, end = g->end, add = g->add;
  __local const float *x = g->x + q;
  __local const int *shift = g->shift;
  __global const float *w = g->w;
  __local float *chains = g->chains + q, *sums = g->sums + q;
#define TSR_SUMS(m) \
  float16 s##m##0 = 0.0f, s##m##1 = 0.0f, s##m##2 = 0.0f, s##m##3 = 0.0f, s##m##4 = 0.0f, s##m##5 = 0.0f;
  TSR_SUMS(0)
  TSR_SUMS(1)
  TSR_SUMS(2)
  TSR_SUMS(3)
#define TSR_SIX(X, m) X(m, 0) X(m, 1) X(m, 2) X(m, 3) X(m, 4) X(m, 5)
#define TSR_RESUME(m, n) \
  if (m < high && n < vectors) s##m##n = vload16(n, chains + m * row);
  if (!fresh) { TSR_SIX(TSR_RESUME, 0) TSR_SIX(TSR_RESUME, 1) TSR_SIX(TSR_RESUME, 2) TSR_SIX(TSR_RESUME, 3) }
  for (int k = 0; k < depth; k++, w += TSR_OUTPUTS_PER_TILE) {
    __local const float *at = x + shift[k];
    const float16 v0 = vload16(0, at);
#define TSR_READ(n)  \
  float16 v##n = v0; \
  if (n < vectors) v##n = vload16(n, at);
    TSR_READ(1)
    TSR_READ(2)
    TSR_READ(3)
    TSR_READ(4)
    TSR_READ(5)
#define TSR_TERM_OF(m, n) \
  if (n < vectors) s##m##n = fma(weight, v##n, s##m##n);
#define TSR_TERMS(m)             \
  if (m < high) {                \
    const float16 weight = w[m]; \
    TSR_SIX(TSR_TERM_OF, m)      \
  }
    TSR_TERMS(0) TSR_TERMS(1) TSR_TERMS(2) TSR_TERMS(3)
  }
#define TSR_KEEP_OF(m, n)                                      \
  if (m < high && n < vectors) {                               \
    __local float *to = (end ? sums : chains) + m * row;       \
    vstore16(add ? vload16(n, to) + s##m##n : s##m##n, n, to); \
  }
  TSR_SIX(TSR_KEEP_OF, 0) TSR_SIX(TSR_KEEP_OF, 1) TSR_SIX(TSR_KEEP_OF, 2) TSR_SIX(TSR_KEEP_OF, 3)
}

// All positions of TSR_OUTPUTS_PER_TILE outputs. (A program has the tiles of one height: with more,
// compilers keep sums in memory.)
TSR_FN void tsr_grouped_positions(int length, const tsr_grouped_chains *g) {
#if TSR_VECTORS == 2
  const int most = TSR_OUTPUTS_PER_TILE >= 3 ? 4 : 6;
#else
  const int most = TSR_OUTPUTS_PER_TILE == 1 ? 4 : TSR_OUTPUTS_PER_TILE == 2 ? 2 : 1;
#endif
  int q = 0;
  for (; q + 16 * most <= length; q += 16 * most) tsr_grouped_microkernel(TSR_OUTPUTS_PER_TILE, most, g, q);
  for (; q < length; q += 16) tsr_grouped_microkernel(TSR_OUTPUTS_PER_TILE, 1, g, q);
}

// Pixels of one plane: rows x columns from (row, column) on.
typedef struct {
  int row, column, rows, columns;
} tsr_pixel_area;

// The area of a work-item's part of an image.
TSR_FN tsr_pixel_area tsr_pixel_area_of(const tsr_conv_cpu_params *q, int part) {
  const int out_h = q->taps.out_h, out_w = q->taps.out_w, parts = (out_w + q->columns - 1) / q->columns;
  const int row = part / parts * q->rows, column = part % parts * q->columns;
  const tsr_pixel_area area = {row, column, out_h - row < q->rows ? out_h - row : q->rows,
                               out_w - column < q->columns ? out_w - column : q->columns};
  return area;
}

// Sums of positions become rows of pixels of an output channel.
TSR_FN void tsr_grouped_store(const tsr_conv_cpu_params *q, const tsr_output *o, int channel,
                              const tsr_pixel_area *area, __local const float *sums) {
  const int columns = area->columns;
  for (int r = 0; r < area->rows; r++, sums += q->phase) {
    const int pixel = (area->row + r) * q->taps.out_w + area->column;
    if (columns < 16) {
      for (int j = 0; j < columns; j++) tsr_epilogue(o, channel, pixel + j, sums[j]);
      continue;
    }
    for (int j = 0; j < columns; j += 16) {
      // The last sixteen begin early: what is stored twice is the same.
      const int at = j + 16 > columns ? columns - 16 : j;
      tsr_epilogue16(o, channel, pixel + at, vload16(0, sums + at));
    }
  }
}

// Input channels `channel` ..< `beyond` of an image at `at`, as far as an area of the output reads them:
// a plane for each remainder of a row and a column by the strides.
TSR_FN void tsr_load_phases(const tsr_conv_cpu_params *q, const tsr_plane_rows *image, int channel,
                            int beyond, const tsr_pixel_area *area, __local float *to) {
  const tsr_taps_params *t = &q->taps;
  tsr_plane_rows read = *image;
  for (int each = channel; each < beyond; each++)
    for (int high = 0; high < t->stride_h; high++)
      for (int wide = 0; wide < t->stride_w; wide++, to += q->plane_rows * q->phase + 16) {
        read.at = image->at + (long)each * t->height * t->width;
        read.first = area->row * t->stride_h + tsr_taps_top(t) + high;
        read.left = area->column * t->stride_w + tsr_taps_left(t) + wide;
        tsr_load_plane(q, &read, to);
      }
}

TSR_SINGLE_ITEM_KERNEL void tsr_conv_grouped(const tsr_conv_cpu_params q, __global const float *a,
                                             __global const float *b, __global const float *bias,
                                             __global float *c) {
  __local float planes[TSR_LOCAL_PLANES], sums[TSR_LOCAL_SUMS];
  __local int shift[TSR_K_CHUNK];
  const tsr_matmul_params *p = &q.gemm;
  const tsr_taps_params *t = &q.taps;
  const tsr_pixel_area area = tsr_pixel_area_of(&q, (int)get_global_id(0));
  const long image = (long)t->channels * t->height * t->width;
  const int tile = TSR_OUTPUTS_PER_TILE, blocks = (p->m + tile - 1) / tile,
            first = (int)get_global_id(1) * q.panels;
  const int last = first + q.panels < blocks ? first + q.panels : blocks;
  const int taps = t->kernel_h * t->kernel_w, plane = q.plane_rows * q.phase + 16;
  const int length = (area.rows - 1) * q.phase + area.columns, line = tile * (q.rows * q.phase + 16);
  const tsr_plane_layout layout = {plane, q.phase, 1};
  // Blocks whose chains or sums wait for more of k have pixels of their own.
  const int waiting = q.channels < t->channels || p->k > TSR_K_CHUNK, many = p->k > TSR_K_CHUNK;
  for (int n = 0; n < q.images; n++) {
    const long batch = (long)get_global_id(2) * q.images + n, group = batch % q.groups;
    if (batch >= p->batch) return;
    __global const float *weights = a + group * blocks * tile * p->k;
    const tsr_output output = {p, bias + p->bias_offset + group * q.bias_stride,
                               c + p->c_offset + batch * p->c_batch_stride, 1, 1};
    const tsr_plane_rows source = {
        b, p->b_offset + batch * image, p->batch * image, 0, t->stride_h, q.plane_rows, 0, 1};
    for (int channel = 0; channel < t->channels; channel += q.channels) {
      const int beyond = channel + q.channels < t->channels ? channel + q.channels : t->channels;
      tsr_load_phases(&q, &source, channel, beyond, &area, planes);
      // The channels' terms, no further than a chunk's end at once.
      for (int k = channel * taps; k < beyond * taps;) {
        const int left = TSR_K_CHUNK - k % TSR_K_CHUNK,
                  depth = beyond * taps - k < left ? beyond * taps - k : left;
        const int end = depth == left || k + depth == p->k;
        // All images meet the same shifts where they have one block of channels and one chunk.
        if (n == 0 || waiting) tsr_tap_shifts(&q, &layout, k, depth, shift);
        __local const float *x = planes + (k / taps - channel) * t->stride_h * t->stride_w * plane;
        for (int block = first; block < last; block++) {
          __local float *chains = sums + (waiting ? (block - first) * (1 + many) * line : 0),
                        *sum = chains + many * line;
          const tsr_grouped_chains part = {depth,
                                           line / tile,
                                           k % TSR_K_CHUNK == 0,
                                           end,
                                           end && k >= TSR_K_CHUNK,
                                           x,
                                           shift,
                                           weights + ((long)block * p->k + k) * tile,
                                           chains,
                                           sum};
          tsr_grouped_positions(length, &part);
          if (k + depth < p->k) continue;
          for (int m = 0; m < tile && block * tile + m < p->m; m++)
            tsr_grouped_store(&q, &output, block * tile + m, &area, sum + m * (line / tile));
        }
        k += depth;
      }
    }
  }
}

// A row of `width` numbers of each of sixteen groups (0: one of zeros), `stride` floats apart, of which
// the first `groups` exist.
typedef struct {
  __global const float *x;
  long stride;
  int groups, width;
} tsr_group_rows;

// Such a row as (column, [16 groups]), its padding before and behind: columns left ... left + pitch - 1.
// What stands for groups that do not exist is never looked at.
TSR_FN void tsr_load_groups(const tsr_group_rows *s, int left, int pitch, __local float *to) {
  __global const float *x = s->x;
  const long stride = s->stride;
  const int groups = s->groups, width = s->width;
  const int before = width == 0 || -left > pitch ? pitch : -left,
            end = width - left < pitch ? width : pitch + left;
  for (int w = 0; w < before; w++) vstore16((float16)(0.0f), w, to);
  for (int w = width == 0 ? pitch : end - left; w < pitch; w++) vstore16((float16)(0.0f), w, to);
  to -= left * 16;
  if (width < 16) {
    for (int w = 0; w < end; w++) {
      float each[16];
      for (int l = 0; l < 16; l++) each[l] = l < groups ? x[l * stride + w] : 0.0f;
      vstore16(vload16(0, each), w, to);
    }
    return;
  }
  for (int w = 0; w < end; w += 16) {
    // The last sixteen begin early: what is written twice is the same.
    const int at = w + 16 > width ? width - 16 : w;
    float16 v[16], transpose[16];
#define TSR_LOAD_GROUP(l) v[l] = vload16(0, x + at + (l < groups ? l : groups - 1) * stride);
    TSR_UNROLL16(TSR_LOAD_GROUP)
    tsr_transpose16x16(v, transpose);
#define TSR_COLUMN(j) \
  if (at + j < end) vstore16(v[j], at + j, to);
    TSR_UNROLL16(TSR_COLUMN)
  }
}

// A chunk of pixels of sixteen groups: their runs in planes, and their output gradients. Neighbouring
// pixels are `step` columns apart, neighbouring taps `tap` floats, rows of taps `line`; an output's sums
// are `row` vectors from the one before. `add`: onto the sums of the chunks before.
typedef struct {
  tsr_pixel_runs list;
  __local const float *planes, *dy;
  int step, tap, line, row, add;
} tsr_grouped_pixels;

// Chains of `high` outputs x `wide` taps of a kernel row over the pixels, sixteen groups each. The first
// tap reads planes from `from` on.
TSR_FN void tsr_grouped_weight_microkernel(const int high, const int wide, const tsr_grouped_pixels *pixels,
                                           int from, __local float *sums) {
  const int runs = pixels->list.runs, step = pixels->step, tap = pixels->tap;
  const int row = pixels->row, add = pixels->add;
  __local const int *run = pixels->list.run;
  __local const float *planes = pixels->planes, *dy = pixels->dy;
#define TSR_CHAINS(m) float16 s##m##0 = 0.0f, s##m##1 = 0.0f, s##m##2 = 0.0f;
  TSR_CHAINS(0) TSR_CHAINS(1) TSR_CHAINS(2) TSR_CHAINS(3) for (int i = 0; i < runs; i++) {
    __local const float *x = planes + from + 16 * run[2 * i];
    const int count = run[2 * i + 1];
    for (int j = 0; j < count; j++, x += 16 * step, dy += 16) {
      const float16 v0 = vload16(0, x);
      float16 v1 = v0, v2 = v0;
      if (wide > 1) v1 = vload16(0, x + tap);
      if (wide > 2) v2 = vload16(0, x + 2 * tap);
#define TSR_CHAIN(m)                                       \
  if (m < high) {                                          \
    const float16 y = vload16(m * (TSR_K_CHUNK + 16), dy); \
    s##m##0 = fma(y, v0, s##m##0);                         \
    if (wide > 1) s##m##1 = fma(y, v1, s##m##1);           \
    if (wide > 2) s##m##2 = fma(y, v2, s##m##2);           \
  }
      TSR_CHAIN(0) TSR_CHAIN(1) TSR_CHAIN(2) TSR_CHAIN(3)
    }
  }
#define TSR_HOLD(m, w)                                         \
  if (m < high && w < wide) {                                  \
    __local float *to = sums + (m * row + w) * 16;             \
    vstore16(add ? vload16(0, to) + s##m##w : s##m##w, 0, to); \
  }
  TSR_HOLD(0, 0)
  TSR_HOLD(0, 1)
  TSR_HOLD(0, 2)
  TSR_HOLD(1, 0)
  TSR_HOLD(1, 1)
  TSR_HOLD(1, 2) TSR_HOLD(2, 0) TSR_HOLD(2, 1) TSR_HOLD(2, 2) TSR_HOLD(3, 0) TSR_HOLD(3, 1) TSR_HOLD(3, 2)
}

#if TSR_OUTPUTS_PER_TILE == 1
// Chains of one output x 3 x 3 taps over the pixels: nine, as fewer would wait for each other.
TSR_FN void tsr_grouped_weight_3x3(const tsr_grouped_pixels *pixels, int from, __local float *sums) {
  const int runs = pixels->list.runs, step = pixels->step, tap = pixels->tap, line = pixels->line;
  const int add = pixels->add;
  __local const int *run = pixels->list.run;
  __local const float *planes = pixels->planes, *dy = pixels->dy;
  float16 s0 = 0.0f, s1 = 0.0f, s2 = 0.0f, s3 = 0.0f, s4 = 0.0f, s5 = 0.0f, s6 = 0.0f, s7 = 0.0f, s8 = 0.0f;
  for (int i = 0; i < runs; i++) {
    __local const float *x = planes + from + 16 * run[2 * i];
    const int count = run[2 * i + 1];
    for (int j = 0; j < count; j++, x += 16 * step, dy += 16) {
      const float16 y = vload16(0, dy);
#define TSR_TAPS_OF(a, b, c, at) \
  a = fma(y, vload16(0, at), a), b = fma(y, vload16(0, at + tap), b), c = fma(y, vload16(0, at + 2 * tap), c);
      TSR_TAPS_OF(s0, s1, s2, x) TSR_TAPS_OF(s3, s4, s5, x + line) TSR_TAPS_OF(s6, s7, s8, x + 2 * line)
    }
  }
#define TSR_HOLD_ROW(r, a, b, c)                                                                  \
  {                                                                                               \
    __local float *to = sums + r * 3 * 16;                                                        \
    vstore16(add ? vload16(0, to) + a : a, 0, to), vstore16(add ? vload16(1, to) + b : b, 1, to); \
    vstore16(add ? vload16(2, to) + c : c, 2, to);                                                \
  }
  TSR_HOLD_ROW(0, s0, s1, s2) TSR_HOLD_ROW(1, s3, s4, s5) TSR_HOLD_ROW(2, s6, s7, s8)
}
#endif

// Chains of all taps of TSR_OUTPUTS_PER_TILE outputs and one input over the pixels.
TSR_FN void tsr_grouped_weight_taps(const tsr_conv_cpu_params *q, const tsr_grouped_pixels *pixels,
                                    __local float *sum) {
  const tsr_taps_params *t = &q->taps;
  int kh = 0;
#if TSR_OUTPUTS_PER_TILE == 1
  for (; t->kernel_w == 3 && kh + 3 <= t->kernel_h; kh += 3)
    tsr_grouped_weight_3x3(pixels, kh * t->step_h * q->phase * 16, sum + kh * 3 * 16);
#endif
  for (; kh < t->kernel_h; kh++)
    for (int kw = 0; kw < t->kernel_w;) {
      const int wide = t->kernel_w - kw >= 3 ? 3 : 1,
                from = (kh * t->step_h * q->phase + kw * t->step_w) * 16;
      __local float *to = sum + (kh * t->kernel_w + kw) * 16;
      if (wide == 3) tsr_grouped_weight_microkernel(TSR_OUTPUTS_PER_TILE, 3, pixels, from, to);
      else tsr_grouped_weight_microkernel(TSR_OUTPUTS_PER_TILE, 1, pixels, from, to);
      kw += wide;
    }
}

// a: output gradients (sample, group, output of a group, pixel). C's rows are groups, its columns outputs
// of a group by inputs by taps.
TSR_SINGLE_ITEM_KERNEL void tsr_grad_weight_grouped(const tsr_conv_cpu_params q, __global const float *a,
                                                    __global const float *b, __global const float *bias,
                                                    __global float *c) {
  __local float planes[TSR_GROUPED_PLANES], sums[TSR_K_CHUNK * 16];
  // 16 pixels more of each output, for vectors that end beyond the chunk.
  __local float gradients[TSR_OUTPUTS_PER_TILE * (TSR_K_CHUNK + 16) * 16];
  __local int run[2 * TSR_K_CHUNK];
  const tsr_matmul_params *p = &q.gemm;
  const tsr_taps_params *t = &q.taps;
  const int taps = t->kernel_h * t->kernel_w, positions = t->out_h * t->out_w,
            plane_size = t->height * t->width;
  const int block = (int)get_global_id(0), first = (int)get_global_id(1) * q.channels,
            split = (int)get_global_id(2);
  const int inputs = t->channels - first < q.channels ? t->channels - first : q.channels;
  const int begin = (q.first + split) * q.split_k, end = begin + q.split_k < p->k ? begin + q.split_k : p->k;
  const int lanes = p->m - block * 16 < 16 ? p->m - block * 16 : 16;
  const int outputs = p->n / (t->channels * taps), pitch = q.phase;
  const long group = (long)t->channels * plane_size, across = (long)outputs * positions,
             all = (long)p->m * outputs * p->k;
  tsr_grouped_pixels pixels = {
      {run, 0}, planes, gradients, t->stride_w, 16 * t->step_w, t->step_h * pitch * 16, inputs * taps, 0};
  for (int k = begin; k < end; k += TSR_K_CHUNK) {
    const int count = end - k < TSR_K_CHUNK ? end - k : TSR_K_CHUNK;
    pixels.add = k > begin;
    for (int each = 0; each < outputs / TSR_OUTPUTS_PER_TILE * inputs; each++) {
      const int made = each / inputs * TSR_OUTPUTS_PER_TILE, input = each % inputs;
      int row = 0;
      pixels.list.runs = 0;
      for (int done = 0; done < count;) {
        const tsr_sample_span span = tsr_sample_span_of(t, k + done, count - done);
        const long at = (long)span.sample * p->m + block * 16;
        for (int m = 0; m < TSR_OUTPUTS_PER_TILE && input == 0; m++) {
          const long dy = at * across + (long)(made + m) * positions + span.position;
          const tsr_matrix_rows rows = {a + dy, across, all - dy, lanes};
          tsr_load_transposed(&rows, span.part, gradients + (m * (TSR_K_CHUNK + 16) + done) * 16, 16);
        }
        // All outputs of one input meet the same planes.
        for (int r = 0; r < span.rows && (made == 0 || inputs > 1); r++) {
          const int h = span.high * t->stride_h + t->start_h + r;
          const tsr_group_rows rows = {
              b + at * group + (long)(first + input) * plane_size + (long)h * t->width, group, lanes,
              h >= 0 && h < t->height ? t->width : 0};
          tsr_load_groups(&rows, t->start_w, pitch, planes + (row + r) * pitch * 16);
        }
        tsr_append_runs(t, &span, row, pitch, t->stride_w, &pixels.list);
        row += span.rows;
        done += span.part;
      }
      tsr_grouped_weight_taps(&q, &pixels, sums + (made * inputs + input) * taps * 16);
    }
  }
  const tsr_output output = {p, bias, c + p->c_offset + (long)split * q.c_split_stride, !p->accumulate, 1};
  for (int l = 0; l < lanes; l++)
    for (int made = 0; made < outputs; made++)
      for (int n = 0; n < inputs * taps; n++)
        tsr_epilogue(&output, block * 16 + l, (made * t->channels + first) * taps + n,
                     sums[(made * inputs * taps + n) * 16 + l]);
}
#endif
