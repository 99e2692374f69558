// SPDX-License-Identifier: Apache-2.0
// Exact sums of digits by AVX-512 VNNI.
//
// Algorithm  vpdpbusd multiplies bytes without a sign by bytes with one and adds four products to 32 bits.
//            B's digits become bytes without a sign by 128, A's sums of digits take it back. Products of
//            equal weight have one sum: d0 d0', d0 d1' + d1 d0', and of three digits d0 d2' + d1 d1' +
//            d2 d0', of two d1 d1'.
// Tensors    Strips of bytes (integer_gemm/c/pack.h); t (32, 16), sums of 64 bits that grow.
// Work       One thread.
// Tuning     ROWS 8 x 16 columns of three sums: 24 of 32 registers.
//
//   a: 4 bytes of a row, repeated   x   b: 16 columns of 4 bytes   ->  16 sums
//
// Rules      12.
#if defined(__x86_64__)
#include "include/cpu_kernels.h"
#include <immintrin.h>

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512vnni,avx2,fma"))), apply_to = function)
#define UNROLL _Pragma("clang loop unroll(full)")
// BLOCKS of 64 k: three products of 255 x 128 fit 32 bits 21,931 times.
enum { ROWS = 8, BLOCKS = 256, PLANE = 1024 };

// t += s0 2^16 + s1 2^8 + s2 - 128 x, sixteen columns; x: the same sum of A's digits.
static inline __attribute__((always_inline)) void add_sums(int64_t *t, const __m512i *s, __m512i x) {
  UNROLL for (int half = 0; half < 2; half++) {
    __m512i w[3];
    UNROLL for (int i = 0; i < 3; i++) w[i] =
        _mm512_cvtepi32_epi64(half ? _mm512_extracti64x4_epi64(s[i], 1) : _mm512_castsi512_si256(s[i]));
    __m512i sum = _mm512_add_epi64(_mm512_slli_epi64(w[0], 16), _mm512_slli_epi64(w[1], 8));
    sum = _mm512_sub_epi64(_mm512_add_epi64(sum, w[2]), _mm512_slli_epi64(x, 7));
    _mm512_store_si512(t + 8 * half, _mm512_add_epi64(_mm512_load_si512(t + 8 * half), sum));
  }
}

// The sum of a row's digits, by weights, over `blocks` blocks.
static inline __attribute__((always_inline)) int64_t digit_sum(const int digits, const char *a, int blocks) {
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i s[3] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
  for (int i = 0; i < blocks; i++, a += digits * PLANE)
    UNROLL for (int d = 0; d < digits; d++) s[d] =
        _mm512_dpbusd_epi32(s[d], ones, _mm512_loadu_si512(a + d * PLANE));
  const int64_t d0 = _mm512_reduce_add_epi32(s[0]), d1 = _mm512_reduce_add_epi32(s[1]),
                d2 = _mm512_reduce_add_epi32(s[2]);
  return d0 * 65536 + (d0 + d1) * 256 + (digits == 3 ? d0 + d1 + d2 : d1);
}

static inline __attribute__((always_inline)) void vnni_rows(const int digits, const char *a, const char *b,
                                                            int blocks, int64_t *t) {
  const __m512i sign = _mm512_set1_epi8((char)0x80);
  const char *const first = a;
  __m512i s[ROWS][3];
  UNROLL for (int r = 0; r < ROWS; r++) s[r][0] = s[r][1] = s[r][2] = _mm512_setzero_si512();
  for (int i = 0; i < blocks; i++, a += digits * PLANE, b += digits * PLANE)
    _Pragma("clang loop unroll(disable)") for (int k = 0; k < 64; k += 4) {
      __m512i y[3];
      UNROLL for (int d = 0; d < digits; d++) y[d] =
          _mm512_xor_si512(sign, _mm512_load_si512(b + d * PLANE + 16 * k));
      UNROLL for (int r = 0; r < ROWS; r++) UNROLL for (int d = 0; d < digits; d++) {
        int bytes;
        __builtin_memcpy(&bytes, a + d * PLANE + 64 * r + k, 4);
        const __m512i x = _mm512_set1_epi32(bytes);
        UNROLL for (int e = 0; e < digits; e++) if (digits == 2 || d + e < 3) s[r][d + e] =
            _mm512_dpbusd_epi32(s[r][d + e], y[e], x);
      }
    }
  UNROLL for (int r = 0; r < ROWS; r++)
      add_sums(t + 16 * r, s[r], _mm512_set1_epi64(digit_sum(digits, first + 64 * r, blocks)));
}

void tsr_integer_tile_vnni(const tsr_integer_tile *tile) {
  for (int block = 0; block < tile->blocks; block += BLOCKS) {
    const int left = tile->blocks - block, blocks = left < BLOCKS ? left : BLOCKS;
    const int64_t at = (int64_t)block * tile->digits * PLANE;
    for (int row = 0; row < 32; row += ROWS) {
      const char *const a = (const char *)tile->a[row / 16] + at + 64 * (row % 16);
      const char *const b = (const char *)tile->b + at;
      if (tile->digits == 3) vnni_rows(3, a, b, blocks, tile->t + 16 * row);
      else vnni_rows(2, a, b, blocks, tile->t + 16 * row);
    }
  }
}
#pragma clang attribute pop
#endif
