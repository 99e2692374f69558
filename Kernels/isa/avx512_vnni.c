// SPDX-License-Identifier: Apache-2.0
// Exact sums of digits by AVX-512 VNNI.
//
// Algorithm  With w = 256 d0 + d1, T = sum of w w' + d0 d2' + d2 d0' (of two digits: w w'), as in
//            integer_gemm/c/words.h: that sum modulo 2^32, and beside it the sum of d0 d0', which says what
//            was lost. vpdpwssd multiplies words, two of a sum at once, vpdpbusd bytes, four at once: five
//            instructions for four terms, and three of two digits. A's bytes have no sign but 128 added;
//            the sums begin with what takes that back, which is packed with B.
// Tensors    Strips of pack_vnni.h; t (32, 16) of one or two strips of B, sums of 64 bits.
// Work       One thread.
// Tuning     6 or 5 rows x 32 columns of two sums: 24 of 32 registers, one operand of memory for two
//            products. CHUNK blocks of 64 k: what the sums hold.
//
//   a: w w | w w | d0 d0 d0 d0 | d2 d2 d2 d2     of a row, repeated
//        x     x        x   \  /   x
//   b: w w | w w | d0 d0 d0 d0 | d2 d2 d2 d2     of 16 columns
//     low += low +=  high +=     low += crosswise
//
// Rules      12.
#if defined(__x86_64__)
#include "include/cpu_kernels.h"
#include <immintrin.h>

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512vnni,avx2,fma"))), apply_to = function)
#define UNROLL _Pragma("clang loop unroll(full)")
// T without 2^16 d0 d0' fits 32 bits over 256 terms: 256 (2^8 2 127 128 + 128 128 + 2 127 128) < 2^31.
enum { CHUNK = 4, VECTOR = 64, MOST_ROWS = 6 };

// Parts of a block for four k; bytes of A's lines, of B's sums before its parts, and of blocks.
#define PARTS(digits) ((digits) + 1)
#define LINE(digits) (64 * PARTS(digits))
#define SUMS(digits) (VECTOR * ((digits) - 1))
#define A_BLOCK(digits) (16 * LINE(digits))
#define B_BLOCK(digits) (SUMS(digits) + 16 * VECTOR * PARTS(digits))

// sum + the products of two words. Written out, for compilers make two instructions of the built-in function.
static inline __attribute__((always_inline)) __m512i add_words(__m512i sum, __m512i a, __m512i b) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}
// Four bytes, repeated.
static inline __attribute__((always_inline)) __m512i repeated(const char *a) {
  int bytes;
  __builtin_memcpy(&bytes, a, 4);
  return _mm512_set1_epi32(bytes);
}

// t = 2^16 high + rest, sixteen columns, or so much more, where low = 2^16 high + rest modulo 2^32.
static inline __attribute__((always_inline)) void store_sums(int64_t *t, int adds, __m512i high,
                                                             __m512i low) {
  const __m512i rest = _mm512_sub_epi32(low, _mm512_slli_epi32(high, 16));
  UNROLL for (int half = 0; half < 2; half++) {
    const __m512i h =
        _mm512_cvtepi32_epi64(half ? _mm512_extracti64x4_epi64(high, 1) : _mm512_castsi512_si256(high));
    const __m512i r =
        _mm512_cvtepi32_epi64(half ? _mm512_extracti64x4_epi64(rest, 1) : _mm512_castsi512_si256(rest));
    __m512i sum = _mm512_add_epi64(_mm512_slli_epi64(h, 16), r);
    if (adds) sum = _mm512_add_epi64(_mm512_load_si512(t + 8 * half), sum);
    _mm512_store_si512(t + 8 * half, sum);
  }
}

// What a chunk is for a register tile: `a` of its first row; how far B's strips and their sums lie apart;
// what the caches are asked for meanwhile.
typedef struct {
  const char *a, *b, *ahead;
  int64_t b_apart, t_apart;
  int terms, adds;
  int64_t *t;
} part;

