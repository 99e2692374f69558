// SPDX-License-Identifier: Apache-2.0
// Sums by 64 lanes in C: the additions of common/sums.h, which has OpenCL's text, kept in registers.
//
// Algorithm  That of common/sums.h. A compiler keeps an array in registers only if every index into it is
//            a constant once loops are unrolled. So blocks join, and lanes combine, in whole vectors; and
//            the last elements of a row go by a copy.
// Tensors    A row of n elements.
// Work       One thread.
// Tuning     TSR_VECTOR (isa/): the 64 lanes are 4, 8 or 16 registers.
//
//   block of 16 steps:   sum[0 ... 3] += elements        four vectors of sixteen lanes, in registers
//   block ends:          part[level] = sum + part[0 ...] one store; level by level while there is a carry
//   fewer than 64 left:  a copy in memory                only there is a lane's number known at run time
//
// Rules      5 and 6.
#pragma once

#include "common/sums.h"

// Of memory at a multiple of 64 bytes.
typedef float tsr_sixteen __attribute__((vector_size(64), may_alias));
#define TSR_SIXTEENS(a) ((tsr_sixteen *)(a))

#define TSR_LANE_SUM(a)                                                                   \
  _Alignas(64) float a[TSR_LANES], a##_rest[TSR_LANES], a##_parts[TSR_LEVELS][TSR_LANES]; \
  tsr_clear(a);                                                                           \
  tsr_u32 a##_blocks = 0;                                                                 \
  int a##_steps = 0, a##_away = 0;                                                        \
  (void)a##_steps, (void)a##_away;

