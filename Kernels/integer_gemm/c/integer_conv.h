// SPDX-License-Identifier: Apache-2.0
// Convolutions as exact integer sums, forward and for the data, of one group of channels.
//
// Algorithm  C = A B, where B's columns are the weights of a channel that is made and A's lines the pixels'
//            taps. An image becomes digits once, channels side by side and zeros around it; a line of A is
//            then a copy of its kernel's rows. The gradient for the data is a convolution of the output's
//            gradient for each phase of the stride (tsr_integer_phase), with the taps of the phase backwards.
// Tensors    x (samples, channels, height, width), w by strides, y (samples, n, pixels). Image: (sample,
//            part of the digits, row, column, channel). k: (row of taps, tap, channel), each phase's to
//            whole blocks of 64.
// Work       A thread takes `high` panels of 32 pixels of a sample, which it packs, by all of B's strips.
// Tuning     TSR_INTEGER_PANELS, TSR_PANEL_BYTES: the most that a task packs.
//
//   image [part][row][column][channel]         panel: 32 pixels
//     . . . . . . .                              pixel 0: [row of taps 0][row of taps 1] ...   x  B strips
//     . o o o . . .   3 taps = 3 x channels      pixel 1: ...                                  ->  T -> y
//
// Rules      9, 13 (bias and activation as in rule 4).
#pragma once

#include "integer_gemm/c/integer_image.h"

// The balance's exponents of channels begin ..< end: by the weights alone.
static void tsr_integer_weights_exponents(const tsr_integer_weights_plan *p, int begin, int end) {
  for (int c = begin; c < end; c++) {
    int greatest = 0;
    for (int64_t j = 0; j < p->gemm.n; j++) {
      const float *const taps = p->w + j * p->output_stride + c * p->channel_stride;
      for (int t = 0; t < p->taps; t++) {
        const int m = (int)tsr_finite_magnitude_bits(taps[t]);
        greatest = greatest > m ? greatest : m;
      }
    }
    integer_exponents(&p->gemm)[c] = tsr_balance_exponent((tsr_u32)greatest);
  }
}

// The factors: of the images by channel, of the weights by term of k.
static void tsr_integer_weights_balance(const tsr_integer_weights_plan *p) {
  const int *const exponents = integer_exponents(&p->gemm);
  float *const a = integer_factors(&p->gemm, 0), *const b = integer_factors(&p->gemm, 1);
  int greatest = 0;
  for (int c = 0; c < p->channels; c++) greatest = greatest > exponents[c] ? greatest : exponents[c];
  for (int c = 0; c < p->channels; c++) a[c] = tsr_balance_a(exponents[c], greatest);
  for (int k = 0; k < p->gemm.k; k++) b[k] = 1.0f;
  for (int i = 0; i < p->phase_count; i++) {
    const tsr_integer_phase *const phase = p->phases + i;
    float *to = b + phase->first_k;
    for (int t = 0; t < phase->h.taps * phase->w.taps; t++)
      for (int c = 0; c < p->channels; c++) *to++ = tsr_balance_b(exponents[c], greatest);
  }
}

// Columns begin ..< end of B, each one's k side by side, zeros between the phases.
static void tsr_integer_weights_columns(const tsr_integer_weights_plan *p, int begin, int end) {
  for (int j = begin; j < end; j++) {
    float *const column = p->columns + (int64_t)j * p->gemm.k;
    memset(column, 0, 4 * (size_t)p->gemm.k);
    for (int i = 0; i < p->phase_count; i++) {
      const tsr_integer_axis h = p->phases[i].h, w = p->phases[i].w;
      float *to = column + p->phases[i].first_k;
      for (int u = 0; u < h.taps; u++)
        for (int v = 0; v < w.taps; v++) {
          const float *const from = p->w + j * p->output_stride +
                                    (h.kernel_first + u * h.kernel_step) * p->kernel_w + w.kernel_first +
                                    v * w.kernel_step;
          for (int c = 0; c < p->channels; c++) *to++ = from[c * p->channel_stride];
        }
    }
  }
}

