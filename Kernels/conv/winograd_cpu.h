// SPDX-License-Identifier: Apache-2.0
// Convolutions by fewer multiplications on a CPU device: what conv/winograd_work.h needs of OpenCL C, and
// the kernels.
//
// Algorithm  Of conv/winograd_work.h.
// Tensors    scratch: a piece for each work-item (include/winograd_scratch.h).
// Work       Work-item i of n takes tasks i, i + n, ...: blocks of tiles, or of a gradient for the weights
//            (group, block of outputs, block of inputs). Of the packing and of the groups' sums it takes the
//            i-th part. A work-group is one work-item. No barriers.
// Tuning     TSR_WINO_TAPS (2 to 5; default 3): the kernel's size. TSR_VECTORS (1, 2; default 1): float16
//            of a panel and of a row of sums; it sets the register tile, 6 x 16 or 12 x 32.
//
//   scratch  [ work-item 0: V | M | ring | lines ] [ work-item 1: V | M | ring | lines ] ...
//
// Rules      4, 6, 9, 11.
#pragma once

#include "conv/conv_cpu.h"

#ifndef TSR_WINO_TAPS
#define TSR_WINO_TAPS 3
#endif
#define TSR_WINO_POINTS (TSR_WINO_TAPS == 2 ? 4 : 6)

// Whether an activation is comparisons alone. Every other one follows in memory: its text is there once.
#define TSR_WINO_SIMPLE(activation) \
  ((activation) == TSR_ACT_NONE || (activation) == TSR_ACT_RELU || (activation) == TSR_ACT_RELU6)

#ifndef TSR_GPU
#define TSR_WINO_LANES 16
#define TSR_WINO_PANEL TSR_PANEL
#define TSR_WINO_VECTORS TSR_VECTORS
#if TSR_VECTORS == 2
#define TSR_WINO_HEIGHT 12
#define TSR_WINO_HEIGHTS(X) X(2) X(4) X(6) X(8) X(10)
#else
#define TSR_WINO_HEIGHT 6
#define TSR_WINO_HEIGHTS(X) X(2) X(4)
#endif
#define tsr_wino_load(p) vload16(0, p)
#define tsr_wino_store(v, p) vstore16(v, 0, p)
#define tsr_wino_load_part(from, count) tsr_load16_tail(from, count)
TSR_FN void tsr_wino_store_part(float16 v, __global float *to, int count) {
  if (count >= 16) {
    vstore16(v, 0, to);
    return;
  }
  float8 eight = v.lo;
  if (count & 8) vstore8(eight, 0, to), eight = v.hi, to += 8;
  float4 four = eight.lo;
  if (count & 4) vstore4(four, 0, to), four = eight.hi, to += 4;
  float2 two = four.lo;
  if (count & 2) vstore2(two, 0, to), two = four.hi, to += 2;
  if (count & 1) *to = two.x;
}
TSR_FN void tsr_wino_transpose(float16 *t) {
  float16 other[16];
  tsr_transpose16x16(t, other);
}
TSR_FN float tsr_wino_lane(const float16 *v, int i, int lane) { return ((const float *)v)[i * 16 + lane]; }

// Comparisons alone, with the one NaN; every other activation follows in memory.
TSR_FN float16 tsr_wino_finish(float16 v, int activation) {
  if (activation == TSR_ACT_RELU) v = tsr_relu16(v);
  if (activation == TSR_ACT_RELU6) v = tsr_relu616(v);
  return TSR_WINO_SIMPLE(activation) ? tsr_canonical16(v) : v;
}
TSR_FN void tsr_wino_finish_row(int activation, __global float *row, int count) {
  if (TSR_WINO_SIMPLE(activation)) return;
  for (int j = 0; j < count; j += 16) {
    const float16 v = tsr_load16_tail(row + j, count - j);
    tsr_store16_tail(tsr_canonical16(tsr_activate16(v, activation)), row + j, count - j);
  }
}
#endif

#include "conv/winograd_work.h"

#ifndef TSR_GPU

// packed: U. scratch: tsr_winograd_taps floats of each work-item.
TSR_SINGLE_ITEM_KERNEL void tsr_winograd_pack(const tsr_winograd_params p, __global const float *w,
                                              __global float *packed, __global float *scratch) {
  const long pairs = (long)p.panels * p.channels, i = get_global_id(0), n = get_global_size(0);
  const tsr_wino_packing packing = {w, packed, scratch + i * tsr_winograd_taps(TSR_WINO_LANES)};
  tsr_wino_pack(&p, &packing, (int)(pairs * i / n), (int)(pairs * (i + 1) / n));
}

// `bias` is read if the parameters say so.
TSR_SINGLE_ITEM_KERNEL void tsr_conv_winograd(const tsr_winograd_params p, __global const float *x,
                                              __global const float *packed, __global const float *bias,
                                              __global float *y, __global float *scratch) {
  tsr_winograd_scratch s;
  tsr_winograd_lay_out(&p, TSR_WINO_LANES, TSR_WINO_PANEL, &s);
  const tsr_wino_operands o = {x, packed, bias, y};
  const int tasks = tsr_wino_tasks(&p), n = (int)get_global_size(0);
  scratch += get_global_id(0) * s.count;
  for (int task = (int)get_global_id(0); task < tasks; task += n) tsr_wino_work(&p, &s, &o, task, scratch);
}

// Of `count` groups of samples from the first on; `partial` (group, outputs, channels, taps) is theirs.
TSR_SINGLE_ITEM_KERNEL void tsr_grad_weight_winograd(const tsr_winograd_part_params q,
                                                     __global const float *x, __global const float *dy,
                                                     __global float *partial, __global float *scratch) {
  const tsr_winograd_params *p = &q.conv;
  tsr_winograd_weight_scratch s;
  tsr_winograd_weight_lay_out(p, TSR_WINO_LANES, &s);
  const tsr_wino_weight_operands o = {x, dy, partial};
  const int tasks = tsr_wino_weight_tasks(p, q.count), n = (int)get_global_size(0);
  scratch += get_global_id(0) * s.count;
  for (int task = (int)get_global_id(0); task < tasks; task += n) {
    const tsr_wino_weight_task t = tsr_wino_weight_task_at(p, task);
    tsr_wino_weight_work(p, &s, &t, &o, q.first, scratch);
  }
}

// Such groups' results in ascending order onto dw, those of group 0 to +0.
TSR_SINGLE_ITEM_KERNEL void tsr_reduce_grad_weight_winograd(const tsr_winograd_part_params q,
                                                            __global const float *partial,
                                                            __global float *dw) {
  const long weights = (long)q.conv.outputs * q.conv.channels * TSR_WINO_TAPS * TSR_WINO_TAPS;
  const long vectors = (weights + 15) / 16, i = get_global_id(0), n = get_global_size(0);
  for (long at = vectors * i / n * 16; at < vectors * (i + 1) / n * 16; at += 16) {
    float16 sum = q.first > 0 ? tsr_load16_tail(dw + at, weights - at) : (float16)(0.0f);
    for (int group = 0; group < q.count; group++)
      sum = tsr_add16(sum, tsr_load16_tail(partial + group * weights + at, weights - at));
    tsr_store16_tail(tsr_canonical16(sum), dw + at, weights - at);
  }
}
#endif
