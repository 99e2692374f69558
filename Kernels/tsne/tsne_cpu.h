// SPDX-License-Identifier: Apache-2.0
// The rows of exact t-SNE (tsne.cl) on a CPU device: sixteen lanes at a time.
//
// Algorithm  That of tsne.cl. The 64 running sums of rule 5 are four float16; of the forces five such
//            sums at once.
// Tensors    A row of d or joint (points); layout: (2, points).
// Work       A work-item has a point; no barriers.
// Tuning     TSR_PREFETCH_DISTANCE (512 floats): how far ahead a row of joint is prefetched.
//            TSR_SIMULATED, which Oclgrind's builds set, leaves the prefetch out.
//
//   row:      [0 ... 15][16 ... 31][32 ... 47][48 ... 63][64 ... 79] ...
//   sums:         0          1          2          3          0        four vectors are the 64 lanes
//
// Rules      5.
#pragma once

#include "common/math16.h"

#if defined __OPENCL_VERSION__ && !defined TSR_GPU

// v, or +0 in lane `own`.
TSR_FN float16 tsr_unless_own(float16 v, int own) { return as_float16(as_int16(v) & ~(TSR_IOTA16 == own)); }

typedef struct {
  float16 norm, ax, ay, rx, ry;
} tsr_force_sums;
// A point at (x, y), its row of joint probabilities, and the coordinates of all n points.
typedef struct {
  float x, y;
  __global const float *joint, *xs, *ys;
  int n;
} tsr_point_row;

// What points j, j + 1 ... do to the point, which is number `own` of them. Of fewer than sixteen the lanes
// beyond stay as they were. `attracts`: by the joint probabilities; else repulsion alone.
TSR_FN tsr_force_sums tsr_accumulate_forces(tsr_force_sums s, const int some, const int attracts,
                                            const tsr_point_row *point, int j, int own) {
  const float x = point->x, y = point->y;
  __global const float *joint = point->joint + (attracts ? j : 0), *xs = point->xs + j, *ys = point->ys + j;
  const int left = point->n - j;
  const float16 one = 1.0f;
  const float16 dx = x - (some ? tsr_load16_tail(xs, left) : vload16(0, xs));
  const float16 dy = y - (some ? tsr_load16_tail(ys, left) : vload16(0, ys));
  const float16 q = tsr_unless_own(tsr_div16(one, fma(dy, dy, fma(dx, dx, one))), own), r = q * q;
  // The first is tsr_add of each.
  tsr_force_sums next = {fma(q, one, s.norm), s.ax, s.ay, fma(r, dx, s.rx), fma(r, dy, s.ry)};
  if (attracts) {
    const float16 a = (some ? tsr_load16_tail(joint, left) : vload16(0, joint)) * q;
    next.ax = fma(a, dx, s.ax), next.ay = fma(a, dy, s.ay);
  }
  if (!some) return next;
  const int16 inside = TSR_IOTA16 < left;
  const tsr_force_sums kept = {select(s.norm, next.norm, inside), select(s.ax, next.ax, inside),
                               select(s.ay, next.ay, inside), select(s.rx, next.rx, inside),
                               select(s.ry, next.ry, inside)};
  return kept;
}

TSR_FN tsr_force_sums tsr_force_sums_joined(tsr_force_sums s, const tsr_force_sums *part) {
  const float16 one = 1.0f;
  const tsr_force_sums sum = {fma(part->norm, one, s.norm), fma(part->ax, one, s.ax),
                              fma(part->ay, one, s.ay), fma(part->rx, one, s.rx), fma(part->ry, one, s.ry)};
  return sum;
}
#define TSR_EACH_FORCE_SUMS(what) {what(0) what(1) what(2) what(3)}
#define TSR_JOIN_FORCES(k) s##k = tsr_force_sums_joined(s##k, &parts[kept][k]);
#define TSR_KEEP_FORCES(k) parts[kept][k] = s##k;

