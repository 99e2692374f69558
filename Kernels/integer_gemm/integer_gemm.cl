// SPDX-License-Identifier: Apache-2.0
// Products as exact integers in OpenCL: operands become digits, whose products are summed in integers.
//
// Algorithm  Ozaki et al. 2012 with digits of 8 bits: digits.h. Plain integer arithmetic, for every device.
//            The C twin, which has matrix units: integer_gemm/c/integer_gemm.h.
// Tensors    A (m, k), B (k, n) by strides, C (m, n), bias (m) or (n). B's form, in words of 32 bits: factors
//            of A's columns (k), of B's rows (k), exponents of B's rows (k), from `scales` on the columns'
//            scales (n), from `first` on their digits. A's form: scales (m), digits. Digits, GPU: (line,
//            digit, words), a word four of k, zeros beyond the last; CPU device: digit_words.h.
// Work       tsr_integer_exponents: a row of B an item. tsr_integer_balance: one item. tsr_integer_digits: a
//            row of A or a column of B an item. tsr_integer_matmul: GPU: a work-group of 16 x 16 a tile of
//            64 x 64, a work-item 4 x 4 of it, or units_gpu.h; CPU device: words_cpu.h. tsr_integer_join: a
//            row of C an item, the sums of parts of k.
// Tuning     TSR_DIGITS (2, 3): the mode, no tuning.
//
//   B -> exponents -> factors -> digits of B      A x factors -> digits of A
//                                    \_____ x ______/  ->  T  ->  (T 2^h) 2^(e - h) + bias -> activation
//
// Rules      9, 12.

#include "common/sums.h"
#include "gemm/gemm_cpu.h"
#include "integer_gemm/digit_words.h"

#ifndef TSR_DIGITS
#define TSR_DIGITS 3
#endif
// Whether two digits' product counts, and the place of its sum: d0 d0', d0 d1' + d1 d0', the rest.
#define TSR_COUNTS(d, e) (TSR_DIGITS == 2 || (d) + (e) < 3)

// The factor of element k of lines that are balanced; 1 where they are not.
TSR_FN float tsr_factor(const tsr_integer_params *p, __global const int *form, long k) {
  return p->factors < 0 ? 1.0f : tsr_float((tsr_u32)form[p->factors + k]);
}

TSR_ROWS2(tsr_integer_exponents, tsr_integer_params, p.k, const float, x, int, form)
  __global const float *row = x + p.offset + i * p.k_stride;
  TSR_LANE_ACC(best, 0.0f)
  TSR_EACH_LANE(p.lines, const float v = tsr_float(tsr_finite_magnitude_bits(row[(long)j * p.line_stride]));
                TSR_LANE(best) = tsr_max(v, TSR_LANE(best));)
  TSR_MAXIMUM(best, largest)
  TSR_LANE0 form[2L * p.k + i] = tsr_balance_exponent(tsr_bits(largest));
TSR_END

TSR_ROWS1(tsr_integer_balance, tsr_integer_params, 1, int, form)
  TSR_LANE_ACC(best, 0.0f)
  TSR_EACH_LANE(p.k, TSR_LANE(best) = tsr_max((float)form[2L * p.k + j], TSR_LANE(best));)
  TSR_MAXIMUM(best, largest)
  TSR_EACH_COLUMN(p.k, form[j] = (int)tsr_bits(tsr_balance_a(form[2L * p.k + j], (int)largest));
                  form[(long)p.k + j] = (int)tsr_bits(tsr_balance_b(form[2L * p.k + j], (int)largest));)
TSR_END