// The samples' scales, by the balanced magnitudes of their planes. A factor keeps the order of magnitudes, so
// the greatest of a plane is the greatest after it.
static void tsr_integer_conv_scales(const tsr_integer_conv_plan *p) {
  const float *const factors = integer_factors(&p->gemm, 0);
  for (int sample = 0; sample < p->source.samples; sample++) {
    const int *const magnitudes = p->source.magnitudes + sample * p->source.channels;
    tsr_u32 greatest = 0;
    for (int c = 0; c < p->source.channels; c++) {
      const tsr_u32 m = tsr_magnitude_bits(tsr_float((tsr_u32)magnitudes[c]) * factors[c]);
      greatest = greatest > m ? greatest : m;
    }
    p->scales[sample] = tsr_digit_scale(greatest, p->gemm.digits);
  }
}

static inline int64_t integer_image_plane(const tsr_integer_conv_plan *p) {
  return (int64_t)p->rows * p->columns * p->source.channels;
}
static inline int64_t integer_image_bytes(const tsr_integer_conv_plan *p) {
  return integer_image_plane(p) * integer_element_bytes(p->gemm.unit, p->gemm.digits);
}
static int64_t tsr_integer_conv_image_bytes(const tsr_integer_conv_plan *p) {
  return p->source.samples * integer_image_bytes(p);
}
// Where the digits' part of an element of an image is.
static inline signed char *conv_at(const tsr_integer_conv_plan *p, signed char *image, int part,
                                   int64_t element) {
  const integer_part to = integer_part_at(p->gemm.unit, part);
  return image + to.plane * integer_image_plane(p) + to.size * element;
}

// A square of `high` channels from c and `wide` pixels from x on, as digits, `first` being the row's first
// element. A pixel of few channels is stored with zeros after it where its neighbours of the row come later.
static inline void conv_square(const tsr_integer_conv_plan *p, const float *from, float scale, int c,
                               int high, int x, int wide, signed char *image, int64_t first) {
  const float *const factors = integer_factors(&p->gemm, 0);
  const int digits = p->gemm.digits, channels = p->source.channels;
  vector square[TSR_VECTOR];
  TSR_UNROLL for (int i = 0; i < TSR_VECTOR; i++) {
    vector y = 0.0f;
    if (i < high) y = load_part(from + (int64_t)(c + i) * p->source.area + x, wide) * factors[c + i];
    square[i] = (vector)integer_digits(y, scale, digits);
  }
  transpose_square(square);
  for (int part = 0; part < digits; part++) {
    const int64_t step = (int64_t)channels * integer_part_at(p->gemm.unit, part).size;
    signed char *const to = conv_at(p, image, part, first + (int64_t)x * channels + c);
    TSR_UNROLL for (int i = 0; i < TSR_VECTOR; i++) if (i < wide) {
      const int fits = channels < TSR_VECTOR && (p->width - x - i) * channels >= TSR_VECTOR;
      integer_store_some(p->gemm.unit, digits, part, (uint_vector)square[i], fits ? TSR_VECTOR : high,
                         to + i * step);
    }
  }
}

// A row of an image as digits, `from` being its first pixel.
static void conv_row(const tsr_integer_conv_plan *p, const float *from, float scale, signed char *image,
                     int64_t first) {
  for (int c = 0; c < p->source.channels; c += TSR_VECTOR)
    for (int x = 0; x < p->width; x += TSR_VECTOR) {
      const int high = p->source.channels - c, wide = p->width - x;
      conv_square(p, from, scale, c, high < TSR_VECTOR ? high : TSR_VECTOR, x,
                  wide < TSR_VECTOR ? wide : TSR_VECTOR, image, first);
    }
}

// (sample, row of the padded plane) pairs begin ..< end as digits.
static void tsr_integer_conv_digits(const tsr_integer_conv_plan *p, int begin, int end) {
  const int64_t line = (int64_t)p->columns * p->source.channels;
  for (int at = begin; at < end; at++) {
    const int sample = at / p->rows, row = at % p->rows, y = row - p->top;
    signed char *const image = p->image + sample * integer_image_bytes(p);
    for (int part = 0; part < p->gemm.digits; part++)
      memset(conv_at(p, image, part, row * line), integer_zero_byte(p->gemm.unit, part),
             (size_t)(line * integer_part_at(p->gemm.unit, part).size));
    if (y < 0 || y >= p->height) continue;
    conv_row(p, p->source.x + sample * p->source.sample_stride + (int64_t)y * p->width,
             tsr_scale_factor(p->scales[sample]), image, row * line + (int64_t)p->left * p->source.channels);
  }
}

