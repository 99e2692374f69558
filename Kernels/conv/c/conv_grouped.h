// SPDX-License-Identifier: Apache-2.0
// Convolutions that make few channels of few (depthwise, ResNeXt's; images of a first layer) on the CPU,
// forward and for the data. (OpenCL: conv/conv_grouped.cl.)
//
// Algorithm  Direct convolution without packing: a padded copy of the group's planes, in which every tap
//            is a shift. Lanes are positions of the output. The gradient for the data, of a stride of 1,
//            is the same over the output's gradient, with taps mirrored.
// Tensors    x (batch, channels, height, width); planes (channel, phase, row, column); y (batch, outputs,
//            rows, columns).
// Work       A thread takes (sample, group) tasks from the plan's counter.
// Tuning     TSR_GROUPED_BAND (2048): positions of a band, whose inputs stay in the level 2 cache.
//            TSR_GROUPED_OUTPUTS (4): outputs at a time. TSR_CHAIN_WIDE, TSR_CHAIN_WIDER (4, 6; AVX2 and
//            less: 2, 3): vectors of 4 and of 3 outputs at once.
//
//   stride 2: rows and columns are split by their remainder (phases): taps of one phase lie side by side
//
//     r % 2 = 0  . . . .      position q = oh * pitch + ow of the output reads, for tap (kh, kw) of plane c,
//     r % 2 = 1  . . . .      at offset(c, kh, kw) + q: one fma a tap for up to 128 outputs at once, over row
//                             ends too (what lies between two rows of the output is computed and dropped)
//
// Rules      4, 9.
#pragma once

#include "common/math.h"
#include "conv/c/padded_row.h"

// The padded planes of one (sample, group), and the tile of sums before they become rows.
typedef struct {
  int inputs, outputs;    // channels a group, of what is read and of what is made
  int rows, columns;      // of what is made
  int phase_h, phase_w;   // strides of reading: the convolution's, or 1 for the gradient
  int plane_rows, pitch;  // of a phase
  int64_t plane, planes;  // floats of a phase; of all
  int band, taps;         // rows of the output made at once; kernel positions
} tsr_conv_grouped_shape;

enum { TSR_GROUPED_BAND = 2048, TSR_GROUPED_SLACK = 16, TSR_GROUPED_OUTPUTS = 4, TSR_GROUPED_DEPTH = 2048 };

static tsr_conv_grouped_shape grouped_shape(const tsr_conv_params *c, int kind) {
  tsr_conv_grouped_shape s;
  const int reach_h = (c->kernel_h - 1) * c->dilation_h, reach_w = (c->kernel_w - 1) * c->dilation_w;
  const int forward = kind == TSR_B_CONV;
  s.inputs = (forward ? c->in_channels : c->out_channels) / c->groups;
  s.outputs = (forward ? c->out_channels : c->in_channels) / c->groups;
  s.rows = forward ? c->out_h : c->height;
  s.columns = forward ? c->out_w : c->width;
  s.phase_h = forward ? c->stride_h : 1;
  s.phase_w = forward ? c->stride_w : 1;
  s.plane_rows = s.rows + reach_h / s.phase_h;
  s.pitch = s.columns + reach_w / s.phase_w;
  s.plane = (int64_t)s.plane_rows * s.pitch;
  s.planes = s.plane * s.inputs * s.phase_h * s.phase_w;
  // What a band of the output reads stays in the level 2 cache.
  const int band = (s.inputs > 32 ? 32 * TSR_GROUPED_BAND / s.inputs : TSR_GROUPED_BAND) / s.pitch;
  s.band = band < 1 ? 1 : band < s.rows ? band : s.rows;
  s.taps = c->kernel_h * c->kernel_w;
  return s;
}

// Which shapes it is the best for: ConvSelection.swift.
static int tsr_conv_grouped_fits(const tsr_conv_params *c, int kind) {
  const tsr_conv_grouped_shape s = grouped_shape(c, kind);
  return (int64_t)s.inputs * s.taps <= TSR_GROUPED_DEPTH && s.planes < (1 << 24);
}