#ifdef TSR_GPU
// Four digits of a line from element k on, as bytes of a word.
TSR_FN tsr_u32 tsr_digit_word(const tsr_integer_params *p, __global const float *line,
                              __global const int *form, int k, float scale, int shift) {
  tsr_u32 word = 0u;
  for (int b = 0; b < 4; b++) {
    int q = 0;
    if (k + b < p->k && scale > 0.0f)
      q = tsr_rint_even(line[(long)(k + b) * p->k_stride] * tsr_factor(p, form, k + b) * scale);
    word |= (((tsr_u32)(q + tsr_digit_offset(p->digits)) >> shift ^ 0x80u) & 0xffu) << (8 * b);
  }
  return word;
}
// A line's digits.
TSR_FN void tsr_digit_line(const tsr_integer_params *p, __global const float *line, __global const int *form,
                           long i, float scale, __global int *y) {
  for (int d = 0; d < p->digits; d++) {
    const int shift = 8 * (p->digits - 1 - d);
    __global int *to = y + (i * p->digits + d) * p->words;
    for (int j = (int)get_local_id(0); j < p->words; j += TSR_LANES)
      to[j] = (int)tsr_digit_word(p, line, form, j * 4, scale, shift);
  }
}
#else
// Thirty-two elements of a line from k on, balanced and scaled; zeros beyond the last.
TSR_FN void tsr_digit_elements(const tsr_integer_params *p, __global const float *line,
                               __global const int *form, int k, float scale, float *to) {
  if (p->k_stride == 1 && k + 32 <= p->k) {
    for (int side = 0; side < 2; side++) {
      float16 v = vload16(side, line + k);
      if (p->factors >= 0) v = v * as_float16(vload16(side, form + p->factors + k));
      vstore16(v * scale, side, to);
    }
    return;
  }
  for (int j = 0; j < 32; j++) {
    to[j] = 0.0f;
    if (k + j < p->k) to[j] = line[(long)(k + j) * p->k_stride] * tsr_factor(p, form, k + j) * scale;
  }
}
// The greatest magnitude of a line's balanced elements, as bits.
TSR_FN tsr_u32 tsr_line_greatest(const tsr_integer_params *p, __global const float *line,
                                 __global const int *form) {
  uint16 best = 0;
  for (int k = 0; k < p->k; k += 32) {
    float elements[32];
    tsr_digit_elements(p, line, form, k, 1.0f, elements);
    // Oclgrind reads beside a scalar that is the second operand of min.
    for (int side = 0; side < 2; side++)
      best = max(best, min(as_uint16(fabs(vload16(side, elements))), (uint16)(0x7f800000u)));
  }
  const uint8 eight = max(best.lo, best.hi);
  const uint4 four = max(eight.lo, eight.hi);
  return max(max(four.x, four.y), max(four.z, four.w));
}
TSR_FN void tsr_digit_line(const tsr_integer_params *p, __global const float *line, __global const int *form,
                           long i, float scale, __global int *y) {
  const tsr_word_line to = tsr_word_line_of(y, i, p->words, p->digits, p->right);
  for (int k = 0; k < p->k; k += 32) {
    float elements[32];
    tsr_digit_elements(p, line, form, k, scale, elements);
    tsr_store_words(&to, elements, k / 2);
  }
}
#endif

TSR_ROWS3(tsr_integer_digits, tsr_integer_params, p.lines, const float, x, const int, form, int, y)
  __global const float *line = x + p.offset + i * p.line_stride;
#ifdef TSR_GPU
  TSR_LANE_ACC(best, 0.0f)
  TSR_EACH_LANE(p.k, const float v = tsr_size(line[(long)j * p.k_stride] * tsr_factor(&p, form, j));
                TSR_LANE(best) = tsr_max(v, TSR_LANE(best));)
  TSR_MAXIMUM(best, largest)
  const int s = tsr_digit_scale(tsr_bits(largest), p.digits);
#else
  const int s = tsr_digit_scale(tsr_line_greatest(&p, line, form), p.digits);
#endif
  TSR_LANE0 y[(long)p.scales + i] = s;
  const float scale = tsr_scale_factor(s);
  tsr_digit_line(&p, line, form, i, scale, y + p.first);
TSR_END

// Where column `column` of C is, from its row's begin.
TSR_FN long tsr_integer_column(const tsr_integer_gemm_params *p, int column) {
  if (p->line_w == 0) return column;
  const int pixel = p->first + column, area = p->line_h * p->line_w, at = pixel % area;
  return (long)(pixel / area) * p->c_image + (long)(at / p->line_w) * p->c_line +
         (long)(at % p->line_w) * p->c_step;
}
// C and its bias, C's begin such that a column is at its place.
TSR_FN tsr_output tsr_integer_output(const tsr_integer_gemm_params *p, __global const float *bias,
                                     __global float *c, int column) {
  const tsr_output output = {&p->gemm, bias + p->gemm.bias_offset,
                             c + p->gemm.c_offset + (tsr_integer_column(p, column) - column),
                             !p->gemm.accumulate, 1};
  return output;
}
// Stores a sum's result.
TSR_FN void tsr_integer_store(const tsr_integer_gemm_params *p, const tsr_output *o, __global const int *a,
                              __global const int *b, int row, int column, long sum) {
  tsr_epilogue(o, row, column,
               tsr_integer_result(sum, a[p->a_scales + row], b[p->b_scales + column], TSR_DIGITS));
}

