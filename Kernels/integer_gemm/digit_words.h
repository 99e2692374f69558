// SPDX-License-Identifier: Apache-2.0
// Digits on CPU devices: words of 16 bits in pairs of k, whose products a tile adds up (words_cpu.h).
//
// Algorithm  With w = 256 d0 + d1, T = sum of w w' + d0 d2' + d2 d0' (of two digits: w w'), and beside it the
//            sum of d0 d0' (words_cpu.h). The C twin: integer_gemm/c/pack.h.
// Tensors    The left operand's lines: (line, pair of k, part), words of 32 bits; the right one's strips:
//            (strip of 16 lines, pair, part, line). Zeros beyond the last k.
// Work       Whoever has a line or a strip.
// Tuning     None.
//
//   part:     0      1        2          3
//   left   (w  w) (d0 d0)  (d0 d2)    (d0 d2)      of k and k + 1; parts 2 and 3 of three digits, of k and
//   right  (w  w) (d0 d0)  (d2 d0)    (d2 d0)      of k + 1
//
// Rules      12.
#pragma once

#include "integer_gemm/digits.h"

#ifndef TSR_GPU
TSR_FN int tsr_word_parts(int digits) { return digits == 3 ? 4 : 2; }

// Sixteen balanced and scaled elements to the nearest integers, to the even one of two.
TSR_FN int16 tsr_rint_even16(float16 y) {
  const int16 q = as_int16(fabs(y) + 8388608.0f) - 0x4b000000, sign = as_int16(y) >> 31;
  return (q ^ sign) - sign;
}
// The greatest magnitude of elements that lie side by side, as bits, times a factor; infinity for what is not
// finite, or 0 where that takes no part.
TSR_FN tsr_u32 tsr_greatest_of(__global const float *x, int count, float factor, int finite,
                               tsr_u32 greatest) {
  uint16 best = 0;
  int j = 0;
  for (; j + 16 <= count; j += 16) {
    const uint16 m = as_uint16(fabs(vload16(0, x + j) * factor));
    // Oclgrind reads beside a scalar that is the second operand of min.
    best = max(best, finite ? select(m, (uint16)(0), m >= 0x7f800000u) : min(m, (uint16)(0x7f800000u)));
  }
  const uint8 eight = max(best.lo, best.hi);
  const uint4 four = max(eight.lo, eight.hi);
  greatest = max(greatest, max(max(four.x, four.y), max(four.z, four.w)));
  for (; j < count; j++) {
    const float y = x[j] * factor;
    greatest = max(greatest, finite ? tsr_finite_magnitude_bits(y) : tsr_bits(tsr_size(y)));
  }
  return greatest;
}
// Two numbers of 16 bits as a word.
TSR_FN int16 tsr_word16(int16 low, int16 high) { return (low & 0xffff) | high << 16; }

// The parts of sixteen pairs, of integers of k and of k + 1.
TSR_FN void tsr_pair_words(int16 *parts, int16 even, int16 odd, int digits, int right) {
  const int16 w0 = digits == 3 ? (even + 128) >> 8 : even, w1 = digits == 3 ? (odd + 128) >> 8 : odd;
  const int16 h0 = (w0 + 128) >> 8, h1 = (w1 + 128) >> 8;
  parts[0] = tsr_word16(w0, w1);
  parts[1] = tsr_word16(h0, h1);
  if (digits == 2) return;
  const int16 l0 = even - w0 * 256, l1 = odd - w1 * 256;
  parts[2] = right ? tsr_word16(l0, h0) : tsr_word16(h0, l0);
  parts[3] = right ? tsr_word16(l1, h1) : tsr_word16(h1, l1);
}

// Where a line's words go: from word to word, and how many pairs there are.
typedef struct {
  __global int *to;
  int step, pairs, digits, right;
} tsr_word_line;
TSR_FN tsr_word_line tsr_word_line_of(__global int *y, long line, int words, int digits, int right) {
  const tsr_word_line own = {y + (right ? line / 16 * 16 * words + line % 16 : line * words), right ? 16 : 1,
                             words / tsr_word_parts(digits), digits, right};
  return own;
}
// Four words of each of two or four parts, from a place on, by pairs.
#define TSR_WORDS_OF_2(p, a, b, c, d, e, f, g, h)                                                         \
  (int16)(p[0].a, p[1].a, p[0].b, p[1].b, p[0].c, p[1].c, p[0].d, p[1].d, p[0].e, p[1].e, p[0].f, p[1].f, \
          p[0].g, p[1].g, p[0].h, p[1].h)
#define TSR_WORDS_OF_4(p, a, b, c, d)                                                                     \
  (int16)(p[0].a, p[1].a, p[2].a, p[3].a, p[0].b, p[1].b, p[2].b, p[3].b, p[0].c, p[1].c, p[2].c, p[3].c, \
          p[0].d, p[1].d, p[2].d, p[3].d)
// Thirty-two elements of a line go to its words from a pair on.
TSR_FN void tsr_store_words(const tsr_word_line *line, const float *elements, int pair) {
  const float16 x = vload16(0, elements), y = vload16(1, elements);
  int16 parts[4];
  tsr_pair_words(parts, tsr_rint_even16((float16)(x.even, y.even)), tsr_rint_even16((float16)(x.odd, y.odd)),
                 line->digits, line->right);
  const int count = tsr_word_parts(line->digits), end = line->pairs - pair < 16 ? line->pairs - pair : 16;
  __global int *to = line->to + (long)pair * count * line->step;
  if (end == 16 && line->step == 1) {
    if (count == 2) {
      vstore16(TSR_WORDS_OF_2(parts, s0, s1, s2, s3, s4, s5, s6, s7), 0, to);
      vstore16(TSR_WORDS_OF_2(parts, s8, s9, sa, sb, sc, sd, se, sf), 1, to);
    } else {
      vstore16(TSR_WORDS_OF_4(parts, s0, s1, s2, s3), 0, to);
      vstore16(TSR_WORDS_OF_4(parts, s4, s5, s6, s7), 1, to);
      vstore16(TSR_WORDS_OF_4(parts, s8, s9, sa, sb), 2, to);
      vstore16(TSR_WORDS_OF_4(parts, sc, sd, se, sf), 3, to);
    }
    return;
  }
  int words[4][16];
  for (int part = 0; part < count; part++) vstore16(parts[part], 0, words[part]);
  for (int i = 0; i < end; i++)
    for (int part = 0; part < count; part++) to[(i * count + part) * line->step] = words[part][i];
}
#endif
