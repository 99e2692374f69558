// SPDX-License-Identifier: Apache-2.0
// What convolutions as exact sums share: magnitudes of planes, digits of rows, bytes that become words.
//
// Algorithm  A plane's greatest magnitude is that of its bits. Values become digits once, by vectors; the
//            panels of products are then copies of bytes, or of the words made of them.
// Tensors    Planes (samples, channels, area). Bytes of a block: [digit][line 16][k 64]; words as in pack.h.
// Work       Whoever has the planes or the block.
// Tuning     None.
//
//   x  ->  |x| of a plane  ->  s  ->  q  ->  bytes d0 d1 (d2)  ->  a copy for each tap that meets them
//
// Rules      13.
#pragma once

#include "integer_gemm/c/integer_gemm.h"

// The greatest magnitudes' bits of planes begin ..< end, infinities and NaNs among them.
static void tsr_integer_magnitudes(const tsr_integer_planes *p, int begin, int end) {
  for (int plane = begin; plane < end; plane++) {
    const float *const from =
        p->x + plane / p->channels * p->sample_stride + (int64_t)(plane % p->channels) * p->area;
    int greatest = 0;
    for (int i = 0; i < p->area; i++) {
      const int m = (int)tsr_magnitude_bits(from[i]);
      greatest = greatest > m ? greatest : m;
    }
    p->magnitudes[plane] = greatest;
  }
}

// The scales of channels over all samples, by the magnitudes.
static void tsr_integer_channel_scales(const tsr_integer_planes *p, int digits, int *scales) {
  for (int c = 0; c < p->channels; c++) {
    int greatest = 0;
    for (int sample = 0; sample < p->samples; sample++) {
      const int m = p->magnitudes[(int64_t)sample * p->channels + c];
      greatest = greatest > m ? greatest : m;
    }
    scales[c] = tsr_digit_scale((tsr_u32)greatest, digits);
  }
}

// The digits of one value: q of a balanced, scaled number plus their offset.
static inline unsigned integer_digits_of(float scaled, int digits) {
  const int q = tsr_magnitude_bits(scaled) < 0x4b000000u ? tsr_rint_even(scaled) : 0;
  return (unsigned)(q + tsr_digit_offset(digits));
}

// Bytes side by side go to a line of a strip, from term k on; `size` bytes are a term, blocks of the strip
// are `block` bytes apart.
static inline void integer_copy(const signed char *from, int64_t count, int size, signed char *line,
                                int64_t block, int64_t k) {
  while (count > 0) {
    const int64_t at = k % TSR_INTEGER_BLOCK, room = TSR_INTEGER_BLOCK - at;
    signed char *const to = line + k / TSR_INTEGER_BLOCK * block + at * size;
    const int64_t part = count < room ? count : room;
    integer_copy_bytes(from, size * part, to);
    from += size * part, k += part, count -= part;
  }
}

// A block of 16 lines, bytes as a product's A has them, becomes words of A.
static void integer_words_of_bytes(const signed char *bytes, int digits, int32_t *to) {
  enum { COUNT = TSR_STRIP * TSR_INTEGER_BLOCK };
  const int parts = integer_parts(digits);
  short words[COUNT], first[COUNT];
  int32_t pairs[COUNT];
  for (int i = 0; i < COUNT; i++) {
    words[i] = (short)(256 * bytes[i] + bytes[COUNT + i]);
    first[i] = bytes[i];
  }
  integer_interleave((const int32_t *)words, TSR_INTEGER_BLOCK / 2, 1, parts, to);
  integer_interleave((const int32_t *)first, TSR_INTEGER_BLOCK / 2, 1, parts, to + TSR_STRIP);
  if (parts != 4) return;
  for (int i = 0; i < COUNT; i++)
    pairs[i] = (int32_t)((unsigned)(unsigned short)bytes[i] | (unsigned)bytes[2 * COUNT + i] << 16);
  integer_interleave(pairs, TSR_INTEGER_BLOCK, 2, parts, to + 2 * TSR_STRIP);
}

// Blocks of a strip of A: bytes as they are, or words of them.
static void integer_words_of_strip(const tsr_integer_gemm_plan *p, int64_t blocks, const signed char *bytes,
                                   char *to) {
  const int64_t step = 1024 * p->digits, words = integer_block_bytes(p->unit, p->digits, 0);
  for (int64_t i = 0; i < blocks; i++)
    integer_words_of_bytes(bytes + i * step, p->digits, (int32_t *)(to + i * words));
}
