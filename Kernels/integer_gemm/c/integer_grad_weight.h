// SPDX-License-Identifier: Apache-2.0
// The gradient for the weights of a convolution as exact integer sums over a group of 8 samples.
//
// Algorithm  C = A B, where A's lines are the weights of an input channel, (channel, kernel row, kernel
//            column), B's columns the channels of the output's gradient, and k the pixels. x becomes digits
//            once, its planes split by the stride and zeros around them; dy's rows are filled with zeros up
//            to the width of such a plane. So what a weight meets lies side by side: a line of A is a copy of
//            64 bytes a block. Sums of 64 bits go on from sample to sample; the group's results are added to
//            dw.
// Tensors    x (samples, channels, height, width), dy (samples, outputs, out_h, out_w), dw (outputs,
//            channels, taps). Image: (sample, part of the digits, channel, phase, row, column). Strips of
//            dy: (strip, sample, block). Sums: (panel, strip, 32, 16).
// Work       A thread takes panels of 32 weights, or parts of them where panels are few.
// Tuning     TSR_WEIGHT_BLOCKS: blocks of 64 k that are packed at once.
//
//   phase plane:  x x x x 0      a weight's tap: begin at (row, column) of its phase, then k = 0 1 2 ...
//                 x x x x 0      dy:  y y y 0 0 | y y y 0 0 | ...
//
// Rules      6, 9, 13.
#pragma once

#include "integer_gemm/c/integer_conv.h"

enum { TSR_WEIGHT_BLOCKS = 32 };

static inline int weight_phases(const tsr_integer_grad_weight_plan *p) {
  return p->conv.stride_h * p->conv.stride_w;
}
static inline int64_t weight_elements(const tsr_integer_grad_weight_plan *p) {
  return (int64_t)p->x.channels * weight_phases(p) * p->rows * p->columns;
}
static inline int64_t weight_image_bytes(const tsr_integer_grad_weight_plan *p) {
  return weight_elements(p) * integer_element_bytes(p->unit, p->digits);
}
static inline int64_t weight_blocks(const tsr_integer_grad_weight_plan *p) {
  return (int64_t)p->x.samples * (p->k / TSR_INTEGER_BLOCK);
}
static inline int weight_lines(const tsr_integer_grad_weight_plan *p) {
  return p->x.channels * p->conv.kernel_h * p->conv.kernel_w;
}
static inline int weight_strips(const tsr_integer_grad_weight_plan *p) {
  return (p->dy.channels + TSR_STRIP - 1) / TSR_STRIP;
}
static inline int weight_panels(const tsr_integer_grad_weight_plan *p) {
  return (weight_lines(p) + TSR_PANEL_ROWS - 1) / TSR_PANEL_ROWS;
}

// The last line of the last plane reads on to whole blocks.
static int64_t tsr_integer_grad_weight_image_bytes(const tsr_integer_grad_weight_plan *p) {
  return p->x.samples * weight_image_bytes(p) + 2 * (p->k + TSR_INTEGER_BLOCK);
}
static int64_t tsr_integer_grad_weight_strip_bytes(const tsr_integer_grad_weight_plan *p) {
  return weight_strips(p) * weight_blocks(p) * integer_block_bytes(p->unit, p->digits, 1);
}
static int64_t tsr_integer_grad_weight_sum_bytes(const tsr_integer_grad_weight_plan *p) {
  return (int64_t)weight_panels(p) * weight_strips(p) * TSR_PANEL_ROWS * TSR_STRIP * 8;
}

// Where the digits' part of an element of an image is.
static inline signed char *weight_at(const tsr_integer_grad_weight_plan *p, signed char *image, int part,
                                     int64_t element) {
  const integer_part to = integer_part_at(p->unit, part);
  return image + to.plane * weight_elements(p) + to.size * element;
}

