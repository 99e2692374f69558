// SPDX-License-Identifier: Apache-2.0
// Convolutions as exact integer sums in OpenCL: views of images and of weights become lines of digits, whose
// products tsr_integer_matmul (integer_gemm.cl) makes.
//
// Algorithm  A line is a pixel's taps, a channel's weights, or what a weight meets in a group of samples.
//            Each element is looked up, balanced and rounded where it is wanted; CPU devices do sixteen at
//            once, along k or across the pixels of a strip. The C twins, which round once:
//            integer_gemm/c/integer_conv.h, integer_grad_weight.h.
// Tensors    x: images or weights. Forms, in words of 32 bits, as integer_gemm.cl has them: factors,
//            exponents, scales, digits.
// Work       tsr_integer_greatest: a line an item. tsr_integer_view: GPU: a word of a line an item; CPU
//            device: 32 of k of a line. tsr_integer_strips (CPU devices): a strip of 16 lines and 128 pairs
//            of k.
// Tuning     None.
//
//   images -> greatest magnitudes -> scales      lines (l, i, j) x terms (t, u, v) -> digits -> T -> y
//
// Rules      9, 13.

#include "common/sums.h"
#include "integer_gemm/digit_words.h"

// The factor of channel t; 1 where there are none.
TSR_FN float tsr_view_factor(__global const int *form, int factors, long t) {
  return factors < 0 ? 1.0f : tsr_float((tsr_u32)form[factors + t]);
}

TSR_ROWS3(tsr_integer_greatest, tsr_integer_greatest_params, p.lines, const float, x, const int, form, int, y)
  __global const float *line = x + p.offset + i * p.line_stride;
#ifdef TSR_GPU
  TSR_LANE_ACC(best, 0.0f)
  TSR_EACH_LANE((long)p.outer * p.inner, const int outer = (int)j / p.inner;
                const float element = line[(long)outer * p.outer_stride + (int)j % p.inner];
                const float v = p.digits == 0 ? tsr_float(tsr_finite_magnitude_bits(element))
                                              : tsr_size(element * tsr_view_factor(form, p.factors, outer));
                TSR_LANE(best) = tsr_max(v, TSR_LANE(best));)
  TSR_MAXIMUM(best, most)
  const tsr_u32 largest = tsr_bits(most);
#else
  tsr_u32 largest = 0u;
  for (int j = 0; j < p.outer; j++)
    largest =
        tsr_greatest_of(line + (long)j * p.outer_stride, p.inner,
                        p.digits == 0 ? 1.0f : tsr_view_factor(form, p.factors, j), p.digits == 0, largest);
#endif
  TSR_LANE0 y[(long)p.to + i] =
      p.digits == 0 ? tsr_balance_exponent(largest) : tsr_digit_scale(largest, p.digits);
TSR_END

// A line's parts, and where the plane's pixel of the first tap is.
typedef struct {
  int l, row, column;
} tsr_view_line;
TSR_FN tsr_view_line tsr_view_line_of(const tsr_integer_view_params *p, int line) {
  const int place = p->first + line, area = p->line_h * p->line_w, at = place % area;
  const tsr_view_line own = {place / area, p->start_h + at / p->line_w * p->line_step_h,
                             p->start_w + at % p->line_w * p->line_step_w};
  return own;
}

#ifdef TSR_GPU
// q of term k of a line; 0 outside the plane and beyond the last term.
TSR_FN int tsr_view_digits(const tsr_integer_view_params *p, __global const float *x,
                           __global const int *form, const tsr_view_line *line, int k, float scale) {
  const int area = p->k_h * p->k_w;
  if (k >= p->k || !(scale > 0.0f)) return 0;
  const int t = k / area, u = k % area / p->k_w, v = k % area % p->k_w;
  const int row = line->row + u * p->k_step_h, column = line->column + v * p->k_step_w;
  if (row < 0 || row >= p->height || column < 0 || column >= p->width) return 0;
  const long at =
      p->offset + (long)line->l * p->line_stride + (long)t * p->k_stride + (long)row * p->width + column;
  return tsr_rint_even(x[at] * tsr_view_factor(form, p->factors, t) * scale);
}

