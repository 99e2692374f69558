// SPDX-License-Identifier: Apache-2.0
// The product of digits on CPU devices: tsr_integer_matmul.
//
// Algorithm  The sum of w w' + d0 d2' + d2 d0' modulo 2^32, and the sum of d0 d0' beside it: over 256 k what
//            is left of T without 2^16 d0 d0' fits 32 bits, so both give T exactly. Two products of 16 bits
//            and their sum are one instruction of x86 (pmaddwd; with the addition vpdpwssd), which compilers
//            of OpenCL C do not find in such a tile: pmaddwd is a built-in function where there is one,
//            vpdpwssd is in the text where the caller knows that the CPU has it. The C twin:
//            integer_gemm/c/words.h.
// Tensors    As integer_gemm.cl has them, digits as digit_words.h has them.
// Work       A work-item a strip of 16 columns and `rows` rows, 64 at most.
// Tuning     TSR_VNNI: the CPU has vpdpwssd. TSR_WORD_ROWS: rows of the tile: 8 of 32 registers of 16 sums,
//            2 of 16 of 8.
//
//                        strip
//   A  [==== 256 k ====]  [==]   ->  TSR_WORD_ROWS x 16 sums of 32 bits, twice  ->  64 x 16 of 64 bits
//      [====           ]  [==]
//
// Rules      4, 9, 12.
#pragma once

#include "gemm/gemm_cpu.h"
#include "integer_gemm/digit_words.h"

#ifndef TSR_GPU
#ifdef __AVX512BW__
#define TSR_WORD_ROWS 8
#else
#define TSR_WORD_ROWS 2
#endif
// Pairs of k that sums of 32 bits hold, and rows of a work-item at most.
#define TSR_PAIRS_OF_INT 128
#define TSR_ROWS_OF_ITEM 64
#define TSR_PARTS (TSR_DIGITS == 3 ? 4 : 2)

// sums += two products of 16 bits each, of a word of A and sixteen of B.
TSR_FN uint16 tsr_add_words(uint16 sums, int x, int16 y) {
#if defined TSR_VNNI && defined __AVX512BW__
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sums) : "v"(y), "v"((int16)(x)));
  return sums;
#elif defined __AVX512BW__
  typedef short tsr_shorts __attribute__((ext_vector_type(32)));
  return sums + as_uint16(__builtin_ia32_pmaddwd512(__builtin_astype((int16)(x), tsr_shorts),
                                                    __builtin_astype(y, tsr_shorts)));
#elif defined __AVX2__
  const short16 pair = as_short16((int8)(x));
  return sums + as_uint16((int16)(as_int8(__builtin_ia32_pmaddwd256(pair, as_short16(y.lo))),
                                  as_int8(__builtin_ia32_pmaddwd256(pair, as_short16(y.hi)))));
#else
  return sums + as_uint16((x << 16 >> 16) * (y << 16 >> 16) + (x >> 16) * (y >> 16));
#endif
}

// The sums of TSR_WORD_ROWS rows and a strip over some pairs are added to t. Rows are `stride` words apart;
// those beyond `rows` are the last one's again.
TSR_FN void tsr_word_tile(__global const int *a, int stride, int rows, __global const int *b, int pairs,
                          long *t) {
  uint16 low[TSR_WORD_ROWS], high[TSR_WORD_ROWS];
#pragma unroll
  for (int r = 0; r < TSR_WORD_ROWS; r++) low[r] = high[r] = 0;
  __global const int *row[TSR_WORD_ROWS];
#pragma unroll
  for (int r = 0; r < TSR_WORD_ROWS; r++) row[r] = a + (long)(r < rows ? r : rows - 1) * stride;
  for (int k = 0; k < pairs; k++)
#pragma unroll
    for (int part = 0; part < TSR_PARTS; part++) {
      const int at = k * TSR_PARTS + part;
      const int16 y = vload16(at, b);
#pragma unroll
      for (int r = 0; r < TSR_WORD_ROWS; r++)
        if (part == 1) high[r] = tsr_add_words(high[r], row[r][at], y);
        else low[r] = tsr_add_words(low[r], row[r][at], y);
    }
#pragma unroll
  for (int r = 0; r < TSR_WORD_ROWS; r++) {
    const int16 rest = as_int16(low[r] - (high[r] << 16)), first = as_int16(high[r]);
    const long16 sum = convert_long16(first) * 65536L + convert_long16(rest);
    vstore16(vload16(r, t) + sum, r, t);
  }
}

// The results of sixteen sums of a row.
TSR_FN float16 tsr_integer_result16(long16 sum, int a, int16 b) {
  const int16 e = (TSR_DIGITS == 3 ? 16 : 0) - a - b, h = e >> 1;
  const float16 v = convert_float16_rte(sum) * as_float16((h + 127) << 23) * as_float16((e - h + 127) << 23);
  return select(v, (float16)(tsr_float(TSR_NAN_BITS)),
                (b == TSR_SCALE_NONE) | (int16)(-(a == TSR_SCALE_NONE)));
}
// The results of a strip's sums of rows first ..< end.
TSR_FN void tsr_word_results(const tsr_integer_gemm_params *p, const long *t, int first, int end, int column,
                             __global const int *a_scales, __global const int *b_scales,
                             __global const float *bias, __global float *c) {
  const int last = p->gemm.n - column < 16 ? p->gemm.n - column - 1 : 15;
  int scales[16];
  for (int j = 0; j < 16; j++) scales[j] = b_scales[column + (j < last ? j : last)];
  const int16 b = vload16(0, scales);
  // Columns that lie side by side are stored as one.
  const int together = tsr_integer_column(p, column + last) - tsr_integer_column(p, column) == last;
  const tsr_output output = tsr_integer_output(p, bias, c, column);
  for (int row = first; row < end; row++) {
    const float16 v = tsr_integer_result16(vload16(row - first, t), a_scales[row], b);
    if (together) {
      tsr_epilogue16(&output, row, column, v);
      continue;
    }
    float each[16];
    vstore16(v, 0, each);
    for (int j = 0; j <= last; j++) {
      const tsr_output own = tsr_integer_output(p, bias, c, column + j);
      tsr_epilogue(&own, row, column + j, each[j]);
    }
  }
}

TSR_SINGLE_ITEM_KERNEL void tsr_integer_matmul(const tsr_integer_gemm_params p, __global const int *a,
                                               __global const int *b, __global const float *bias,
                                               __global float *c) {
  const int strip = (int)get_global_id(0), first = (int)get_global_id(1) * p.rows;
  const int end = p.gemm.m - first < p.rows ? p.gemm.m : first + p.rows, pairs = p.words / TSR_PARTS;
  long t[TSR_ROWS_OF_ITEM * 16];
  for (int r = 0; r < TSR_ROWS_OF_ITEM; r++) vstore16((long16)(0), r, t);
  for (int begin = 0; begin < pairs; begin += TSR_PAIRS_OF_INT) {
    const int count = pairs - begin < TSR_PAIRS_OF_INT ? pairs - begin : TSR_PAIRS_OF_INT;
    __global const int *columns = b + p.b_first + ((long)strip * p.words + begin * TSR_PARTS) * 16;
    for (int row = first; row < end; row += TSR_WORD_ROWS)
      tsr_word_tile(a + p.a_first + (long)row * p.words + begin * TSR_PARTS, p.words, end - row, columns,
                    count, t + (row - first) * 16);
  }
  tsr_word_results(&p, t, first, end, strip * 16, a + p.a_scales, b + p.b_scales, bias, c);
}
#endif