// A row of a plane as digits; its columns go to places `step` apart in parts of the stride. `plane`: the
// element that the channel's planes begin with.
static void weight_row(const tsr_integer_grad_weight_plan *p, const float *from, float scale, int phase_row,
                       signed char *image, int64_t plane) {
  const int64_t phase = (int64_t)p->rows * p->columns;
  const int stride = p->conv.stride_w, left = p->conv.pad_w, width = p->conv.width;
  for (int x = 0, row = left % stride, column = left / stride; x < width; x += TSR_VECTOR) {
    const int count = width - x < TSR_VECTOR ? width - x : TSR_VECTOR;
    const uint_vector u = integer_digits(load_part(from + x, count), scale, p->digits);
    if (stride == 1) {
      for (int part = 0; part < p->digits; part++)
        integer_store_some(p->unit, p->digits, part, u, count,
                           weight_at(p, image, part, plane + phase_row * phase + left + x));
      continue;
    }
    for (int i = 0; i < count; i++) {
      for (int part = 0; part < p->digits; part++)
        integer_put_part(p->unit, p->digits, part, u[i],
                         weight_at(p, image, part, plane + (phase_row + row) * phase + column));
      if (++row == stride) row = 0, column++;
    }
  }
}

// (sample, channel) pairs begin ..< end of x as digits.
static void tsr_integer_grad_weight_digits(const tsr_integer_grad_weight_plan *p, int begin, int end) {
  const int64_t elements = weight_elements(p) / p->x.channels;
  const int stride = p->conv.stride_h;
  for (int at = begin; at < end; at++) {
    const int sample = at / p->x.channels, channel = at % p->x.channels;
    signed char *const image = p->image + sample * weight_image_bytes(p);
    for (int part = 0; part < p->digits; part++)
      memset(weight_at(p, image, part, channel * elements), integer_zero_byte(p->unit, part),
             (size_t)(elements * integer_part_at(p->unit, part).size));
    const float *const from = p->x.x + sample * p->x.sample_stride + (int64_t)channel * p->x.area;
    const float scale = tsr_scale_factor(p->x_scales[channel]);
    for (int y = 0; y < p->conv.height; y++) {
      const int row = y + p->conv.pad_h;
      weight_row(p, from + (int64_t)y * p->conv.width, scale, row % stride * p->conv.stride_w, image,
                 channel * elements + (int64_t)(row / stride) * p->columns);
    }
  }
}

// Terms k0 ..< k0 + 64 of a sample for 16 channels of dy from `line` on: out[16][64].
static void weight_gather(const tsr_integer_grad_weight_plan *p, int sample, int line, int k0, float *out) {
  const int lines = p->dy.channels - line < TSR_STRIP ? p->dy.channels - line : TSR_STRIP;
  const int width = p->conv.out_w, height = p->conv.out_h;
  memset(out, 0, 4 * TSR_STRIP * TSR_INTEGER_BLOCK);
  for (int k = k0; k < k0 + TSR_INTEGER_BLOCK;) {
    const int row = k / p->columns, column = k % p->columns;
    if (row >= height) break;
    const int rest = p->columns - column, room = k0 + TSR_INTEGER_BLOCK - k, step = rest < room ? rest : room;
    const int count = width - column < step ? width - column : step;
    if (count > 0)
      for (int l = 0; l < lines; l++)
        memcpy(out + l * TSR_INTEGER_BLOCK + k - k0,
               p->dy.x + sample * p->dy.sample_stride + (int64_t)(line + l) * p->dy.area +
                   (int64_t)row * width + column,
               4 * (size_t)count);
    k += step;
  }
}

// Strips begin ..< end of dy.
static void tsr_integer_grad_weight_pack(const tsr_integer_grad_weight_plan *p, int begin, int end) {
  const integer_lines lines = {.digits = p->digits, .is_b = 1};
  const int64_t bytes = integer_block_bytes(p->unit, p->digits, 1);
  for (int strip = begin; strip < end; strip++) {
    const int line = strip * TSR_STRIP;
    float factors[TSR_STRIP];
    for (int l = 0; l < TSR_STRIP; l++)
      factors[l] = line + l < p->dy.channels ? tsr_scale_factor(p->dy_scales[line + l]) : 0.0f;
    char *to = p->strips + strip * weight_blocks(p) * bytes;
    for (int sample = 0; sample < p->x.samples; sample++)
      for (int k0 = 0; k0 < p->k; k0 += TSR_INTEGER_BLOCK, to += bytes) {
        float block[TSR_STRIP * TSR_INTEGER_BLOCK];
        weight_gather(p, sample, line, k0, block);
        integer_pack_block(&lines, p->unit, block, factors, to);
      }
  }
}