// `rows` rows by `strips` strips of 16 columns, over at most CHUNK blocks.
static inline __attribute__((always_inline)) void vnni_rows(const int digits, const int rows,
                                                            const int strips, const part *p) {
  const char *a = p->a, *b = p->b, *ahead = p->ahead;
  __m512i high[MOST_ROWS][2], low[MOST_ROWS][2];
  UNROLL for (int j = 0; j < strips; j++) {
    __m512i first = _mm512_setzero_si512(), second = first;
    for (int i = 0; i < p->terms; i += 64) {
      const char *const sums = b + j * p->b_apart + i / 64 * B_BLOCK(digits);
      first = _mm512_add_epi32(first, _mm512_load_si512(sums));
      if (digits == 3) second = _mm512_add_epi32(second, _mm512_load_si512(sums + VECTOR));
    }
    UNROLL for (int r = 0; r < rows; r++) high[r][j] = first, low[r][j] = second;
  }
  for (int left = p->terms; left > 0; left -= 64, a += A_BLOCK(digits), b += B_BLOCK(digits)) {
    const char *at = b + SUMS(digits);
    const int64_t end = left < 64 ? left : 64;
    _Pragma("clang loop unroll(disable)") for (int64_t k = 0; k < end; k += 4, at += VECTOR * PARTS(digits)) {
      __m512i y[2], z[2];
      if (rows == MOST_ROWS) _mm_prefetch(ahead, _MM_HINT_T1), ahead += VECTOR;
      UNROLL for (int word = 0; word < 2; word++) {
        UNROLL for (int j = 0; j < strips; j++) y[j] = _mm512_load_si512(at + j * p->b_apart + word * VECTOR);
        UNROLL for (int r = 0; r < rows; r++) {
          const __m512i x = repeated(a + r * LINE(digits) + 2 * k + 4 * word);
          UNROLL for (int j = 0; j < strips; j++) low[r][j] = add_words(low[r][j], x, y[j]);
        }
      }
      UNROLL for (int j = 0; j < strips; j++) {
        y[j] = _mm512_load_si512(at + j * p->b_apart + 2 * VECTOR);
        if (digits == 3) z[j] = _mm512_load_si512(at + j * p->b_apart + 3 * VECTOR);
      }
      UNROLL for (int r = 0; r < rows; r++) {
        const __m512i x = repeated(a + r * LINE(digits) + 128 + k);
        UNROLL for (int j = 0; j < strips; j++) high[r][j] = _mm512_dpbusd_epi32(high[r][j], x, y[j]);
        if (digits == 2) continue;
        const __m512i third = repeated(a + r * LINE(digits) + 192 + k);
        UNROLL for (int j = 0; j < strips; j++) low[r][j] =
            _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(low[r][j], x, z[j]), third, y[j]);
      }
    }
  }
  UNROLL for (int r = 0; r < rows; r++) UNROLL for (int j = 0; j < strips; j++)
      store_sums(p->t + j * p->t_apart + 16 * r, p->adds, high[r][j], low[r][j]);
}

// A strip of 16 rows, or the first `rows` of it, by one or two strips of columns, over a chunk.
static inline __attribute__((always_inline)) void vnni_strip(const int digits, const int strips, part p,
                                                             int rows) {
  vnni_rows(digits, 6, strips, &p);
  for (int row = 6; row < 16 && row < rows; row += 5) {
    p.a += (row == 6 ? 6 : 5) * LINE(digits), p.t += 16 * (row == 6 ? 6 : 5);
    vnni_rows(digits, 5, strips, &p);
  }
}
static __attribute__((noinline)) void strip_of_three(const part *p, int strips, int rows) {
  if (strips == 2) vnni_strip(3, 2, *p, rows);
  else vnni_strip(3, 1, *p, rows);
}
static __attribute__((noinline)) void strip_of_two(const part *p, int strips, int rows) {
  if (strips == 2) vnni_strip(2, 2, *p, rows);
  else vnni_strip(2, 1, *p, rows);
}

void tsr_integer_tiles_vnni(const tsr_integer_tile *tiles, int count) {
  const int digits = tiles->digits;
  const char *ahead = tiles->ahead;
  int block = 0;
  // Without a term the sums are 0.
  do {
    const int left = tiles->terms - 64 * block, terms = left < 64 * CHUNK ? left : 64 * CHUNK;
    for (int row = 0; row < tiles->rows; row += 16) {
      part p = {(const char *)tiles->a[row / 16] + (int64_t)block * A_BLOCK(digits),
                (const char *)tiles->b + (int64_t)block * B_BLOCK(digits),
                ahead,
                0,
                0,
                terms,
                block > 0 || tiles->adds,
                tiles->t + 16 * row};
      if (count == 2) {
        p.b_apart = (const char *)tiles[1].b - (const char *)tiles->b;
        p.t_apart = tiles[1].t - tiles->t;
      }
      if (digits == 3) strip_of_three(&p, count, tiles->rows - row);
      else strip_of_two(&p, count, tiles->rows - row);
      ahead += terms / 4 * VECTOR;
    }
    block += CHUNK;
  } while (64 * block < tiles->terms);
}
#pragma clang attribute pop
#endif
