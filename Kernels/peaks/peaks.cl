// SPDX-License-Identifier: Apache-2.0
// What a device can do at most, for `tessera bench`: fused multiply-adds in registers.
//
// Algorithm  Item i does 192 x 2,048 fma; nothing is read in the loop. The result is stored, so that no
//            compiler leaves it out.
// Tensors    x: (1), 0; y: (count).
// Work       One item i. GPU: a work-group of 64, three accumulators a work-item. CPU device: a work-item
//            with twelve float8 (fmaPeak) or float16 (fmaPeak16), named so that they stay in registers.
//            C: three accumulators of 64 lanes.
// Tuning     None.
//
//   c0 = fma(c0, a, b)   c1 = fma(c1, a, b)   ...      independent chains hide the latency of an fma
//
// Rules      None: no result of the library comes from here.

#include "common/sums.h"

#if defined(__OPENCL_VERSION__) && !defined(TSR_GPU)
// Twelve chains hide the latency of two units and stay in registers: of eight in the sixteen that AVX2
// has, of sixteen in the 32 of AVX-512. A vector of the other width runs at half the speed, so the better
// of both is the peak.
#define TSR_PEAK(name, vector, steps, half)                                                     \
  __kernel __attribute__((reqd_work_group_size(1, 1, 1))) void name(                            \
      const tsr_map_params p, __global const float *x, __global float *y) {                     \
    const vector a = (vector)(p.alpha), b = (vector)(p.beta);                                   \
    vector c0 = 0.25f, c1 = 0.5f, c2 = 0.75f, c3 = 1.25f, c4 = 1.5f, c5 = 1.75f;                \
    vector c6 = 2.25f, c7 = 2.5f, c8 = 2.75f, c9 = 3.25f, c10 = 3.5f, c11 = 3.75f;              \
    for (int step = 0; step < steps; step++) {                                                  \
      c0 = fma(c0, a, b), c1 = fma(c1, a, b), c2 = fma(c2, a, b), c3 = fma(c3, a, b);           \
      c4 = fma(c4, a, b), c5 = fma(c5, a, b), c6 = fma(c6, a, b), c7 = fma(c7, a, b);           \
      c8 = fma(c8, a, b), c9 = fma(c9, a, b), c10 = fma(c10, a, b), c11 = fma(c11, a, b);       \
    }                                                                                           \
    const vector s = c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11;               \
    const float4 u = half;                                                                      \
    if (get_global_id(0) < (size_t)p.count) y[get_global_id(0)] = u.x + u.y + u.z + u.w + x[0]; \
  }
TSR_PEAK(tsr_fma_peak, float8, 4096, s.lo + s.hi)
TSR_PEAK(tsr_fma_peak_16, float16, 2048, (s.lo.lo + s.lo.hi) + (s.hi.lo + s.hi.hi))
#else
TSR_ROWS2(tsr_fma_peak, tsr_map_params, p.count, const float, x, float, y)
  const float a = p.alpha, b = p.beta;
  TSR_LANE_ACC(u, 0.25f)
  TSR_LANE_ACC(v, 0.5f)
  TSR_LANE_ACC(w, 0.75f)
#ifdef TSR_GPU
  // Written out: a loop's own instructions would take as long.
#define TSR_STEP u = tsr_fma(u, a, b), v = tsr_fma(v, a, b), w = tsr_fma(w, a, b);
#define TSR_STEPS TSR_STEP TSR_STEP TSR_STEP TSR_STEP TSR_STEP TSR_STEP TSR_STEP TSR_STEP
  for (int step = 0; step < 32; step++) {
    TSR_STEPS TSR_STEPS TSR_STEPS TSR_STEPS TSR_STEPS TSR_STEPS TSR_STEPS TSR_STEPS
  }
#else
  for (int step = 0; step < 2048; step++) {
    TSR_EACH_LANE(TSR_LANES, TSR_LANE(u) = tsr_fma(TSR_LANE(u), a, b);
                  TSR_LANE(v) = tsr_fma(TSR_LANE(v), a, b); TSR_LANE(w) = tsr_fma(TSR_LANE(w), a, b);)
  }
#endif
  TSR_TREE(u, su, TSR_TREE_PLUS)
  TSR_TREE(v, sv, TSR_TREE_PLUS)
  TSR_TREE(w, sw, TSR_TREE_PLUS)
  TSR_LANE0 y[i] = su + sv + sw + x[0];
TSR_END
#endif