TSR_ITEMS4(tsr_integer_view, tsr_integer_view_params, (long)p.lines *p.words, const float, x, const int, form,
           const int, scales, int, y)
  const int line = (int)(i / p.words), word = (int)(i % p.words);
  const tsr_view_line own = tsr_view_line_of(&p, line);
  const int s = scales[p.scales + own.l];
  const float scale = tsr_scale_factor(s);
  if (word == 0) y[(long)p.to_scales + line] = s;
  tsr_u32 bytes[3] = {0u, 0u, 0u};
  for (int b = 0; b < 4; b++) {
    const int q = tsr_view_digits(&p, x, form, &own, word * 4 + b, scale);
    for (int d = 0; d < p.digits; d++) {
      const tsr_u32 u = (tsr_u32)(q + tsr_digit_offset(p.digits)) >> (8 * (p.digits - 1 - d));
      bytes[d] |= ((u ^ 0x80u) & 0xffu) << (8 * b);
    }
  }
  for (int d = 0; d < p.digits; d++) y[p.to + ((long)line * p.digits + d) * p.words + word] = (int)bytes[d];
TSR_END
#else
// Blocks of 32 k of a line, one at least: who has the first one writes the scale.
TSR_FN int tsr_view_blocks(const tsr_integer_view_params *p) { return p->k > 32 ? (p->k + 31) / 32 : 1; }
// `count` terms of a row of k, columns from `column` on, times their factor; 0 outside the plane.
TSR_FN void tsr_view_row(const tsr_integer_view_params *p, __global const float *row, int column, int count,
                         float factor, float *to) {
  for (int j = 0; j < count; j++) {
    const int at = column + j * p->k_step_w;
    to[j] = at >= 0 && at < p->width ? row[at] * factor : 0.0f;
  }
}
// Thirty-two elements of a line from k on, balanced and scaled; zeros beyond the last.
TSR_FN void tsr_view_elements(const tsr_integer_view_params *p, __global const float *x,
                              __global const int *form, const tsr_view_line *line, int k, float scale,
                              float *to) {
  const int end = p->k - k < 32 ? p->k - k : 32, area = p->k_h * p->k_w;
  int t = k / area, u = k % area / p->k_w, v = k % area % p->k_w;
  vstore16((float16)(0.0f), 0, to);
  vstore16((float16)(0.0f), 1, to);
  for (int j = 0; j < end;) {
    const int count = p->k_w - v < end - j ? p->k_w - v : end - j, row = line->row + u * p->k_step_h;
    if (row >= 0 && row < p->height)
      tsr_view_row(
          p, x + p->offset + (long)line->l * p->line_stride + (long)t * p->k_stride + (long)row * p->width,
          line->column + v * p->k_step_w, count, tsr_view_factor(form, p->factors, t), to + j);
    j += count;
    v = 0;
    u = u + 1 < p->k_h ? u + 1 : 0;
    t += u == 0;
  }
  for (int side = 0; side < 2; side++) vstore16(vload16(side, to) * scale, side, to);
}

TSR_ITEMS4(tsr_integer_view, tsr_integer_view_params, (long)p.lines *tsr_view_blocks(&p), const float, x,
           const int, form, const int, scales, int, y)
  const int line = (int)(i / tsr_view_blocks(&p)), k = (int)(i % tsr_view_blocks(&p)) * 32;
  const tsr_view_line own = tsr_view_line_of(&p, line);
  const int s = scales[p.scales + own.l];
  if (k == 0) y[(long)p.to_scales + line] = s;
  const tsr_word_line to = tsr_word_line_of(y + p.to, line, p.words, p.digits, p.right);
  float elements[32];
  tsr_view_elements(&p, x, form, &own, k, tsr_scale_factor(s), elements);
  tsr_store_words(&to, elements, k / 2);
TSR_END