// Blocks begin ..< end of the strip of 16 weights from `line` on.
static void weight_strip(const tsr_integer_grad_weight_plan *p, int line, int64_t begin, int64_t end,
                         signed char *to) {
  const int64_t blocks = p->k / TSR_INTEGER_BLOCK;
  const int64_t block = TSR_STRIP * (int64_t)TSR_INTEGER_BLOCK * integer_element_bytes(p->unit, p->digits);
  const int width = p->conv.kernel_w, taps = p->conv.kernel_h * width;
  const int step = integer_line_bytes(p->unit, p->digits);
  for (int l = 0; l < TSR_STRIP && line + l < weight_lines(p); l++, to += step) {
    const int channel = (line + l) / taps, tap = (line + l) % taps;
    const int y = tap / width * p->conv.dilation_h, x = tap % width * p->conv.dilation_w;
    const int phase = y % p->conv.stride_h * p->conv.stride_w + x % p->conv.stride_w;
    const int64_t first =
        (((int64_t)channel * weight_phases(p) + phase) * p->rows + y / p->conv.stride_h) * p->columns +
        x / p->conv.stride_w;
    for (int part = 0; part < p->digits; part++) {
      const integer_part at = integer_part_at(p->unit, part);
      for (int64_t b = begin; b < end; b++)
        integer_copy_bytes(weight_at(p, p->image + b / blocks * weight_image_bytes(p), part,
                                     first + b % blocks * TSR_INTEGER_BLOCK),
                           at.size * TSR_INTEGER_BLOCK, to + (b - begin) * block + at.at);
    }
  }
}

// A panel's blocks, and where its bytes are before they become words.
static int64_t tsr_integer_grad_weight_scratch_count(const tsr_integer_grad_weight_plan *p) {
  return TSR_WEIGHT_BLOCKS * (2 * integer_block_bytes(p->unit, p->digits, 0) + 1024 * (int64_t)p->digits) / 4;
}

// The sums of a panel by strips strip ..< end grow by `count` blocks of terms from `block` on, the last of
// which has `terms` - 64 (count - 1). The panel is packed in two halves.
static void weight_tiles(const tsr_integer_grad_weight_plan *p, int panel, int strip, int end, int64_t block,
                         int64_t count, int64_t terms, const char *packed) {
  const int64_t half = TSR_WEIGHT_BLOCKS * integer_block_bytes(p->unit, p->digits, 0);
  const int64_t bytes = integer_block_bytes(p->unit, p->digits, 1);
  const int row = panel * TSR_PANEL_ROWS, left = weight_lines(p) - row;
  for (int s = strip; s < end; s += 2) {
    const int together = s + 1 < end ? 2 : 1;
    tsr_integer_tile tiles[2];
    for (int j = 0; j < together; j++)
      tiles[j] = (tsr_integer_tile){
          {packed, packed + half},
          p->strips + ((s + j) * weight_blocks(p) + block) * bytes,
          (int)count,
          p->digits,
          p->sums + ((int64_t)panel * weight_strips(p) + s + j) * TSR_PANEL_ROWS * TSR_STRIP,
          (int)terms,
          left < TSR_PANEL_ROWS ? left : TSR_PANEL_ROWS,
          1,
          p->strips + ((s + 2) * weight_blocks(p) + block) * bytes};
    integer_tiles(p->unit, tiles, together);
  }
}

