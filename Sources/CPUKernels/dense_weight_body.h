// SPDX-License-Identifier: Apache-2.0
// One task of dense_weight.c, per instruction set.
#include "vector.h"

#include "interleave.h"
#include "padded_row.h"

#define TSR_NR (2 * TSR_VECTOR)

// Chains of `lines` x `taps` rows from +0 over the runs; then out[l][w step] = (or +=) for the live lines.
static inline __attribute__((always_inline)) void TSR_ISA(taps_tile)(const int lines, const int taps, const tsr_dense_run *runs,
                                                                     int run_count, const float *const *from,
                                                                     const float *restrict dy, float *const *out, int live,
                                                                     int64_t step, int add) {
  TSR_ISA(vector) acc[TSR_MOST_LINES][2];
  _Pragma("clang loop unroll(full)") for (int i = 0; i < lines * taps; i++) acc[i][0] = acc[i][1] = 0.0f;
  for (int r = 0; r < run_count; r++) {
    const int64_t at = runs[r].at, count = runs[r].count;
    const float *x[TSR_MOST_LINES];
    _Pragma("clang loop unroll(full)") for (int l = 0; l < lines; l++) x[l] = from[l] + at;
    for (int64_t q = 0; q < count; q++, dy += TSR_NR) {
      const TSR_ISA(vector) d0 = *(const TSR_ISA(loose) *)dy, d1 = *(const TSR_ISA(loose) *)(dy + TSR_VECTOR);
      _Pragma("clang loop unroll(full)") for (int l = 0; l < lines; l++)
        _Pragma("clang loop unroll(full)") for (int w = 0; w < taps; w++) {
          const TSR_ISA(vector) v = x[l][q + w];
          acc[l * taps + w][0] = __builtin_elementwise_fma(v, d0, acc[l * taps + w][0]);
          acc[l * taps + w][1] = __builtin_elementwise_fma(v, d1, acc[l * taps + w][1]);
        }
    }
  }
  _Pragma("clang loop unroll(full)") for (int l = 0; l < lines; l++)
    _Pragma("clang loop unroll(full)") for (int w = 0; w < taps; w++)
      _Pragma("clang loop unroll(full)") for (int h = 0; h < 2; h++) {
        TSR_ISA(loose) *const to = (TSR_ISA(loose) *)(out[l] + w * step + h * TSR_VECTOR);
        if (l < live) *to = add ? *to + acc[l * taps + w][h] : acc[l * taps + w][h];
      }
}

// Lines of 1 to 5 taps that one tile holds.
static const int TSR_ISA(tile_lines)[TSR_WIDEST + 1] =
#if TSR_MR == 14
    {0, 8, 7, 4, 3, 2};
#elif TSR_MR == 12
    {0, 8, 6, 4, 3, 2};
#elif TSR_MR == 6
    {0, 6, 3, 2, 1, 1};
#else
    {0, 4, 2, 1, 1, 1};
#endif