static int64_t tsr_conv_grouped_scratch_count(const tsr_conv_grouped_plan *p) {
  const tsr_conv_grouped_shape s = grouped_shape(&p->conv, p->kind);
  return s.planes + TSR_GROUPED_SLACK + TSR_GROUPED_OUTPUTS * ((int64_t)s.band * s.pitch + TSR_GROUPED_SLACK);
}

// The offset of what tap k reads, from the position of the output.
static void grouped_shifts(const tsr_conv_params *c, int kind, const tsr_conv_grouped_shape *s, int *shift) {
  for (int k = 0; k < s->inputs * s->taps; k++) {
    const int channel = k / s->taps, tap = k % s->taps;
    int kh = tap / c->kernel_w, kw = tap % c->kernel_w;
    if (kind != TSR_B_CONV) kh = c->kernel_h - 1 - kh, kw = c->kernel_w - 1 - kw;
    const int r = kh * c->dilation_h, q = kw * c->dilation_w;
    shift[k] = (int)(((channel * s->phase_h + r % s->phase_h) * s->phase_w + q % s->phase_w) * s->plane +
                     (int64_t)(r / s->phase_h) * s->pitch + q / s->phase_w);
  }
}

// Chains of up to four outputs over `count` taps: position q of output m is the sum of x[shift[k] + q] *
// w[k][m], and goes (with `add` onto what is there) to sums[m row + q].
typedef struct {
  int count, add;
  const float *x, *w;
  const int *shift;
  float *sums;
  int64_t row;
} grouped_chains;

// `vectors` vectors of positions from q on, of `rows` outputs.
static inline __attribute__((always_inline)) void grouped_microkernel(const int rows, const int vectors,
                                                                      const grouped_chains *chains,
                                                                      int64_t q) {
  const int count = chains->count, add = chains->add;
  const float *const x = chains->x + q, *w = chains->w;
  const int *const shift = chains->shift;
  float *const sums = chains->sums + q;
  const int64_t row = chains->row;
  vector acc[TSR_GROUPED_OUTPUTS][8];
  _Pragma("clang loop unroll(full)") for (int m = 0; m < rows; m++)
      _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++) acc[m][v] = 0.0f;
  for (int k = 0; k < count; k++, w += TSR_GROUPED_OUTPUTS) {
    const float *at = x + shift[k];
    vector in[8];
    _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++) in[v] =
        *(const unaligned_vector *)(at + v * TSR_VECTOR);
    _Pragma("clang loop unroll(full)") for (int m = 0; m < rows; m++) {
      const vector weight = w[m];
      _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++) acc[m][v] =
          __builtin_elementwise_fma(weight, in[v], acc[m][v]);
    }
  }
  _Pragma("clang loop unroll(full)") for (int m = 0; m < rows; m++)
      _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++) {
    unaligned_vector *const at = (unaligned_vector *)(sums + m * row + v * TSR_VECTOR);
    *at = add ? *at + acc[m][v] : acc[m][v];
  }
}

#if TSR_VECTOR == 16 || defined(__aarch64__)
// Vectors of 4 rows, and of 3, at once: so many accumulators as leave registers for what is read.
#define TSR_CHAIN_WIDE 4
#define TSR_CHAIN_WIDER 6
#else
#define TSR_CHAIN_WIDE 2
#define TSR_CHAIN_WIDER 3
#endif

