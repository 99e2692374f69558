// SPDX-License-Identifier: Apache-2.0
// Random numbers by (seed, stream, element), never by thread or call.
//
// Algorithm  Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011); normal numbers by Box and Muller 1958.
//
//   counter: (block low, block high, stream low, stream high)     key: seed     ->     four words
//   element i is word i mod 4 of block i / 4
//
// Work       Any: a word depends on nothing but seed, stream and element.
// Tuning     None.
// Rules      7.
#pragma once

#include "common/math.h"

typedef struct {
  tsr_u32 w0, w1, w2, w3;
} tsr_words;

TSR_FN tsr_words tsr_philox(tsr_u32 k0, tsr_u32 k1, tsr_u32 c0, tsr_u32 c1, tsr_u32 c2, tsr_u32 c3) {
  for (int round = 0; round < 10; round++) {
    const tsr_u32 h0 = tsr_mulhi(0xD2511F53u, c0), l0 = 0xD2511F53u * c0;
    const tsr_u32 h1 = tsr_mulhi(0xCD9E8D57u, c2), l1 = 0xCD9E8D57u * c2;
    const tsr_u32 n0 = h1 ^ c1 ^ k0, n2 = h0 ^ c3 ^ k1;
    c0 = n0;
    c1 = l1;
    c2 = n2;
    c3 = l0;
    k0 = k0 + 0x9E3779B9u;
    k1 = k1 + 0xBB67AE85u;
  }
  tsr_words w;
  w.w0 = c0;
  w.w1 = c1;
  w.w2 = c2;
  w.w3 = c3;
  return w;
}

TSR_FN tsr_words tsr_random_block(const tsr_random_params p, tsr_i64 block) {
  const tsr_u64 at = (tsr_u64)block + p.first;
  return tsr_philox(p.seed_lo, p.seed_hi, (tsr_u32)at, (tsr_u32)(at >> 32), p.stream_lo, p.stream_hi);
}

TSR_FN tsr_u32 tsr_random_word(const tsr_random_params p, tsr_i64 i) {
  const tsr_words w = tsr_random_block(p, i >> 2);
  const tsr_u32 low = (i & 1) ? w.w1 : w.w0, high = (i & 1) ? w.w3 : w.w2;
  return (i & 2) ? high : low;
}

// In [0, 1), 24 bits.
TSR_FN float tsr_unit(tsr_u32 w) { return (float)(w >> 8) * 0x1p-24f; }

// Box-Muller: words 0 and 1 give elements 0 (cosine) and 1 (sine) of a block, words 2 and 3 the others.
TSR_FN float tsr_random_normal(const tsr_random_params p, tsr_i64 i) {
  const tsr_words w = tsr_random_block(p, i >> 2);
  const float u = (i & 2) ? tsr_unit(w.w2) : tsr_unit(w.w0);
  const float turn = (i & 2) ? tsr_unit(w.w3) : tsr_unit(w.w1);
  const float radius = tsr_sqrt(-2.0f * tsr_log(1.0f - u));
  return radius * tsr_turn(turn, (i & 1) ? 0 : 1);
}