// Pairs of k of a work-item.
#define TSR_STRIP_PAIRS 128
// Sixteen lines: the pixel of each one's first tap by row, column and place, its scale; the lowest and the
// highest sample; whether places are side by side.
typedef struct {
  int16 row, column, place;
  float16 scale;
  int lowest, highest, together;
} tsr_view_strip;
// Those from a line on; lines beyond the last are the last one again.
TSR_FN tsr_view_strip tsr_view_strip_of(const tsr_integer_view_params *p, __global const int *scales,
                                        int first) {
  int rows[16], columns[16], places[16], samples[16];
  float factors[16];
  for (int j = 0; j < 16; j++) {
    const tsr_view_line own = tsr_view_line_of(p, first + j < p->lines ? first + j : p->lines - 1);
    rows[j] = own.row, columns[j] = own.column, samples[j] = own.l;
    places[j] = own.l * p->line_stride + own.row * p->width + own.column;
    factors[j] = tsr_scale_factor(scales[p->scales + own.l]);
  }
  tsr_view_strip strip = {vload16(0, rows),
                          vload16(0, columns),
                          vload16(0, places),
                          vload16(0, factors),
                          samples[0],
                          samples[15],
                          1};
  for (int j = 1; j < 16; j++) strip.together &= places[j] == places[0] + j;
  return strip;
}
// What term (t, u, v) of each line is, rounded. Where the lines' pixels are side by side, and all of them in
// the planes of their samples, they are read as one.
TSR_FN int16 tsr_view_lanes(const tsr_integer_view_params *p, __global const float *x, float factor,
                            const tsr_view_strip *strip, int t, int u, int v) {
  const int16 row = strip->row + u * p->k_step_h, column = strip->column + v * p->k_step_w;
  const int16 inside = (row >= 0) & (row < p->height) & (column >= 0) & (column < p->width);
  __global const float *plane = x + p->offset + (long)t * p->k_stride;
  const int16 at = strip->place + (u * p->k_step_h * p->width + v * p->k_step_w);
  float16 value;
  if (strip->together && at.s0 >= strip->lowest * p->line_stride &&
      at.sf < strip->highest * p->line_stride + p->height * p->width) {
    value = vload16(0, plane + at.s0);
  } else {
    int places[16], valid[16];
    float values[16];
    vstore16(at, 0, places);
    vstore16(inside, 0, valid);
    for (int j = 0; j < 16; j++) values[j] = valid[j] ? plane[places[j]] : 0.0f;
    value = vload16(0, values);
  }
  return tsr_rint_even16(select((float16)(0.0f), value * factor * strip->scale, inside));
}

TSR_SINGLE_ITEM_KERNEL void tsr_integer_strips(const tsr_integer_view_params p, __global const float *x,
                                               __global const int *form, __global const int *scales,
                                               __global int *y) {
  const int first = (int)get_global_id(0) * 16, begin = (int)get_global_id(1) * TSR_STRIP_PAIRS;
  const int count = tsr_word_parts(p.digits), pairs = p.words / count, area = p.k_h * p.k_w;
  const tsr_view_strip strip = tsr_view_strip_of(&p, scales, first);
  if (begin == 0)
    for (int j = 0; j < 16 && first + j < p.lines; j++)
      y[p.to_scales + first + j] = scales[p.scales + tsr_view_line_of(&p, first + j).l];
  __global int *to = y + p.to + (long)first * p.words;
  int t = 2 * begin / area, u = 2 * begin % area / p.k_w, v = 2 * begin % area % p.k_w;
  for (int pair = begin; pair < pairs && pair < begin + TSR_STRIP_PAIRS; pair++) {
    int16 q[2], parts[4];
    for (int side = 0; side < 2; side++) {
      q[side] = 2 * pair + side < p.k
                    ? tsr_view_lanes(&p, x, tsr_view_factor(form, p.factors, t), &strip, t, u, v)
                    : 0;
      v = v + 1 < p.k_w ? v + 1 : 0;
      u = v > 0 ? u : u + 1 < p.k_h ? u + 1 : 0;
      t += u == 0 && v == 0;
    }
    tsr_pair_words(parts, q[0], q[1], p.digits, 1);
    for (int part = 0; part < count; part++) vstore16(parts[part], pair * count + part, to);
  }
}
#endif