// Positions 0 ..< length of up to four outputs.
static void grouped_positions(int rows, int64_t length, const grouped_chains *chains) {
  int64_t q = 0;
#define TSR_STEP(rows, vectors)                                                  \
  for (; q + (vectors) * TSR_VECTOR <= length || (q < length && (vectors) == 1); \
       q += (vectors) * TSR_VECTOR)                                              \
    grouped_microkernel(rows, vectors, chains, q);
  if (rows == 1) {
    TSR_STEP(1, 8) TSR_STEP(1, 4) TSR_STEP(1, 1)
  } else if (rows == 2) {
    TSR_STEP(2, 4) TSR_STEP(2, 1)
  } else if (rows == 3) {
    TSR_STEP(3, TSR_CHAIN_WIDER) TSR_STEP(3, 1)
  } else {
    TSR_STEP(4, TSR_CHAIN_WIDE) TSR_STEP(4, 1)
  }
#undef TSR_STEP
}
#undef TSR_CHAIN_WIDE
#undef TSR_CHAIN_WIDER

// The planes that are read, split by phase. The zeros above and below their rows are there: every task of
// a plan writes the same pixels.
static void grouped_planes(const tsr_conv_grouped_plan *p, const tsr_conv_grouped_shape *s, const float *x,
                           float *planes) {
  const tsr_conv_params *c = &p->conv;
  const int forward = p->kind == TSR_B_CONV;
  const int height = forward ? c->height : c->out_h, width = forward ? c->width : c->out_w;
  // Element (i, j) of what is read stands at padded pixel (i + top, j + left).
  const int top = forward ? c->pad_h : (c->kernel_h - 1) * c->dilation_h - c->pad_h;
  const int left = forward ? c->pad_w : (c->kernel_w - 1) * c->dilation_w - c->pad_w;
  for (int phase = 0; phase < s->phase_w; phase++) {
    const column_span span = column_span_of(phase, s->phase_w, left, width, s->pitch);
    for (int channel = 0; channel < s->inputs; channel++) {
      const float *from = x + (int64_t)channel * height * width + phase - left;
      float *const to = planes + ((int64_t)channel * s->phase_h * s->phase_w + phase) * s->plane;
      const int first = top < 0 ? -top : 0;
      int pixel = (first + top) / s->phase_h, part = (first + top) % s->phase_h;
      from += (int64_t)first * width;
      for (int i = first; i < height && pixel < s->plane_rows; i++, from += width) {
        phase_row(to + (int64_t)part * s->phase_w * s->plane + (int64_t)pixel * s->pitch, s->pitch, span.lo,
                  span.hi, from, s->phase_w);
        if (++part == s->phase_h) part = 0, pixel++;
      }
    }
  }
}

// Rows of one output plane: what they consist of, where the sums stand, and what is applied to them.
typedef struct {
  int rows, columns, activation;
  int64_t pitch;      // floats from a row of sums to the next
  const float *bias;  // the plane's, or null
} plane_rows;

// Rows of sums become rows of one output plane.
static void store_plane_epilogue(const plane_rows *p, float *restrict c, const float *restrict sums) {
  const float *const bias = p->bias;
  const float b = bias ? *bias : 0.0f;
  const int rows = p->rows, columns = p->columns, activation = p->activation;
  const int64_t pitch = p->pitch;
  const int simple = is_simple_activation(activation);
  for (int r = 0; r < rows; r++, c += columns, sums += pitch) {
    int j = 0;
    for (; simple && j < columns && columns >= TSR_VECTOR; j += TSR_VECTOR) {
      if (j > columns - TSR_VECTOR) j = columns - TSR_VECTOR;  // the last one overlaps
      vector v = *(const unaligned_vector *)(sums + j);
      if (bias) v = v + b;
      if (activation == TSR_ACT_RELU) v = relus(v);
      if (activation == TSR_ACT_RELU6) v = relu6s(v);
      *(unaligned_vector *)(c + j) = canonicals(v);
    }
    for (; j < columns; j++) c[j] = tsr_canonical(tsr_activate(bias ? sums[j] + b : sums[j], activation));
  }
}

