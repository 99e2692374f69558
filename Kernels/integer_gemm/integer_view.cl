// SPDX-License-Identifier: Apache-2.0
// Convolutions as exact integer sums in OpenCL: views of images and of weights become lines of digits, whose
// products tsr_integer_matmul (integer_gemm.cl) makes.
//
// Algorithm  A line is a pixel's taps, a channel's weights, or what a weight meets in a group of samples.
//            Each element is looked up, balanced and rounded where it is wanted: plain arithmetic, for every
//            device. The C twins, which round once: integer_gemm/c/integer_conv.h, integer_grad_weight.h.
// Tensors    x: images or weights. Forms, in words of 32 bits, as integer_gemm.cl has them: factors,
//            exponents, scales, digits (line, digit, words).
// Work       tsr_integer_greatest: a line an item. tsr_integer_view: a word of a line an item.
// Tuning     None.
//
//   images -> greatest magnitudes -> scales      lines (l, i, j) x terms (t, u, v) -> digits -> T -> y, dx,
// dw
//
// Rules      9, 13.

#include "common/sums.h"
#include "integer_gemm/digits.h"

// The factor of channel t; 1 where there are none.
TSR_FN float tsr_view_factor(__global const int *form, int factors, long t) {
  return factors < 0 ? 1.0f : tsr_float((tsr_u32)form[factors + t]);
}

TSR_ROWS3(tsr_integer_greatest, tsr_integer_greatest_params, p.lines, const float, x, const int, form, int, y)
  __global const float *line = x + p.offset + i * p.line_stride;
  TSR_LANE_ACC(best, 0.0f)
  TSR_EACH_LANE((long)p.outer * p.inner, const long outer = j / p.inner;
                const float element = line[outer * p.outer_stride + j % p.inner];
                const float v = p.digits == 0 ? tsr_float(tsr_finite_magnitude_bits(element))
                                              : tsr_size(element * tsr_view_factor(form, p.factors, outer));
                TSR_LANE(best) = tsr_max(v, TSR_LANE(best));)
  TSR_MAXIMUM(best, largest)
  TSR_LANE0 y[(long)p.to + i] =
      p.digits == 0 ? tsr_balance_exponent(tsr_bits(largest)) : tsr_digit_scale(tsr_bits(largest), p.digits);
TSR_END

// q of term k of a line whose parts are l, h and w; 0 outside the plane and beyond the last term.
TSR_FN int tsr_view_digits(const tsr_integer_view_params *p, __global const float *x,
                           __global const int *form, int l, int h, int w, int k, float scale) {
  const int area = p->k_h * p->k_w;
  if (k >= p->k || !(scale > 0.0f)) return 0;
  const int t = k / area, u = k % area / p->k_w, v = k % area % p->k_w;
  const int row = p->start_h + h * p->line_step_h + u * p->k_step_h;
  const int column = p->start_w + w * p->line_step_w + v * p->k_step_w;
  if (row < 0 || row >= p->height || column < 0 || column >= p->width) return 0;
  const long at =
      p->offset + (long)l * p->line_stride + (long)t * p->k_stride + (long)row * p->width + column;
  return tsr_rint_even(x[at] * tsr_view_factor(form, p->factors, t) * scale);
}

TSR_ITEMS4(tsr_integer_view, tsr_integer_view_params, (long)p.lines *p.words, const float, x, const int, form,
           const int, scales, int, y)
  const int line = (int)(i / p.words), word = (int)(i % p.words), place = p.first + line;
  const int area = p.line_h * p.line_w, l = place / area, h = place % area / p.line_w,
            w = place % area % p.line_w;
  const int s = scales[p.scales + l];
  const float scale = tsr_scale_factor(s);
  if (word == 0) y[(long)p.to_scales + line] = s;
  tsr_u32 bytes[3] = {0u, 0u, 0u};
  for (int b = 0; b < 4; b++) {
    const int q = tsr_view_digits(&p, x, form, l, h, w, word * 4 + b, scale);
    for (int d = 0; d < p.digits; d++) {
      const tsr_u32 u = (tsr_u32)(q + tsr_digit_offset(p.digits)) >> (8 * (p.digits - 1 - d));
      bytes[d] |= ((u ^ 0x80u) & 0xffu) << (8 * b);
    }
  }
  for (int d = 0; d < p.digits; d++) y[p.to + ((long)line * p.digits + d) * p.words + word] = (int)bytes[d];
TSR_END
