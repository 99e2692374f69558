// SPDX-License-Identifier: Apache-2.0
// The sums of direct.c, per instruction set.
#include "vector.h"

#include "padded_row.h"

// sums[m][q0 ..< q0 + V * vectors] for `rows` outputs: chains of fma from +0 over k, each tap a shift of the planes. `add`: a
// later chunk.
static inline __attribute__((always_inline)) void TSR_ISA(chain)(const int rows, const int vectors, int count,
                                                                 const float *restrict x, const int *restrict shift,
                                                                 const float *restrict w, float *restrict sums,
                                                                 int64_t row, int add) {
  TSR_ISA(vector) acc[TSR_DIRECT_ROWS][8];
  _Pragma("clang loop unroll(full)") for (int m = 0; m < rows; m++)
    _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++) acc[m][v] = 0.0f;
  for (int k = 0; k < count; k++, w += TSR_DIRECT_ROWS) {
    const float *at = x + shift[k];
    TSR_ISA(vector) in[8];
    _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)
      in[v] = *(const TSR_ISA(loose) *)(at + v * TSR_VECTOR);
    _Pragma("clang loop unroll(full)") for (int m = 0; m < rows; m++) {
      const TSR_ISA(vector) weight = w[m];
      _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)
        acc[m][v] = __builtin_elementwise_fma(weight, in[v], acc[m][v]);
    }
  }
  _Pragma("clang loop unroll(full)") for (int m = 0; m < rows; m++)
    _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++) {
      TSR_ISA(loose) *const at = (TSR_ISA(loose) *)(sums + m * row + v * TSR_VECTOR);
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
static void TSR_ISA(chains)(int rows, int64_t length, int count, const float *x, const int *shift, const float *w,
                            float *sums, int64_t row, int add) {
  int64_t q = 0;
#define TSR_STEP(rows, vectors)                                                  \
  for (; q + (vectors) * TSR_VECTOR <= length || (q < length && (vectors) == 1); \
       q += (vectors) * TSR_VECTOR)                                              \
    TSR_ISA(chain)(rows, vectors, count, x + q, shift, w, sums + q, row, add);
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

// The planes that are read, split by phase. The zeros above and below their rows are there: every task of a plan writes the
// same places.
static void TSR_ISA(planes)(const tsr_direct_plan *p, const tsr_direct_shape *s, const float *x, float *planes) {
  const tsr_conv_params *c = &p->conv;
  const int forward = p->kind == TSR_B_CONV;
  const int height = forward ? c->height : c->out_h, width = forward ? c->width : c->out_w;
  // Element (i, j) of what is read stands at padded place (i + top, j + left).
  const int top = forward ? c->pad_h : (c->kernel_h - 1) * c->dilation_h - c->pad_h;
  const int left = forward ? c->pad_w : (c->kernel_w - 1) * c->dilation_w - c->pad_w;
  for (int phase = 0; phase < s->phase_w; phase++) {
    const TSR_ISA(span) span = TSR_ISA(span_of)(phase, s->phase_w, left, width, s->pitch);
    for (int channel = 0; channel < s->inputs; channel++) {
      const float *from = x + (int64_t)channel * height * width + phase - left;
      float *const to = planes + ((int64_t)channel * s->phase_h * s->phase_w + phase) * s->plane;
      const int first = top < 0 ? -top : 0;
      int place = (first + top) / s->phase_h, part = (first + top) % s->phase_h;
      from += (int64_t)first * width;
      for (int i = first; i < height && place < s->plane_rows; i++, from += width) {
        TSR_ISA(phase_row)(to + (int64_t)part * s->phase_w * s->plane + (int64_t)place * s->pitch, s->pitch, span.lo, span.hi, from,
                           s->phase_w);
        if (++part == s->phase_h) part = 0, place++;
      }
    }
  }
}

// Rows of sums become rows of one output plane.
static void TSR_ISA(merge_plane)(const float *bias, int activation, float *restrict c, int columns,
                                 const float *restrict sums, int64_t pitch, int rows) {
  const float b = bias ? *bias : 0.0f;
  const int simple = activation == TSR_ACT_NONE || activation == TSR_ACT_RELU || activation == TSR_ACT_RELU6;
  for (int r = 0; r < rows; r++, c += columns, sums += pitch) {
    int j = 0;
    for (; simple && j < columns && columns >= TSR_VECTOR; j += TSR_VECTOR) {
      if (j > columns - TSR_VECTOR) j = columns - TSR_VECTOR;  // the last one overlaps
      TSR_ISA(vector) v = *(const TSR_ISA(loose) *)(sums + j);
      if (bias) v = v + b;
      if (activation == TSR_ACT_RELU) v = TSR_ISA(relus)(v);
      if (activation == TSR_ACT_RELU6) v = TSR_ISA(relu6s)(v);
      *(TSR_ISA(loose) *)(c + j) = TSR_ISA(canonicals)(v);
    }
    for (; j < columns; j++) c[j] = tsr_canonical(tsr_activate(bias ? sums[j] + b : sums[j], activation));
  }
}

// One (sample, group).
static void TSR_ISA(direct)(const tsr_direct_plan *p, const tsr_direct_shape *shape, const int *shift, int sample, int group,
                            float *scratch) {
  const tsr_conv_params *c = &p->conv;
  const tsr_direct_shape s = *shape;
  const int forward = p->kind == TSR_B_CONV, count = s.inputs * s.taps;
  const int64_t read = forward ? (int64_t)c->height * c->width : (int64_t)c->out_h * c->out_w;
  const int64_t made = (int64_t)s.rows * s.columns;
  const int64_t pair = (int64_t)sample * c->groups + group;
  float *planes = scratch, *sums = scratch + s.planes + TSR_DIRECT_SLACK;
  TSR_ISA(planes)(p, &s, p->x + pair * s.inputs * read, planes);

  const int64_t row = (int64_t)s.band * s.pitch + TSR_DIRECT_SLACK;
  float w[TSR_DIRECT_DEPTH * TSR_DIRECT_ROWS];
  for (int m0 = 0; m0 < s.outputs; m0 += TSR_DIRECT_ROWS) {
    const int rows = s.outputs - m0 < TSR_DIRECT_ROWS ? s.outputs - m0 : TSR_DIRECT_ROWS;
    for (int m = 0; m < TSR_DIRECT_ROWS; m++) {
      // Weights of an output: all in a row, or for the gradient the taps of an input channel in a row.
      const int64_t out = m0 + m, step = forward ? s.taps : (int64_t)s.outputs * s.taps;
      const float *from = p->w + (forward ? ((int64_t)group * s.outputs + out) * count
                                          : ((int64_t)group * s.inputs * s.outputs + out) * s.taps);
      float *to = w + m;
      for (int in = 0; in < s.inputs; in++, from += step)
        for (int tap = 0; tap < s.taps; tap++, to += TSR_DIRECT_ROWS) *to = m < rows ? from[tap] : 0.0f;
    }
    for (int first = 0; first < s.rows; first += s.band) {
      const int band = s.rows - first < s.band ? s.rows - first : s.band;
      for (int k = 0; k < count; k += TSR_K_CHUNK)
        TSR_ISA(chains)(rows, (int64_t)(band - 1) * s.pitch + s.columns, count - k < TSR_K_CHUNK ? count - k : TSR_K_CHUNK,
                        planes + (int64_t)first * s.pitch, shift + k, w + k * TSR_DIRECT_ROWS, sums, row, k > 0);
      for (int m = 0; m < rows; m++)
        TSR_ISA(merge_plane)(p->bias ? p->bias + group * s.outputs + m0 + m : 0, forward ? c->activation : TSR_ACT_NONE,
                             p->y + (pair * s.outputs + m0 + m) * made + (int64_t)first * s.columns, s.columns,
                             sums + m * row, s.pitch, band);
    }
  }
}
