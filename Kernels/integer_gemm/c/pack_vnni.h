// SPDX-License-Identifier: Apache-2.0
// Packing for isa/avx512_vnni.c: digits become words w = 256 d0 + d1 and bytes d0 (and d2).
//
// Algorithm  Bytes of 16 numbers are brought together in quarters of a register, then words and bytes of 64.
//            A's lines that lie in memory as they are packed are read twice while they are in the level 1
//            cache: for the scale and for the digits.
// Tensors    A's strip: [block of 64 k][line 16][w 64 x 2 bytes | d0 64 | d2 64], bytes plus 128. B's:
//            [block][sums][k / 4][w of k, k + 1 | w of k + 2, k + 3 | d0 | d2][column 16][4 bytes]; the sums
//            begin with -128 times the sum of d0 (high) and of d0 + d2 (low), 16 columns each. Of two
//            digits w is q, and neither d2 nor low is there.
// Work       Whoever packs strips.
// Tuning     None.
//
//   q q q q  ->  w w w w | d0 d0 d0 d0 | d2 d2 d2 d2  ->  64 words, 64 bytes, 64 bytes
//
// Rules      12, 13.
#pragma once

#include "integer_gemm/c/pack.h"

// Where a part of a line's digits is: `size` bytes an element, `plane` bytes for each element before it in an
// image, `at` bytes after a line's first in a block of a strip.
typedef struct {
  int size, plane, at;
} integer_part;

// A's digits have as many parts: of VNNI words and bytes, of the other units the digits' bytes, of which
// words are made afterwards.
static inline integer_part integer_part_at(int unit, int part) {
  if (unit != TSR_INTEGER_VNNI) return (integer_part){1, part, part * TSR_STRIP * TSR_INTEGER_BLOCK};
  return (integer_part){part == 0 ? 2 : 1, part == 0 ? 0 : part + 1, part == 0 ? 0 : 64 * (part + 1)};
}
// Bytes of an element, all parts together; from one line of a block to the next one.
static inline int integer_element_bytes(int unit, int digits) {
  return unit == TSR_INTEGER_VNNI ? digits + 1 : digits;
}
static inline int integer_line_bytes(int unit, int digits) {
  return unit == TSR_INTEGER_VNNI ? TSR_INTEGER_BLOCK * (digits + 1) : TSR_INTEGER_BLOCK;
}
// Every byte of a part of the digits of 0.
static inline int integer_zero_byte(int unit, int part) {
  return unit == TSR_INTEGER_VNNI && part > 0 ? 0x80 : 0;
}

// A part of numbers q plus their offset, by vectors and one at a time.
static inline __attribute__((always_inline)) void integer_store_part(int unit, int digits, int part,
                                                                     uint_vector u, signed char *to) {
  const unsigned shift = (unsigned)(8 * (digits - 1 - part));
  if (unit != TSR_INTEGER_VNNI) {
    *(byte_vector *)to = __builtin_convertvector((u >> shift) ^ 0x80u, byte_vector);
  } else if (part > 0) {
    *(byte_vector *)to = __builtin_convertvector(part == 1 ? u >> (shift + 8u) : u, byte_vector);
  } else {
    const uint_vector w = (digits == 3 ? u >> 8u : u) - 0x8080u;
    *(short_vector *)to = __builtin_convertvector(w, short_vector);
  }
}
// A copy of few bytes.
static inline void integer_copy_bytes(const signed char *from, int64_t count, signed char *to) {
#if TSR_VECTOR == 16
  for (; count >= 64; count -= 64, from += 64, to += 64) _mm512_storeu_si512(to, _mm512_loadu_si512(from));
  if (count == 0) return;
  const __mmask64 some = ((__mmask64)1 << count) - 1u;
  _mm512_mask_storeu_epi8(to, some, _mm512_maskz_loadu_epi8(some, from));
#else
  memcpy(to, from, (size_t)count);
#endif
}
// The first `count` of a vector's.
static inline void integer_store_some(int unit, int digits, int part, uint_vector u, int count,
                                      signed char *to) {
  if (count == TSR_VECTOR) return integer_store_part(unit, digits, part, u, to);
  signed char all[2 * TSR_VECTOR];
  integer_store_part(unit, digits, part, u, all);
  integer_copy_bytes(all, (int64_t)count * integer_part_at(unit, part).size, to);
}
static inline void integer_put_part(int unit, int digits, int part, unsigned u, signed char *to) {
  const unsigned shift = (unsigned)(8 * (digits - 1 - part));
  if (unit != TSR_INTEGER_VNNI) {
    *to = (signed char)(u >> shift ^ 0x80u);
  } else if (part > 0) {
    *to = (signed char)(part == 1 ? u >> (shift + 8u) : u);
  } else {
    const short w = (short)((digits == 3 ? u >> 8 : u) - 0x8080u);
    memcpy(to, &w, sizeof w);
  }
}

