// SPDX-License-Identifier: Apache-2.0
// Reductions inside the kernels of kernel_forms.h, for C, CPU devices and GPUs.
//
// Algorithm  64 lanes; blocks of 16 steps, which combine in pairs (pairwise summation, Higham 1993); at
//            the end a halving tree. Over groups of a batch, and in large windows, compensated sums
//            (Kahan 1965). Chains are 16 long, and what is combined in pairs has an error that grows with
//            the logarithm of the row: one chain a lane would round a value that repeats the same way
//            every time, and drift with the length.
// Tensors    A row of n elements; or the samples of a batch group, one after another.
// Work       GPU: a work-item a lane, the tree through local memory with barriers. CPU device: an array
//            of 64 lanes of one work-item. C: common/c/lane_sums.h.
// Tuning     None: LANES 64, BLOCK_STEPS 16 and BATCH_GROUP 8 are frozen (include/tessera_base.h).
//
//   element:  0  1 ... 63 | 64 65 ... 127 | ... 1023 | 1024 ...      lane = j mod 64; 64 elements are a step
//   steps:    0           | 1             | ...      | 16  ...       16 are a block: a lane adds its 16
//   blocks:   0                                      | 1 | 2 | 3     elements in order, from +0; blocks
//                                                                    add in pairs: ((0 + 1) + (2 + 3)) + ...
//   lanes:    0  1 ... 63                                            combine by halves: 32, 16, 8, 4, 2, 1
//
//   TSR_LANE_SUM(a)                a sum of 64 lanes, +0 at first
//   TSR_ACCUMULATE2(n, a, b, body) body for the elements j of a row (of a group's next sample), which adds to
//                                  TSR_LANE(a) and TSR_LANE(b)
//   TSR_ACCUMULATE_SAMPLE2(...)    the same, where samples may be many and shorter than 64
//   TSR_SUM(a, total)              the sum as a number
//   TSR_LANE_ACC, TSR_EACH_LANE, TSR_MAXIMUM    without blocks: for maxima, which have one value in any order
//
// Rules      5 (rows), 6 (batch groups, windows).
#pragma once

#include "common/kernel_forms.h"
#include "common/math.h"

// A sum of any length as exact as one addition: what an addition rounds off (Knuth, The Art of Computer
// Programming 4.2.2, theorem B) goes into the next (Kahan 1965). For group after group of a batch, and
// element after element of a large window.
typedef struct {
  float sum, lost;
} tsr_compensated;
TSR_FN tsr_compensated tsr_plus(tsr_compensated s, float x) {
  const float y = tsr_add(s.lost, x), sum = tsr_add(s.sum, y);
  const tsr_compensated next = {sum, tsr_rounded_off(s.sum, y, sum)};
  return next;
}

// Rows h0 ..< h1 and columns w0 ..< w1 of a plane.
typedef struct {
  int h0, h1, w0, w1;
} tsr_window;

// The window's sum: one chain; compensated where the window is large (rule 6).
TSR_FN float tsr_window_sum(TSR_GLOBAL const float *plane, int width, int area, const tsr_window window) {
  const int h0 = window.h0, h1 = window.h1, w0 = window.w0, w1 = window.w1;
  tsr_compensated sum = {0.0f, 0.0f};
  for (int h = h0; h < h1; h++)
    for (int w = w0; w < w1; w++) {
      const float v = plane[(tsr_i64)h * width + w];
      if (area > TSR_WINDOW_CHAIN) sum = tsr_plus(sum, v);
      else sum.sum = tsr_add(sum.sum, v);
    }
  return sum.sum;
}

#define TSR_TREE_PLUS(x, y) ((x) + (y))
#define TSR_MAXIMUM(a, result) TSR_TREE(a, result, tsr_max)
// In C: Kernels/common/c/lane_sums.h.
#ifdef __OPENCL_VERSION__
#define TSR_SUM(a, result) TSR_JOIN(a) TSR_TREE(a, result, TSR_TREE_PLUS)
#define TSR_ACCUMULATE1(n, a, body) TSR_EACH_BLOCK(n, a, TSR_FOLD(a), body)
#define TSR_ACCUMULATE2(n, a, b, body) TSR_EACH_BLOCK(n, a, TSR_FOLD(a) TSR_FOLD(b), body)
#define TSR_ACCUMULATE3(n, a, b, c, body) TSR_EACH_BLOCK(n, a, TSR_FOLD(a) TSR_FOLD(b) TSR_FOLD(c), body)
#define TSR_ACCUMULATE5(n, a, b, c, d, e, body) \
  TSR_EACH_BLOCK(n, a, TSR_FOLD(a) TSR_FOLD(b) TSR_FOLD(c) TSR_FOLD(d) TSR_FOLD(e), body)