// 16 pixels' taps as digits; lines beyond the last pixel keep what they have, for no result.
static void conv_strip(const tsr_integer_conv_plan *p, int sample, int line, signed char *to) {
  const tsr_integer_axis h = p->phase.h, w = p->phase.w;
  const int unit = p->gemm.unit, digits = p->gemm.digits, step = integer_line_bytes(unit, digits);
  const int64_t channels = p->source.channels, row = p->columns * channels;
  const int lines = h.count * w.count - line < TSR_STRIP ? h.count * w.count - line : TSR_STRIP;
  const int isWhole = w.tap_step == 1, runs = isWhole ? 1 : w.taps;
  const int64_t run = (isWhole ? w.taps : 1) * channels,
                block = TSR_STRIP * (int64_t)TSR_INTEGER_BLOCK * integer_element_bytes(unit, digits);
  signed char *const image = p->image + sample * integer_image_bytes(p);
  for (int l = 0; l < lines; l++) {
    const int i = (line + l) / w.count, j = line + l - i * w.count;
    const int64_t first = (p->top + h.start + (int64_t)i * h.line_step) * row +
                          (p->left + w.start + (int64_t)j * w.line_step) * channels;
    for (int part = 0; part < digits; part++) {
      const integer_part at = integer_part_at(unit, part);
      const signed char *const from = conv_at(p, image, part, first);
      int64_t k = 0;
      for (int u = 0; u < h.taps; u++)
        for (int v = 0; v < runs; v++, k += run)
          integer_copy(from + at.size * ((int64_t)u * h.tap_step * row + (int64_t)v * w.tap_step * channels),
                       run, at.size, to + at.at + l * step, block, k);
    }
  }
}

static inline int conv_terms(const tsr_integer_conv_plan *p) {
  return p->phase.h.taps * p->phase.w.taps * p->source.channels;
}
static inline int64_t conv_blocks(const tsr_integer_conv_plan *p) { return integer_blocks(conv_terms(p)); }
static inline int64_t conv_panel_bytes(const tsr_integer_conv_plan *p) {
  return 2 * conv_blocks(p) * integer_block_bytes(p->gemm.unit, p->gemm.digits, 0);
}
static inline int conv_high(const tsr_integer_conv_plan *p) {
  int high = TSR_INTEGER_PANELS;
  while (high > 1 && high * conv_panel_bytes(p) > TSR_PANEL_BYTES) high /= 2;
  return high;
}
static int64_t tsr_integer_conv_scratch_count(const tsr_integer_conv_plan *p) {
  const int64_t bytes = p->gemm.unit == TSR_INTEGER_WORDS ? 1024 * p->gemm.digits * conv_blocks(p) : 0;
  return (conv_high(p) * conv_panel_bytes(p) + bytes) / 4 + 16;
}

// The results of a tile: of a phase of a stride of 1 by the epilogue, else to pixels apart.
static void conv_epilogue(const tsr_integer_conv_plan *p, const int64_t *t, int sample, int line,
                          int column) {
  const tsr_integer_axis h = p->phase.h, w = p->phase.w;
  const int left = h.count * w.count - line, rows = left < TSR_PANEL_ROWS ? left : TSR_PANEL_ROWS;
  const int columns = p->gemm.n - column < TSR_STRIP ? p->gemm.n - column : TSR_STRIP;
  const int *const b = integer_b_scales(&p->gemm) + column;
  float sums[TSR_PANEL_ROWS * TSR_STRIP];
  for (int r = 0; r < rows; r++)
    integer_results(t + r * TSR_STRIP, p->scales[sample], b, p->gemm.digits, sums + r * TSR_STRIP);
  float *const c = p->gemm.c + sample * p->c_stride + (int64_t)column * p->out_area;
  if (h.out_step == 1 && w.out_step == 1) {
    const finishing f = {p->gemm.bias_kind, p->gemm.activation, p->gemm.bias};
    const matrix_part part = {c + line, 1, p->out_area, line, column, rows, columns, 0, 1};
    return store_epilogue(&f, &part, sums, TSR_STRIP);
  }
  for (int r = 0; r < rows; r++) {
    const int i = (line + r) / w.count, j = (line + r) % w.count;
    float *const at =
        c + (int64_t)(h.out_first + i * h.out_step) * p->out_width + w.out_first + j * w.out_step;
    for (int q = 0; q < columns; q++) at[(int64_t)q * p->out_area] = sums[r * TSR_STRIP + q];
  }
}