static void TSR_ISA(taps_tile_of)(int taps, const tsr_dense_run *runs, int run_count, const float *const *from,
                                  const float *dy, float *const *out, int live, int64_t step, int add) {
#define TSR_TAPS(n, lines) \
  case n: return TSR_ISA(taps_tile)(lines, n, runs, run_count, from, dy, out, live, step, add);
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

// Rows of one sample from `first` on, `count` of them, of the block's channels, with the convolution's zeros.
static void TSR_ISA(weight_planes)(const tsr_conv_params *c, const tsr_dense_weight_shape *s, const float *x, int channels,
                                   int first, int count, float *planes) {
  const int64_t plane = (int64_t)s->rows * s->pitch;
  for (int channel = 0; channel < channels; channel++, x += (int64_t)c->height * c->width, planes += plane)
    for (int r = 0; r < count; r++)
      TSR_ISA(padded_row)(planes + (int64_t)r * s->pitch, s->phase, c->stride_w, x, first + r - c->pad_h, c->height, c->width,
                          c->pad_w);
}

// All taps of the block's channels over one chunk of places.
static void TSR_ISA(weight_chunk)(const tsr_conv_params *c, const tsr_dense_weight_shape *s, int channels,
                                  const tsr_dense_run *runs, int run_count, int count, const float *dy, const float *planes,
                                  float *out, int add) {
  const int64_t plane = (int64_t)s->rows * s->pitch;
  const float *from[TSR_MOST_LINES];
  float *to[TSR_MOST_LINES];
  for (int m = 0; m < s->padded; m += TSR_NR)
    for (int phase = 0; phase < c->stride_w && phase < c->kernel_w; phase++) {
      const int taps = (c->kernel_w - phase + c->stride_w - 1) / c->stride_w;
      for (int tap = 0; tap < taps;) {
        // So many taps are left: none of the tiles should have to take a single one.
        const int left = taps - tap, width = left <= TSR_WIDEST ? left : left == TSR_WIDEST + 1 ? 3 : 4;
        const int lines = TSR_ISA(tile_lines)[width], all = channels * c->kernel_h;
        for (int line = 0; line < all; line += lines) {
          const int live = all - line < lines ? all - line : lines;
          for (int l = 0; l < lines; l++) {
            const int at = line + (l < live ? l : live - 1), channel = at / c->kernel_h, kh = at % c->kernel_h;
            from[l] = planes + channel * plane + (int64_t)kh * c->dilation_h * s->pitch + phase * s->phase + tap;
            to[l] = out + ((int64_t)at * c->kernel_w + phase + tap * c->stride_w) * s->padded + m;
          }
          TSR_ISA(taps_tile_of)(width, runs, run_count, from, dy + (int64_t)m * count, to, live,
                                (int64_t)c->stride_w * s->padded, add);
        }
        tap += width;
      }
    }
}

static void TSR_ISA(dense_weight)(const tsr_dense_weight_plan *p, const tsr_dense_weight_shape *s, int batch_group, int group,
                                  int channel, float *scratch) {
  const tsr_conv_params *c = &p->conv;
  const int channels = s->inputs - channel < s->channels ? s->inputs - channel : s->channels;
  float *const dy = scratch, *const copy = dy + (int64_t)s->padded * TSR_K_CHUNK;
  const int64_t image = (int64_t)c->height * c->width;
  const float *const x = p->x + ((int64_t)group * s->inputs + channel) * image;
  float *const out = p->partial + (((int64_t)batch_group * c->groups + group) * s->inputs + channel) * s->taps * s->padded;
  const int from = batch_group * TSR_BATCH_GROUP;
  const int samples = c->batch - from < TSR_BATCH_GROUP ? c->batch - from : TSR_BATCH_GROUP;
  tsr_dense_run runs[TSR_K_CHUNK];
  const int64_t places = (int64_t)samples * s->spots;
  for (int64_t k = 0; k < places; k += TSR_K_CHUNK) {
    const int count = places - k < TSR_K_CHUNK ? (int)(places - k) : TSR_K_CHUNK;
    int run_count = 0, row = 0;
    for (int done = 0; done < count;) {
      const int sample = from + (int)((k + done) / s->spots), spot = (int)((k + done) % s->spots);
      const int part = s->spots - spot < count - done ? s->spots - spot : count - done;
      const int first = spot / c->out_w, last = (spot + part - 1) / c->out_w;
      const float *lines[TSR_NR];
      for (int m = 0; m < s->padded; m += TSR_NR) {
        const int lanes = s->outputs - m < TSR_NR ? s->outputs - m : TSR_NR;
        for (int l = 0; l < lanes; l++)
          lines[l] = p->dy + ((int64_t)sample * c->out_channels + (int64_t)group * s->outputs + m + l) * s->spots + spot;
        TSR_ISA(interleave)(dy + (int64_t)m * count + (int64_t)done * TSR_NR, TSR_NR, lines, lanes, part);
      }
      if (s->in_place) row = sample * c->in_channels * c->height + first * c->stride_h;
      if (s->in_place && c->out_w == c->width && c->stride_h == 1) {
        // The rows of the output follow each other in the input too.
        runs[run_count].at = row * s->pitch + spot % c->out_w;
        runs[run_count++].count = part;
        done += part;
        continue;
      }
      for (int oh = first; oh <= last; oh++) {
        const int begin = oh == first ? spot % c->out_w : 0;
        const int end = oh == last ? (spot + part - 1) % c->out_w + 1 : c->out_w;
        runs[run_count].at = (row + (oh - first) * c->stride_h) * s->pitch + begin;
        runs[run_count++].count = end - begin;
      }
      const int rows = (last - first) * c->stride_h + s->reach_h + 1;
      if (!s->in_place)
        TSR_ISA(weight_planes)(c, s, x + sample * c->in_channels * image, channels, first * c->stride_h, rows,
                               copy + (int64_t)row * s->pitch);
      row += rows;
      done += part;
    }
    TSR_ISA(weight_chunk)(c, s, channels, runs, run_count, count, dy, s->in_place ? x : copy, out, k > 0);
  }
}

// dw of input channels begin ..< end of all groups: the batch groups' sums, turned.
static void TSR_ISA(dense_weight_sum)(const tsr_dense_weight_plan *p, const tsr_dense_weight_shape *s, float *dw, int begin,
                                      int end) {
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
        TSR_ISA(eight) v = *(const TSR_ISA(loose_eight) *)one;
        for (int g = 1; g < groups; g++) v = v + *(const TSR_ISA(loose_eight) *)(one + g * step);
        for (int l = 0; l < lanes; l++) to[(m + l) * depth + tap] = tsr_canonical(v[l]);
      }
    }
  }
}
