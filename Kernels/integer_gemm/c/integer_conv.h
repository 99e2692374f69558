// SPDX-License-Identifier: Apache-2.0
// Convolutions as exact integer sums, forward and for the data, of one group of channels.
//
// Algorithm  C = A B, where B's columns are the weights of a channel that is made and A's lines the pixels'
//            taps. An image becomes digits once, channels side by side and zeros around it; a line of A is
//            then a copy of its kernel's rows. The gradient for the data is a convolution of the output's
//            gradient for each phase of the stride (tsr_integer_phase), with the taps of the phase backwards.
// Tensors    x (samples, channels, height, width), w by strides, y (samples, n, pixels). Image: (sample,
//            digit, row, column, channel). k: (row of taps, tap, channel), each phase's to whole blocks of
//            64.
// Work       A thread takes `high` panels of 32 pixels of a sample, which it packs, by all of B's strips.
// Tuning     TSR_INTEGER_PANELS, TSR_CONV_PANEL_BYTES: the most that a task packs.
//
//   image [digit][row][column][channel]        panel: 32 pixels
//     . . . . . . .                              pixel 0: [row of taps 0][row of taps 1] ...   x  B strips
//     . o o o . . .   3 taps = 3 x channels      pixel 1: ...                                  ->  T -> y
//
// Rules      9, 13 (bias and activation as in rule 4).
#pragma once

#include "integer_gemm/c/integer_image.h"

enum { TSR_CONV_PANEL_BYTES = 1 << 20 };

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

// A square of channels from c and pixels from x on, as digits: to + x * channels + c of each plane.
static inline void conv_square(const tsr_integer_conv_plan *p, const float *from, float scale, int c, int x,
                               signed char *to) {
  const float *const factors = integer_factors(&p->gemm, 0);
  const int digits = p->gemm.digits;
  vector square[TSR_VECTOR];
  TSR_UNROLL for (int i = 0; i < TSR_VECTOR; i++) square[i] = (vector)integer_digits(
      *(const unaligned_vector *)(from + (int64_t)(c + i) * p->source.area + x) * factors[c + i], scale,
      digits);
  transpose_square(square);
  for (int d = 0; d < digits; d++) {
    const unsigned shift = (unsigned)(8 * (digits - 1 - d));
    signed char *const at = to + d * integer_image_plane(p) + (int64_t)x * p->source.channels + c;
    TSR_UNROLL for (int i = 0; i < TSR_VECTOR; i++) * (byte_vector *)(at + (int64_t)i * p->source.channels) =
        __builtin_convertvector(((uint_vector)square[i] >> shift) ^ 0x80u, byte_vector);
  }
}

// A row of an image as digits, `from` and `to` being its first pixel's.
static void conv_row(const tsr_integer_conv_plan *p, const float *from, float scale, signed char *to) {
  const float *const factors = integer_factors(&p->gemm, 0);
  const int channels = p->source.channels, digits = p->gemm.digits;
  const int high = channels / TSR_VECTOR * TSR_VECTOR, wide = p->width / TSR_VECTOR * TSR_VECTOR;
  for (int c = 0; c < high; c += TSR_VECTOR)
    for (int x = 0; x < wide; x += TSR_VECTOR) conv_square(p, from, scale, c, x, to);
  for (int c = 0; c < channels; c++)
    for (int x = c < high ? wide : 0; x < p->width; x++) {
      const float y = from[(int64_t)c * p->source.area + x] * factors[c];
      const unsigned u = integer_digits_of(y * scale, digits);
      for (int d = 0; d < digits; d++)
        to[d * integer_image_plane(p) + (int64_t)x * channels + c] = integer_byte(u, digits, d);
    }
}

// (sample, row of the padded plane) pairs begin ..< end as digits.
static void tsr_integer_conv_digits(const tsr_integer_conv_plan *p, int begin, int end) {
  const int64_t plane = integer_image_plane(p), line = (int64_t)p->columns * p->source.channels;
  for (int at = begin; at < end; at++) {
    const int sample = at / p->rows, row = at % p->rows, y = row - p->top;
    signed char *const to = p->image + sample * plane * p->gemm.digits + row * line;
    for (int d = 0; d < p->gemm.digits; d++) memset(to + d * plane, 0, (size_t)line);
    if (y < 0 || y >= p->height) continue;
    conv_row(p, p->source.x + sample * p->source.sample_stride + (int64_t)y * p->width,
             tsr_scale_factor(p->scales[sample]), to + (int64_t)p->left * p->source.channels);
  }
}

