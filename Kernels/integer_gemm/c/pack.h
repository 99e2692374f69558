// SPDX-License-Identifier: Apache-2.0
// Packing for integer_gemm.h: balanced rows of A and columns of B become digits.
//
// Algorithm  Two passes over a strip of 16 lines (rows of A, columns of B), 64 of k at a time: the greatest
//            magnitudes, hence the scales; then the digits.
// Tensors    A (m, k) and B (k, n) by strides. A strip, of `blocks` blocks of 64 k, zeros beyond the last
//            line and k:
//            bytes: [block][digit][line 16][k 64] of A, [block][digit][k / 4][column 16][4] of B;
//            words: [block][k / 2][part][line 16][2], where the parts are pairs of 16 bits
//            (w of k and k + 1), (d0 of k and k + 1) and of three digits (d0, d2) of k, (d0, d2) of k + 1,
//            of B (d2, d0); w is 256 d0 + d1.
// Work       A thread packs a range of strips.
// Tuning     None.
//
//   16 lines x 64 k  ->  x 2^t 2^s  ->  q  ->  digits  ->  4 bytes of k side by side
//
// Rules      12.
#pragma once

#include "common/c/transpose.h"
#include "integer_gemm/digits.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#elif TSR_VECTOR == 4
#include <emmintrin.h>
#endif

enum { TSR_STRIP = 16, TSR_INTEGER_BLOCK = 64 };
typedef unsigned uint_vector __attribute__((ext_vector_type(TSR_VECTOR)));
typedef signed char byte_vector __attribute__((ext_vector_type(TSR_VECTOR), aligned(1)));
typedef short short_vector __attribute__((ext_vector_type(TSR_VECTOR), aligned(2)));

// Lines of an operand: element k of a line at `from + line * line_stride + k * k_stride`, times factors[k].
typedef struct {
  const float *from, *factors;
  int64_t line_stride, k_stride;
  int lines, k, digits, is_b;
} integer_lines;

static inline int64_t integer_blocks(int k) {
  return ((int64_t)k + TSR_INTEGER_BLOCK - 1) / TSR_INTEGER_BLOCK;
}
static inline int integer_parts(int digits) { return digits == 3 ? 4 : 2; }
static inline int64_t integer_block_bytes(int unit, int digits, int is_b) {
  if (unit == TSR_INTEGER_VNNI) return 1024 * (digits + 1) + (is_b ? 64 * (digits - 1) : 0);
  return unit == TSR_INTEGER_WORDS ? 2048 * integer_parts(digits) : 1024 * digits;
}

// Balanced values of 16 lines from `line` on and 64 k from k0 on: out[16][64].
static void integer_gather(const integer_lines *o, int line, int k0, float *out) {
  const int lines = o->lines - line < TSR_STRIP ? o->lines - line : TSR_STRIP;
  const int count = o->k - k0 < TSR_INTEGER_BLOCK ? o->k - k0 : TSR_INTEGER_BLOCK;
  const float *const from = o->from + line * o->line_stride + k0 * o->k_stride, *const f = o->factors + k0;
  if (lines < TSR_STRIP || count < TSR_INTEGER_BLOCK) memset(out, 0, 4 * TSR_STRIP * TSR_INTEGER_BLOCK);
  if (o->k_stride == 1) {
    for (int l = 0; l < lines; l++)
      for (int q = 0; q < count; q++) out[l * TSR_INTEGER_BLOCK + q] = from[l * o->line_stride + q] * f[q];
    return;
  }
  if (o->line_stride != 1 || lines < TSR_STRIP || count < TSR_INTEGER_BLOCK) {
    for (int q = 0; q < count; q++)
      for (int l = 0; l < lines; l++)
        out[l * TSR_INTEGER_BLOCK + q] = from[l * o->line_stride + q * o->k_stride] * f[q];
    return;
  }
  for (int q = 0; q < TSR_INTEGER_BLOCK; q += TSR_VECTOR)
    for (int l = 0; l < TSR_STRIP; l += TSR_VECTOR) {
      vector square[TSR_VECTOR];
      TSR_UNROLL for (int i = 0; i < TSR_VECTOR; i++) square[i] =
          *(const unaligned_vector *)(from + (q + i) * o->k_stride + l) * f[q + i];
      transpose_square(square);
      TSR_UNROLL for (int i = 0; i < TSR_VECTOR; i++) *
          (unaligned_vector *)(out + (l + i) * TSR_INTEGER_BLOCK + q) = square[i];
    }
}

// The scales of 16 lines, by their greatest magnitudes.
static void integer_scales(const integer_lines *o, int line, int *scales) {
  uint_vector greatest[TSR_STRIP];
  for (int l = 0; l < TSR_STRIP; l++) greatest[l] = 0;
  for (int k0 = 0; k0 < o->k; k0 += TSR_INTEGER_BLOCK) {
    float block[TSR_STRIP * TSR_INTEGER_BLOCK];
    integer_gather(o, line, k0, block);
    for (int l = 0; l < TSR_STRIP; l++)
      for (int q = 0; q < TSR_INTEGER_BLOCK; q += TSR_VECTOR) {
        const uint_vector bits = (uint_vector) * (unaligned_vector *)(block + l * TSR_INTEGER_BLOCK + q);
        greatest[l] = __builtin_elementwise_max(greatest[l], bits & 0x7fffffffu);
      }
  }
  for (int l = 0; l < TSR_STRIP; l++)
    scales[l] = tsr_digit_scale(__builtin_reduce_max(greatest[l]), o->digits);
}