// The row is read once, from memory if points are many, and the sums that go away at a block's end leave the
// processor too little time to look ahead by itself: half a block is fetched before it is wanted.
#define TSR_PREFETCH_DISTANCE 512
#if defined __has_builtin && !defined TSR_SIMULATED
#if __has_builtin(__builtin_prefetch)
// OpenCL's own prefetch does nothing on PoCL and takes a third of the kernel's time on Intel's runtime.
#define TSR_PREFETCH(p) __builtin_prefetch((const void *)(size_t)(p));
#endif
#endif
#ifndef TSR_PREFETCH
#define TSR_PREFETCH(p) \
  {}
#endif

// The forces on a point: Z; attraction, 0 if nothing `attracts`; repulsion.
typedef struct {
  float norm, ax, ay, rx, ry;
} tsr_forces;
TSR_FN tsr_forces tsr_tsne_forces_row(__global const float *joint, __global const float *layout, int point,
                                      int n, const int attracts) {
  const tsr_point_row row = {layout[point], layout[n + point], joint, layout, layout + n, n};
  const tsr_force_sums none = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
  tsr_force_sums s0 = none, s1 = none, s2 = none, s3 = none, parts[TSR_LEVELS][4];
  const int mine = point - point % TSR_LANES;
  tsr_u32 blocks = 0;
  int j = 0, kept = 0;
#define TSR_ACCUMULATE_FORCES(s, at, some, own) \
  s = tsr_accumulate_forces(s, some, attracts, &row, j + at, own);
#define TSR_OWN(at) (point - j - at)
#define TSR_PREFETCH_AT(at) \
  if (attracts) TSR_PREFETCH(joint + j + at + TSR_PREFETCH_DISTANCE)
  for (;;) {
    const int begin = j, whole = n - n % TSR_LANES, end = whole - j < TSR_BLOCK ? whole : j + TSR_BLOCK;
    s0 = none, s1 = none, s2 = none, s3 = none;
    // One step of the row has the point itself; the others need not look for it.
    for (;;) {
      const int stop = j <= mine && mine < end ? mine : end;
      for (; j < stop; j += TSR_LANES) {
        TSR_PREFETCH_AT(0)
        TSR_PREFETCH_AT(16)
        TSR_PREFETCH_AT(32)
        TSR_PREFETCH_AT(48)
        TSR_ACCUMULATE_FORCES(s0, 0, 0, -1)
        TSR_ACCUMULATE_FORCES(s1, 16, 0, -1)
        TSR_ACCUMULATE_FORCES(s2, 32, 0, -1) TSR_ACCUMULATE_FORCES(s3, 48, 0, -1)
      }
      if (j >= end) break;
      TSR_ACCUMULATE_FORCES(s0, 0, 0, TSR_OWN(0))
      TSR_ACCUMULATE_FORCES(s1, 16, 0, TSR_OWN(16))
      TSR_ACCUMULATE_FORCES(s2, 32, 0, TSR_OWN(32))
      TSR_ACCUMULATE_FORCES(s3, 48, 0, TSR_OWN(48)) j += TSR_LANES;
    }
    // What is full joins the blocks before it if there is more. Those that wait lie one after the other, the
    // longest first: the same few lines of the cache however many there are.
    if (j - begin < TSR_BLOCK || j >= n) break;
    for (tsr_u32 b = blocks++; b & 1u; b >>= 1) {
      kept--;
      TSR_EACH_FORCE_SUMS(TSR_JOIN_FORCES)
    }
    TSR_EACH_FORCE_SUMS(TSR_KEEP_FORCES)
    kept++;
  }
  if (j < n) TSR_ACCUMULATE_FORCES(s0, 0, 1, TSR_OWN(0))
  if (j + 16 < n) TSR_ACCUMULATE_FORCES(s1, 16, 1, TSR_OWN(16))
  if (j + 32 < n) TSR_ACCUMULATE_FORCES(s2, 32, 1, TSR_OWN(32))
  if (j + 48 < n) TSR_ACCUMULATE_FORCES(s3, 48, 1, TSR_OWN(48))
  while (kept > 0) {
    kept--;
    TSR_EACH_FORCE_SUMS(TSR_JOIN_FORCES)
  }
#define TSR_FORCE_SUM(part) tsr_lane_tree_sum(s0.part, s1.part, s2.part, s3.part)
  const tsr_forces sums = {TSR_FORCE_SUM(norm), TSR_FORCE_SUM(ax), TSR_FORCE_SUM(ay), TSR_FORCE_SUM(rx),
                           TSR_FORCE_SUM(ry)};
  return sums;
}