// Bytes side by side go to a line of a strip, from term k on; blocks of the strip are `block` bytes.
static inline void conv_copy(const signed char *from, int64_t count, signed char *line, int64_t block,
                             int64_t k) {
  while (count > 0) {
    const int64_t at = k % TSR_INTEGER_BLOCK, room = TSR_INTEGER_BLOCK - at;
    signed char *const to = line + k / TSR_INTEGER_BLOCK * block + at;
    const int64_t part = count < room ? count : room;
    if (part == TSR_INTEGER_BLOCK) memcpy(to, from, TSR_INTEGER_BLOCK);
    else memcpy(to, from, (size_t)part);
    from += part, k += part, count -= part;
  }
}

// 16 pixels' taps as bytes; lines beyond the last pixel keep what they have, for no result.
static void conv_strip(const tsr_integer_conv_plan *p, int sample, int line, signed char *to) {
  const tsr_integer_axis h = p->phase.h, w = p->phase.w;
  const int64_t plane = integer_image_plane(p), channels = p->source.channels, row = p->columns * channels;
  const int lines = h.count * w.count - line < TSR_STRIP ? h.count * w.count - line : TSR_STRIP;
  const int isWhole = w.tap_step == 1;
  const int64_t run = (isWhole ? w.taps : 1) * channels;
  for (int l = 0; l < lines; l++) {
    const int i = (line + l) / w.count, j = (line + l) % w.count;
    const signed char *const from = p->image + sample * plane * p->gemm.digits +
                                    (p->top + h.start + (int64_t)i * h.line_step) * row +
                                    (p->left + w.start + (int64_t)j * w.line_step) * channels;
    for (int d = 0; d < p->gemm.digits; d++) {
      int64_t k = 0;
      for (int u = 0; u < h.taps; u++)
        for (int v = 0; v < (isWhole ? 1 : w.taps); v++, k += run)
          conv_copy(from + d * plane + (int64_t)u * h.tap_step * row + (int64_t)v * w.tap_step * channels,
                    run, to + d * TSR_STRIP * TSR_INTEGER_BLOCK + l * TSR_INTEGER_BLOCK,
                    TSR_STRIP * TSR_INTEGER_BLOCK * p->gemm.digits, k);
    }
  }
}

static inline int64_t conv_blocks(const tsr_integer_conv_plan *p) {
  return integer_blocks(p->phase.h.taps * p->phase.w.taps * p->source.channels);
}
static inline int64_t conv_panel_bytes(const tsr_integer_conv_plan *p) {
  return 2 * conv_blocks(p) * integer_block_bytes(p->gemm.unit, p->gemm.digits);
}
static inline int conv_high(const tsr_integer_conv_plan *p) {
  int high = TSR_INTEGER_PANELS;
  while (high > 1 && high * conv_panel_bytes(p) > TSR_CONV_PANEL_BYTES) high /= 2;
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
    for (int j = 0; j < TSR_STRIP; j++)
      sums[r * TSR_STRIP + j] =
          tsr_integer_result(t[r * TSR_STRIP + j], p->scales[sample], b[j], p->gemm.digits);
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
  const int64_t first =
      p->phase.first_k / TSR_INTEGER_BLOCK * integer_block_bytes(p->gemm.unit, p->gemm.digits);
  int64_t t[TSR_PANEL_ROWS * TSR_STRIP] __attribute__((aligned(64)));
  for (int s = 0; s * TSR_STRIP < p->gemm.n; s++)
    for (int i = panel; i < end; i++) {
      const char *const a = scratch + 2 * (i - panel) * bytes;
      const tsr_integer_tile tile = {{a, a + bytes},
                                     integer_b_strips(&p->gemm) + s * integer_strip_bytes(&p->gemm) + first,
                                     (int)blocks,
                                     p->gemm.digits,
                                     t};
      memset(t, 0, sizeof t);
      integer_tile(p->gemm.unit, &tile);
      conv_epilogue(p, t, sample, i * TSR_PANEL_ROWS, s * TSR_STRIP);
    }
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