// The tiles of panels panel ..< end of a sample, which are packed.
static void conv_tiles(const tsr_integer_conv_plan *p, int sample, int panel, int end, const char *packed) {
  enum { TILE = TSR_PANEL_ROWS * TSR_STRIP };
  const int64_t bytes = conv_panel_bytes(p) / 2, b_bytes = integer_strip_bytes(&p->gemm, 1);
  const int lines = p->phase.h.count * p->phase.w.count;
  const char *const b = integer_b_strips(&p->gemm) + p->phase.first_k / TSR_INTEGER_BLOCK *
                                                         integer_block_bytes(p->gemm.unit, p->gemm.digits, 1);
  int64_t t[2 * TILE] __attribute__((aligned(64)));
  for (int s = 0; s * TSR_STRIP < p->gemm.n; s += 2)
    for (int i = panel; i < end; i++) {
      const int row = i * TSR_PANEL_ROWS, count = (s + 1) * TSR_STRIP < p->gemm.n ? 2 : 1;
      const char *const a = packed + 2 * (i - panel) * bytes;
      tsr_integer_tile tiles[2];
      for (int j = 0; j < count; j++)
        tiles[j] = (tsr_integer_tile){{a, a + bytes},
                                      b + (s + j) * b_bytes,
                                      (int)conv_blocks(p),
                                      p->gemm.digits,
                                      t + j * TILE,
                                      conv_terms(p),
                                      lines - row < TSR_PANEL_ROWS ? lines - row : TSR_PANEL_ROWS,
                                      0,
                                      b + (s + 2) * b_bytes + (i - panel) * integer_ahead(conv_terms(p))};
      integer_tiles(p->gemm.unit, tiles, count);
      for (int j = 0; j < count; j++) conv_epilogue(p, t + j * TILE, sample, row, (s + j) * TSR_STRIP);
    }
}

// Panels panel ..< end of a sample.
static void conv_task(const tsr_integer_conv_plan *p, int sample, int panel, int end, char *scratch) {
  const int64_t blocks = conv_blocks(p), bytes = conv_panel_bytes(p) / 2;
  signed char *const whole = (signed char *)(scratch + conv_high(p) * conv_panel_bytes(p));
  for (int strip = 2 * panel; strip < 2 * end; strip++) {
    char *const to = scratch + (strip - 2 * panel) * bytes;
    if (strip * TSR_STRIP >= p->phase.h.count * p->phase.w.count) continue;
    if (p->gemm.unit != TSR_INTEGER_WORDS) {
      conv_strip(p, sample, strip * TSR_STRIP, (signed char *)to);
      continue;
    }
    conv_strip(p, sample, strip * TSR_STRIP, whole);
    integer_words_of_strip(&p->gemm, blocks, whole, to);
  }
  conv_tiles(p, sample, panel, end, scratch);
}

static void tsr_integer_conv_work(const tsr_integer_conv_plan *p, tsr_worker worker, float *scratch) {
  const int panels = (p->phase.h.count * p->phase.w.count + TSR_PANEL_ROWS - 1) / TSR_PANEL_ROWS;
  int high = conv_high(p);
  while (high > 1 && (int64_t)((panels + high - 1) / high) * p->source.samples < 2 * worker.count) high /= 2;
  const int down = (panels + high - 1) / high;
  integer_begin(p->gemm.unit);
  for (int64_t task; (task = tsr_next_task(&worker, (int64_t)down * p->source.samples)) >= 0;) {
    const int panel = (int)(task % down) * high;
    conv_task(p, (int)(task / down), panel, panel + high < panels ? panel + high : panels, (char *)scratch);
  }
  integer_end(p->gemm.unit);
}