// Elements tsr_from ..< tsr_n are in one block; `steps` of it are behind. What ends a block is done when
// the next one begins.
#define TSR_EACH_BLOCK(n, a, folds, body)                                                     \
  {                                                                                           \
    const tsr_i64 tsr_all = (n);                                                              \
    for (tsr_i64 tsr_from = 0; tsr_from < tsr_all;) {                                         \
      if (a##_steps == TSR_BLOCK_STEPS) { folds a##_steps = 0; }                              \
      const tsr_i64 tsr_room = tsr_from + (tsr_i64)(TSR_BLOCK_STEPS - a##_steps) * TSR_LANES; \
      const tsr_i64 tsr_n = tsr_room < tsr_all ? tsr_room : tsr_all;                          \
      TSR_EACH_LANE_FROM(tsr_from, body)                                                      \
      a##_steps += (int)((tsr_n - tsr_from + TSR_LANES - 1) / TSR_LANES);                     \
      tsr_from = tsr_n;                                                                       \
    }                                                                                         \
  }
#define TSR_ACCUMULATE_SAMPLE1 TSR_ACCUMULATE1
#define TSR_ACCUMULATE_SAMPLE2 TSR_ACCUMULATE2
#endif
#define TSR_EACH_LANE(n, body)  \
  {                             \
    const tsr_i64 tsr_n = (n);  \
    TSR_EACH_LANE_FROM(0, body) \
  }

#ifdef TSR_GPU
// One accumulator per work-item, one work-item per lane.
#define TSR_LANE_ACC(a, start) float a = (start);
#define TSR_LANE_SUM(a)                  \
  float a = 0.0f, a##_parts[TSR_LEVELS]; \
  tsr_u32 a##_blocks = 0;                \
  int a##_steps = 0;                     \
  (void)a##_steps;
#define TSR_LANE(a) a
// In a body: whether this is element k.
#define TSR_IS(k) (j == (k))
// Four elements of a lane at a time: their loads are in flight together.
#define TSR_EACH_LANE_FROM(first, body)                         \
  long tsr_j = (first) + lane;                                  \
  for (; tsr_j + 3 * TSR_LANES < tsr_n; tsr_j += 4 * TSR_LANES) \
    for (int tsr_u = 0; tsr_u < 4; tsr_u++) {                   \
      const long j = tsr_j + tsr_u * TSR_LANES;                 \
      body                                                      \
    }                                                           \
  for (; tsr_j < tsr_n; tsr_j += TSR_LANES) {                   \
    const long j = tsr_j;                                       \
    body                                                        \
  }
#define TSR_EACH_COLUMN(n, body) TSR_EACH_LANE(n, body)
// The block that ended joins those before it, as a binary counter carries: level k holds the sum of 2^k
// blocks.
TSR_FN void tsr_fold(float block, float *parts, tsr_u32 blocks) {
  int level = 0;
  for (; blocks & 1u; blocks >>= 1) block = tsr_add(block, parts[level++]);
  parts[level] = block;
}
TSR_FN float tsr_join(float block, const float *parts, tsr_u32 blocks) {
  for (int level = 0; blocks != 0u; blocks >>= 1, level++)
    if (blocks & 1u) block = tsr_add(block, parts[level]);
  return block;
}
#define TSR_FOLD(a)                       \
  {                                       \
    tsr_fold(a, a##_parts, a##_blocks++); \
    a = 0.0f;                             \
  }
#define TSR_JOIN(a) a = tsr_join(a, a##_parts, a##_blocks);
#define TSR_LANE0 if (lane == 0)
#define TSR_SUBGROUP0 if (get_local_id(0) == 0)
// Samples n0..<n1 of each group of a batch of `outer`; a team may have none. TSR_SUBGROUP_SUM adds what its
// lanes have to `total`, group after group.
#define TSR_EACH_GROUP(outer)                                                                  \
  for (int tsr_round = 0; tsr_round < (outer); tsr_round += TSR_SUBGROUPS * TSR_BATCH_GROUP) { \
    const int n0 = tsr_round + team * TSR_BATCH_GROUP;                                         \
    const int n1 = n0 + TSR_BATCH_GROUP < (outer) ? n0 + TSR_BATCH_GROUP : (outer);
#define TSR_SUBGROUP_SUM(a, total, outer)                                            \
  TSR_JOIN(a)                                                                        \
  tsr_local_sums[get_local_id(0)] = a;                                               \
  barrier(CLK_LOCAL_MEM_FENCE);                                                      \
  for (int tsr_h = TSR_LANES / 2; tsr_h > 0; tsr_h >>= 1) {                          \
    if (lane < tsr_h)                                                                \
      tsr_local_sums[get_local_id(0)] =                                              \
          tsr_local_sums[get_local_id(0)] + tsr_local_sums[get_local_id(0) + tsr_h]; \
    barrier(CLK_LOCAL_MEM_FENCE);                                                    \
  }                                                                                  \
  for (int tsr_t = 0; tsr_t < TSR_SUBGROUPS; tsr_t++)                                \
    if (tsr_round + tsr_t * TSR_BATCH_GROUP < (outer))                               \
      total = tsr_plus(total, tsr_local_sums[tsr_t * TSR_LANES]);                    \
  barrier(CLK_LOCAL_MEM_FENCE);
#define TSR_TREE(a, result, OP)                                                                      \
  tsr_local_sums[lane] = a;                                                                          \
  barrier(CLK_LOCAL_MEM_FENCE);                                                                      \
  for (int tsr_h = TSR_LANES / 2; tsr_h > 0; tsr_h >>= 1) {                                          \
    if (lane < tsr_h) tsr_local_sums[lane] = OP(tsr_local_sums[lane], tsr_local_sums[lane + tsr_h]); \
    barrier(CLK_LOCAL_MEM_FENCE);                                                                    \
  }                                                                                                  \
  const float result = tsr_local_sums[0];                                                            \
  barrier(CLK_LOCAL_MEM_FENCE);
// Makes what a row's work-items wrote visible to each other.
#define TSR_ROW_FENCE barrier(CLK_GLOBAL_MEM_FENCE);
#else
#define TSR_LANE_ACC(a, start) \
  float a[TSR_LANES];          \
  for (int l = 0; l < TSR_LANES; l++) a[l] = (start);
#define TSR_LANE(a) a[l]
// Lanes and columns never meet: compilers may vectorise. (C alone: OpenCL compilers take no such pragma.)
#ifdef __OPENCL_VERSION__
#define TSR_VECTORIZE
#else
#define TSR_VECTORIZE _Pragma("clang loop vectorize(assume_safety)")
#endif
// By the lane's own 32 bits: comparing 64-bit indices would halve the vectors.
#define TSR_IS(k) (l == (int)((k) - j0))
#define TSR_EACH_LANE_FROM(first, body)                                                                \
  tsr_i64 j0 = (first);                                                                                \
  for (; j0 + TSR_LANES <= tsr_n; j0 += TSR_LANES) TSR_VECTORIZE for (int l = 0; l < TSR_LANES; l++) { \
      const tsr_i64 j = j0 + l;                                                                        \
      body                                                                                             \
    }                                                                                                  \
  TSR_VECTORIZE for (int l = 0; l < (int)(tsr_n - j0); l++) {                                          \
    const tsr_i64 j = j0 + l;                                                                          \
    body                                                                                               \
  }
#define TSR_EACH_COLUMN(n, body) \
  TSR_VECTORIZE for (tsr_i64 j = 0; j < (tsr_i64)(n); j++) { body }
#ifdef __OPENCL_VERSION__
#define TSR_LANE_SUM(a)                   \
  TSR_LANE_ACC(a, 0.0f)                   \
  float a##_parts[TSR_LEVELS][TSR_LANES]; \
  tsr_u32 a##_blocks = 0;                 \
  int a##_steps = 0;                      \
  (void)a##_steps;
// The block that ended joins those before it, as a binary counter carries: level k holds the sum of 2^k
// blocks.
TSR_FN void tsr_fold(float *block, float (*parts)[TSR_LANES], tsr_u32 blocks) {
  const float16 one = 1.0f;  // fma(x, one, y) is tsr_add of each
  float16 s0 = vload16(0, block), s1 = vload16(1, block), s2 = vload16(2, block), s3 = vload16(3, block);
  int level = 0;
  for (; blocks & 1u; blocks >>= 1, level++) {
    s0 = fma(s0, one, vload16(0, parts[level]));
    s1 = fma(s1, one, vload16(1, parts[level]));
    s2 = fma(s2, one, vload16(2, parts[level]));
    s3 = fma(s3, one, vload16(3, parts[level]));
  }
  vstore16(s0, 0, parts[level]);
  vstore16(s1, 1, parts[level]);
  vstore16(s2, 2, parts[level]);
  vstore16(s3, 3, parts[level]);
  for (int k = 0; k < 4; k++) vstore16((float16)(0.0f), k, block);
}
TSR_FN void tsr_join(float *block, float (*parts)[TSR_LANES], tsr_u32 blocks) {
  for (int level = 0; blocks != 0u; blocks >>= 1, level++)
    if (blocks & 1u)
      for (int l = 0; l < TSR_LANES; l++) block[l] = tsr_add(block[l], parts[level][l]);
}
#define TSR_FOLD(a) tsr_fold(a, a##_parts, a##_blocks++);
#define TSR_JOIN(a) tsr_join(a, a##_parts, a##_blocks);
#endif
#define TSR_LANE0
#define TSR_SUBGROUP0
#define TSR_EACH_GROUP(outer)                             \
  for (int n0 = 0; n0 < (outer); n0 += TSR_BATCH_GROUP) { \
    const int n1 = n0 + TSR_BATCH_GROUP < (outer) ? n0 + TSR_BATCH_GROUP : (outer);
#define TSR_SUBGROUP_SUM(a, total, outer) TSR_SUM(a, tsr_group_##a) total = tsr_plus(total, tsr_group_##a);
#define TSR_TREE(a, result, OP)                                    \
  for (int tsr_h = TSR_LANES / 2; tsr_h > 0; tsr_h >>= 1)          \
    for (int l = 0; l < tsr_h; l++) a[l] = OP(a[l], a[l + tsr_h]); \
  const float result = a[0];
#define TSR_ROW_FENCE
#endif
