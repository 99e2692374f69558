// SPDX-License-Identifier: Apache-2.0
// The register tile of exact products by words of 16 bits, for every instruction set.
//
// Algorithm  With w = 256 d0 + d1, T = sum of w w' + d0 d2' + d2 d0' (of two digits: w w'). That sum is kept
//            modulo 2^32, and the sum of d0 d0' beside it; over 256 k what is left of T without 2^16 d0 d0'
//            fits 32 bits, so both give T exactly. Two products of 16 bits and their sum are one
//            instruction (pmaddwd).
// Tensors    Strips of words (pack.h); t (32, 16), sums of 64 bits that grow.
// Work       One thread.
// Tuning     TSR_WORD_ROWS: rows of the tile: 8 of 32 registers, 4 of 16.
//
//   a: (w w) (d0 d0) (d0 d2) (d0 d2)   x   b: (w w) (d0 d0) (d2 d0) (d2 d0)   ->  low, high, low, low
//
// Rules      12.
#pragma once

#include "integer_gemm/c/pack.h"

// k that the sums of 32 bits hold.
enum { TSR_WORD_BLOCKS = 4 };
#define TSR_WORD_ROWS (TSR_VECTOR == 16 || TSR_MR == 12 ? 8 : 4)

typedef int64_t integer_sums __attribute__((ext_vector_type(TSR_VECTOR), aligned(8)));

// Of each lane the sum of two products of 16 bits.
static inline __attribute__((always_inline)) uint_vector integer_madd(uint_vector a, uint_vector b) {
#if defined(__aarch64__)
  const int16x8_t x = (int16x8_t)a, y = (int16x8_t)b;
  const int32x4_t low = vmull_s16(vget_low_s16(x), vget_low_s16(y)), high = vmull_high_s16(x, y);
  return (uint_vector)vpaddq_s32(low, high);
#elif TSR_VECTOR == 16
  return (uint_vector)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif TSR_VECTOR == 8
  return (uint_vector)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#else
  return (uint_vector)_mm_madd_epi16((__m128i)a, (__m128i)b);
#endif
}

// Rows row ..< row + TSR_WORD_ROWS and a vector of columns from `column` on, over at most 256 of k.
static inline __attribute__((always_inline)) void integer_word_rows(const int parts, const int32_t *a,
                                                                    const int32_t *b, int pairs, int64_t *t) {
  uint_vector low[TSR_WORD_ROWS], high[TSR_WORD_ROWS];
  TSR_UNROLL for (int r = 0; r < TSR_WORD_ROWS; r++) low[r] = high[r] = 0;
  for (int k = 0; k < pairs; k++, a += parts * TSR_STRIP, b += parts * TSR_STRIP)
    TSR_UNROLL for (int part = 0; part < parts; part++) {
      const uint_vector y = *(const uint_vector *)(b + part * TSR_STRIP);
      TSR_UNROLL for (int r = 0; r < TSR_WORD_ROWS; r++) {
        const uint_vector sum = integer_madd((uint_vector)(unsigned)a[part * TSR_STRIP + r], y);
        if (part == 1) high[r] += sum;
        else low[r] += sum;
      }
    }
  TSR_UNROLL for (int r = 0; r < TSR_WORD_ROWS; r++) {
    const int_vector rest = (int_vector)(low[r] - (high[r] << 16u)), first = (int_vector)high[r];
    integer_sums *const at = (integer_sums *)(t + r * TSR_STRIP);
    *at += __builtin_convertvector(first, integer_sums) * 65536 + __builtin_convertvector(rest, integer_sums);
  }
}

static void integer_tile_words(const tsr_integer_tile *tile) {
  const int parts = integer_parts(tile->digits);
  const int64_t step = 32 * parts * TSR_STRIP;
  for (int block = 0; block < tile->blocks; block += TSR_WORD_BLOCKS) {
    const int left = tile->blocks - block, pairs = 32 * (left < TSR_WORD_BLOCKS ? left : TSR_WORD_BLOCKS);
    for (int row = 0; row < tile->rows; row += TSR_WORD_ROWS) {
      const int32_t *const a = (const int32_t *)tile->a[row / TSR_STRIP] + block * step + row % TSR_STRIP;
      for (int j = 0; j < TSR_STRIP; j += TSR_VECTOR) {
        const int32_t *const b = (const int32_t *)tile->b + block * step + j;
        int64_t *const t = tile->t + row * TSR_STRIP + j;
        if (parts == 4) integer_word_rows(4, a, b, pairs, t);
        else integer_word_rows(2, a, b, pairs, t);
      }
    }
  }
}