// 16 lines of units of 32 bits, `count` of them each, become units of 16 lines: unit u goes to
// to[(u / group * parts + u % group) * 16].
static inline __attribute__((always_inline)) void integer_interleave(const int32_t *from, int count,
                                                                     const int group, int parts,
                                                                     int32_t *to) {
  for (int u = 0; u < count; u += TSR_VECTOR)
    for (int l = 0; l < TSR_STRIP; l += TSR_VECTOR) {
      vector square[TSR_VECTOR];
      TSR_UNROLL for (int i = 0; i < TSR_VECTOR; i++) square[i] =
          *(const unaligned_vector *)(from + (l + i) * count + u);
      transpose_square(square);
      TSR_UNROLL for (int i = 0; i < TSR_VECTOR; i++) *
          (unaligned_vector *)(to + ((u + i) / group * parts + (u + i) % group) * TSR_STRIP + l) = square[i];
    }
}

// To the nearest integer, to the even one of two; anything of what is no number or 2^31 and more.
static inline __attribute__((always_inline)) int_vector integer_rint(vector y) {
#if defined(__aarch64__)
  return (int_vector)vcvtnq_s32_f32((float32x4_t)y);
#elif TSR_VECTOR == 16
  return (int_vector)_mm512_cvtps_epi32((__m512)y);
#elif TSR_VECTOR == 8
  return (int_vector)_mm256_cvtps_epi32((__m256)y);
#else
  return (int_vector)_mm_cvtps_epi32((__m128)y);
#endif
}

// q of a vector of values, plus the digits' offset. A line with what is no number has a factor of 0 and no
// result that its digits reach.
static inline __attribute__((always_inline)) uint_vector integer_digits(vector y, float factor, int digits) {
  return (uint_vector)integer_rint(y * factor) + (unsigned)tsr_digit_offset(digits);
}

// A block of 16 lines as bytes.
static void integer_pack_bytes(const integer_lines *o, const float *block, const float *factors,
                               signed char *to) {
  for (int d = 0; d < o->digits; d++) {
    signed char plane[TSR_STRIP * TSR_INTEGER_BLOCK];
    signed char *const out = o->is_b ? plane : to + d * (int)sizeof plane;
    const int shift = 8 * (o->digits - 1 - d);
    for (int l = 0; l < TSR_STRIP; l++)
      for (int q = 0; q < TSR_INTEGER_BLOCK; q += TSR_VECTOR) {
        const int at = l * TSR_INTEGER_BLOCK + q;
        const uint_vector u = integer_digits(*(const unaligned_vector *)(block + at), factors[l], o->digits);
        *(byte_vector *)(out + at) = __builtin_convertvector((u >> (unsigned)shift) ^ 0x80u, byte_vector);
      }
    if (o->is_b)
      integer_interleave((const int32_t *)plane, TSR_INTEGER_BLOCK / 4, 1, 1,
                         (int32_t *)(to + d * (int)sizeof plane));
  }
}

// The same as words.
static void integer_pack_words(const integer_lines *o, const float *block, const float *factors,
                               int32_t *to) {
  const int parts = integer_parts(o->digits), high = 8 * (o->digits - 1);
  short words[TSR_STRIP * TSR_INTEGER_BLOCK], digits[TSR_STRIP * TSR_INTEGER_BLOCK];
  int32_t pairs[TSR_STRIP * TSR_INTEGER_BLOCK] __attribute__((aligned(64)));
  for (int l = 0; l < TSR_STRIP; l++)
    for (int q = 0; q < TSR_INTEGER_BLOCK; q += TSR_VECTOR) {
      const int at = l * TSR_INTEGER_BLOCK + q;
      const uint_vector u = integer_digits(*(const unaligned_vector *)(block + at), factors[l], o->digits);
      const uint_vector d0 = (u >> (unsigned)high) - 128u, d2 = (u & 255u) - 128u;
      const uint_vector w = (o->digits == 3 ? u >> 8u : u) - 0x8080u;
      *(short_vector *)(words + at) = __builtin_convertvector(w, short_vector);
      *(short_vector *)(digits + at) = __builtin_convertvector(d0, short_vector);
      const uint_vector pair = o->is_b ? (d2 & 0xffffu) | d0 << 16u : (d0 & 0xffffu) | d2 << 16u;
      *(int_vector *)(pairs + at) = (int_vector)pair;
    }
  integer_interleave((const int32_t *)words, TSR_INTEGER_BLOCK / 2, 1, parts, to);
  integer_interleave((const int32_t *)digits, TSR_INTEGER_BLOCK / 2, 1, parts, to + TSR_STRIP);
  if (parts == 4) integer_interleave(pairs, TSR_INTEGER_BLOCK, 2, parts, to + 2 * TSR_STRIP);
}