TSR_FN void tsr_clear(float *sum) {
  for (int k = 0; k < 4; k++) TSR_SIXTEENS(sum)[k] = (tsr_sixteen){0.0f};
}
TSR_FN void tsr_copy_lanes(float *to, const float *from) {
  for (int k = 0; k < 4; k++) TSR_SIXTEENS(to)[k] = ((const tsr_sixteen *)from)[k];
}
// The block that ended joins those before it, as a binary counter carries: level k holds the sum of 2^k
// blocks.
TSR_FN void tsr_fold(float *block, float (*parts)[TSR_LANES], tsr_u32 blocks) {
  tsr_sixteen *sum = TSR_SIXTEENS(block), *part = TSR_SIXTEENS(parts);
  tsr_sixteen s0 = sum[0], s1 = sum[1], s2 = sum[2], s3 = sum[3];
  for (; blocks & 1u; blocks >>= 1, part += 4) s0 += part[0], s1 += part[1], s2 += part[2], s3 += part[3];
  part[0] = s0, part[1] = s1, part[2] = s2, part[3] = s3;
  tsr_clear(block);
}
TSR_FN void tsr_join(float *block, const float (*parts)[TSR_LANES], tsr_u32 blocks) {
  tsr_sixteen *sum = TSR_SIXTEENS(block);
  const tsr_sixteen *part = (const tsr_sixteen *)parts;
  for (; blocks != 0u; blocks >>= 1, part += 4)
    if (blocks & 1u) sum[0] += part[0], sum[1] += part[1], sum[2] += part[2], sum[3] += part[3];
}
// Lanes combine by halves: 32, 16, 8, 4, 2, 1.
TSR_FN float tsr_halves(const float *lanes) {
  const tsr_sixteen *sum = (const tsr_sixteen *)lanes;
  tsr_sixteen s = (sum[0] + sum[2]) + (sum[1] + sum[3]);
  s += __builtin_shufflevector(s, s, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
  s += __builtin_shufflevector(s, s, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7);
  return (s[0] + s[2]) + (s[1] + s[3]);
}
#define TSR_FOLD(a) tsr_fold(a, a##_parts, a##_blocks++);
#define TSR_SUM(a, result)                   \
  if (a##_away) tsr_copy_lanes(a, a##_rest); \
  tsr_join(a, a##_parts, a##_blocks);        \
  const float result = tsr_halves(a);

#define TSR_OUT(a)             \
  tsr_copy_lanes(a##_rest, a); \
  a##_away = 1;
#define TSR_THERE(a) float *const a = a##_rest;
#define TSR_BACK(a)            \
  tsr_copy_lanes(a, a##_rest); \
  a##_away = 0;
#define TSR_OF1(what, a) what(a)
#define TSR_OF2(what, a, b) what(a) what(b)
#define TSR_OF3(what, a, b, c) what(a) what(b) what(c)
#define TSR_OF5(what, a, b, c, d, e) what(a) what(b) what(c) what(d) what(e)
#define TSR_ACCUMULATE1(n, a, body) TSR_EACH_BLOCK(n, a, body, TSR_REST, TSR_OF1, a)
#define TSR_ACCUMULATE2(n, a, b, body) TSR_EACH_BLOCK(n, a, body, TSR_REST, TSR_OF2, a, b)
#define TSR_ACCUMULATE3(n, a, b, c, body) TSR_EACH_BLOCK(n, a, body, TSR_REST, TSR_OF3, a, b, c)
#define TSR_ACCUMULATE5(n, a, b, c, d, e, body) TSR_EACH_BLOCK(n, a, body, TSR_REST, TSR_OF5, a, b, c, d, e)
#define TSR_ACCUMULATE_SAMPLE1(n, a, body) TSR_EACH_BLOCK(n, a, body, TSR_SHORT_REST, TSR_OF1, a)
#define TSR_ACCUMULATE_SAMPLE2(n, a, b, body) TSR_EACH_BLOCK(n, a, body, TSR_SHORT_REST, TSR_OF2, a, b)
// Whole steps of a block, then what is left of the row; `steps` of the block are behind. What ends a block is
// done when the next one begins. Sums that are away in memory stay there until a whole step comes.
#define TSR_EACH_BLOCK(n, a, body, REST, OF, ...)                                                    \
  {                                                                                                  \
    const tsr_i64 tsr_all = (n);                                                                     \
    for (tsr_i64 j0 = 0; j0 < tsr_all;) {                                                            \
      const int tsr_full = a##_steps == TSR_BLOCK_STEPS;                                             \
      if (a##_away && (tsr_full || tsr_all >= TSR_LANES)) { OF(TSR_BACK, __VA_ARGS__) }              \
      if (tsr_full) {                                                                                \
        OF(TSR_FOLD, __VA_ARGS__)                                                                    \
        a##_steps = 0;                                                                               \
      }                                                                                              \
      for (; a##_steps < TSR_BLOCK_STEPS && j0 + TSR_LANES <= tsr_all; a##_steps++, j0 += TSR_LANES) \
        TSR_VECTORIZE for (int l = 0; l < TSR_LANES; l++) {                                          \
          const tsr_i64 j = j0 + l;                                                                  \
          body                                                                                       \
        }                                                                                            \
      if (a##_steps < TSR_BLOCK_STEPS && j0 < tsr_all) {                                             \
        if (!a##_away) { OF(TSR_OUT, __VA_ARGS__) }                                                  \
        OF(TSR_THERE, __VA_ARGS__)                                                                   \
        REST((int)(tsr_all - j0), body)                                                              \
        a##_steps++;                                                                                 \
        j0 = tsr_all;                                                                                \
      }                                                                                              \
    }                                                                                                \
  }
#define TSR_SHORT_REST(left, body)                 \
  TSR_VECTORIZE for (int l = 0; l < (left); l++) { \
    const tsr_i64 j = j0 + l;                      \
    body                                           \
  }
// By sixteens under a mask where the instruction set has masks: no element goes by itself.
#define TSR_REST(left, body)                                   \
  if (TSR_VECTOR < 16) {                                       \
    TSR_SHORT_REST(left, body)                                 \
  } else {                                                     \
    for (int tsr_l = 0; tsr_l < (left); tsr_l += 16)           \
      TSR_VECTORIZE for (int tsr_k = 0; tsr_k < 16; tsr_k++) { \
        const int l = tsr_l + tsr_k;                           \
        if (l < (left)) {                                      \
          const tsr_i64 j = j0 + l;                            \
          body                                                 \
        }                                                      \
      }                                                        \
  }