// The sums of a panel by strips strip ..< end grow by all terms of these samples.
static void weight_task(const tsr_integer_grad_weight_plan *p, int panel, int strip, int end, char *scratch) {
  const int64_t half = TSR_WEIGHT_BLOCKS * integer_block_bytes(p->unit, p->digits, 0);
  const tsr_integer_gemm_plan words = {.unit = p->unit, .digits = p->digits};
  for (int64_t block = 0; block < weight_blocks(p); block += TSR_WEIGHT_BLOCKS) {
    const int64_t left = weight_blocks(p) - block,
                  count = left < TSR_WEIGHT_BLOCKS ? left : TSR_WEIGHT_BLOCKS;
    for (int i = 0; i < 2; i++) {
      signed char *const whole = (signed char *)scratch + (p->unit == TSR_INTEGER_WORDS ? 2 : i) * half;
      weight_strip(p, panel * TSR_PANEL_ROWS + i * TSR_STRIP, block, block + count, whole);
      if (p->unit == TSR_INTEGER_WORDS) integer_words_of_strip(&words, count, whole, scratch + i * half);
    }
    if (p->unit != TSR_INTEGER_VNNI) {
      weight_tiles(p, panel, strip, end, block, count, count * TSR_INTEGER_BLOCK, scratch);
      continue;
    }
    // A sample at a time, without the zeros after its last term.
    const int64_t blocks = p->k / TSR_INTEGER_BLOCK, rest = p->k - p->conv.out_h * p->columns;
    for (int64_t at = block; at < block + count;) {
      const int64_t whole = blocks - at % blocks, room = block + count - at;
      const int64_t some = whole < room ? whole : room;
      weight_tiles(p, panel, strip, end, at, some,
                   some * TSR_INTEGER_BLOCK - (some == whole ? rest / 4 * 4 : 0),
                   scratch + (at - block) * integer_block_bytes(p->unit, p->digits, 0));
      at += some;
    }
  }
}

static void tsr_integer_grad_weight_work(const tsr_integer_grad_weight_plan *p, tsr_worker worker,
                                         float *scratch) {
  const int panels = weight_panels(p), strips = weight_strips(p);
  int wide = strips;
  while (wide > 1 && (int64_t)panels * ((strips + wide - 1) / wide) < 2 * worker.count) wide = (wide + 1) / 2;
  const int across = (strips + wide - 1) / wide;
  integer_begin(p->unit);
  for (int64_t task; (task = tsr_next_task(&worker, (int64_t)panels * across)) >= 0;) {
    const int strip = (int)(task % across) * wide;
    weight_task(p, (int)(task / across), strip, strip + wide < strips ? strip + wide : strips,
                (char *)scratch);
  }
  integer_end(p->unit);
}

// The group's results of panels begin ..< end are added to dw.
static void tsr_integer_grad_weight_finish(const tsr_integer_grad_weight_plan *p, int begin, int end) {
  const int lines = weight_lines(p), taps = p->conv.kernel_h * p->conv.kernel_w;
  const finishing none = {TSR_BIAS_NONE, TSR_ACT_NONE, NULL};
  for (int panel = begin; panel < end; panel++)
    for (int s = 0; s < weight_strips(p); s++) {
      const int line = panel * TSR_PANEL_ROWS, column = s * TSR_STRIP;
      const matrix_part part = {
          .c = p->dw + (int64_t)column * lines + line,
          .stride = 1,
          .step = lines,
          .rows = lines - line < TSR_PANEL_ROWS ? lines - line : TSR_PANEL_ROWS,
          .columns = p->dy.channels - column < TSR_STRIP ? p->dy.channels - column : TSR_STRIP,
          .add = 1,
          .last = 1};
      const int64_t *const t = p->sums + ((int64_t)panel * weight_strips(p) + s) * TSR_PANEL_ROWS * TSR_STRIP;
      float sums[TSR_PANEL_ROWS * TSR_STRIP];
      memset(sums, 0, sizeof sums);
      int scales[TSR_STRIP] = {0};
      memcpy(scales, p->dy_scales + column, 4 * (size_t)part.columns);
      for (int r = 0; r < part.rows; r++)
        integer_results(t + r * TSR_STRIP, p->x_scales[(line + r) / taps], scales, p->digits,
                        sums + r * TSR_STRIP);
      store_epilogue(&none, &part, sums, TSR_STRIP);
    }
}