// Sums of a row's weights exp(-beta x) and of their moments, x from the row's smallest on. Beyond the end
// stands +0, which changes no sum: none of them is negative.
typedef struct {
  float weights, moments;
} tsr_affinity_moments;
TSR_FN tsr_affinity_moments tsr_affinity_sums(__global const float *d, int n, int own, float closest,
                                              float beta) {
  float16 weights[4], moments[4];
  for (int quarter = 0; quarter < 4; quarter++) {
    float16 s = 0.0f, m = 0.0f, parts[TSR_LEVELS], moment_parts[TSR_LEVELS];
    tsr_u32 blocks = 0;
    for (int begin = 0; begin < n; begin += TSR_BLOCK) {
      if (begin > 0) {
        int level = 0;
        for (tsr_u32 b = blocks++; b & 1u; b >>= 1, level++)
          s = fma(parts[level], (float16)(1.0f), s), m = fma(moment_parts[level], (float16)(1.0f), m);
        parts[level] = s, moment_parts[level] = m;
        s = 0.0f, m = 0.0f;
      }
      const int end = n - begin < TSR_BLOCK ? n : begin + TSR_BLOCK;
      for (int j = begin + 16 * quarter; j < end; j += TSR_LANES) {
        const float16 x = tsr_unless_own(tsr_load16_tail(d + j, n - j) + closest, own - j);
        float16 e = tsr_unless_own(tsr_exp16(-x * beta), own - j);
        if (n - j < 16) e = select((float16)(0.0f), e, TSR_IOTA16 < n - j);
        s = fma(e, (float16)(1.0f), s);  // tsr_add of each
        m = fma(x, e, m);
      }
    }
    for (int level = 0; blocks != 0u; blocks >>= 1, level++)
      if (blocks & 1u)
        s = fma(parts[level], (float16)(1.0f), s), m = fma(moment_parts[level], (float16)(1.0f), m);
    weights[quarter] = s, moments[quarter] = m;
  }
  const tsr_affinity_moments sums = {tsr_lane_tree_sum(weights[0], weights[1], weights[2], weights[3]),
                                     tsr_lane_tree_sum(moments[0], moments[1], moments[2], moments[3])};
  return sums;
}

TSR_FN void tsr_conditional_affinities_row(const tsr_affinity_params *p, __global const float *d,
                                           __global float *y, int own) {
  const int n = p->columns;
  const float infinity = tsr_float(TSR_INF_BITS);
  // The greatest of -d has one value in any order: NaN never wins, and a zero's sign is lost in exp.
  float16 best = -infinity;
  for (int j = 0; j < n; j += 16) {
    const float16 v = -tsr_load16_tail(d + j, n - j);
    best = select(best, v, v > best && TSR_IOTA16 != own - j && TSR_IOTA16 < n - j);
  }
  const float closest = tsr_hmax16(best), wanted = tsr_log(p->perplexity);
  float beta = 1.0f, low = -infinity, high = infinity, sum = 1.0f;
  for (int step = 0; step < p->max_iterations; step++) {
    const tsr_affinity_moments s = tsr_affinity_sums(d, n, own, closest, beta);
    sum = s.weights;
    const float excess = tsr_fma(beta, tsr_div(s.moments, sum), tsr_log(sum)) - wanted;
    if (!(excess > p->tolerance || excess < -p->tolerance) || step + 1 == p->max_iterations) break;
    if (excess > 0.0f) {
      low = beta;
      beta = high == infinity ? beta * 2.0f : (beta + high) * 0.5f;
    } else {
      high = beta;
      beta = low == -infinity ? beta * 0.5f : (beta + low) * 0.5f;
    }
  }
  for (int j = 0; j < n; j += 16) {
    const float16 x = tsr_load16_tail(d + j, n - j) + closest;
    const float16 share = tsr_div16(tsr_exp16(-x * beta), (float16)(sum));
    tsr_store16_tail(tsr_unless_own(tsr_canonical16(share), own - j), y + j, n - j);
  }
}
#endif