// Weights of outputs m0 ..< m0 + rows of a group, as (tap, [outputs]); zeros for outputs beyond.
static void grouped_weights(const tsr_conv_grouped_plan *p, const tsr_conv_grouped_shape *s, int group,
                            int m0, int rows, float *w) {
  const int forward = p->kind == TSR_B_CONV, count = s->inputs * s->taps;
  for (int m = 0; m < TSR_GROUPED_OUTPUTS; m++) {
    // Weights of an output: all in a row, or for the gradient the taps of an input channel in a row.
    const int64_t out = m0 + m, step = forward ? s->taps : (int64_t)s->outputs * s->taps;
    const float *from = p->w + (forward ? ((int64_t)group * s->outputs + out) * count
                                        : ((int64_t)group * s->inputs * s->outputs + out) * s->taps);
    float *to = w + m;
    for (int in = 0; in < s->inputs; in++, from += step)
      for (int tap = 0; tap < s->taps; tap++, to += TSR_GROUPED_OUTPUTS) *to = m < rows ? from[tap] : 0.0f;
  }
}

// One (sample, group).
static void grouped_task(const tsr_conv_grouped_plan *p, const tsr_conv_grouped_shape *shape,
                         const int *shift, int sample, int group, float *scratch) {
  const tsr_conv_params *c = &p->conv;
  const tsr_conv_grouped_shape s = *shape;
  const int forward = p->kind == TSR_B_CONV, count = s.inputs * s.taps;
  const int64_t read = forward ? (int64_t)c->height * c->width : (int64_t)c->out_h * c->out_w;
  const int64_t made = (int64_t)s.rows * s.columns;
  const int64_t pair = (int64_t)sample * c->groups + group;
  float *planes = scratch, *sums = scratch + s.planes + TSR_GROUPED_SLACK;
  grouped_planes(p, &s, p->x + pair * s.inputs * read, planes);

  const int64_t row = (int64_t)s.band * s.pitch + TSR_GROUPED_SLACK;
  float w[TSR_GROUPED_DEPTH * TSR_GROUPED_OUTPUTS];
  for (int m0 = 0; m0 < s.outputs; m0 += TSR_GROUPED_OUTPUTS) {
    const int rows = s.outputs - m0 < TSR_GROUPED_OUTPUTS ? s.outputs - m0 : TSR_GROUPED_OUTPUTS;
    grouped_weights(p, &s, group, m0, rows, w);
    for (int first = 0; first < s.rows; first += s.band) {
      const int band = s.rows - first < s.band ? s.rows - first : s.band;
      for (int k = 0; k < count; k += TSR_K_CHUNK) {
        const grouped_chains chains = {.count = count - k < TSR_K_CHUNK ? count - k : TSR_K_CHUNK,
                                       .add = k > 0,
                                       .x = planes + (int64_t)first * s.pitch,
                                       .w = w + k * TSR_GROUPED_OUTPUTS,
                                       .shift = shift + k,
                                       .sums = sums,
                                       .row = row};
        grouped_positions(rows, (int64_t)(band - 1) * s.pitch + s.columns, &chains);
      }
      for (int m = 0; m < rows; m++) {
        const plane_rows out = {.rows = band,
                                .columns = s.columns,
                                .activation = forward ? c->activation : TSR_ACT_NONE,
                                .pitch = s.pitch,
                                .bias = p->bias ? p->bias + group * s.outputs + m0 + m : 0};
        store_plane_epilogue(&out, p->y + (pair * s.outputs + m0 + m) * made + (int64_t)first * s.columns,
                             sums + m * row);
      }
    }
  }
}

static void tsr_conv_grouped_work(const tsr_conv_grouped_plan *p, tsr_worker worker, float *scratch) {
  const int tasks = p->conv.batch * p->conv.groups;
  const tsr_conv_grouped_shape s = grouped_shape(&p->conv, p->kind);
  int shift[TSR_GROUPED_DEPTH];
  grouped_shifts(&p->conv, p->kind, &s, shift);
  memset(scratch, 0, (size_t)(s.planes + TSR_GROUPED_SLACK) * sizeof *scratch);
  for (int64_t task; (task = tsr_next_task(&worker, tasks)) >= 0;) {
    grouped_task(p, &s, shift, task / p->conv.groups, task % p->conv.groups, scratch);
  }
}
