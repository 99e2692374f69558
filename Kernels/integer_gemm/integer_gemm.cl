// SPDX-License-Identifier: Apache-2.0
// Products as exact integers in OpenCL: operands become digits, whose products are summed in integers.
//
// Algorithm  Ozaki et al. 2012 with digits of 8 bits: digits.h. Plain integer arithmetic, for every device.
//            The C twin, which has matrix units: integer_gemm/c/integer_gemm.h.
// Tensors    A (m, k), B (k, n) by strides, C (m, n), bias (m) or (n). B's form, in words of 32 bits: factors
//            of A's columns (k), of B's rows (k), exponents of B's rows (k), from `scales` on the columns'
//            scales (n), from `first` on their digits. A's form: scales (m), digits. Digits: (line, digit,
//            words), a word four of k, zeros beyond the last.
// Work       tsr_integer_exponents: a row of B an item. tsr_integer_balance: one item. tsr_integer_digits: a
//            row of A or a column of B an item. tsr_integer_matmul: GPU: a work-group of 16 x 16 a tile of
//            64 x 64, a work-item 4 x 4 of it; CPU device: a work-item two columns and `rows` rows.
// Tuning     TSR_DIGITS (2, 3): the mode, no tuning.
//
//   B -> exponents -> factors -> digits of B      A x factors -> digits of A
//                                    \_____ x ______/  ->  T  ->  (T 2^h) 2^(e - h) + bias -> activation
//
// Rules      9, 12.

#include "common/sums.h"
#include "gemm/gemm.h"
#include "integer_gemm/digits.h"

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

TSR_ROWS3(tsr_integer_digits, tsr_integer_params, p.lines, const float, x, const int, form, int, y)
  __global const float *line = x + p.offset + i * p.line_stride;
  TSR_LANE_ACC(best, 0.0f)
  TSR_EACH_LANE(p.k, const float v = tsr_size(line[(long)j * p.k_stride] * tsr_factor(&p, form, j));
                TSR_LANE(best) = tsr_max(v, TSR_LANE(best));)
  TSR_MAXIMUM(best, largest)
  const int s = tsr_digit_scale(tsr_bits(largest), p.digits);
  TSR_LANE0 y[(long)p.scales + i] = s;
  const float scale = tsr_scale_factor(s);
  for (int d = 0; d < p.digits; d++) {
    const int shift = 8 * (p.digits - 1 - d);
    __global int *to = y + p.first + (i * p.digits + d) * p.words;
    TSR_EACH_COLUMN(p.words, to[j] = (int)tsr_digit_word(&p, line, form, (int)j * 4, scale, shift);)
  }
TSR_END

// Stores a sum's result.
TSR_FN void tsr_integer_store(const tsr_integer_gemm_params *p, const tsr_output *o, __global const int *a,
                              __global const int *b, int row, int column, long sum) {
  tsr_epilogue(o, row, column,
               tsr_integer_result(sum, a[p->a_scales + row], b[p->b_scales + column], TSR_DIGITS));
}

#include "integer_gemm/units_gpu.h"

#ifdef TSR_UNITS
// units_gpu.h has the kernel.
#elif defined TSR_GPU
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
  const tsr_output output = {&p.gemm, bias + p.gemm.bias_offset, c + p.gemm.c_offset, !p.gemm.accumulate, 1};
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      const int r = row + down + 16 * i, q = column + across + 16 * j;
      if (r < p.gemm.m && q < p.gemm.n) tsr_integer_store(&p, &output, a, b, r, q, total[i][j]);
    }
}
#else
// Steps of sixteen k after which lanes of 32 bits are added up.
#define TSR_STEPS_OF_INT 32768
// Digits of sixteen k; products of two digits fit 16 bits, and so do two of one weight but for d1 d1'.
#define TSR_DIGITS16(line, d) convert_short16(vload16(step, (line) + (d) * bytes))

// The sum of the products of two lines.
TSR_FN long tsr_integer_sum(__global const char *a, __global const char *b, int words) {
  const long bytes = 4L * words;
  const int steps = words / 4;
  long total = 0;
  for (int begin = 0; begin < steps; begin += TSR_STEPS_OF_INT) {
    const int end = steps - begin < TSR_STEPS_OF_INT ? steps : begin + TSR_STEPS_OF_INT;
    int16 high = 0, middle = 0, low = 0;
    for (int step = begin; step < end; step++) {
      const short16 a0 = TSR_DIGITS16(a, 0), a1 = TSR_DIGITS16(a, 1);
      const short16 b0 = TSR_DIGITS16(b, 0), b1 = TSR_DIGITS16(b, 1);
      high += convert_int16(a0 * b0);
      middle += convert_int16(a0 * b1 + a1 * b0);
      low += convert_int16(a1 * b1);
#if TSR_DIGITS == 3
      low += convert_int16(a0 * TSR_DIGITS16(b, 2) + TSR_DIGITS16(a, 2) * b0);
#endif
    }
    const long16 sums = convert_long16(high) * 65536L + convert_long16(middle) * 256L + convert_long16(low);
    const long8 eight = sums.lo + sums.hi;
    const long4 four = eight.lo + eight.hi;
    total += four.x + four.y + four.z + four.w;
  }
  return total;
}

TSR_SINGLE_ITEM_KERNEL void tsr_integer_matmul(const tsr_integer_gemm_params p, __global const int *a,
                                               __global const int *b, __global const float *bias,
                                               __global float *c) {
  const int column = (int)get_global_id(0) * 2, first = (int)get_global_id(1) * p.rows;
  const int end = p.gemm.m - first < p.rows ? p.gemm.m : first + p.rows;
  const tsr_output output = {&p.gemm, bias + p.gemm.bias_offset, c + p.gemm.c_offset, !p.gemm.accumulate, 1};
  __global const char *rows = (__global const char *)(a + p.a_first);
  __global const char *columns = (__global const char *)(b + p.b_first);
  const long line = 4L * TSR_DIGITS * p.words;
  for (int row = first; row < end; row++)
    for (int j = column; j < column + 2 && j < p.gemm.n; j++)
      tsr_integer_store(&p, &output, a, b, row, j,
                        tsr_integer_sum(rows + row * line, columns + j * line, p.words));
}
#endif