// The result of a sum in parts.
TSR_FN void tsr_integer_join_of(const tsr_integer_gemm_params *p, __global const long *parts,
                                __global const int *a, __global const int *b, const tsr_output *o, int row,
                                int column) {
  long sum = 0;
  for (int part = 0; part < p->parts; part++)
    sum += parts[((long)part * p->gemm.m + row) * p->gemm.n + column];
  tsr_epilogue(o, row, column,
               tsr_integer_result(sum, a[p->a_scales + row], b[p->b_scales + column], p->digits));
}
TSR_ROWS5(tsr_integer_join, tsr_integer_gemm_params, p.gemm.m, const long, parts, const int, a, const int, b,
          const float, bias, float, c)
  TSR_EACH_COLUMN(p.gemm.n, const tsr_output output = tsr_integer_output(&p, bias, c, (int)j);
                  tsr_integer_join_of(&p, parts, a, b, &output, (int)i, (int)j);)
TSR_END

#include "integer_gemm/units_gpu.h"
#include "integer_gemm/words_cpu.h"

#if defined TSR_GPU && !defined TSR_UNITS
// Words of k of a tile, and the tiles whose sums 32 bits hold: three products of 128 x 128 32,768 times.
#define TSR_TILE_WORDS 8
#define TSR_TILES_OF_INT 1024
TSR_FN int tsr_dot4(int sum, int a, int b) {
  const char4 x = as_char4(a), y = as_char4(b);
  return sum + x.x * y.x + x.y * y.y + x.z * y.z + x.w * y.w;
}

// Word `word` of 64 lines' digits, from line `line` on; lines beyond the last are the last one's again.
TSR_FN void tsr_load_digits(__global const int *from, int lines, int words, int line, int word,
                            __local int (*to)[TSR_TILE_WORDS][65], int item) {
  for (int at = item; at < TSR_DIGITS * TSR_TILE_WORDS * 64; at += 256) {
    const int w = at % TSR_TILE_WORDS, l = at / TSR_TILE_WORDS % 64, d = at / (TSR_TILE_WORDS * 64);
    const long own = line + l < lines ? line + l : lines - 1;
    to[d][w][l] = from[(own * TSR_DIGITS + d) * words + word + w];
  }
}

__kernel __attribute__((reqd_work_group_size(16, 16, 1))) void tsr_integer_matmul(
    const tsr_integer_gemm_params p, __global const int *a, __global const int *b, __global const float *bias,
    __global float *c) {
  __local int x[TSR_DIGITS][TSR_TILE_WORDS][65], y[TSR_DIGITS][TSR_TILE_WORDS][65];
  const int across = (int)get_local_id(0), down = (int)get_local_id(1), item = down * 16 + across;
  const int row = (int)get_group_id(1) * 64, column = (int)get_group_id(0) * 64;
  const int tiles = p.words / TSR_TILE_WORDS;
  long total[4][4];
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) total[i][j] = 0;
  for (int begin = 0; begin < tiles; begin += TSR_TILES_OF_INT) {
    const int end = tiles - begin < TSR_TILES_OF_INT ? tiles : begin + TSR_TILES_OF_INT;
    int sums[3][4][4];
    for (int w = 0; w < 3; w++)
      for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) sums[w][i][j] = 0;
    for (int tile = begin; tile < end; tile++) {
      barrier(CLK_LOCAL_MEM_FENCE);
      tsr_load_digits(a + p.a_first, p.gemm.m, p.words, row, tile * TSR_TILE_WORDS, x, item);
      tsr_load_digits(b + p.b_first, p.gemm.n, p.words, column, tile * TSR_TILE_WORDS, y, item);
      barrier(CLK_LOCAL_MEM_FENCE);
      for (int w = 0; w < TSR_TILE_WORDS; w++)
#pragma unroll
        for (int d = 0; d < TSR_DIGITS; d++)
#pragma unroll
          for (int e = 0; e < TSR_DIGITS; e++)
            if (TSR_COUNTS(d, e))
#pragma unroll
              for (int i = 0; i < 4; i++)
#pragma unroll
                for (int j = 0; j < 4; j++)
                  sums[d + e][i][j] =
                      tsr_dot4(sums[d + e][i][j], x[d][w][down + 16 * i], y[e][w][across + 16 * j]);
    }
    for (int i = 0; i < 4; i++)
      for (int j = 0; j < 4; j++)
        total[i][j] += (long)sums[0][i][j] * 65536 + (long)sums[1][i][j] * 256 + sums[2][i][j];
  }
  for (int j = 0; j < 4; j++) {
    const int q = column + across + 16 * j;
    const tsr_output output = tsr_integer_output(&p, bias, c, q);
    for (int i = 0; i < 4; i++) {
      const int r = row + down + 16 * i;
      if (r < p.gemm.m && q < p.gemm.n) tsr_integer_store(&p, &output, a, b, r, q, total[i][j]);
    }
  }
}
#endif