#if TSR_VECTOR == 16
#define VNNI_QUARTER(...) _mm512_broadcast_i32x4(_mm_setr_epi8(__VA_ARGS__))

// Of 16 numbers q plus their offset: in each quarter four words, four bytes of d0 and of d2. B's bytes have a
// sign.
static inline __attribute__((always_inline)) __m512i vnni_quarters(uint_vector u, int digits, int is_b) {
  const __m512i of_three = VNNI_QUARTER(1, 2, 5, 6, 9, 10, 13, 14, 2, 6, 10, 14, 0, 4, 8, 12);
  const __m512i of_two = VNNI_QUARTER(0, 1, 4, 5, 8, 9, 12, 13, 1, 5, 9, 13, 0, 4, 8, 12);
  const __m512i all = _mm512_set1_epi8((char)0x80);
  const __m512i parts = _mm512_shuffle_epi8((__m512i)u, digits == 3 ? of_three : of_two);
  const __m512i bytes = is_b ? _mm512_xor_si512(parts, all) : parts;
  return _mm512_mask_sub_epi16(bytes, 0x0f0f0f0fu, parts, all);
}

// 64 numbers q plus their offset become a line of a block.
static inline __attribute__((always_inline)) void vnni_line(const uint_vector *u, int digits, int is_b,
                                                            signed char *to) {
  const __m512i words = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
  const __m512i bytes = _mm512_setr_epi32(2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
  __m512i half[2];
  TSR_UNROLL for (int i = 0; i < 2; i++) {
    const __m512i x = vnni_quarters(u[2 * i], digits, is_b), y = vnni_quarters(u[2 * i + 1], digits, is_b);
    _mm512_storeu_si512(to + 64 * i, _mm512_permutex2var_epi64(x, words, y));
    half[i] = _mm512_permutex2var_epi32(x, bytes, y);
  }
  _mm512_storeu_si512(to + 128, _mm512_shuffle_i64x2(half[0], half[1], 0x44));
  if (digits == 3) _mm512_storeu_si512(to + 192, _mm512_shuffle_i64x2(half[0], half[1], 0xee));
}

// A line of A whose k lie side by side; `to` is its place in the first block.
static void vnni_pack_line(const integer_lines *o, int line, signed char *to, int *scale) {
  const float *const from = o->from + line * o->line_stride;
  uint_vector greatest[2] = {0, 0};
  int k = 0;
  for (; k + 2 * TSR_VECTOR <= o->k; k += 2 * TSR_VECTOR) TSR_UNROLL for (int i = 0; i < 2; i++) {
      __builtin_prefetch(from + 2 * o->line_stride + k + 16 * i);
      const vector y = *(const unaligned_vector *)(from + k + 16 * i) *
                       *(const unaligned_vector *)(o->factors + k + 16 * i);
      greatest[i] = __builtin_elementwise_max(greatest[i], (uint_vector)y & 0x7fffffffu);
    }
  for (; k < o->k; k += TSR_VECTOR) {
    const int left = o->k - k, count = left < TSR_VECTOR ? left : TSR_VECTOR;
    const vector y = load_part(from + k, count) * load_part(o->factors + k, count);
    greatest[0] = __builtin_elementwise_max(greatest[0], (uint_vector)y & 0x7fffffffu);
  }
  const tsr_u32 most = __builtin_reduce_max(__builtin_elementwise_max(greatest[0], greatest[1]));
  *scale = tsr_digit_scale(most, o->digits);
  const float factor = tsr_scale_factor(*scale);
  const int64_t block = integer_block_bytes(TSR_INTEGER_VNNI, o->digits, 0);
  for (k = 0; k < o->k; k += TSR_INTEGER_BLOCK, to += block) {
    uint_vector u[4];
    TSR_UNROLL for (int i = 0; i < 4; i++) {
      const int left = o->k - k - 16 * i, count = left < 0 ? 0 : left < TSR_VECTOR ? left : TSR_VECTOR;
      u[i] = integer_digits(load_part(from + k + 16 * i, count) * load_part(o->factors + k + 16 * i, count),
                            factor, o->digits);
    }
    vnni_line(u, o->digits, 0, to);
  }
}

// A block of 16 lines, balanced: of A to its lines' places.
static void vnni_pack_block(const integer_lines *o, const float *block, const float *factors,
                            signed char *to) {
  for (int l = 0; l < TSR_STRIP; l++) {
    uint_vector u[4];
    TSR_UNROLL for (int i = 0; i < 4; i++) u[i] = integer_digits(
        *(const unaligned_vector *)(block + l * TSR_INTEGER_BLOCK + 16 * i), factors[l], o->digits);
    vnni_line(u, o->digits, o->is_b, to + l * integer_line_bytes(TSR_INTEGER_VNNI, o->digits));
  }
}

// The sums of four bytes with a sign in each lane of 32 bits.
static inline __attribute__((always_inline)) int_vector vnni_sums(vector bytes) {
  const __m512i pairs = _mm512_maddubs_epi16(_mm512_set1_epi8(1), (__m512i)bytes);
  return (int_vector)_mm512_madd_epi16(_mm512_set1_epi16(1), pairs);
}

// The same of B: lines become columns, after the sums.
static void vnni_pack_columns(const integer_lines *o, const float *block, const float *factors,
                              signed char *to) {
  enum { PARTS = 4, UNIT = 4 * TSR_STRIP };
  signed char lines[TSR_STRIP * PARTS * TSR_INTEGER_BLOCK] __attribute__((aligned(64)));
  vnni_pack_block(o, block, factors, lines);
  const int parts = o->digits + 1, line = integer_line_bytes(TSR_INTEGER_VNNI, o->digits);
  int_vector sums[2] = {0, 0};
  signed char *const first = to + UNIT * (o->digits - 1);
  for (int part = 0; part < parts; part++) {
    vector square[TSR_STRIP];
    TSR_UNROLL for (int l = 0; l < TSR_STRIP; l++) square[l] =
        *(const unaligned_vector *)(lines + l * line + 64 * part);
    transpose_square(square);
    TSR_UNROLL for (int i = 0; i < TSR_STRIP; i++) {
      // Of the first two parts a vector is two words of a group of four k, of the others a group's bytes.
      const int at = part < 2 ? (8 * part + i / 2) * parts + i % 2 : i * parts + part;
      *(unaligned_vector *)(first + UNIT * at) = square[i];
      if (part >= 2) sums[part - 2] += vnni_sums(square[i]);
    }
  }
  *(int_vector *)to = sums[0] * -128;
  if (o->digits == 3) *(int_vector *)(to + UNIT) = (sums[0] + sums[1]) * -128;
}
#endif

// A block of 16 lines, balanced, for a unit.
static inline void integer_pack_block(const integer_lines *o, int unit, const float *block,
                                      const float *factors, char *to) {
  if (unit == TSR_INTEGER_WORDS) integer_pack_words(o, block, factors, (int32_t *)to);
#if TSR_VECTOR == 16
  else if (unit == TSR_INTEGER_VNNI && o->is_b) vnni_pack_columns(o, block, factors, (signed char *)to);
  else if (unit == TSR_INTEGER_VNNI) vnni_pack_block(o, block, factors, (signed char *)to);
#endif
  else integer_pack_bytes(o, block, factors, (signed char *)to);
}

// Strips begin ..< end and the scales of their lines.
static void integer_pack(const integer_lines *o, int unit, int begin, int end, char *packed, int *scales) {
  const int64_t bytes = integer_block_bytes(unit, o->digits, o->is_b);
  for (int strip = begin; strip < end; strip++) {
    const int line = strip * TSR_STRIP;
    int *const own = scales + line;
    char *to = packed + strip * integer_blocks(o->k) * bytes;
#if TSR_VECTOR == 16
    if (unit == TSR_INTEGER_VNNI && !o->is_b && o->k_stride == 1) {
      const int step = integer_line_bytes(unit, o->digits);
      for (int l = 0; l < TSR_STRIP && line + l < o->lines; l++)
        vnni_pack_line(o, line + l, (signed char *)to + l * step, own + l);
      continue;
    }
#endif
    integer_scales(o, line, own);
    float factors[TSR_STRIP];
    for (int l = 0; l < TSR_STRIP; l++) factors[l] = tsr_scale_factor(own[l]);
    for (int k0 = 0; k0 < o->k; k0 += TSR_INTEGER_BLOCK, to += bytes) {
      float block[TSR_STRIP * TSR_INTEGER_BLOCK];
      integer_gather(o, line, k0, block);
      integer_pack_block(o, unit, block, factors, to);
    }
  }
}
